#include "core/executor/time_left.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::uint32_t kShortKind = 3;
constexpr std::uint32_t kLongKind = 4;

Ticks ticks(double seconds) { return static_cast<Ticks>(seconds * ticks_per_second()); }

std::uint32_t held(const TimeLeft& left) {
  std::uint32_t tasks = 0;
  left.each_held([&](const HeldKind& kind) { tasks += kind.tasks; });
  return tasks;
}

/// Of a program that has 100 s left.
struct TimeLeftTest : testing::Test {
  TimeLeftTest() {
    left.set(100);
    left.learn(kShortKind, ticks(1), ticks_now());
    left.learn(kLongKind, ticks(200), ticks_now());
  }
  TimeLeft left;
};

TEST_F(TimeLeftTest, OnlyKindsThatTakeLongerThanWhatIsLeftAreHeld) {
  EXPECT_FALSE(left.hold(1, kShortKind, ticks_now()));
  EXPECT_TRUE(left.hold(2, kLongKind, ticks_now()));
  EXPECT_FALSE(left.hold(3, kLongKind + 1, ticks_now())) << "nothing is known of it";
  left.each_held([](const HeldKind& kind) {
    EXPECT_EQ(kind.site, kLongKind);
    EXPECT_EQ(kind.first, 2u);
    EXPECT_EQ(kind.tasks, 1u);
    EXPECT_NEAR(kind.expected_seconds, 200, 1);
  });
}

TEST_F(TimeLeftTest, AShortKindIsHeldOnceTheEndIsNearEnough) {
  EXPECT_FALSE(left.hold(1, kShortKind, ticks_now() + ticks(98)));
  EXPECT_TRUE(left.hold(1, kShortKind, ticks_now() + ticks(99.5)));
  EXPECT_TRUE(left.hold(2, kShortKind, ticks_now() + ticks(1000)));
}

TEST_F(TimeLeftTest, WhatFitsAfterAllIsGivenBack) {
  EXPECT_TRUE(left.hold(1, kLongKind, ticks_now()));
  EXPECT_TRUE(left.learn(kLongKind, ticks(150), ticks_now()).empty());
  std::vector<TaskId> again;
  for (int i = 0; i < 10 && again.empty(); ++i) again = left.learn(kLongKind, ticks(10), ticks_now());
  EXPECT_EQ(again, std::vector<TaskId>{1});
  EXPECT_EQ(held(left), 0u);
}

TEST_F(TimeLeftTest, WhatOthersKnowCountsWhereNothingIsKnownHere) {
  left.expect(kShortKind, 500);
  left.expect(7, 500);
  EXPECT_FALSE(left.hold(1, kShortKind, ticks_now()));
  EXPECT_TRUE(left.hold(2, 7, ticks_now()));
}

TEST_F(TimeLeftTest, OnceItIsForgottenNothingIsHeld) {
  EXPECT_TRUE(left.hold(1, kLongKind, ticks_now()));
  EXPECT_EQ(left.forget(), std::vector<TaskId>{1});
  EXPECT_FALSE(left.hold(1, kLongKind, ticks_now()));
  EXPECT_FALSE(left.keep(1, kLongKind));
}

TEST(TimeLeftWithoutAnEndTest, NothingIsKnown) {
  const TimeLeft left;
  EXPECT_FALSE(left.known());
}

}  // namespace
}  // namespace weft
