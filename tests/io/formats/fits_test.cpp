#include <weft/fits_writer.hpp>

#include "io/codecs/filters.hpp"
#include "io/fits/tiles.hpp"
#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cstring>

namespace weft::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

template <class T>
std::string picture(const std::string& type, const std::vector<std::int64_t>& shape, std::vector<T> values,
                    const std::vector<Attribute>& attributes = {}) {
  std::string out = fits_header("test", type, shape, attributes);
  encode_fits(type, std::as_writable_bytes(std::span(values)));
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  out.resize((out.size() + 2879) / 2880 * 2880, '\0');
  return out;
}

template <class T>
std::vector<T> counted(int count) {
  std::vector<T> out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<T>(i * 7 % 251));
  return out;
}

std::string cards(const std::vector<std::string>& lines) {
  std::string out;
  for (std::string line : lines) {
    line.resize(80, ' ');
    out += line;
  }
  std::string end = "END";
  end.resize(80, ' ');
  out += end;
  out.resize((out.size() + 2879) / 2880 * 2880, ' ');
  return out;
}

std::string card(const std::string& name, const std::string& value) {
  std::string line = name;
  line.resize(8, ' ');
  return line + "= " + value;
}

std::string bits_of(const std::string& digits) {
  std::string out;
  for (std::size_t at = 0; at < digits.size(); at += 8) {
    unsigned byte = 0;
    for (std::size_t i = 0; i < 8; ++i) byte = byte << 1 | (at + i < digits.size() && digits[at + i] == '1' ? 1u : 0u);
    out += static_cast<char>(byte);
  }
  return out;
}

/// A table of three rows: a number, a list of two, a text, and a letter for true or false.
std::string table() {
  std::string out = cards({card("SIMPLE", "T"), card("BITPIX", "8"), card("NAXIS", "0")});
  out += cards({card("XTENSION", "'BINTABLE'"), card("BITPIX", "8"), card("NAXIS", "2"), card("NAXIS1", "15"),
                card("NAXIS2", "3"), card("PCOUNT", "0"), card("GCOUNT", "1"), card("TFIELDS", "4"),
                card("TTYPE1", "'flux'"), card("TFORM1", "'1I'"), card("TTYPE2", "'pair'"), card("TFORM2", "'2J'"),
                card("TTYPE3", "'name'"), card("TFORM3", "'4A'"), card("TTYPE4", "'good'"), card("TFORM4", "'L'"),
                card("TUNIT1", "'Jy'"), card("TZERO1", "32768"), card("EXTNAME", "'stars'")});
  for (int row = 0; row < 3; ++row) {
    out += std::string("\x80", 1) + static_cast<char>(row);
    for (int i = 0; i < 2; ++i) out += std::string(3, '\0') + static_cast<char>(10 * row + i);
    out += row == 1 ? "be  " : "abc ";
    out += row == 2 ? 'F' : 'T';
  }
  out.resize((out.size() + 2879) / 2880 * 2880, '\0');
  return out;
}

