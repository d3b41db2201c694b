#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>
#include <weft/graph.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RescheduleTest : public testing::TestWithParam<Mode> {
 protected:
  RescheduleTest() { attempts = first_done = second_done = 0; }
  Client client_{GetParam().options()};

 public:
  static inline std::atomic<int> attempts = 0;
  static inline std::atomic<bool> first_done = false;
  static inline std::atomic<bool> second_done = false;
};

int third_time(int n) {
  if (++RescheduleTest::attempts < 3) throw Reschedule();
  return n;
}

TEST_P(RescheduleTest, ATaskIsRunUntilItNoLongerAsks) {
  EXPECT_EQ(client_.submit(third_time, 7).result(), 7);
  EXPECT_EQ(attempts, 3);
}

TEST_P(RescheduleTest, TakesNoRetries) {
  const auto throws_after_that = [](int) -> int {
    if (++RescheduleTest::attempts < 3) throw Reschedule();
    throw std::runtime_error("for good");
  };
  const auto future = client_.with({.retries = 1}).submit(throws_after_that, 7);
  EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("for good"));
  EXPECT_EQ(attempts, 4);
}

int first(int n) {
  if (!RescheduleTest::second_done) throw Reschedule();
  return n;
}
int second(int n) {
  RescheduleTest::second_done = true;
  return n;
}

TEST_P(RescheduleTest, LetsATaskRunThatWasSubmittedAfterIt) {
  const auto waits = client_.submit(first, 1);
  const auto waited_for = client_.submit(second, 2);
  EXPECT_EQ(waits.result() + waited_for.result(), 3);
}

TEST_P(RescheduleTest, TwoThatWaitForEachOthersLaterAttemptsBothEnd) {
  const auto ping = [](int n) {
    if (++RescheduleTest::attempts < 4) throw Reschedule();
    RescheduleTest::first_done = true;
    return n;
  };
  const auto pong = [](int n) {
    ++RescheduleTest::attempts;
    if (!RescheduleTest::first_done) throw Reschedule();
    return n;
  };
  const auto one = client_.submit(ping, 1);
  const auto two = client_.submit(pong, 2);
  EXPECT_EQ(one.result() + two.result(), 3);
}

TEST_P(RescheduleTest, ManyThatAskDoNotKeepOthersFromRunning) {
  const auto waits = [](int n) {
    if (!RescheduleTest::second_done) throw Reschedule();
    return n;
  };
  std::vector<int> items(500);
  std::iota(items.begin(), items.end(), 0);
  const auto all = client_.map(waits, items);
  const auto opens = client_.submit(second, 0);
  EXPECT_EQ(client_.gather(all), items);
  EXPECT_EQ(opens.result(), 0);
}

TEST_P(RescheduleTest, WorksInAGraphThatRunsTwice) {
  Graph graph;
  const auto x = graph.input(2);
  const auto y = graph.add(third_time, x);
  const auto z = graph.add([](int a) { return a + 1; }, y);
  client_.run(graph);
  EXPECT_EQ(z.value(), 3);
  attempts = 0;
  graph.set(x, 5);
  client_.run(graph);
  EXPECT_EQ(z.value(), 6);
  EXPECT_EQ(attempts, 3);
}

TEST_P(RescheduleTest, ACancelledTaskAsksNoMore) {
  const auto never = [](int) -> int {
    ++RescheduleTest::attempts;
    throw Reschedule();
  };
  const auto future = client_.submit(never, 1);
  const auto cancels = client_.submit(
      [](int) {
        if (RescheduleTest::attempts == 0) throw Reschedule();
        return 0;
      },
      1);
  cancels.result();
  future.cancel();
  EXPECT_THROW(future.result(), CancelledError);
}

TEST_P(RescheduleTest, AClosingClientEndsATaskThatAsks) {
  const auto never = [](int) -> int {
    ++RescheduleTest::attempts;
    throw Reschedule();
  };
  const auto future = client_.submit(never, 1);
  client_
      .submit(
          [](int) {
            if (RescheduleTest::attempts == 0) throw Reschedule();
            return 0;
          },
          1)
      .result();
  client_.close();
  EXPECT_THROW(future.result(), Error);
}

TEST_P(RescheduleTest, WhatWasMovedIntoATaskCannotBeRunAgain) {
  const auto takes = [](std::unique_ptr<int> n) -> int {
    static_cast<void>(n);
    throw Reschedule();
  };
  const auto future = client_.submit(takes, client_.submit([] { return std::make_unique<int>(3); }));
  EXPECT_THAT(message_of([&] { future.result(); }), AllOf(HasSubstr("weft::Reschedule"), HasSubstr("references")));
}

INSTANTIATE_TEST_SUITE_P(Modes, RescheduleTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
