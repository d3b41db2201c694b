#include "core/config/nearest.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(NearestTest, DistanceCountsInsertionsDeletionsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("threads", "threads"), 0u);
  EXPECT_EQ(edit_distance("thread", "threads"), 1u);
  EXPECT_EQ(edit_distance("threads", "thrads"), 1u);
  EXPECT_EQ(edit_distance("threads", "thraeds"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(NearestTest, DistanceIsSymmetric) {
  EXPECT_EQ(edit_distance("spill-dir", "spil-dri"), edit_distance("spil-dri", "spill-dir"));
}

TEST(NearestTest, NearestNameHasTheFewestEdits) {
  EXPECT_EQ(nearest_name("scedule", {"executor", "scheduler", "memory"}), "scheduler");
}

TEST(NearestTest, TheEarliestOfEquallyNearNamesWins) { EXPECT_EQ(nearest_name("c", {"a", "b"}), "a"); }

TEST(NearestTest, NoNamesGiveNoName) { EXPECT_EQ(nearest_name("x", {}), ""); }

}  // namespace
}  // namespace weft
