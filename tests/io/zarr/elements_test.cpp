#include "io/zarr/description.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace weft::io::zarr {
namespace {

template <class T>
T filled(const std::string& value, const std::string& type) {
  const std::vector<std::byte> bytes = fill_of(Json::parse(value, "f"), element_of_name(type), "f");
  T out{};
  EXPECT_EQ(bytes.size(), sizeof(T));
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof(T)));
  return out;
}

TEST(ZarrElementsTest, FillValuesAreNumbersWordsOrBits) {
  EXPECT_EQ(filled<double>("1.5", "float64"), 1.5);
  EXPECT_TRUE(std::isnan(filled<float>("\"NaN\"", "float32")));
  EXPECT_EQ(filled<float>("\"-Infinity\"", "float32"), -INFINITY);
  EXPECT_EQ(filled<std::uint32_t>("\"0x7fc00001\"", "float32"), 0x7fc00001u);
  EXPECT_EQ(filled<std::uint64_t>("18446744073709551615", "uint64"), ~std::uint64_t{0});
  EXPECT_EQ(filled<std::int64_t>("-9223372036854775808", "int64"), INT64_MIN);
  EXPECT_EQ(filled<std::int64_t>("\"NaT\"", "datetime64[s]"), INT64_MIN);
  EXPECT_EQ(filled<bool>("true", "bool"), true);
  EXPECT_EQ(filled<float>("null", "float32"), 0);
  EXPECT_THROW(filled<float>("\"what\"", "float32"), FileError);
  EXPECT_THROW(filled<std::int32_t>("[1]", "int32"), FileError);
}

TEST(ZarrElementsTest, NumbersOfSixteenBitsAreRoundedToTheNearest) {
  EXPECT_EQ(filled<std::uint16_t>("1.0", "float16"), 0x3c00);
  EXPECT_EQ(filled<std::uint16_t>("-2.0", "float16"), 0xc000);
  EXPECT_EQ(filled<std::uint16_t>("65504", "float16"), 0x7bff);
  EXPECT_EQ(filled<std::uint16_t>("65520", "float16"), 0x7c00);
  EXPECT_EQ(filled<std::uint16_t>("0.1", "float16"), 0x2e66);
  EXPECT_EQ(filled<std::uint16_t>("5.960464477539063e-08", "float16"), 1);
  EXPECT_EQ(filled<std::uint16_t>("2047.9", "float16"), 0x6800);
}

TEST(ZarrElementsTest, TypesAreFoundByBothVersionsNames) {
  bool wide = false;
  EXPECT_EQ(element_of_protocol("<f4", wide).name, "float32");
  EXPECT_TRUE(element_of_protocol(">i8", wide).swapped);
  EXPECT_FALSE(element_of_protocol("|u1", wide).swapped);
  EXPECT_EQ(element_of_protocol("<M8[10ns]", wide).name, "datetime64[10ns]");
  EXPECT_EQ(element_of_protocol("<U5", wide).bytes, 20u);
  EXPECT_TRUE(wide);
  EXPECT_EQ(element_of_protocol("<V8", wide).kind, ElementKind::Other);
  EXPECT_EQ(element_of_protocol("", wide).kind, ElementKind::Other);
  for (const char* const name :
       {"bool", "int8", "uint64", "float16", "complex128", "datetime64[s]", "timedelta64[D]"}) {
    EXPECT_EQ(element_of_protocol(protocol_of(element_of_name(name)), wide).name, name);
  }
}

TEST(ZarrElementsTest, Base64IsDecoded) {
  const std::vector<std::byte> bytes = from_base64("AAAAAAAA+H8=");
  double value = 0;
  ASSERT_EQ(bytes.size(), 8u);
  std::memcpy(&value, bytes.data(), 8);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_TRUE(from_base64("not base 64!").empty());
}

}  // namespace
}  // namespace weft::io::zarr
