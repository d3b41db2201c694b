#include "io/codecs/filters.hpp"
#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <span>

namespace weft::io {
namespace {

/// A picture by hand: rows begin with the kind of their differences.
std::string png_of(unsigned columns, unsigned rows, unsigned depth, unsigned colours, const std::string& raw,
                   const std::string& palette = {}, bool interlaced = false) {
  const auto big = [](std::uint64_t value) {
    std::string out;
    for (int i = 4; i-- > 0;) out += static_cast<char>(value >> 8 * i);
    return out;
  };
  const auto part = [&](const std::string& kind, const std::string& data) {
    return big(data.size()) + kind + data + big(0);
  };
  std::string head = big(columns) + big(rows);
  for (const unsigned one : {depth, colours, 0u, 0u, interlaced ? 1u : 0u}) head += static_cast<char>(one);
  const std::vector<std::byte> packed =
      apply_filters("test", {{Filter::kDeflate, {6}}}, 1, std::as_bytes(std::span(raw)));
  const std::string data(reinterpret_cast<const char*>(packed.data()), packed.size());
  return "\x89PNG\r\n\x1a\n" + part("IHDR", head) + (palette.empty() ? "" : part("PLTE", palette)) +
         part("IDAT", data.substr(0, data.size() / 2)) + part("IDAT", data.substr(data.size() / 2)) + part("IEND", "");
}

/// Five rows, one of each kind of difference, of 6 pixels that count upwards.
std::string five_kinds() {
  std::string raw;
  for (int row = 0; row < 5; ++row) {
    raw += static_cast<char>(row);
    for (int column = 0; column < 6; ++column) {
      const auto at = [](int r, int c) { return r < 0 || c < 0 ? 0 : 6 * r + c + r * r; };
      const int left = at(row, column - 1), up = at(row - 1, column), corner = at(row - 1, column - 1);
      const int guess = left + up - corner;
      const int a = std::abs(guess - left), b = std::abs(guess - up), c = std::abs(guess - corner);
      const int near = a <= b && a <= c ? left : b <= c ? up : corner;
      const int from = row == 0 ? 0 : row == 1 ? left : row == 2 ? up : row == 3 ? (left + up) / 2 : near;
      raw += static_cast<char>(at(row, column) - from);
    }
  }
  return raw;
}

std::vector<double> counted() {
  std::vector<double> out;
  for (int row = 0; row < 5; ++row) {
    for (int column = 0; column < 6; ++column) out.push_back(6 * row + column + row * row);
  }
  return out;
}

class PngTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!missing_codec({Filter::kDeflate, {}}).empty()) GTEST_SKIP() << "no libdeflate in this build";
  }
  TestFolder folder_;
};

std::vector<StoredSample> samples() {
  if (!missing_codec({Filter::kDeflate, {}}).empty()) return {};
  return {{"grey", [](const TestFolder& at) { return at.file("g.png", png_of(6, 5, 8, 0, five_kinds())); }, "image",
           counted()}};
}

INSTANTIATE_TEST_SUITE_P(Png, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

TEST_F(PngTest, ExtentsWhoseBytesGoBeyondAllNumbersAreRefused) {
  // So many rows of 8 bytes a pixel, and one, are 11,030 bytes, were only the last 64 bits counted.
  const std::string path =
      folder_.file("w.png", png_of(1'074'386'744, 2'146'194'582, 16, 6, std::string(11'030, '\0')));
  const auto file = open_stored(path);
  EXPECT_THROW(file->read_box(0, {0, 0, 0}, {1, 1, 1}), FileError);
}

TEST_F(PngTest, PalettesBecomeColours) {
  const std::string path = folder_.file("p.png", png_of(4, 1, 2, 3, std::string("\0\x1b", 2), "abcdefghijkl"));
  const auto file = open_stored(path);
  EXPECT_THAT(file->variables()[0].shape, testing::ElementsAre(1, 4, 3));
  EXPECT_THAT(file->read_numbers(0), testing::ElementsAre('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'));
}

TEST_F(PngTest, SixteenBitsAndInterlacedRowsAreRead) {
  const auto wide = open_stored(folder_.file("w.png", png_of(2, 1, 16, 0, std::string("\0\1\2\xff\0", 5))));
  EXPECT_THAT(wide->read_numbers(0), testing::ElementsAre(0x102, 0xff00));
  // 2 x 2 pixels: the first pass has the first, the sixth the second, the seventh the second row.
  const auto passes =
      open_stored(folder_.file("i.png", png_of(2, 2, 8, 0, std::string("\0\x0a\0\x0b\0\x0c\x0d", 7), {}, true)));
  EXPECT_THAT(passes->read_numbers(0), testing::ElementsAre(10, 11, 12, 13));
}

}  // namespace
}  // namespace weft::io
