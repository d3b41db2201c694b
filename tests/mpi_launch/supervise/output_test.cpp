#include "mpi_launch/supervise/output.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace weft::launch {
namespace {

TEST(OutputLinesTest, LinesAreWholeAndPrefixed) {
  OutputLines lines(100);
  EXPECT_EQ(lines.take("one\ntw", "[2] ", 1), "[2] one\n");
  EXPECT_EQ(lines.take("o\n", "[2] ", 1), "[2] two\n");
  EXPECT_EQ(lines.take("rest", "[2] ", 1), "");
  EXPECT_EQ(lines.finish("[2] "), "[2] rest\n");
}

TEST(OutputLinesTest, TooManyLinesAreHeldBackAndCounted) {
  OutputLines lines(10);
  std::string text;
  for (int i = 0; i < 100; ++i) text += "x\n";
  const std::string shown = lines.take(text, "", 1);
  EXPECT_EQ(shown.size(), 2u * 20);
  EXPECT_EQ(lines.held_back(), 80u);
  EXPECT_EQ(lines.take("later\n", "", 2), "(80 lines held back)\nlater\n");
}

TEST(OutputLinesTest, ALineWithoutEndIsCut) {
  OutputLines lines(10);
  const std::string shown = lines.take(std::string(OutputLines::kLongestLine + 5, 'x'), "", 1);
  EXPECT_EQ(shown.size(), OutputLines::kLongestLine + 6);
}

TEST(OutputLinesTest, TheTailIsWhatCameLast) {
  OutputLines lines(1);
  for (int i = 0; i < 5000; ++i) lines.take("line " + std::to_string(i) + "\n", "", 1);
  EXPECT_NE(lines.tail().find("line 4999\n"), std::string::npos);
  EXPECT_LT(lines.tail().size(), 5000u);
}

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() {
    char name[] = "/tmp/weft-output-test-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~OutputFileTest() override { std::filesystem::remove_all(folder_); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }
  std::string folder_;
};

TEST_F(OutputFileTest, NothingStaysUnlessItIsKept) {
  {
    OutputFile file;
    file.open(folder_, "a.txt", false);
    file.write("words");
    EXPECT_EQ(files(), 0u);
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(OutputFileTest, WhatIsKeptIsForTheUserAlone) {
  OutputFile file;
  file.open(folder_, "a.txt", false);
  file.write("words");
  const std::string path = file.keep();
  if (path.empty()) GTEST_SKIP() << "no nameless files on the file system of /tmp";
  struct stat state {};
  ASSERT_EQ(::stat(path.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
  EXPECT_EQ(state.st_size, 5);
}

}  // namespace
}  // namespace weft::launch
