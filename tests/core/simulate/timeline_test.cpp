#include "core/simulate/timeline.hpp"

#include <gtest/gtest.h>

namespace weft::sim {
namespace {

TEST(TimelineTest, ThingsHappenInOrderOfTimeThenOfEntry) {
  Timeline timeline;
  std::vector<int> order;
  timeline.at(20, [&] { order.push_back(3); });
  timeline.at(10, [&] { order.push_back(1); });
  timeline.at(20, [&] { order.push_back(4); });
  timeline.at(10, [&] {
    order.push_back(2);
    timeline.at(5, [&] { order.push_back(20); });  // the past is now
  });
  while (timeline.step()) {
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 20, 3, 4}));
  EXPECT_EQ(timeline.now(), 20);
}

TEST(TimelineTest, WhatHappensBesideTheWorkIsNotUnderWay) {
  Timeline timeline;
  timeline.beside_at(10, [] {});
  EXPECT_EQ(timeline.under_way(), 0u);
  timeline.at(20, [] {});
  EXPECT_EQ(timeline.under_way(), 1u);
  EXPECT_TRUE(timeline.step());
  EXPECT_EQ(timeline.under_way(), 1u);
  EXPECT_TRUE(timeline.step());
  EXPECT_EQ(timeline.under_way(), 0u);
  EXPECT_FALSE(timeline.step());
}

}  // namespace
}  // namespace weft::sim
