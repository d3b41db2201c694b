#include "io/codecs/packers.hpp"

#include <weft/storage.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace weft::io {
namespace {

using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::vector<std::byte> smooth(std::size_t count) {
  std::vector<std::byte> bytes(count * 4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t value = 1000 + i / 16;
    std::memcpy(bytes.data() + 4 * i, &value, 4);
  }
  return bytes;
}

TEST(PackersTest, SumsAreThoseOfTheirDefinitions) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xcbf43926u);
  EXPECT_EQ(adler32(bytes_of("Wikipedia")), 0x11e60398u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(adler32({}), 1u);
}

TEST(PackersTest, WhatIsPackedComesBackSizedOrNot) {
  const std::vector<std::vector<Filter>> chains = {
      {{Filter::kZstd, {3}}},
      {{Filter::kGzip, {6}}},
      {{Filter::kDeflate, {1}}},
      {{Filter::kSizedLz4, {}}},
      {{Filter::kBlosc, {5, 1, 1}}},
      {{Filter::kBlosc, {1, 0, 0}}},
      {{Filter::kShuffle, {4}}, {Filter::kZstd, {1}}},
      {{Filter::kZstd, {1}}, {Filter::kCrc32c, {}}},
      {},
  };
  for (const std::vector<Filter>& chain : chains) {
    for (const std::size_t count : {0u, 1u, 7u, 20000u}) {
      const std::vector<std::byte> from = smooth(count);
      bool here = true;
      for (const Filter& one : chain) here = here && missing_codec(one).empty();
      if (!here) continue;
      std::vector<std::byte> packed = apply_filters("x", chain, 4, from);
      if (count == 20000 && !chain.empty()) {
        EXPECT_LT(packed.size(), from.size()) << chain[0].text();
      }
      EXPECT_EQ(undo_filters_unsized("x", chain, packed), from);
      std::vector<std::byte> out(from.size());
      undo_filters("x", chain, 0, packed, out);
      EXPECT_EQ(out, from);
    }
  }
}

TEST(PackersTest, DamagedBytesAreAnErrorAndNeverMore) {
  std::mt19937 random(4);
  const std::vector<std::byte> from = smooth(3000);
  for (const std::uint32_t id : {Filter::kZstd, Filter::kGzip, Filter::kSizedLz4, Filter::kBlosc}) {
    const std::vector<Filter> chain = {{id, {3, 1, 1}}, {Filter::kCrc32c, {}}};
    if (!missing_codec(chain[0]).empty()) continue;
    const std::vector<std::byte> good = apply_filters("x", chain, 4, from);
    for (int turn = 0; turn < 200; ++turn) {
      std::vector<std::byte> bad = good;
      bad[random() % bad.size()] ^= static_cast<std::byte>(1 + random() % 255);
      if (turn % 4 == 0) bad.resize(random() % bad.size());
      std::vector<std::byte> out(from.size());
      EXPECT_THROW(undo_filters("x", chain, 0, bad, out), FileError);
      // Without the sum the packer's own checks are all there is: no crash, and no more than the room.
      const std::vector<Filter> alone = {chain[0]};
      bad.resize(bad.size() > 4 ? bad.size() - 4 : 0);
      try {
        undo_filters("x", alone, 0, bad, out);
      } catch (const FileError& error) {
        EXPECT_THAT(error.what(), HasSubstr("'x'"));
      }
    }
  }
}

TEST(PackersTest, DifferencesAreAddedUp) {
  std::vector<std::byte> stored = {std::byte{1}, std::byte{2}, std::byte{255}, std::byte{3}};
  std::vector<std::byte> out(4);
  undo_filters("x", {{Filter::kDelta, {1}}}, 0, stored, out);
  EXPECT_EQ(out, (std::vector<std::byte>{std::byte{1}, std::byte{3}, std::byte{2}, std::byte{5}}));
}

TEST(PackersTest, AFilterThatWeftDoesNotWriteIsNamed) {
  try {
    apply_filters("x", {{Filter::kSzip, {}}}, 4, smooth(4));
    FAIL();
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("szip"));
  }
}

}  // namespace
}  // namespace weft::io
