#include "core/cluster/site_times.hpp"

#include <gtest/gtest.h>

namespace weft::cluster {
namespace {

void learn(SiteTimes& times, std::uint32_t of_first, std::uint32_t of_second, float run_ns) {
  times.count(0, of_first);
  times.count(1, of_second);
  times.learn(run_ns);
}

TEST(SiteTimesTest, OfAPacketOfOneSiteEachTaskTookTheSame) {
  SiteTimes times;
  EXPECT_EQ(times.of(7).ns, 0);
  times.count(7, 4);
  times.learn(4'000);
  EXPECT_NEAR(times.of(7).ns, 1'000, 2);
  EXPECT_FALSE(times.of(7).is_sure());
  EXPECT_EQ(times.of(3).ns, 0);
}

TEST(SiteTimesTest, AMixedPacketOfUnknownSitesIsDividedByTasks) {
  SiteTimes times;
  times.count(1, 1);
  times.count(0, 2);
  times.count(1, 1);
  times.learn(8'000);
  EXPECT_NEAR(times.of(0).ns, 2'000, 2);
  EXPECT_NEAR(times.of(1).ns, 2'000, 2);
}

TEST(SiteTimesTest, PacketsThatMixTheSitesDifferentlyTellThemApart) {
  SiteTimes times;
  for (int i = 0; i < 200; ++i) {
    learn(times, 3, 1, 3 * 10'000 + 50'000);
    learn(times, 1, 2, 10'000 + 2 * 50'000);
  }
  EXPECT_NEAR(times.of(0).ns, 10'000, 4'000);
  EXPECT_NEAR(times.of(1).ns, 50'000, 4'000);
}

TEST(SiteTimesTest, ASiteThatWasShortIsFoundOutThoughItNeverComesAlone) {
  SiteTimes times;
  for (int i = 0; i < 500; ++i) learn(times, 6, 2, 8 * 10);
  for (int i = 0; i < 50; ++i) learn(times, 6, 2, 8 * 20'000);
  EXPECT_GT(times.of(0).ns, 10'000);
  EXPECT_GT(times.of(1).ns, 5'000);
  EXPECT_NEAR(6 * times.of(0).ns + 2 * times.of(1).ns, 8 * 20'000, 1'000);
}

TEST(SiteTimesTest, WhatNoPacketTellsApartBecomesEqual) {
  SiteTimes times;
  times.count(0, 1);
  times.learn(300'000);
  times.count(1, 1);
  times.learn(10);
  for (int i = 0; i < 2'000; ++i) learn(times, 3, 1, 4 * 50'000);
  EXPECT_NEAR(times.of(0).ns, 50'000, 2'000);
  EXPECT_NEAR(times.of(1).ns, 50'000, 5'000);
}

TEST(SiteTimesTest, TimesAreNeverNegative) {
  SiteTimes times;
  learn(times, 1, 100, 1'000'000);
  for (int i = 0; i < 100; ++i) learn(times, 1, 100, 0);
  EXPECT_GE(times.of(0).ns, 0);
  EXPECT_GE(times.of(1).ns, 0);
}

}  // namespace
}  // namespace weft::cluster
