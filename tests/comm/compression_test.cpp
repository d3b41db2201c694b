#include "comm/compression.hpp"

#include <gtest/gtest.h>

#include <random>

namespace weft::comm {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr CodecSet kBoth = bit_of(Codec::Lz4) | bit_of(Codec::Zstd);

std::vector<std::byte> text_of(std::size_t bytes) {
  std::vector<std::byte> text(bytes);
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<std::byte>("the same words again and again "[i % 31]);
  return text;
}

std::vector<std::byte> noise_of(std::size_t bytes) {
  std::mt19937 random(1);
  std::vector<std::byte> noise(bytes);
  for (std::byte& byte : noise) byte = static_cast<std::byte>(random());
  return noise;
}

class CodecTest : public ::testing::TestWithParam<Codec> {
 protected:
  void SetUp() override {
    if ((codecs_here() & bit_of(GetParam())) == 0) GTEST_SKIP() << "this build does not have it";
  }
};

TEST_P(CodecTest, WhatIsCompressedComesBack) {
  const std::vector<std::byte> text = text_of(100'000);
  std::vector<std::byte> packed(3);
  ASSERT_TRUE(compress(GetParam(), text, packed));
  EXPECT_LT(packed.size(), text.size() / 10);
  std::vector<std::byte> back(text.size());
  ASSERT_TRUE(decompress(GetParam(), std::span(packed).subspan(3), back));
  EXPECT_TRUE(back == text);
}

TEST_P(CodecTest, WhatDoesNotShrinkIsLeftAlone) {
  std::vector<std::byte> packed(3);
  EXPECT_FALSE(compress(GetParam(), noise_of(100'000), packed));
  EXPECT_EQ(packed.size(), 3u);
}

TEST_P(CodecTest, DamagedBytesAreRefusedOrFillExactlyTheirPlace) {
  const std::vector<std::byte> text = text_of(5'000);
  std::vector<std::byte> packed;
  ASSERT_TRUE(compress(GetParam(), text, packed));
  std::vector<std::byte> back(text.size());
  EXPECT_FALSE(decompress(GetParam(), packed, std::span(back).first(text.size() - 1)));
  EXPECT_FALSE(decompress(GetParam(), std::span(packed).first(packed.size() - 1), back));
  EXPECT_FALSE(decompress(GetParam(), {}, back));
  std::mt19937 random(2);
  for (int i = 0; i < 5'000; ++i) {
    std::vector<std::byte> bytes = packed;
    bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    std::vector<std::byte> guarded(text.size() + 64, std::byte{7});
    static_cast<void>(decompress(GetParam(), bytes, std::span(guarded).first(text.size())));
    for (std::size_t at = text.size(); at < guarded.size(); ++at) ASSERT_EQ(guarded[at], std::byte{7});
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodecTest, ::testing::Values(Codec::Lz4, Codec::Zstd));

/// Fills the socket for so long, at so many bytes a second.
void fill(Packing& packing, double bytes_a_second) {
  Nanoseconds now = kMillisecond;
  packing.full(now);
  for (int i = 0; i < 50; ++i) {
    packing.wrote(static_cast<std::size_t>(bytes_a_second / 1000));
    packing.full(now += kMillisecond);
  }
}

TEST(PackingTest, NothingIsCompressedBeforeTheSpeedIsKnownOrOnAFastConnection) {
  Packing packing(Compression::Auto, kBoth);
  EXPECT_EQ(packing.next(), Codec::None);
  fill(packing, 1e9);
  EXPECT_NEAR(packing.speed(), 1e9, 1e7);
  EXPECT_EQ(packing.next(), Codec::None);
}

TEST(PackingTest, TheSlowerTheConnectionTheStrongerTheCodec) {
  Packing gigabit(Compression::Auto, kBoth), slow(Compression::Auto, kBoth);
  fill(gigabit, 110e6);
  EXPECT_EQ(gigabit.next(), Codec::Lz4);
  fill(slow, 5e6);
  EXPECT_EQ(slow.next(), Codec::Zstd);
}

TEST(PackingTest, OnlyWhatBothSidesHaveIsUsed) {
  Packing packing(Compression::Auto, bit_of(Codec::Lz4)), none(Compression::Zstd, bit_of(Codec::Lz4));
  fill(packing, 5e6);
  EXPECT_EQ(packing.next(), Codec::Lz4);
  EXPECT_EQ(none.next(), Codec::None);
}

TEST(PackingTest, TimeWithoutAnythingToSendSaysNothingAboutTheConnection) {
  Packing packing(Compression::Auto, kBoth);
  packing.full(kMillisecond);
  packing.wrote(1'000'000);
  packing.idle();
  packing.full(10'000 * kMillisecond);
  EXPECT_EQ(packing.speed(), 0);
}

TEST(PackingTest, DataThatDoesNotShrinkIsTriedMoreAndMoreRarely) {
  Packing packing(Compression::Lz4, kBoth);
  int tried = 0;
  for (int i = 0; i < 1000; ++i) {
    if (packing.next() == Codec::None) continue;
    ++tried;
    packing.tried(false);
  }
  EXPECT_LT(tried, 25);
  EXPECT_GT(tried, 10);
  while (packing.next() == Codec::None) {
  }
  packing.tried(true);
  EXPECT_EQ(packing.next(), Codec::Lz4);
}

TEST(PackingTest, OffIsOff) {
  Packing packing(Compression::Off, kBoth);
  fill(packing, 5e6);
  EXPECT_EQ(packing.next(), Codec::None);
}

}  // namespace
}  // namespace weft::comm
