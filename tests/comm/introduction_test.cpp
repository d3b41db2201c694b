#include "comm/introduction.hpp"

#include <gtest/gtest.h>

#include <random>

namespace weft::comm {
namespace {

Introduction full() {
  Introduction it;
  it.hello = "worker 3";
  it.segment = SegmentName{123, 45, {}};
  it.segment->token[2] = std::byte{9};
  it.taken = Introduction::Taken::Fabric;
  it.fabric_address = std::string("\0abc", 4);
  it.fabric_token = 77;
  it.codecs = 5;
  it.remark = "because";
  return it;
}

TEST(IntroductionTest, EveryFieldComesBack) {
  const auto it = Introduction::decode(full().encode());
  ASSERT_TRUE(it.has_value());
  EXPECT_EQ(it->hello, "worker 3");
  ASSERT_TRUE(it->segment.has_value());
  EXPECT_EQ(it->segment->process, 123);
  EXPECT_EQ(it->segment->fd, 45);
  EXPECT_EQ(it->segment->token, full().segment->token);
  EXPECT_EQ(it->taken, Introduction::Taken::Fabric);
  EXPECT_EQ(it->fabric_address, full().fabric_address);
  EXPECT_EQ(it->fabric_token, 77u);
  EXPECT_EQ(it->codecs, 5);
  EXPECT_EQ(it->remark, "because");
}

TEST(IntroductionTest, CutOrProlongedBytesAreRefused) {
  const std::vector<std::byte> bytes = full().encode();
  for (std::size_t count = 0; count < bytes.size(); ++count)
    EXPECT_FALSE(Introduction::decode(std::span(bytes).first(count)).has_value()) << count;
  std::vector<std::byte> longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Introduction::decode(longer).has_value());
}

TEST(IntroductionTest, DamagedBytesAreRefusedOrEncodeAgain) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = full().encode();
    for (unsigned damage = 1 + random() % 3; damage > 0; --damage)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (const auto it = Introduction::decode(bytes); it) {
      const auto again = Introduction::decode(it->encode());
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->hello, it->hello);
    }
  }
}

}  // namespace
}  // namespace weft::comm
