#include <gtest/gtest.h>

#include "core/policies/placement.hpp"
#include "core/policies/queue_depth.hpp"
#include "core/policies/stealing.hpp"

namespace weft::policies {
namespace {

constexpr TransferCost kCost{1.0, 1000};  // a nanosecond a byte, a microsecond a message

TEST(PlacementTest, EarlierStartWins) {
  const PlacementCandidate busy{0, 0, 10'000, 0, false};
  const PlacementCandidate far{1, 500, 0, 0, false};
  EXPECT_TRUE(is_better_place(far, busy, kCost));
  EXPECT_FALSE(is_better_place(busy, far, kCost));
}

TEST(PlacementTest, QueueShorterThanTheInputsTakeCostsNothing) {
  const PlacementCandidate owner{1, 0, 5'000, 5'000, false};
  const PlacementCandidate idle{0, 10, 0, 5'000, false};
  EXPECT_TRUE(is_better_place(owner, idle, kCost));
}

TEST(PlacementTest, TiesGoByBytesThenNeighboursThenId) {
  const PlacementCandidate base{3, 0, 2'000, 0, false};
  PlacementCandidate other{5, 1'000, 0, 0, false};
  EXPECT_EQ(start_ns(base, kCost), start_ns(other, kCost));
  EXPECT_TRUE(is_better_place(base, other, kCost));
  other = {5, 0, 2'000, 0, true};
  EXPECT_TRUE(is_better_place(other, base, kCost));
  other.affine = false;
  EXPECT_TRUE(is_better_place(base, other, kCost));
  EXPECT_FALSE(is_better_place(base, base, kCost));
}

TEST(QueueDepthTest, RoomByPacketsOrByTime) {
  const QueueLimits limits{2, 1'000, 100};
  EXPECT_TRUE(has_room(3, 1'000'000'000, 2, limits)) << "two packets a slot, however long";
  EXPECT_FALSE(has_room(4, 1'000'000'000, 2, limits));
  EXPECT_TRUE(has_room(150, 1'999, 2, limits)) << "short ones up to the time";
  EXPECT_FALSE(has_room(150, 2'000, 2, limits));
  EXPECT_FALSE(has_room(200, 0, 2, limits)) << "never more than this many";
}

TEST(WithholdingTest, NeverOfAnEmptyWorkerAndNeverWithoutALimit) {
  EXPECT_TRUE(has_enough(70, 0, 100, 0.6, 1));
  EXPECT_TRUE(has_enough(30, 31, 100, 0.6, 1));
  EXPECT_FALSE(has_enough(30, 30, 100, 0.6, 1));
  EXPECT_FALSE(has_enough(70, 0, 100, 0.6, 0));
  EXPECT_FALSE(has_enough(70, 0, 0, 0.6, 1));
}

TEST(StealingTest, OnlyWhatPaysForItsMove) {
  EXPECT_TRUE(steal_pays(1'000'000, 0, 20'000, 20'000));
  EXPECT_FALSE(steal_pays(80'000, 0, 20'000, 20'000));
  EXPECT_FALSE(steal_pays(1'000'000, 990'000, 20'000, 20'000)) << "it waits for its inputs, not for a slot";
  EXPECT_FALSE(steal_pays(1'000'000, 0, 900'000, 20'000));
}

}  // namespace
}  // namespace weft::policies