/// 3 x 5 bytes, a tile a row, as Rice packs them: all equal; each a step more; and as they are.
std::string packed_picture() {
  std::string out = cards({card("SIMPLE", "T"), card("BITPIX", "8"), card("NAXIS", "0")});
  out += cards({card("XTENSION", "'BINTABLE'"),
                card("BITPIX", "8"),
                card("NAXIS", "2"),
                card("NAXIS1", "8"),
                card("NAXIS2", "3"),
                card("PCOUNT", "12"),
                card("GCOUNT", "1"),
                card("TFIELDS", "1"),
                card("TTYPE1", "'COMPRESSED_DATA'"),
                card("TFORM1", "'1PB(7)'"),
                card("ZIMAGE", "T"),
                card("ZCMPTYPE", "'RICE_1'"),
                card("ZBITPIX", "8"),
                card("ZNAXIS", "2"),
                card("ZNAXIS1", "5"),
                card("ZNAXIS2", "3"),
                card("ZTILE1", "5"),
                card("ZTILE2", "1"),
                card("ZNAME1", "'BLOCKSIZE'"),
                card("ZVAL1", "32"),
                card("ZNAME2", "'BYTEPIX'"),
                card("ZVAL2", "1")});
  const std::string equal = bits_of(
      "00000111"
      "000");
  // 0, 1, 1, 1, 1 doubled, each as so many zeros and a one.
  const std::string steps = bits_of(
      "00001010"
      "001"
      "1"
      "001"
      "001"
      "001"
      "001");
  const std::string plain = bits_of(
      "00000001"
      "111"
      "00000000"
      "00000010"
      "00000011"
      "00000100"
      "00000000");
  const std::string* const all[] = {&equal, &steps, &plain};
  std::size_t place = 0;
  for (const std::string* const one : all) {
    out += std::string(3, '\0') + static_cast<char>(one->size()) + std::string(3, '\0') + static_cast<char>(place);
    place += one->size();
  }
  for (const std::string* const one : all) out += *one;
  out.resize((out.size() + 2879) / 2880 * 2880, '\0');
  return out;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  const auto doubles = [](auto values) { return std::vector<double>(values.begin(), values.end()); };
  all.push_back({"float",
                 [](const TestFolder& at) {
                   return at.file("a.fits", picture<float>("float32", {4, 5, 6}, counted<float>(120)));
                 },
                 "image", doubles(counted<float>(120))});
  all.push_back({"unsigned",
                 [](const TestFolder& at) {
                   return at.file("u.fits", picture<std::uint16_t>("uint16", {6, 20}, counted<std::uint16_t>(120)));
                 },
                 "image", doubles(counted<std::uint16_t>(120))});
  all.push_back({"fits_many",
                 [](const TestFolder& at) {
                   return at.file("m.fits", picture<double>("float64", {kManyRows, kManyColumns}, many_numbers()));
                 },
                 "image", many_numbers()});
  all.push_back({"column",
                 [](const TestFolder& at) { return at.file("t.fits", table()); },
                 "stars/pair",
                 {0, 1, 10, 11, 20, 21}});
  all.push_back({"rice",
                 [](const TestFolder& at) { return at.file("r.fits", packed_picture()); },
                 "image",
                 {7, 7, 7, 7, 7, 10, 11, 12, 13, 14, 1, 2, 0, 2, 2}});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Fits, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

TEST(FitsTest, HeadersAreAttributesAndComeBack) {
  const TestFolder folder;
  Attribute object, exposure, number;
  object.name = "object";
  object.texts = {"O'Brien " + std::string(120, 'x') + "'"};
  exposure.name = "EXPTIME";
  exposure.reals = {1.5e-7};
  number.name = "SEQ";
  number.integers = {-12};
  const auto file =
      open_stored(folder.file("a.fits", picture<std::int32_t>("int32", {2}, {1, -2}, {object, exposure, number})));
  const std::vector<Attribute>& attributes = file->variables()[0].attributes;
  EXPECT_EQ(find_attribute(attributes, "OBJECT")->text(), object.texts[0]);
  EXPECT_THAT(find_attribute(attributes, "EXPTIME")->reals, ElementsAre(1.5e-7));
  EXPECT_THAT(find_attribute(attributes, "SEQ")->integers, ElementsAre(-12));
  EXPECT_EQ(file->variables()[0].dimensions, std::vector<std::string>{"x"});
  EXPECT_EQ(file->read_numbers(0), (std::vector<double>{1, -2}));
}

TEST(FitsTest, ScaleZeroAndBlankAreCFsPacking) {
  const TestFolder folder;
  std::string bytes = cards({card("SIMPLE", "T"), card("BITPIX", "16"), card("NAXIS", "1"), card("NAXIS1", "2"),
                             card("BSCALE", "0.5D0"), card("BZERO", "-1."), card("BLANK", "-99")});
  bytes += std::string("\0\2\xff\x9d", 4) + std::string(2876, '\0');
  const auto file = open_stored(folder.file("a.fits", bytes));
  const Variable& one = file->variables()[0];
  EXPECT_THAT(find_attribute(one.attributes, "scale_factor")->numbers(), ElementsAre(0.5));
  EXPECT_THAT(find_attribute(one.attributes, "add_offset")->numbers(), ElementsAre(-1));
  EXPECT_THAT(find_attribute(one.attributes, "_FillValue")->numbers(), ElementsAre(-99));
  EXPECT_THAT(file->read_numbers(0), ElementsAre(2, -99));
}

TEST(FitsTest, ColumnsOfTablesHaveTheirTypes) {
  const TestFolder folder;
  const auto file = open_stored(folder.file("t.fits", table()));
  EXPECT_EQ(file->groups()[1].path, "stars");
  EXPECT_THAT(file->read_numbers(file->find("stars/flux")), ElementsAre(0, 1, 2));
  EXPECT_EQ(file->variables()[0].type.name, "uint16");
  EXPECT_EQ(find_attribute(file->variables()[0].attributes, "units")->text(), "Jy");
  EXPECT_THAT(file->read_text(file->find("stars/name")), ElementsAre("abc", "be", "abc"));
  const std::vector<std::byte> good = file->read_box(file->find("stars/good"), {0}, {3});
  EXPECT_THAT(good, ElementsAre(std::byte{1}, std::byte{1}, std::byte{0}));
}

TEST(FitsTest, APackingThatIsNotReadIsNamed) {
  const TestFolder folder;
  for (const char* const codec : {"PLIO_1", "HCOMPRESS_1"}) {
    std::string bytes = packed_picture();
    const std::size_t at = bytes.find("'RICE_1'");
    bytes.replace(at, 20, "'" + std::string(codec) + "'" + std::string(18 - std::strlen(codec), ' '));
    const auto file = open_stored(folder.file("p.fits", bytes));
    EXPECT_THAT([&] { file->read_numbers(0); }, ThrowsMessage<FileError>(HasSubstr(codec)));
  }
}

}  // namespace
}  // namespace weft::io
