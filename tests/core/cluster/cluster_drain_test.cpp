#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
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

bool is_present(ClusterRuntime& runtime, const std::string& name) {
  for (const WorkerStanding& standing : runtime.workers()) {
    if (standing.identity.name == name) return standing.present;
  }
  return false;
}

/// Waits until the worker has gone, with the client doing nothing else.
void wait_for_leave(ClusterRuntime& runtime, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  while (is_present(runtime, name) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(is_present(runtime, name));
}

TEST(DrainTest, ResultsMoveAndNothingRunsAgain) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  std::vector<int> items(60);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map([](int first) { return ++runs, ramp(first); }, items);
  for (const auto& value : values) static_cast<void>(value.exception());
  cluster.runtime().retire("worker2");
  wait_for_leave(cluster.runtime(), "worker2");
  const auto sums =
      client.map([](int i, const std::vector<double>& of) { return total(of) - 0.0 * i; }, items, values[7]);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(total(values[static_cast<std::size_t>(i)].result()), expected(i));
  for (const auto& sum : sums) EXPECT_EQ(sum.result(), expected(7));
  EXPECT_EQ(runs.load(), 60);
  EXPECT_EQ(client.info().workers.size(), 2u);
}

TEST(DrainTest, WorkersLeaveInTheMiddleOfWork) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  std::vector<int> items(400);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map([](int first) { return ++runs, ramp(first); }, items);
  const auto sums = [&] {
    std::vector<Future<double>> all;
    for (const auto& value : values) all.push_back(client.submit(&total, value));
    return all;
  }();
  static_cast<void>(values[20].exception());
  cluster.runtime().retire("worker1");
  for (int i = 0; i < 400; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)].result(), expected(i));
  wait_for_leave(cluster.runtime(), "worker1");
  EXPECT_EQ(runs.load(), 400);
}

TEST(DrainTest, AWorkerThatIsLostWhileItLeavesLosesNothing) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  std::vector<int> items(300);
  std::iota(items.begin(), items.end(), 0);
  const auto values = client.map(&ramp, items);
  static_cast<void>(values[150].exception());
  cluster.runtime().retire("worker3");
  cluster.kill(2);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(total(values[static_cast<std::size_t>(i)].result()), expected(i));
}

TEST(DrainTest, WhatHasNobodyToTakeItOverWaitsForANewcomer) {
  InProcessCluster cluster({.workers = 1});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> runs;
  runs = 0;
  const auto value = client.submit([](int first) { return ++runs, ramp(first); }, 3);
  static_cast<void>(value.exception());
  const auto held = client.submit([](const std::vector<double>& of) { return of; }, value);
  static_cast<void>(held.exception());
  cluster.runtime().retire("worker1");
  cluster.add_worker();
  wait_for_leave(cluster.runtime(), "worker1");
  EXPECT_EQ(client.submit(&total, held).result(), expected(3));
  EXPECT_EQ(runs.load(), 1);
}

TEST(DrainTest, NobodyOfThatNameIsAnError) {
  InProcessCluster cluster({.workers = 1});
  try {
    cluster.runtime().retire("node:7");
    FAIL() << "there is no such worker";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"node:7\""));
  }
}

TEST(ClusterRetryTest, DelaysAndPredicatesGoAlong) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  static std::atomic<int> tries;
  tries = 0;
  const auto begun = std::chrono::steady_clock::now();
  const auto third = client.with({.retries = 5, .retry_delay = Seconds(0.02)}).submit([] {
    if (++tries < 3) throw std::runtime_error("not yet");
    return tries.load();
  });
  EXPECT_EQ(third.result(), 3);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(60));
  tries = 0;
  TaskOptions picky;
  picky.retries = 5;
  picky.retry_if = [](const std::exception& error) { return std::string(error.what()) == "again"; };
  const auto once = client.with(picky).submit([]() -> int {
    ++tries;
    throw std::runtime_error("never");
  });
  EXPECT_THROW(once.result(), TaskError);
  EXPECT_EQ(tries.load(), 1);
}

}  // namespace
}  // namespace weft
