#include "io/codecs/filters.hpp"

#include <weft/storage.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace weft::io {
namespace {

std::vector<std::byte> random_bytes(std::size_t count) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(FiltersTest, UnshuffleGathersTheBytesOfEachElement) {
  for (const std::size_t element : {1u, 2u, 3u, 4u, 8u, 16u}) {
    for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 100u}) {
      const std::size_t bytes = count * element + (element > 1 ? 1 : 0);
      const std::vector<std::byte> shuffled = random_bytes(bytes);
      std::vector<std::byte> out(bytes);
      unshuffle(shuffled.data(), bytes, element, out.data());
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t plane = 0; plane < element; ++plane) {
          ASSERT_EQ(out[i * element + plane], shuffled[plane * count + i]) << element << " " << count;
        }
      }
      if (element > 1) {
        EXPECT_EQ(out.back(), shuffled.back());
      }
    }
  }
}

TEST(FiltersTest, AnElementThatIsLargerThanItsChunkStays) {
  // A loop over each byte of such an element, thousands of times, takes minutes.
  const std::vector<std::byte> bytes(100, std::byte{7});
  std::vector<std::byte> out(100);
  for (int turn = 0; turn < 1000; ++turn) unshuffle(bytes.data(), bytes.size(), 4'000'000'000u, out.data());
  EXPECT_EQ(out, bytes);
  unshuffle(bytes.data(), bytes.size(), 60, out.data());
  EXPECT_EQ(out, bytes);
}

TEST(FiltersTest, ChecksumsAreFletchersOfBigEndianHalves) {
  const unsigned char words[] = {0, 1, 0, 2};
  EXPECT_EQ(fletcher32(reinterpret_cast<const std::byte*>(words), 4), 0x00040003u);
  EXPECT_EQ(fletcher32(reinterpret_cast<const std::byte*>(words), 3), 0x00020001u);
}

TEST(FiltersTest, ChangedBytesFailTheirChecksum) {
  std::vector<std::byte> stored = random_bytes(64);
  const std::uint32_t sum = fletcher32(stored.data(), stored.size());
  for (int i = 0; i < 4; ++i) stored.push_back(static_cast<std::byte>(sum >> 8 * i));
  std::vector<std::byte> out(64);
  undo_filters("file", {{Filter::kFletcher32, {}}}, 0, stored, out);
  stored[10] ^= std::byte{1};
  EXPECT_THAT(
      [&] {
        undo_filters("file", {{Filter::kFletcher32, {}}}, 0, stored, out);
      },
      testing::ThrowsMessage<FileError>(testing::HasSubstr("'file': the checksum")));
}

TEST(FiltersTest, SkippedFiltersAreNotUndone) {
  std::vector<std::byte> stored = random_bytes(64);
  std::vector<std::byte> out(64);
  undo_filters("file", {{Filter::kShuffle, {4}}, {Filter::kDeflate, {4}}}, 3, stored, out);
  EXPECT_EQ(out, stored);
}

TEST(FiltersTest, AnUnknownFilterIsNamed) {
  EXPECT_THAT(missing_codec({307, {}}), testing::HasSubstr("number 307"));
  EXPECT_EQ(missing_codec({Filter::kShuffle, {}}), "");
}

TEST(FiltersTest, DamagedBytesAreRefused) {
  for (const std::uint32_t id : {Filter::kDeflate, Filter::kZstd, Filter::kLz4}) {
    if (!missing_codec({id, {}}).empty()) continue;
    std::vector<std::byte> stored = random_bytes(100);
    std::vector<std::byte> out(1000);
    EXPECT_THROW(undo_filters("file", {{id, {}}}, 0, stored, out), FileError) << id;
  }
}

TEST(FiltersTest, SwappingTurnsEachElementRound) {
  std::uint32_t values[] = {0x01020304u, 0xa0b0c0d0u};
  swap_bytes(reinterpret_cast<std::byte*>(values), 2, 4);
  EXPECT_EQ(values[0], 0x04030201u);
  EXPECT_EQ(values[1], 0xd0c0b0a0u);
}

}  // namespace
}  // namespace weft::io
