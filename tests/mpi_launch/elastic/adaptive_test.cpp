#include "mpi_launch/elastic/adaptive.hpp"

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

ClusterDemand::AtWorker worker(const std::string& name, std::uint64_t packets, bool keeps = false) {
  return {name, 1, packets, keeps, false};
}

ClusterDemand demand(std::uint64_t runnable, std::vector<ClusterDemand::AtWorker> workers, std::uint64_t done = 0) {
  ClusterDemand demand;
  demand.runnable = demand.tasks_left = runnable;
  demand.tasks_done = done;
  demand.workers = std::move(workers);
  return demand;
}

using Names = std::vector<std::string>;

TEST(AdaptiveTest, NoWorkNoWorkers) {
  Adaptive adaptive({.minimum = 0, .maximum = 4});
  EXPECT_EQ(adaptive.decide(0, demand(0, {}), 0), Adaptive::Wish{});
}

TEST(AdaptiveTest, TheLeastIsStartedAtOnce) {
  Adaptive adaptive({.minimum = 2, .maximum = 4});
  EXPECT_EQ(adaptive.decide(0, demand(0, {}), 0).start, 2u);
  EXPECT_EQ(adaptive.decide(1, demand(0, {}), 2).start, 0u);
}

TEST(AdaptiveTest, WaitingWorkStartsWorkersUpToTheMost) {
  Adaptive adaptive({.minimum = 0, .maximum = 4, .slots = 2});
  EXPECT_EQ(adaptive.decide(0, demand(3, {}), 0).start, 2u);
  EXPECT_EQ(adaptive.decide(1, demand(100, {}), 2).start, 2u);
  EXPECT_EQ(adaptive.decide(2, demand(100, {}), 4).start, 0u);
}

TEST(AdaptiveTest, AChainNeedsOneWorker) {
  Adaptive adaptive({.minimum = 0, .maximum = 4});
  ClusterDemand chain = demand(1, {worker("a", 1)});
  chain.tasks_left = 1000;
  for (int second = 0; second < 60; ++second) EXPECT_EQ(adaptive.decide(second, chain, 0), Adaptive::Wish{});
}

TEST(AdaptiveTest, WhatIsOverSoonIsNotWorthAWorker) {
  Adaptive adaptive({.minimum = 0, .maximum = 4, .worth_s = 5});
  static_cast<void>(adaptive.decide(0, demand(900, {worker("a", 4)}, 0), 3));
  EXPECT_EQ(adaptive.decide(1, demand(400, {worker("a", 4)}, 100), 0), Adaptive::Wish{});
  // At 100 tasks a second 700 tasks take 7 s.
  EXPECT_EQ(adaptive.decide(2, demand(700, {worker("a", 4)}, 200), 0).start, 3u);
}

TEST(AdaptiveTest, IdleWorkersLeaveAfterAWhileAndNotBefore) {
  Adaptive adaptive({.minimum = 1, .maximum = 4, .idle_s = 5});
  const std::vector<ClusterDemand::AtWorker> all = {worker("a", 1), worker("b", 0), worker("c", 0)};
  EXPECT_EQ(adaptive.decide(0, demand(1, all), 0).retire, Names{});
  EXPECT_EQ(adaptive.decide(4.9, demand(1, all), 0).retire, Names{});
  EXPECT_EQ(adaptive.decide(5, demand(1, all), 0).retire, (Names{"b", "c"}));
}

TEST(AdaptiveTest, WhoWasBusyMeanwhileHasNotBeenIdle) {
  Adaptive adaptive({.minimum = 0, .maximum = 4, .idle_s = 5});
  static_cast<void>(adaptive.decide(0, demand(0, {worker("a", 0)}), 0));
  static_cast<void>(adaptive.decide(4, demand(1, {worker("a", 1)}), 0));
  EXPECT_EQ(adaptive.decide(6, demand(0, {worker("a", 0)}), 0).retire, Names{});
  EXPECT_EQ(adaptive.decide(11, demand(0, {worker("a", 0)}), 0).retire, Names{"a"});
}

TEST(AdaptiveTest, TheLeastStays) {
  Adaptive adaptive({.minimum = 2, .maximum = 4, .idle_s = 0});
  EXPECT_EQ(adaptive.decide(0, demand(0, {worker("a", 0), worker("b", 0), worker("c", 0)}), 0).retire.size(), 1u);
}

TEST(AdaptiveTest, TheLastWorkerStaysWhileResultsLieThere) {
  Adaptive adaptive({.minimum = 0, .maximum = 4, .idle_s = 0});
  EXPECT_EQ(adaptive.decide(0, demand(0, {worker("a", 0, true), worker("b", 0)}), 0).retire, Names{"b"});
  EXPECT_EQ(adaptive.decide(1, demand(0, {worker("a", 0, true), worker("b", 0, true)}), 0).retire, Names{"a"});
  EXPECT_EQ(adaptive.decide(2, demand(0, {worker("b", 0)}), 0).retire, Names{"b"});
}

TEST(AdaptiveTest, WhoIsToldToBeFewerLetsIdleOnesGoFirst) {
  Adaptive adaptive({.minimum = 1, .maximum = 1, .idle_s = 0});
  EXPECT_EQ(adaptive.decide(0, demand(9, {worker("a", 3), worker("b", 0, true), worker("c", 4)}), 0).retire,
            (Names{"b", "a"}));
  Adaptive none({.minimum = 0, .maximum = 0, .idle_s = 0});
  EXPECT_EQ(none.decide(0, demand(9, {worker("a", 3, true)}), 0).retire, Names{"a"});
}

TEST(AdaptiveTest, WhoLeavesIsNotCounted) {
  Adaptive adaptive({.minimum = 1, .maximum = 1, .idle_s = 0});
  ClusterDemand one = demand(0, {worker("a", 0)});
  one.workers[0].leaving = true;
  EXPECT_EQ(adaptive.decide(0, one, 0), (Adaptive::Wish{.start = 1}));
}

TEST(AdaptiveTest, WhatIsStillToComeIsCancelledWhenNobodyWantsItAnyMore) {
  Adaptive adaptive({.minimum = 0, .maximum = 4, .idle_s = 5});
  EXPECT_EQ(adaptive.decide(0, demand(4, {}), 0).start, 4u);
  EXPECT_EQ(adaptive.decide(1, demand(1, {}), 4), Adaptive::Wish{});
  EXPECT_EQ(adaptive.decide(4, demand(4, {}), 4), Adaptive::Wish{});
  EXPECT_EQ(adaptive.decide(5, demand(1, {}), 4), Adaptive::Wish{});
  EXPECT_EQ(adaptive.decide(10, demand(1, {}), 4), (Adaptive::Wish{.cancel = 3}));
}

}  // namespace
}  // namespace weft::launch
