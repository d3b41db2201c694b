#include <weft/storage.hpp>

#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <random>

namespace weft::io {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string big(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes; i-- > 0;) out += static_cast<char>(value >> 8 * i);
  return out;
}

std::string padded(std::string text) {
  while (text.size() % 4 != 0) text += '\0';
  return text;
}

/// A file with a record dimension, a variable of 2 shorts and one of 1 float a record, and one of fixed size.
std::string classic_file(unsigned version, std::uint64_t records, bool streaming = false) {
  const int wide = version == 5 ? 8 : 4;
  const auto count = [&](std::uint64_t value) { return big(value, wide); };
  const auto name = [&](const std::string& text) { return count(text.size()) + padded(text); };
  const auto make = [&](std::uint64_t data) {
    const int offset = version == 1 ? 4 : 8;
    std::string head =
        std::string("CDF") + static_cast<char>(version) + (streaming ? big(~0ull, wide) : count(records));
    head += big(10, 4) + count(2) + name("time") + count(0) + name("x") + count(2);
    head += big(12, 4) + count(2) + name("title") + big(2, 4) + count(5) + padded("hello") + name("n") + big(4, 4) +
            count(1) + big(7, 4);
    head += big(11, 4) + count(3);
    const std::string none = big(0, 4) + count(0);
    head += name("s") + count(2) + count(0) + count(1) + none + big(3, 4) + count(4) + big(data + 8, offset);
    head += name("f") + count(1) + count(0) + none + big(5, 4) + count(4) + big(data + 12, offset);
    head += name("fixed") + count(1) + count(1) + none + big(4, 4) + count(8) + big(data, offset);
    return head;
  };
  std::string file = make(make(0).size());
  file += big(11, 4) + big(22, 4);
  for (std::uint64_t i = 0; i < records; ++i) {
    file += big(i, 2) + big(100 + i, 2) + big(std::bit_cast<std::uint32_t>(0.5f * static_cast<float>(i)), 4);
  }
  return file;
}

/// A variable of doubles behind a header.
std::string many_file() {
  const auto make = [](std::uint64_t data) {
    const auto name = [](const std::string& text) { return big(text.size(), 4) + padded(text); };
    return std::string("CDF\2") + big(0, 4) + big(10, 4) + big(2, 4) + name("y") + big(kManyRows, 4) + name("x") +
           big(kManyColumns, 4) + big(0, 8) + big(11, 4) + big(1, 4) + name("v") + big(2, 4) + big(0, 4) + big(1, 4) +
           big(0, 8) + big(6, 4) + big(kManyRows * kManyColumns * 8, 4) + big(data, 8);
  };
  std::string file = make(make(0).size());
  for (const double value : many_numbers()) file += big(std::bit_cast<std::uint64_t>(value), 8);
  return file;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  for (const unsigned version : {1u, 2u, 5u}) {
    all.push_back({"classic_" + std::to_string(version),
                   [version](const TestFolder& at) { return at.file("a.nc", classic_file(version, 3)); },
                   "s",
                   {0, 100, 1, 101, 2, 102}});
  }
  all.push_back(
      {"classic_many", [](const TestFolder& at) { return at.file("m.nc", many_file()); }, "v", many_numbers()});
  return all;
}

