#include "tests/contracts/stored_file.hpp"
#include "tests/io/formats/tiff_bytes.hpp"

#include <weft/tiff_writer.hpp>

#include <gmock/gmock.h>

#include <cstring>
#include <tuple>

namespace weft::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

StoredSample sample(const char* name, const TiffBytes& tiff) {
  return {name, [tiff](const TestFolder& at) { return at.file("picture.tif", tiff.bytes()); }, "image", tiff.values()};
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all = {
      sample("strips", {}),
      sample("one_strip", {.piece_rows = 5}),
      sample("big_endian", {.big_endian = true}),
      sample("bigtiff", {.large = true}),
      sample("pages", {.pages = 3}),
      sample("bands", {.samples = 3}),
      sample("planes", {.samples = 3, .planes = true}),
      sample("tiles", {.rows = 20, .columns = 37, .tiled = true, .piece_rows = 16}),
      sample("tiles_of_bands", {.pages = 2, .rows = 20, .columns = 37, .samples = 2, .tiled = true, .piece_rows = 16}),
      sample("packbits", {.compression = 32773}),
      sample("predicted", {.samples = 2, .big_endian = true, .compression = 32773, .predictor = 2}),
  };
  if (missing_codec({Filter::kDeflate, {}}).empty()) {
    all.push_back(sample("deflate", {.rows = 40, .columns = 37, .tiled = true, .piece_rows = 32, .compression = 8}));
    all.push_back(sample("all_at_once", {.pages = 2,
                                         .rows = 20,
                                         .columns = 37,
                                         .samples = 3,
                                         .planes = true,
                                         .tiled = true,
                                         .piece_rows = 16,
                                         .big_endian = true,
                                         .large = true,
                                         .compression = 32946,
                                         .predictor = 2}));
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Tiff, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

/// A strip of 8 columns of bytes, packed by the sequence of codes; `more` rows as wide.
std::string strip_of(const std::string& packed, std::uint16_t compression, std::uint16_t bits, int columns, int rows) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
    return out;
  };
  const auto field = [&](int tag, std::uint64_t value) {
    return number(static_cast<std::uint64_t>(tag), 2) + number(4, 2) + number(1, 4) + number(value, 4);
  };
  std::string out = std::string("II*\0", 4) + number(8 + packed.size(), 4) + packed;
  out += number(8, 2) + field(256, static_cast<std::uint64_t>(columns)) + field(257, static_cast<std::uint64_t>(rows)) +
         field(258, bits) + field(259, compression) + field(262, 1) + field(273, 8) +
         field(278, static_cast<std::uint64_t>(rows)) + field(279, packed.size()) + number(0, 4);
  return out;
}

/// Packs codes of as many bits as they have, the high bit first.
std::string codes(const std::vector<std::pair<unsigned, unsigned>>& list) {
  std::string out;
  unsigned held = 0, bits = 0;
  for (const auto& [code, width] : list) {
    held = held << width | code;
    bits += width;
    for (; bits >= 8; bits -= 8) out += static_cast<char>(held >> (bits - 8));
    held &= (1u << bits) - 1;
  }
  if (bits > 0) out += static_cast<char>(held << (8 - bits));
  return out;
}

TEST(TiffTest, LzwRepeatsWhatItSaw) {
  const TestFolder folder;
  // 7, then the code that is being made (7 7), then both together (7 7 7), then 5 and the end.
  const std::string packed = codes({{256, 9}, {7, 9}, {258, 9}, {259, 9}, {5, 9}, {259, 9}, {257, 9}});
  const auto file = open_stored(folder.file("l.tif", strip_of(packed, 5, 8, 10, 1)));
  EXPECT_THAT(file->read_numbers(0), ElementsAre(7, 7, 7, 7, 7, 7, 5, 7, 7, 7));
}

TEST(TiffTest, LzwCodesBecomeLongerInTime) {
  const TestFolder folder;
  // Bytes that never repeat make a code each: from the 254th on they have ten bits.
  std::vector<std::pair<unsigned, unsigned>> list = {{256, 9}};
  std::vector<double> expected;
  unsigned next = 258, width = 9;
  for (unsigned i = 0; i < 700; ++i) {
    const unsigned value = (i * 7 + i / 256) % 256;
    list.emplace_back(value, width);
    expected.push_back(value);
    if (i > 0 && ++next + 1 >= (1u << width)) ++width;
  }
  list.emplace_back(257, width);
  const auto file = open_stored(folder.file("l.tif", strip_of(codes(list), 5, 8, 100, 7)));
  EXPECT_EQ(file->read_numbers(0), expected);
}

TEST(TiffTest, FewBitsBecomeBytes) {
  const TestFolder folder;
  const std::string packed("\xb1\x80\x4e\x00", 4);
  const auto bits = open_stored(folder.file("b.tif", strip_of(packed, 1, 1, 9, 2)));
  EXPECT_EQ(bits->variables()[0].type.name, "uint8");
  EXPECT_THAT(bits->read_numbers(0), ElementsAre(1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0));
  const auto halves = open_stored(folder.file("h.tif", strip_of(packed, 1, 4, 3, 2)));
  EXPECT_THAT(halves->read_numbers(0), ElementsAre(11, 1, 8, 4, 14, 0));
}

TEST(TiffTest, WhatIsNotReadIsNamed) {
  const TestFolder folder;
  const auto file = open_stored(folder.file("j.tif", strip_of("-", 7, 8, 4, 4)));
  EXPECT_THAT([&] { file->read_numbers(0); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("j.tif': 'image'"), HasSubstr("JPEG"))));
}

