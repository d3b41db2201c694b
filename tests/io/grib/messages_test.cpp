#include "io/grib/messages.hpp"

#include <weft/storage.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace weft::io::grib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes; i-- > 0;) text += static_cast<char>(value >> 8 * i & 255);
  return text;
}

std::string section(int which, const std::string& body) {
  return number(body.size() + 5, 4) + number(static_cast<unsigned>(which), 1) + body;
}

/// Values (reference 10 + n x 2) / 10^0 of four bits each.
std::string values_of(const std::vector<int>& numbers, const std::string& bitmap) {
  float reference = 10;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &reference, 4);
  std::string packed;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    packed += static_cast<char>(numbers[i] << 4 | (i + 1 < numbers.size() ? numbers[i + 1] : 0));
  }
  return section(4, std::string(29, '\0')) +
         section(5, number(numbers.size(), 4) + number(0, 2) + number(bits, 4) + number(1, 2) + number(0, 2) +
                        number(4, 1) + number(0, 1)) +
         section(6, bitmap) + section(7, packed);
}

std::string message(const std::string& sections) {
  const std::string body = section(1, std::string(16, '\0')) + section(3, std::string(9, '\0')) + sections + "7777";
  return "GRIB" + number(0, 3) + number(2, 1) + number(body.size() + 16, 8) + body;
}

class GribMessagesTest : public ::testing::Test {
 protected:
  ~GribMessagesTest() override { std::filesystem::remove(path_); }
  const OpenFile& write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    file_.emplace(path_);
    return *file_;
  }
  std::string error(const std::string& bytes) {
    try {
      find_fields(write(bytes));
    } catch (const FileError& failure) {
      return failure.what();
    }
    return "no error";
  }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("weft-grib-" + std::to_string(::getpid()))).string();
  std::optional<OpenFile> file_;
};

const std::string kAll = number(255, 1);

/// A message of values 0 and 1, of a time and a kind of product.
std::string dated(int year, int month, int day, int hour, int product, int level, int reference_value) {
  const std::string identity = std::string(7, '\0') + number(static_cast<unsigned>(year), 2) +
                               number(static_cast<unsigned>(month), 1) + number(static_cast<unsigned>(day), 1) +
                               number(static_cast<unsigned>(hour), 1) + std::string(4, '\0');
  const std::string of = number(0, 2) + number(static_cast<unsigned>(product), 2) +
                         number(static_cast<unsigned>(level), 4) + std::string(21, '\0');
  const std::string packing = number(2, 4) + number(0, 2) + number(static_cast<unsigned>(reference_value), 4) +
                              number(1, 2) + number(0, 2) + number(4, 1) + number(0, 1);
  const std::string body = section(1, identity) + section(3, std::string(9, '\0')) + section(4, of) +
                           section(5, packing) + section(6, kAll) + section(7, "\x01") + "7777";
  return "GRIB" + number(0, 3) + number(2, 1) + number(body.size() + 16, 8) + body;
}

TEST_F(GribMessagesTest, FieldsThatDifferInTimeAndPackingOnlyAreAlike) {
  const OpenFile& file =
      write(dated(2001, 1, 31, 18, 0, 500, 7) + dated(2001, 2, 1, 6, 0, 500, 8) + dated(2001, 2, 1, 6, 0, 850, 8) +
            dated(2001, 2, 1, 6, 8, 500, 8) + dated(2001, 13, 1, 6, 0, 500, 8));
  const std::vector<Field> fields = find_fields(file);
  ASSERT_EQ(fields.size(), 5u);
  std::vector<Likeness> like;
  for (const Field& field : fields) like.push_back(likeness_of(field));
  EXPECT_FALSE(like[0].text.empty());
  EXPECT_EQ(like[0].text, like[1].text);
  EXPECT_EQ(like[0].time, days_of(2001, 1, 31) * 86400 + 18 * 3600);
  EXPECT_EQ(like[1].time - like[0].time, 12 * 3600);
  EXPECT_NE(like[2].text, like[0].text) << "another level is another field";
  EXPECT_EQ(like[3].text, "") << "an interval's length follows from its end and the time";
  EXPECT_EQ(like[4].text, "") << "there is no month 13";
}

TEST_F(GribMessagesTest, SimpleValuesAreUnpacked) {
  const OpenFile& file =
      write("heading\r\n" + message(values_of({0, 1, 15}, kAll)) + "between" + message(values_of({2}, kAll)));
  const std::vector<Field> fields = find_fields(file);
  ASSERT_EQ(fields.size(), 2u);
  std::vector<float> out(3);
  ASSERT_TRUE(fields[0].simple);
  unpack_simple(file, fields[0], 3, out.data());
  EXPECT_THAT(out, ElementsAre(10, 12, 40));
  unpack_simple(file, fields[1], 1, out.data());
  EXPECT_EQ(out[0], 14);
  EXPECT_THROW(unpack_simple(file, fields[0], 4, out.data()), FileError);
}

TEST_F(GribMessagesTest, ABitmapSaysWhereThereIsNoValue) {
  const OpenFile& file = write(message(values_of({3, 4}, number(0, 1) + number(0b01010000, 1))));
  const std::vector<Field> fields = find_fields(file);
  std::vector<float> out(5);
  unpack_simple(file, fields[0], 5, out.data());
  EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[2]) && std::isnan(out[4]));
  EXPECT_EQ(out[1], 16);
  EXPECT_EQ(out[3], 18);
}

TEST_F(GribMessagesTest, AMessageMayHoldSeveralFieldsAndUseABitmapAgain) {
  const OpenFile& file = write(message(values_of({1}, number(0, 1) + number(0b10000000, 1)) +
                                       values_of({2}, number(254, 1)) + values_of({5, 6}, kAll)));
  const std::vector<Field> fields = find_fields(file);
  ASSERT_EQ(fields.size(), 3u);
  std::vector<float> out(2);
  unpack_simple(file, fields[1], 2, out.data());
  EXPECT_EQ(out[0], 14);
  EXPECT_TRUE(std::isnan(out[1]));
  unpack_simple(file, fields[2], 2, out.data());
  EXPECT_THAT(out, ElementsAre(20, 22));
  // As messages of their own they hold one field each.
  const std::vector<std::byte> alone = message_of(file, fields[1], true);
  const std::string text(reinterpret_cast<const char*>(alone.data()), alone.size());
  const std::vector<Field> again = find_fields(write(text));
  ASSERT_EQ(again.size(), 1u);
  unpack_simple(*file_, again[0], 2, out.data());
  EXPECT_EQ(out[0], 14);
}

TEST_F(GribMessagesTest, DamagedMessagesAreErrorsThatNameTheFile) {
  const std::string good = message(values_of({0, 1, 15}, kAll));
  EXPECT_THAT(error(good.substr(0, good.size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(error(good.substr(0, good.size() - 4) + "7776"), HasSubstr("damaged"));
  EXPECT_THAT(error("nothing of the kind at all"), HasSubstr("holds no GRIB message"));
  EXPECT_THAT(error("GRIB" + number(0, 3) + number(9, 1) + good), HasSubstr("edition 9"));
  std::string odd = good;
  odd[16 + 3] = 99;
  EXPECT_THAT(error(odd), HasSubstr("weft-grib-"));
}

}  // namespace
}  // namespace weft::io::grib