INSTANTIATE_TEST_SUITE_P(NetcdfClassic, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

TEST(NetcdfClassicTest, RecordsOfEveryVersionAreRead) {
  const TestFolder folder;
  for (const unsigned version : {1u, 2u, 5u}) {
    for (const bool streaming : {false, true}) {
      const auto file = open_stored(folder.file("a.nc", classic_file(version, 3, streaming)));
      EXPECT_EQ(file->format(), "NetCDF classic");
      ASSERT_EQ(file->variables().size(), 3u);
      EXPECT_EQ(file->groups()[0].attributes[0].text(), "hello");
      EXPECT_EQ(file->groups()[0].attributes[1].numbers(), std::vector<double>{7});
      EXPECT_TRUE(file->groups()[0].dimensions[0].unlimited);
      EXPECT_EQ(file->variables()[0].shape, (std::vector<std::int64_t>{3, 2}));
      EXPECT_EQ(file->variables()[0].dimensions, (std::vector<std::string>{"time", "x"}));
      EXPECT_EQ(file->read_numbers(0), (std::vector<double>{0, 100, 1, 101, 2, 102}));
      EXPECT_EQ(file->read_numbers(1), (std::vector<double>{0, 0.5, 1}));
      EXPECT_EQ(file->read_numbers(file->find("fixed")), (std::vector<double>{11, 22}));
    }
  }
}

TEST(NetcdfClassicTest, APartOfTheRecordsIsRead) {
  const TestFolder folder;
  const auto file = open_stored(folder.file("a.nc", classic_file(1, 50)));
  const auto bytes = file->read_box(0, {10, 1}, {3, 1});
  std::vector<double> values(3);
  to_doubles(file->variables()[0].type, bytes.data(), 3, values.data());
  EXPECT_EQ(values, (std::vector<double>{110, 111, 112}));
  EXPECT_THROW(file->read_box(0, {49, 0}, {2, 2}), FileError);
}

TEST(NetcdfClassicTest, AVariableThatIsNotThereIsAnsweredWithThoseThatAre) {
  const TestFolder folder;
  const auto file = open_stored(folder.file("a.nc", classic_file(2, 1)));
  EXPECT_THAT([&] { file->find("tas"); }, ThrowsMessage<FileError>(HasSubstr("no variable 'tas'; it has s, f, fixed")));
}

TEST(NetcdfClassicTest, ATruncatedFileIsToldWhenOpened) {
  const TestFolder folder;
  const std::string whole = classic_file(1, 20);
  for (std::size_t bytes = 4; bytes < whole.size(); bytes += 3) {
    const std::string path = folder.file("short.nc", whole.substr(0, bytes));
    EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("short.nc'"))) << bytes;
  }
}

TEST(NetcdfClassicTest, DamagedBytesGiveAnAnswerOrAnError) {
  const TestFolder folder;
  const std::string whole = classic_file(5, 20);
  std::mt19937 random(3);
  for (int turn = 0; turn < 400; ++turn) {
    std::string bytes = whole;
    for (int i = 0; i < 4; ++i) bytes[random() % 300] = static_cast<char>(random());
    const std::string path = folder.file("damaged.nc", bytes);
    try {
      const auto file = open_stored(path);
      for (std::size_t i = 0; i < file->variables().size(); ++i) {
        if (file->variables()[i].elements() < 100000 && file->variables()[i].type.is_number()) file->read_numbers(i);
      }
    } catch (const FileError& error) {
      EXPECT_THAT(error.what(), HasSubstr("damaged.nc'"));
    }
  }
}

TEST(NetcdfClassicTest, AFileThatChangedIsOpenedAgain) {
  const TestFolder folder;
  const std::string path = folder.file("a.nc", classic_file(1, 3));
  const auto first = open_shared(path);
  EXPECT_EQ(open_shared(path), first);
  folder.file("a.nc", classic_file(1, 5));
  EXPECT_EQ(open_shared(path)->variables()[0].shape[0], 5);
}

TEST(NetcdfClassicTest, AnAttributeMayHaveAllBitsOfSixtyFour) {
  const TestFolder folder;
  const auto zeros = [](std::size_t count) { return std::string(count, '\0'); };
  // No records, no dimensions; one attribute, "v", of type 11; no variables.
  const std::string bytes = "CDF\5" + zeros(8) + zeros(12) + zeros(3) + '\x0c' + zeros(7) + '\1' + zeros(7) + "\1v" +
                            zeros(3) + zeros(3) + '\x0b' + zeros(7) + '\1' + std::string(7, '\xff') + '\xfe' +
                            zeros(12);
  const auto file = open_stored(folder.file("a.nc", bytes));
  const Attribute* const found = find_attribute(file->groups()[0].attributes, "v");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->integers, std::vector<std::int64_t>{-2});
  EXPECT_EQ(found->numbers(), std::vector<double>{18446744073709551614.0});
}

TEST(NetcdfClassicTest, AFileOfTheSameSizeAndTimeInItsPlaceIsOpened) {
  namespace fs = std::filesystem;
  const TestFolder folder;
  const std::string bytes = classic_file(1, 3), path = folder.file("a.nc", bytes);
  const auto first = open_shared(path);
  const std::string other = folder.file("b.nc", bytes);
  fs::last_write_time(other, fs::last_write_time(path));
  fs::rename(other, path);
  EXPECT_NE(open_shared(path), first);
  EXPECT_EQ(open_shared(path), open_shared(path));
}

}  // namespace
}  // namespace weft::io