std::string doubles(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), 8 * values.size()};
}

TEST(TiffTest, AMapHasLabelsKeysAndANumberForNothing) {
  const TestFolder folder;
  TiffBytes tiff;
  tiff.more = {{33550, 12, doubles({10, 20, 0}), 3},
               {33922, 12, doubles({0, 0, 0, 500, 9000, 0}), 6},
               {34735, 3, tiff.numbers({1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32633, 1026, 34737, 4, 0}, 2), 16},
               {34737, 2, std::string("UTM|\0", 5), 5},
               {42113, 2, std::string("74\0", 3), 3}};
  const auto file = open_stored(folder.file("map.tif", tiff.bytes()));
  const Variable& image = file->variables()[file->find("image")];
  EXPECT_THAT(image.dimensions, ElementsAre("y", "x"));
  EXPECT_THAT(file->read_numbers(file->find("x")), ElementsAre(505, 515, 525, 535, 545, 555, 565));
  EXPECT_THAT(file->read_numbers(file->find("y")), ElementsAre(8990, 8970, 8950, 8930, 8910));
  EXPECT_EQ(find_attribute(image.attributes, "crs")->text(), "EPSG:32633");
  EXPECT_EQ(find_attribute(image.attributes, "GTCitationGeoKey")->text(), "UTM");
  EXPECT_EQ(find_attribute(image.attributes, "_FillValue")->numbers(), std::vector<double>{74});
}

TEST(TiffTest, PagesOfAKindAreOneVariable) {
  const TestFolder folder;
  const auto pages = open_stored(folder.file("p.tif", TiffBytes{.pages = 2}.bytes()));
  ASSERT_EQ(pages->variables().size(), 1u);
  EXPECT_THAT(pages->variables()[0].dimensions, ElementsAre("page", "y", "x"));
}

TEST(TiffTest, AFileWhosePagesRunInCirclesIsRefused) {
  const TestFolder folder;
  std::string bytes = strip_of("12345678", 1, 8, 4, 2);
  // The link behind the only page leads back to it.
  bytes.replace(bytes.size() - 4, 4, bytes.substr(4, 4));
  const std::string path = folder.file("circle.tif", bytes);
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("circle.tif': its pages lead back")));
}

/// What is written is read again.
class TiffWriterTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  TestFolder folder_;
};

TEST_P(TiffWriterTest, WhatIsWrittenIsRead) {
  const auto& [type, codec] = GetParam();
  TiffLayout layout{.type = type, .pages = 2, .rows = 37, .columns = 50, .bands = 3};
  layout.tile_rows = 16;
  layout.tile_columns = 32;
  layout.codec = codec;
  try {
    check_tiff("out", layout);
  } catch (const FileError& error) {
    GTEST_SKIP() << error.what();
  }
  const std::size_t element = type == "uint8" ? 1 : type == "int16" ? 2 : type == "float32" ? 4 : 8;
  std::vector<std::byte> data(element * 2 * 37 * 50 * 3);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * i / 3 % 120);
  const std::string path = folder_ / "out.tif";
  {
    TiffWriter writer(path, layout, {}, false);
    for (std::int64_t page = 1; page >= 0; --page) {
      // In two parts, the lower first: tiles come in any order.
      const std::size_t row = 50 * 3 * element, at = static_cast<std::size_t>(page) * 37 * row;
      for (const auto& [first, rows] : {std::pair<std::int64_t, std::int64_t>{32, 5}, {0, 32}}) {
        for (const TiffTile& tile : pack_tiff_tiles(path, layout, page, first, 0, rows, 50,
                                                    data.data() + at + static_cast<std::size_t>(first) * row)) {
          writer.write(tile);
        }
      }
    }
    EXPECT_FALSE(std::filesystem::exists(path)) << "it appears when it is complete";
    writer.finish();
  }
  const auto file = open_stored(path);
  const Variable& image = file->variables()[0];
  EXPECT_EQ(image.type.name, type);
  EXPECT_THAT(image.shape, ElementsAre(2, 37, 50, 3));
  EXPECT_EQ(file->read_box(0, {0, 0, 0, 0}, image.shape), data);
}

INSTANTIATE_TEST_SUITE_P(Tiff, TiffWriterTest,
                         testing::Combine(testing::Values("uint8", "int16", "float32", "float64"),
                                          testing::Values("none", "deflate", "zstd")),
                         [](const auto& one) { return std::get<0>(one.param) + "_" + std::get<1>(one.param); });

TEST(TiffWriterFailureTest, NothingIsLeftOfAFileThatWasNotFinished) {
  const TestFolder folder;
  { TiffWriter writer(folder / "a.tif", {.type = "uint8", .rows = 5, .columns = 5, .codec = "none"}, {}, false); }
  EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
}

TEST(TiffWriterFailureTest, WhatExistsAndWhatCannotBeIsRefused) {
  const TestFolder folder;
  const std::string path = folder.file("a.tif", "-");
  const TiffLayout layout{.type = "uint8", .rows = 5, .columns = 5, .codec = "none"};
  EXPECT_THAT([&] { TiffWriter(path, layout, {}, false); }, ThrowsMessage<FileError>(HasSubstr("exists already")));
  EXPECT_THAT([&] { check_tiff("t.tif", {.type = "datetime64[s]", .rows = 1, .columns = 1}); },
              ThrowsMessage<FileError>(HasSubstr("'t.tif': pictures of datetime64[s]")));
}

}  // namespace
}  // namespace weft::io
