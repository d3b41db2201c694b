#include "core/runtime/ages.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;

TEST(AgesTest, CallsWithinTheTimeoutOfTheFirstShareItsAge) {
  Ages ages;
  EXPECT_EQ(ages.of(Seconds(1), {10 * kSecond, 0}, 3), 3u);
  EXPECT_EQ(ages.of(Seconds(1), {10 * kSecond, 7}, 4), 3u);
  EXPECT_EQ(ages.of(Seconds(1), {11 * kSecond, 0}, 5), 3u);
  EXPECT_EQ(ages.of(Seconds(1), {11 * kSecond + 1, 0}, 6), 6u) << "the time is counted from the group's first call";
  EXPECT_EQ(ages.of(Seconds(1), {10 * kSecond, 8}, 7), 3u) << "a map that goes on keeps its age";
}

TEST(AgesTest, WithoutATimeoutEachHasItsOwn) {
  Ages ages;
  EXPECT_EQ(ages.of(Seconds(0), {}, 1), 1u);
  EXPECT_EQ(ages.of(Seconds(0), {}, 2), 2u);
  EXPECT_EQ(ages.of(Seconds(60), {}, 3), 3u);
  EXPECT_EQ(ages.of(Seconds(60), {}, 4), 3u) << "a call without a time of its own is made now";
}

}  // namespace
}  // namespace weft
