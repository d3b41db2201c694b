#include "core/memory/spill_directory.hpp"

#include "tests/core/memory/faulty_disk.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace weft {
namespace {

class SpillDirectoryTest : public testing::Test {
 protected:
  SpillDirectoryTest() {
    std::string pattern = testing::TempDir() + "weft_spill_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    host_.root = folder_;
    host_.environment.emplace();
  }
  ~SpillDirectoryTest() override { std::filesystem::remove_all(folder_); }

  std::string make(const std::string& name) {
    const std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(path);
    return path;
  }
  std::string sentence(const std::string& path) {
    try {
      check_spill_directory(path, true, disk_);
    } catch (const MemoryError& error) {
      return error.what();
    }
    return "";
  }

  std::string folder_;
  HostView host_;
  FaultyDisk disk_;
};

TEST_F(SpillDirectoryTest, WantedFolderIsTakenAndDescribed) {
  const std::string path = make("here");
  const SpillDirectory directory = choose_spill_directory(path, true, host_, disk_);
  EXPECT_EQ(directory.path, path);
  EXPECT_FALSE(directory.kind.name.empty());
  EXPECT_GT(directory.free_bytes, 0u);
  EXPECT_TRUE(std::filesystem::is_empty(path));
}

TEST_F(SpillDirectoryTest, TheRateOfWritingIsMeasuredAndLeavesNothing) {
  const std::string path = make("here");
  EXPECT_GT(measure_write_rate(path, 1'000'000, disk_), 1e6);
  EXPECT_GE(disk_.bytes_written.load(), std::size_t{4} << 20);
  EXPECT_LE(disk_.bytes_written.load(), std::size_t{32} << 20);
  EXPECT_TRUE(std::filesystem::is_empty(path));
  const SpillDirectory directory = choose_spill_directory(path, true, host_, disk_);
  EXPECT_THAT(spill_directory_text(directory, true, disk_), testing::ContainsRegex(" free, writes [0-9]+ MB/s$"));
  EXPECT_THAT(spill_directory_text(directory, false, disk_), testing::EndsWith(" free"));
}

TEST_F(SpillDirectoryTest, WithoutDirectWritesTheRateIsMeasuredThroughTheCache) {
  disk_.refuse_direct_open = true;
  EXPECT_GT(measure_write_rate(make("here"), 1'000'000, disk_), 1e6);
}

TEST_F(SpillDirectoryTest, AFolderThatTakesNoDataIsSaidTo) {
  const SpillDirectory directory = choose_spill_directory(make("here"), true, host_, disk_);
  disk_.write_error = ENOSPC;
  EXPECT_THAT(spill_directory_text(directory, true, disk_), testing::EndsWith("takes no data"));
}

TEST_F(SpillDirectoryTest, BatchSystemsFolderComesFirst) {
  host_.environment->insert({"TMPDIR", make("general")});
  host_.environment->insert({"SLURM_TMPDIR", make("of_the_job")});
  EXPECT_EQ(choose_spill_directory("", true, host_, disk_).path, folder_ + "/of_the_job");
  std::filesystem::remove(folder_ + "/of_the_job");
  EXPECT_EQ(choose_spill_directory("", true, host_, disk_).path, folder_ + "/general");
  std::filesystem::remove(folder_ + "/general");
  make("var/tmp");
  EXPECT_EQ(choose_spill_directory("", true, host_, disk_).path, folder_ + "/var/tmp");
}

TEST_F(SpillDirectoryTest, NoUsableFolderSaysWhyForEach) {
  const SpillDirectory none = choose_spill_directory("", true, host_, disk_);
  EXPECT_FALSE(none.usable());
  EXPECT_NE(none.note.find(folder_ + "/tmp' does not exist"), std::string::npos) << none.note;
  EXPECT_NE(none.note.find(folder_ + "/var/tmp' does not exist"), std::string::npos) << none.note;
}

TEST_F(SpillDirectoryTest, AbsentFolderOrFileIsOneSentence) {
  EXPECT_NE(sentence(folder_ + "/absent").find("/absent' does not exist; create it, or name another"),
            std::string::npos);
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_NE(sentence(folder_ + "/file").find("/file' is not a directory"), std::string::npos);
  EXPECT_THROW(choose_spill_directory(folder_ + "/absent", false, host_, disk_), MemoryError);
}

TEST_F(SpillDirectoryTest, ReadOnlyAndForbiddenFoldersAreSentences) {
  disk_.open_error = EROFS;
  EXPECT_NE(sentence(folder_).find("read-only file system"), std::string::npos);
  disk_.open_error = EACCES;
  EXPECT_NE(sentence(folder_).find("may not be written by this user"), std::string::npos);
}

TEST_F(SpillDirectoryTest, RealFolderWithoutPermissionIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const std::string path = make("locked");
  ::chmod(path.c_str(), 0500);
  EXPECT_NE(sentence(path).find("may not be written by this user"), std::string::npos);
}

TEST_F(SpillDirectoryTest, MemoryBackedFolderIsRefusedUnlessTold) {
  struct statfs system {};
  if (::statfs("/dev/shm", &system) != 0 || !file_system_kind(static_cast<unsigned long>(system.f_type)).memory) {
    GTEST_SKIP() << "/dev/shm is no tmpfs here";
  }
  try {
    choose_spill_directory("/dev/shm");
    FAIL() << "tmpfs was taken";
  } catch (const MemoryError& error) {
    EXPECT_NE(std::string(error.what()).find("is in memory (tmpfs)"), std::string::npos) << error.what();
  }
  EXPECT_EQ(choose_spill_directory("/dev/shm", true).path, "/dev/shm");
}

TEST(FileSystemKindTest, SharedAndMemoryFileSystemsAreKnown) {
  EXPECT_TRUE(file_system_kind(0x6969).shared);
  EXPECT_EQ(file_system_kind(0x0bd00bd0).name, "lustre");
  EXPECT_TRUE(file_system_kind(0x47504653).shared);
  EXPECT_TRUE(file_system_kind(0x01021994).memory);
  EXPECT_FALSE(file_system_kind(0xef53).shared);
  // A signed f_type of a 64-bit statfs comes with its sign spread over the upper half.
  EXPECT_EQ(file_system_kind(0xffffffff9123683eul).name, "btrfs");
  EXPECT_EQ(file_system_kind(0x1234).name, "0x1234");
}

}  // namespace
}  // namespace weft
