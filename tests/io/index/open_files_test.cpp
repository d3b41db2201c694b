#include <weft/open_files.hpp>

#include "io/index/index_file.hpp"
#include "tests/arrays/labelled/classic_writer.hpp"
#include "tests/io/formats/file_of.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstring>

namespace weft::io {
namespace {

constexpr int kFiles = 20;
/// Long ago: what changed just now is not remembered.
constexpr std::time_t kThen = 1'600'000'000;

void set_time(const std::string& path, std::time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

void write_file(const std::string& path, double time, std::time_t changed) {
  ClassicWriter file({{"time", 1}, {"x", 3}});
  file.variable("time", {"time"}, 'd', {time});
  file.variable("v", {"time", "x"}, 'f', {time, time + 1, time + 2});
  file.write(path);
  set_time(path, changed);
}

/// A folder of files, and one for the index.
class OpenFilesTest : public ::testing::Test {
 protected:
  OpenFilesTest() {
    for (int i = 0; i < kFiles; ++i) {
      paths_.push_back(data_ / ("f" + std::to_string(i) + ".nc"));
      write_file(paths_.back(), i, kThen);
    }
  }
  std::vector<std::shared_ptr<const StoredFile>> open() const { return open_files(paths_, {index_ / "made"}); }
  std::vector<std::string> written() const {
    std::vector<std::string> out;
    std::error_code none;
    for (const auto& one : std::filesystem::directory_iterator(index_ / "made", none)) out.push_back(one.path());
    return out;
  }
  static double time_of(const StoredFile& file) { return file.read_numbers(file.find("time")).at(0); }

  TestFolder data_, index_;
  std::vector<std::string> paths_;
};

TEST_F(OpenFilesTest, TheSecondTimeFilesAreNotOpened) {
  open();
  ASSERT_EQ(written().size(), 1u);
  // The index says other labels than the files do.
  const std::string path = written().at(0), folder = std::filesystem::canonical(data_ / "").string();
  index::Entries entries = index::decode(path, bytes_of_file(path), folder);
  for (auto& [name, entry] : entries) {
    auto labels = std::make_shared<index::Labels>(*entry.labels.at(0));
    const double told = 1000 + std::stod(name.substr(1));
    std::memcpy(labels->bytes.data(), &told, sizeof told);
    entry.labels[0] = labels;
  }
  std::ofstream(path, std::ios::binary) << index::encode(folder, entries);
  const auto files = open();
  for (int i = 0; i < kFiles; ++i) {
    EXPECT_EQ(time_of(*files[static_cast<std::size_t>(i)]), 1000 + i);
    EXPECT_EQ(files[static_cast<std::size_t>(i)]->variables().size(), 2u);
  }
}

TEST_F(OpenFilesTest, AFileThatIsReplacedWithItsTimeKeptIsOpenedAgain) {
  open();
  write_file(paths_[4], 40, kThen);
  // Another name of the same folder, since this process has the files open under the first.
  for (std::string& path : paths_) path.insert(path.rfind('/'), "/.");
  EXPECT_EQ(time_of(*open()[4]), 40);
}

TEST_F(OpenFilesTest, ALabelOfLettersDoesNotSpoilTheIndex) {
  ClassicWriter file({{"time", 1}, {"name", 3}});
  file.variable("time", {"time"}, 'd', {77});
  file.variable("name", {"name"}, 'c', {'a', 'b', 'c'});
  file.write(paths_[4]);
  set_time(paths_[4], kThen);
  for (int round = 0; round < 2; ++round) {
    const auto files = open();
    EXPECT_THAT(files[4]->read_text(files[4]->find("name")), ::testing::ElementsAre("abc"));
    EXPECT_EQ(time_of(*files[3]), 3);
  }
  const std::string path = written().at(0);
  EXPECT_EQ(index::decode(path, bytes_of_file(path), std::filesystem::canonical(data_ / "").string()).size(),
            std::size_t{kFiles});
}

TEST_F(OpenFilesTest, AFolderInThePlaceOfTheIndexIsDoneWithout) {
  open();
  const std::string path = written().at(0);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_EQ(time_of(*open()[9]), 9);
  EXPECT_EQ(written(), std::vector<std::string>{path}) << "nothing is left beside it";
}

TEST_F(OpenFilesTest, DataAreReadFromTheFileItself) {
  open();
  const auto files = open();
  EXPECT_THAT(files[7]->read_numbers(files[7]->find("v")), ::testing::ElementsAre(7, 8, 9));
}

TEST_F(OpenFilesTest, FilesThatChangedAreOpenedAgain) {
  open();
  write_file(paths_[4], 40, kThen + 1);
  const auto files = open();
  EXPECT_EQ(time_of(*files[4]), 40);
  EXPECT_EQ(time_of(*files[5]), 5);
  EXPECT_EQ(time_of(*open()[4]), 40);
}

TEST_F(OpenFilesTest, AFileThatChangesAfterItWasOpenedIsRefused) {
  const auto files = open();
  write_file(paths_[4], 40, kThen + 1);
  EXPECT_THAT([&] { files[4]->read_numbers(files[4]->find("v")); },
              ::testing::ThrowsMessage<FileError>(::testing::HasSubstr("changed after it was opened")));
}

TEST_F(OpenFilesTest, ADamagedIndexIsMadeAnew) {
  open();
  const std::string path = written().at(0);
  const std::string good = bytes_of_file(path);
  std::ofstream(path, std::ios::binary) << good.substr(0, good.size() / 2);
  EXPECT_EQ(time_of(*open()[9]), 9);
  EXPECT_EQ(bytes_of_file(path), good);
}

TEST_F(OpenFilesTest, NothingIsWrittenBesideTheDataOrWhereItIsOff) {
  open();
  open_files(paths_, {"off"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(data_ / ""), {}), kFiles);
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(OpenFilesTest, AnIndexThatCannotBeWrittenIsDoneWithout) {
  const auto files = open_files(paths_, {index_.file("a_file", "") + "/in_it"});
  EXPECT_EQ(time_of(*files[2]), 2);
}

TEST_F(OpenFilesTest, WhatChangedJustNowIsNotRemembered) {
  set_time(paths_[0], std::time(nullptr) + 3600);
  open();
  const std::string index = bytes_of_file(written().at(0));
  EXPECT_EQ(index.find("f0.nc"), std::string::npos);
  EXPECT_NE(index.find("f1.nc"), std::string::npos);
}

TEST_F(OpenFilesTest, AFewFilesLeaveNoIndex) {
  paths_.resize(3);
  EXPECT_EQ(open().size(), 3u);
  EXPECT_TRUE(written().empty());
}

TEST_F(OpenFilesTest, TheFirstFileThatCannotBeOpenedIsNamed) {
  std::filesystem::remove(paths_[11]);
  std::filesystem::remove(paths_[6]);
  EXPECT_THAT([&] { open(); }, ::testing::ThrowsMessage<FileError>(::testing::HasSubstr("f6.nc")));
}

}  // namespace
}  // namespace weft::io
