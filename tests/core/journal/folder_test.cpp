#include "core/journal/folder.hpp"

#include "core/memory/checksum.hpp"
#include "tests/core/journal/temporary_folder.hpp"

#include <weft/error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace weft::journal {
namespace {

using ::testing::HasSubstr;

Key numbered(std::uint64_t number) { return KeyMaker().add(number).key(); }

class JournalFolderTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/journal"; }
  void write(std::uint64_t first, std::uint64_t count, Form form = Form::Encoded) {
    SegmentWriter writer(path());
    for (std::uint64_t i = 0; i < count; ++i) writer.add(numbered(first + i), form, {});
  }

  weft::testing::TemporaryFolder folder_;
};

TEST_F(JournalFolderTest, IsMadeForItsUserAlone) {
  const FolderLock lock(path());
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(lock.writable());
  EXPECT_EQ(lock.note(), "");
}

TEST_F(JournalFolderTest, TwoProgramsAreToldApart) {
  auto first = std::make_unique<FolderLock>(path());
  try {
    const FolderLock second(path());
    FAIL() << "nothing was thrown";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is in use by process " + std::to_string(::getpid()) + " on "));
    EXPECT_THAT(error.what(), HasSubstr("wait for it, or name another folder"));
  }
  first.reset();
  EXPECT_NO_THROW(FolderLock third(path()));
}

TEST_F(JournalFolderTest, AFolderThatCannotBeMadeIsASentence) {
  std::ofstream(folder_.path() + "/file") << "no folder\n";
  try {
    const FolderLock lock(folder_.path() + "/file/journal");
    FAIL() << "nothing was thrown";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("--weft-journal: the folder '" + folder_.path() + "/file/journal' cannot be made"));
  }
}

TEST_F(JournalFolderTest, FilesOfSeveralRunsAreOneJournal) {
  const FolderLock lock(path());
  write(0, 3);
  write(3, 4);
  const Contents contents(path());
  EXPECT_EQ(contents.held(), 7u);
  EXPECT_EQ(contents.damaged(), 0u);
  EXPECT_NE(contents.find(numbered(5)).file, nullptr);
  EXPECT_EQ(contents.find(numbered(7)).file, nullptr);
}

TEST_F(JournalFolderTest, WhatAnotherProgramWroteIsLeftAlone) {
  const FolderLock lock(path());
  write(0, 3);
  const std::string file = segment_files(path()).front();
  std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
  char head[64];
  bytes.read(head, sizeof head);
  head[8] = static_cast<char>(head[8] + 1);  // of the program's digest
  const std::uint64_t checksum = Checksum::of(head, sizeof head - sizeof checksum);
  std::memcpy(head + sizeof head - sizeof checksum, &checksum, sizeof checksum);
  bytes.seekp(0);
  bytes.write(head, sizeof head);
  bytes.close();
  const Contents contents(path());
  EXPECT_EQ(contents.held(), 0u);
  EXPECT_EQ(contents.foreign(), 3u);
  EXPECT_EQ(contents.damaged(), 0u);
}

TEST_F(JournalFolderTest, DroppedResultsAreGoneUntilTheyAreWrittenAgain) {
  const FolderLock lock(path());
  write(0, 3);
  write(1, 1, Form::Dropped);
  EXPECT_EQ(Contents(path()).held(), 2u);
  EXPECT_EQ(Contents(path()).find(numbered(1)).file, nullptr);
  write(1, 1);
  EXPECT_NE(Contents(path()).find(numbered(1)).file, nullptr);
}

TEST_F(JournalFolderTest, FunctionsWithEffectsAreNoResults) {
  const FolderLock lock(path());
  write(9, 1, Form::Effect);
  const Contents contents(path());
  EXPECT_EQ(contents.held(), 0u);
  EXPECT_TRUE(contents.has_effect(numbered(9)));
  EXPECT_FALSE(contents.has_effect(numbered(8)));
}

TEST_F(JournalFolderTest, CleaningRemovesWhatIsOld) {
  std::optional<FolderLock> lock(path());
  write(0, 3);
  write(3, 4);
  EXPECT_EQ(list_folder(path()).size(), 2u);
  EXPECT_EQ(list_folder(path())[1].results, 4u);
  EXPECT_THROW(clean_folder(path(), 0), ConfigError);
  lock.reset();
  EXPECT_EQ(clean_folder(path(), 3600), 0u);
  EXPECT_EQ(list_folder(path()).size(), 2u);
  EXPECT_GT(clean_folder(path(), 0), 0u);
  EXPECT_TRUE(list_folder(path()).empty());
  EXPECT_THROW(list_folder(path() + "/nowhere"), Error);
}

}  // namespace
}  // namespace weft::journal
