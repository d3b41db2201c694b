#include <weft/bag.hpp>

#include <weft/error.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReadTextTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("weft_read_text_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
  Client client_{Options{.scheduler = GetParam(), .threads = 2}};
};

TEST_P(ReadTextTest, EveryBlocksizeGivesTheSameLines) {
  const std::string path = write("a.txt", "one\n\nthree\r\nfour four four\nlast without end");
  for (const std::uint64_t blocksize : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 11u, 40u, 1000u}) {
    EXPECT_THAT(read_text(path, {.blocksize = blocksize}).compute(client_),
                ElementsAre("one", "", "three", "four four four", "last without end"))
        << blocksize;
  }
}

TEST_P(ReadTextTest, LinesLongerThanBlocksAndReadsAreWhole) {
  std::mt19937 random(3);
  std::vector<std::string> lines;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    lines.emplace_back(random() % 150'000, static_cast<char>('a' + i % 26));
    text += lines.back() + "\n";
  }
  const std::string path = write("long.txt", text);
  EXPECT_EQ(read_text(path, {.blocksize = 0}).compute(client_), lines);
  EXPECT_EQ(read_text(path, {.blocksize = 10'007}).compute(client_), lines);
}

TEST_P(ReadTextTest, PatternsGiveFilesInOrderOfTheirNames) {
  write("b.log", "2\n");
  write("a.log", "1\n");
  write("c.txt", "3\n");
  const auto lines = read_text((folder_ / "*.log").string());
  EXPECT_EQ(lines.partition_count(), 2u);
  EXPECT_THAT(lines.compute(client_), ElementsAre("1", "2"));
  EXPECT_THAT(read_text({(folder_ / "c.txt").string(), (folder_ / "a.*").string()}).compute(client_),
              ElementsAre("3", "1"));
}

TEST_P(ReadTextTest, EmptyFilesHaveNoLines) {
  EXPECT_THAT(read_text(write("empty.txt", "")).compute(client_), IsEmpty());
  EXPECT_THAT(read_text(write("line.txt", "\n")).compute(client_), ElementsAre(""));
}

TEST_P(ReadTextTest, FilesThatAreNotThereAreNamed) {
  const std::string missing = (folder_ / "missing.txt").string();
  EXPECT_THAT(message_of([&] { read_text(missing); }), HasSubstr(missing));
  EXPECT_THAT(message_of([&] { read_text(folder_.string()); }), HasSubstr("is a folder"));
  const std::string path = write("gone.txt", "1\n");
  const auto lines = read_text(path);
  std::filesystem::remove(path);
  EXPECT_THAT(message_of([&] { lines.compute(client_); }), HasSubstr(path));
}

INSTANTIATE_TEST_SUITE_P(Modes, ReadTextTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
