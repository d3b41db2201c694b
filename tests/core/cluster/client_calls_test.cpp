// Calls of functions that were short so far go past the machine: whatever they do then, they behave as others.

#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace weft {
namespace {

using ::testing::HasSubstr;
using testing::InProcessCluster;

std::atomic<int> held{0};   // what runs goes on once it is 0
std::atomic<int> begun{0};  // calls that have come to where they wait

/// Short, but where it is held.
int hold(int value) {
  if (held.load() == 0) return value;
  ++begun;
  while (held.load() != 0 && !this_task::cancelled()) std::this_thread::yield();
  return value + 1000;
}
int echo(int value) { return value; }
int let_go(int value) {
  held = 0;
  return value;
}
int refuse_odd(int value) {
  if (value % 2 != 0) throw Error("odd: " + std::to_string(value));
  return value;
}
int wait_for_flag(int value, int waits) {
  if (waits != 0) {
    ++begun;
    Event(this_task::client(), "flag").wait();
  }
  return value;
}

class HandedCallTest : public ::testing::Test {
 protected:
  HandedCallTest() : cluster_({.workers = 2}), client_(InProcessCluster::client_options()) {
    held = begun = 0;
    for (int i = 0; i < 30; ++i) EXPECT_EQ(client_.submit(&hold, i).result(), i);
  }
  ~HandedCallTest() override { held = 0; }
  /// Submits a call that goes on once `let_go` runs, or `held` is 0, and waits until it has begun.
  Future<int> submit_held(int value) {
    held = 1;
    auto future = client_.submit(&hold, value);
    wait_until_begun();
    return future;
  }
  static void wait_until_begun() {
    while (begun.load() == 0) std::this_thread::yield();
  }
  InProcessCluster cluster_;
  Client client_;
};

TEST_F(HandedCallTest, ManyCallsOneAfterTheOther) {
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client_.submit(&hold, i).result(), i);
}

TEST_F(HandedCallTest, WhatComesLaterDoesNotWaitBehindOneThatBecameLong) {
  const auto slow = submit_held(1);
  std::vector<Future<int>> others;
  for (int i = 0; i < 8; ++i) others.push_back(client_.submit(&echo, i));
  const auto key = client_.submit(&let_go, 7);
  EXPECT_EQ(key.result(), 7);
  EXPECT_EQ(slow.result(), 1001);
  for (const Future<int>& other : others) EXPECT_EQ(other.result(), &other - others.data());
}

TEST_F(HandedCallTest, OneThatWaitsForALaterTaskGetsIt) {
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client_.submit(&wait_for_flag, i, 0).result(), i);
  const auto waiting = client_.submit(&wait_for_flag, 5, 1);
  wait_until_begun();
  std::vector<Future<int>> others;
  for (int i = 0; i < 20; ++i) others.push_back(client_.submit(&hold, i));
  const auto setter = client_.submit([] {
    Event(this_task::client(), "flag").set();
    return 3;
  });
  EXPECT_EQ(setter.result(), 3);
  EXPECT_EQ(waiting.result(), 5);
  for (const Future<int>& other : others) EXPECT_EQ(other.result(), &other - others.data());
}

TEST_F(HandedCallTest, TasksThatReadOneThatRunsWaitForIt) {
  const auto slow = submit_held(1);
  const auto reader = client_.submit([](int value) { return value * 2; }, slow);
  const auto second = client_.submit([](int a, int b) { return a + b; }, slow, reader);
  held = 0;
  EXPECT_EQ(second.result(), 3003);
}

TEST_F(HandedCallTest, OneThatThrowsFailsInItsOwnWords) {
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client_.submit(&refuse_odd, 2 * i).result(), 2 * i);
  try {
    client_.submit(&refuse_odd, 31).result();
    FAIL() << "it threw";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("odd: 31"));
    EXPECT_THAT(error.what(), HasSubstr("client_calls_test.cpp"));
  }
  EXPECT_EQ(client_.submit(&refuse_odd, 32).result(), 32);
}

TEST_F(HandedCallTest, OneThatIsCancelledHearsOfIt) {
  const auto slow = submit_held(1);
  slow.cancel();
  static_cast<void>(slow.exception());  // held is 1 still: it ended because it was told
  held = 0;
  EXPECT_EQ(client_.submit(&hold, 2).result(), 2);
}

TEST_F(HandedCallTest, OneWhoseWorkerIsLostRunsElsewhere) {
  const auto slow = submit_held(1);
  cluster_.kill(0);  // the first of the two has the calls
  held = 0;
  EXPECT_EQ(slow.result() % 1000, 1);
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client_.submit(&hold, i).result(), i);
}

TEST_F(HandedCallTest, AWorkerThatLeavesEndsItFirst) {
  const auto slow = submit_held(1);
  cluster_.runtime().retire("worker1");
  held = 0;
  EXPECT_EQ(slow.result(), 1001);
  EXPECT_EQ(begun.load(), 1);
  EXPECT_EQ(cluster_.end_of(0), WorkerEnd::Told);
}

TEST(HandedCallsOfTwoClientsTest, OneThatItsClientLeftBehindDoesNotDisturbTheNext) {
  InProcessCluster cluster({.workers = 2});
  held = begun = 0;
  {
    const Client client(InProcessCluster::client_options());
    for (int i = 0; i < 30; ++i) ASSERT_EQ(client.submit(&hold, i).result(), i);
    held = 1;
    const auto slow = client.submit(&hold, 1);
    while (begun.load() == 0) std::this_thread::yield();
  }
  const Client client(InProcessCluster::client_options());
  held = 0;
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.submit(&hold, i).result(), i);
}

}  // namespace
}  // namespace weft
