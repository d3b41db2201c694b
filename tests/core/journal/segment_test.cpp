#include "core/journal/segment.hpp"

#include "tests/core/journal/temporary_folder.hpp"

#include <weft/error.hpp>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace weft::journal {
namespace {

Key numbered(std::uint64_t number) { return KeyMaker().add(number).key(); }

std::vector<std::byte> bytes_for(std::uint64_t number, std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(number * 131 + i * 7);
  return bytes;
}

class JournalSegmentTest : public ::testing::Test {
 protected:
  /// Writes records of these lengths and returns the file.
  std::string write(const std::vector<std::size_t>& lengths) {
    SegmentWriter writer(folder_.path());
    for (std::size_t i = 0; i < lengths.size(); ++i) writer.add(numbered(i), Form::Encoded, bytes_for(i, lengths[i]));
    writer.sync();
    return segment_files(folder_.path()).front();
  }
  static std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  weft::testing::TemporaryFolder folder_;
};

TEST_F(JournalSegmentTest, GivesBackWhatWasWritten) {
  const std::vector<std::size_t> lengths{0, 1, 63, 64, 65, 100'000, 8};
  const std::string path = write(lengths);
  const SegmentContents contents = read_segment(path);
  EXPECT_EQ(contents.program, ProgramId::own());
  EXPECT_EQ(contents.damaged, 0u);
  ASSERT_EQ(contents.records.size(), lengths.size());
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    EXPECT_EQ(contents.records[i].key, numbered(i));
    std::vector<std::byte> bytes(lengths[i]);
    ASSERT_EQ(contents.records[i].place.bytes, lengths[i]);
    EXPECT_TRUE(read_record(path, contents.records[i].place, bytes.data()));
    EXPECT_EQ(bytes, bytes_for(i, lengths[i]));
  }
}

TEST_F(JournalSegmentTest, OnlyItsUserMayReadIt) {
  struct stat status {};
  ASSERT_EQ(::stat(write({8}).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(JournalSegmentTest, NoFileIsMadeBeforeThereIsSomethingToWrite) {
  { const SegmentWriter writer(folder_.path()); }
  EXPECT_TRUE(segment_files(folder_.path()).empty());
}

TEST_F(JournalSegmentTest, WhateverIsCutOffTheRecordsBeforeItStand) {
  const std::string path = write({40, 200, 64, 1000});
  const std::string whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); length += 5) {
    write_file(path, whole.substr(0, length));
    const SegmentContents contents = read_segment(path);
    for (std::size_t i = 0; i < contents.records.size(); ++i) {
      ASSERT_EQ(contents.records[i].key, numbered(i)) << "cut at " << length;
      std::vector<std::byte> bytes(contents.records[i].place.bytes);
      ASSERT_TRUE(read_record(path, contents.records[i].place, bytes.data())) << "cut at " << length;
    }
    ASSERT_LT(contents.records.size(), 4u);
  }
}

TEST_F(JournalSegmentTest, AFlippedByteCostsItsRecordAndNoOther) {
  const std::string path = write({40, 200, 64, 1000});
  const std::string whole = read_file(path);
  for (std::size_t at = 64; at < whole.size(); at += 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    write_file(path, bytes);
    const SegmentContents contents = read_segment(path);
    std::size_t good = 0;
    for (const SegmentContents::Record& record : contents.records) {
      std::vector<std::byte> read(record.place.bytes);
      if (!read_record(path, record.place, read.data())) continue;
      ++good;
      std::uint64_t number = 0;
      while (number < 4 && numbered(number) != record.key) ++number;
      ASSERT_LT(number, 4u);
      ASSERT_EQ(read, bytes_for(number, record.place.bytes)) << "byte " << at;
    }
    // What lies between a record's end and the next one's begin belongs to nobody.
    ASSERT_GE(good, 3u) << "byte " << at;
    ASSERT_EQ(contents.damaged, 4 - good) << "byte " << at;
  }
}

TEST_F(JournalSegmentTest, AHoleThatAKilledProcessLeftIsPassedOver) {
  const std::string path = write({40, 5000, 64});
  std::string bytes = read_file(path);
  // The second record's head and bytes were never written, a later one's were.
  std::fill(bytes.begin() + 64 + 128, bytes.begin() + 64 + 128 + 64 + 5000, '\0');
  write_file(path, bytes);
  const SegmentContents contents = read_segment(path);
  EXPECT_EQ(contents.damaged, 1u);
  ASSERT_EQ(contents.records.size(), 2u);
  EXPECT_EQ(contents.records[1].key, numbered(2));
}

TEST_F(JournalSegmentTest, AnyOtherFileIsOneDamage) {
  const std::string path = folder_.path() + "/notes.segment";
  write_file(path, "this is no segment at all, but long enough to be taken for the head of one, if nobody looks");
  const SegmentContents contents = read_segment(path);
  EXPECT_EQ(contents.damaged, 1u);
  EXPECT_TRUE(contents.records.empty());
}

TEST_F(JournalSegmentTest, ManyThreadsWriteToOneFile) {
  constexpr std::uint64_t kThreads = 4, kEach = 200;
  {
    SegmentWriter writer(folder_.path());
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&writer, t] {
        for (std::uint64_t i = 0; i < kEach; ++i) {
          const std::uint64_t number = t * kEach + i;
          writer.add(numbered(number), Form::Block, bytes_for(number, 17 * (i % 50)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  ASSERT_EQ(segment_files(folder_.path()).size(), 1u);
  const SegmentContents contents = read_segment(segment_files(folder_.path()).front());
  EXPECT_EQ(contents.records.size(), kThreads * kEach);
  EXPECT_EQ(contents.damaged, 0u);
}

TEST_F(JournalSegmentTest, AFolderThatIsGoneIsASentence) {
  SegmentWriter writer(folder_.path() + "/nowhere");
  try {
    writer.add(numbered(1), Form::Encoded, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere' cannot be written: No such file"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace weft::journal
