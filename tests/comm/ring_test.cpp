#include "comm/ring.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "tests/comm/hostile.hpp"

namespace weft::comm {
namespace {

TEST(RingTest, RecordsOfEverySizePassBetweenTwoThreads) {
  RingCounters counters{};
  std::vector<std::byte> ring(4096);
  constexpr int kRecords = 60'000;
  std::thread writing([&] {
    RecordWriter writer(counters, ring);
    std::mt19937 random(1);
    for (int i = 0; i < kRecords;) {
      const std::size_t bytes = random() % (i % 100 == 0 ? writer.most_payload() + 1 : 60);
      std::byte* place = writer.reserve(bytes, 1);
      for (; place == nullptr; place = writer.reserve(bytes, 1)) {
        writer.publish();
        std::this_thread::yield();
      }
      std::fill_n(place, bytes, static_cast<std::byte>(i));
      writer.commit();
      if (++i % 3 == 0) writer.publish();
    }
    writer.publish();
  });
  RecordReader reader(counters, ring);
  RecordReader::Record record;
  std::mt19937 random(1);
  bool equal = true;
  for (int i = 0; i < kRecords; ++i) {
    const std::size_t bytes = random() % (i % 100 == 0 ? 4096 / 4 - 8 + 1 : 60);
    while (!reader.next(record)) {
      reader.release();
      std::this_thread::yield();
    }
    equal = equal && record.kind == 1 && record.payload.size() == bytes;
    for (const std::byte byte : record.payload) equal = equal && byte == static_cast<std::byte>(i);
    if (i % 5 == 0) reader.release();
  }
  writing.join();
  EXPECT_TRUE(equal);
  EXPECT_FALSE(reader.damaged());
}

TEST(RingTest, NothingIsReadBeforeItIsPublished) {
  RingCounters counters{};
  std::vector<std::byte> ring(4096);
  RecordWriter writer(counters, ring);
  RecordReader reader(counters, ring);
  RecordReader::Record record;
  writer.reserve(8, 1);
  writer.commit();
  EXPECT_FALSE(reader.next(record)) << "a writer that dies here has written nothing";
  writer.publish();
  EXPECT_TRUE(reader.next(record));
  EXPECT_FALSE(reader.next(record));
}

TEST(RingTest, FullRingTakesNoMoreUntilItIsRead) {
  RingCounters counters{};
  std::vector<std::byte> ring(4096);
  RecordWriter writer(counters, ring);
  RecordReader reader(counters, ring);
  int records = 0;
  while (writer.reserve(100, 1) != nullptr) {
    writer.commit();
    ++records;
  }
  EXPECT_GT(records, 30);
  writer.publish();
  RecordReader::Record record;
  while (reader.next(record)) --records;
  EXPECT_EQ(records, 0);
  EXPECT_EQ(writer.reserve(100, 1), nullptr);
  reader.release();
  EXPECT_NE(writer.reserve(100, 1), nullptr);
}

TEST(RingTest, CountersThatMakeNoSenseAreNotBelieved) {
  RingCounters counters{};
  std::vector<std::byte> ring(4096);
  RecordReader::Record record;
  for (const std::uint64_t written : {std::uint64_t{4104}, std::uint64_t{3}, ~std::uint64_t{0} - 7}) {
    counters.written.store(written);
    RecordReader reader(counters, ring);
    EXPECT_FALSE(reader.next(record));
    EXPECT_TRUE(reader.damaged()) << written;
  }
  counters.written.store(0);
  RecordWriter writer(counters, ring);
  while (writer.reserve(100, 1) != nullptr) writer.commit();
  counters.read.store(1 << 20);
  EXPECT_EQ(writer.reserve(100, 1), nullptr) << "room that was never read";
}

TEST(RingTest, DamagedRingsAreNeverReadBeyondTheirEnd) {
  std::mt19937 random(4);
  std::uint64_t sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes(random() % 600);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % (i % 2 == 0 ? 256 : 17));
    sum += feed_ring(bytes, random() % 2 == 0 ? (random() % 600) * 8 : random());
  }
  EXPECT_GT(sum, 0u);
}

}  // namespace
}  // namespace weft::comm
