#include <weft/bag.hpp>

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class WriteTextTest : public testing::TestWithParam<const char*> {
 protected:
  WriteTextTest() { std::filesystem::create_directories(folder_); }
  ~WriteTextTest() override { std::filesystem::remove_all(folder_); }

  Client client_{Options{.scheduler = GetParam(), .threads = 2}};
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("weft_write_text_" + std::to_string(::getpid()) + "_" + GetParam());
};

const std::vector<std::string> kLines{"one", "", "three, with more", "4"};

TEST_P(WriteTextTest, WhatIsWrittenIsReadAgain) {
  const auto bag = bag_from(kLines, 2);
  const auto paths = bag.to_textfiles(client_, (folder_ / "new" / "part-*.txt").string());
  EXPECT_THAT(paths, ElementsAre((folder_ / "new" / "part-0.txt").string(), (folder_ / "new" / "part-1.txt").string()));
  EXPECT_EQ(read_text(paths).compute(client_), kLines);
  const auto in_folder = bag.to_textfiles(client_, (folder_ / "plain").string());
  EXPECT_EQ(in_folder[1], (folder_ / "plain/1.part").string());
}

TEST_P(WriteTextTest, NamesSortAsPartitionsDo) {
  const auto paths = bag_range(12, 12)
                         .map([](std::int64_t n) { return std::to_string(n); })
                         .to_textfiles(client_, (folder_ / "*.txt").string());
  EXPECT_THAT(paths[3], HasSubstr("03.txt"));
  EXPECT_THAT(read_text((folder_ / "*.txt").string()).compute(client_),
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"));
}

TEST_P(WriteTextTest, PlacesThatCannotBeWrittenAreNamed) {
  std::ofstream(folder_ / "file") << "no folder";
  try {
    bag_from(kLines).to_textfiles(client_, (folder_ / "file" / "*.txt").string());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "file").string()));
  }
  EXPECT_THROW(bag_from(kLines).to_textfiles(client_, "a*b*"), Error);
}

TEST_P(WriteTextTest, AFailedWriteLeavesNoFile) {
  const auto bag = bag_from(kLines, 1);
  std::filesystem::create_directories(folder_ / "0.part" / "in the way");
  EXPECT_THROW(bag.to_textfiles(client_, folder_.string()), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()), 1);
}

INSTANTIATE_TEST_SUITE_P(Modes, WriteTextTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
