#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <numeric>
#include <thread>

namespace weft {
namespace {

using ::testing::HasSubstr;
using testing::InProcessCluster;

std::vector<double> ramp(int first) {
  std::vector<double> values(20'000);
  std::iota(values.begin(), values.end(), first);
  return values;
}
double total(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
double expected(int first) { return 20'000.0 * first + 19'999.0 * 20'000.0 / 2; }

template <class Done>
bool becomes_true(const Done& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(CopiesTest, AResultIsCopiedToAllWorkersAndOutlivesItsOwner) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  const auto value = client.submit([](int first) { return ++runs, ramp(first); }, 4);
  client.replicate(value);
  ASSERT_TRUE(becomes_true([&] { return client.who_has(value).size() == 3; }));
  std::vector<std::string> names = client.who_has(value);
  const std::string owner = names.front();
  std::sort(names.begin(), names.end());
  EXPECT_THAT(names, ::testing::ElementsAre("worker1", "worker2", "worker3"));
  cluster.kill(static_cast<std::size_t>(owner.back() - '1'));
  const auto sum = client.submit(&total, value);
  EXPECT_EQ(sum.result(), expected(4));
  EXPECT_EQ(total(value.result()), expected(4));
  EXPECT_EQ(runs.load(), 1);
  EXPECT_EQ(client.who_has(value).size(), 2u);
}

TEST(CopiesTest, ASmallResultLiesWithTheClient) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto first = client.submit([](int a) { return a + 1; }, 1);
  const auto second = client.submit([](int a) { return a + 1; }, first);
  EXPECT_EQ(second.result(), 3);
  for (const auto& one : {first, second})
    EXPECT_TRUE(becomes_true([&] { return client.who_has(one) == std::vector<std::string>{"client"}; }));
  const auto failed = client.submit([](int a) -> int { throw a; }, 1);
  failed.exception();
  EXPECT_TRUE(client.who_has(failed).empty());
  client.replicate(std::vector{first, second});
}

TEST(CopiesTest, WhatIsHandedToAllWorkersLiesAtAllOfThem) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  for (int first = 0; first < 5; ++first)
    EXPECT_EQ(client.who_has(client.scatter(ramp(first), {.broadcast = true})).size(), 3u);
  const auto values = std::vector{client.submit(&ramp, 7), client.submit(&ramp, 8)};
  client.replicate(values, 2);
  EXPECT_EQ(client.who_has(values[0]).size() + client.who_has(values[1]).size(), 4u);
}

TEST(CopiesTest, AsManyCopiesAreMadeAsWereAskedFor) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  const std::vector<Future<std::vector<double>>> values = client.map(&ramp, std::vector<int>{1, 2, 3, 4, 5, 6});
  client.replicate(values, 2);
  for (const auto& value : values) EXPECT_TRUE(becomes_true([&] { return client.who_has(value).size() == 2; }));
}

TEST(CopiesTest, ManyWorkersPassOneResultOn) {
  InProcessCluster cluster({.workers = 8});
  const Client client(InProcessCluster::client_options());
  const auto value = client.submit(&ramp, 9);
  client.replicate(value);
  EXPECT_TRUE(becomes_true([&] { return client.who_has(value).size() == 8; }));
}

TEST(CopiesTest, RebalancingMovesResultsToWhoHoldsLeast) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  std::vector<int> items(40);
  std::iota(items.begin(), items.end(), 0);
  static std::atomic<int> runs;
  runs = 0;
  const auto values = client.with({.workers = {"worker1"}}).map([](int first) { return ++runs, ramp(first); }, items);
  for (const auto& value : values) static_cast<void>(value.exception());
  const auto count = [&] {
    std::map<std::string, int> held;
    for (const auto& value : values) {
      for (const std::string& name : client.who_has(value)) ++held[name];
    }
    return held;
  };
  EXPECT_EQ(count()["worker1"], 40);
  client.rebalance(values);
  EXPECT_TRUE(becomes_true([&] {
    const auto held = count();
    return held.size() == 2 && held.at("worker1") <= 24 && held.at("worker2") <= 24 &&
           held.at("worker1") + held.at("worker2") == 40;
  }));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(client.submit(&total, values[i]).result(), expected(static_cast<int>(i)));
    EXPECT_EQ(total(values[i].result()), expected(static_cast<int>(i)));
  }
  EXPECT_EQ(runs.load(), 40);
}

TEST(CopiesTest, AResultThatWasFetchedIsMadeAgainForALaterReader) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  std::vector<int> items(20);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map(&ramp, items);
  for (const auto& value : values) EXPECT_EQ(value.result().size(), 20'000u);
  cluster.kill(0);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(client.submit(&total, values[i]).result(), expected(static_cast<int>(i)));
}

TEST(CopiesTest, RetiringThroughTheClientKeepsResultsAndNamesWhoIsMissing) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  std::vector<int> items(30);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map([](int first) { return ++runs, ramp(first); }, items);
  for (const auto& value : values) static_cast<void>(value.exception());
  // In turn: the first one's results may go to the second.
  client.retire_workers({"worker1"});
  EXPECT_TRUE(becomes_true([&] { return client.info().workers.size() == 2; }));
  client.retire_workers({"worker3"});
  EXPECT_TRUE(becomes_true([&] { return client.info().workers.size() == 1; }));
  ASSERT_EQ(client.info().workers.size(), 1u);
  EXPECT_EQ(client.info().workers.front().name, "worker2");
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(total(values[i].result()), expected(static_cast<int>(i)));
  EXPECT_EQ(runs.load(), 30);
  try {
    client.retire_workers({"worker1"});
    FAIL() << "it has gone";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"worker1\""));
  }
}

TEST(CopiesTest, WorkersThatRetireAtOnceLoseNothing) {
  InProcessCluster cluster({.workers = 4});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  std::vector<int> items(40);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map([](int first) { return ++runs, ramp(first); }, items);
  for (const auto& value : values) static_cast<void>(value.exception());
  client.retire_workers({"worker1", "worker2", "worker4"});
  EXPECT_TRUE(becomes_true([&] { return client.info().workers.size() == 1; }));
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(total(values[i].result()), expected(static_cast<int>(i)));
  EXPECT_EQ(runs.load(), 40);
}

}  // namespace
}  // namespace weft
