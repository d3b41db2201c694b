#include "core/graph/content.hpp"

#include "tests/core/client/client_modes.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/pure.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

using testing::HasSubstr;

std::atomic<int> calls{0};
int doubled(int a) { return ++calls, 2 * a; }
int plus(int a, int b) { return ++calls, a + b; }

/// Counts how many of it exist.
struct Counted {
  explicit Counted(int its_n) : n(its_n) { ++alive; }
  Counted(const Counted& other) : n(other.n) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  static inline std::atomic<int> alive{0};
  int n;
};
Counted make_counted(int n) { return Counted(n); }

}  // namespace

template <>
inline constexpr bool local_only<Counted> = true;

namespace {

/// Calls that are told to be pure, without an object that keeps them.
class PureOptionTest : public testing::TestWithParam<Mode> {
 protected:
  PureOptionTest() { calls = 0; }
  Client client_{GetParam().options()};
};
INSTANTIATE_TEST_SUITE_P(Modes, PureOptionTest, testing::ValuesIn(kModes), kModeName);

TEST_P(PureOptionTest, EqualSubmissionsAreOneTask) {
  const auto pure = client_.with({.pure = true});
  const Future<int> a = pure.submit(doubled, 3);
  const Future<int> b = pure.submit(doubled, 3);
  EXPECT_EQ(a.task_id(), b.task_id());
  EXPECT_EQ(b.result(), 6);
  EXPECT_EQ(pure.submit(doubled, 3).result(), 6) << "also once it has ended";
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(pure.submit(doubled, 4).result(), 8);
  EXPECT_EQ(client_.submit(doubled, 3).result(), 6) << "without the option it runs again";
  EXPECT_EQ(calls, 3);
}

TEST_P(PureOptionTest, EqualElementsOfAMapRunOnce) {
  const auto futures = client_.with({.pure = true}).map(plus, std::vector<int>{1, 2, 1, 1, 2, 3}, 10);
  EXPECT_EQ(client_.gather(futures), (std::vector<int>{11, 12, 11, 11, 12, 13}));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(futures[0].task_id(), futures[3].task_id());
}

TEST_P(PureOptionTest, LazyCallsAreOneTaskWithAllTheyNeed) {
  const auto twice = delayed(doubled, {.pure = true});
  const auto add = delayed(plus, {.pure = true});
  const auto a = add(twice(1), twice(2));
  const auto b = add(twice(1), twice(2));
  EXPECT_EQ(a.task_id(), b.task_id());
  EXPECT_EQ(client_.compute(a), 6);
  EXPECT_EQ(calls, 3);
  EXPECT_NE(add(twice(2), twice(1)).task_id(), a.task_id()) << "the order of arguments counts";
}

TEST_P(PureOptionTest, AScopeMakesAllCallsPure) {
  const Annotate scope({.pure = true});
  const auto a = client_.submit(doubled, 3);
  EXPECT_EQ(client_.submit(doubled, 3).task_id(), a.task_id());
  EXPECT_EQ(delayed(doubled)(3).task_id(), delayed(doubled)(3).task_id()) << "kept by its own register";
}

TEST_P(PureOptionTest, AnInputThatHasGoneIsNotTakenForTheNextOne) {
  // Records are used again: a call on one task must never be found by a call on a later one in its place.
  const auto pure = client_.with({.pure = true});
  std::vector<Future<int>> kept;
  for (int n = 0; n < 2'000; ++n) {
    Future<int> input = client_.submit([](int a) { return a; }, n);
    kept.push_back(pure.submit(doubled, input));
    EXPECT_EQ(kept.back().result(), 2 * n);
  }
}

TEST_P(PureOptionTest, WhatPureCallsGaveIsComparedByHowItWasMade) {
  const auto pure = client_.with({.pure = true});
  const Future<int> first = pure.submit(doubled, pure.submit(doubled, 3));
  EXPECT_EQ(first.result(), 12);
  // Its input may be gone by now; the call on an equal one is still the same call.
  const Future<int> again = pure.submit(doubled, pure.submit(doubled, 3));
  EXPECT_EQ(again.task_id(), first.task_id());
  // Of an impure call nobody knows.
  EXPECT_NE(pure.submit(doubled, client_.submit(doubled, 3)).task_id(), first.task_id());
}

TEST_P(PureOptionTest, AFailedCallIsRunAgain) {
  static std::atomic<bool> fails{true};
  fails = true;
  const auto sometimes = [](int n) {
    if (fails) throw std::runtime_error("not now");
    return n;
  };
  const auto pure = client_.with({.pure = true});
  EXPECT_THROW(pure.submit(sometimes, 1).result(), TaskError);
  fails = false;
  EXPECT_EQ(pure.submit(sometimes, 1).result(), 1);
}

TEST_P(PureOptionTest, ResultsThatNobodyHoldsAreLetGo) {
  const auto pure = client_.with({.pure = true});
  const int before = Counted::alive;
  for (int n = 0; n < 1'000; ++n) {
    EXPECT_EQ(pure.submit(make_counted, n).inspect([](const Counted& one) { return one.n; }), n);
  }
  EXPECT_LT(Counted::alive - before, 200);
}

TEST_P(PureOptionTest, TasksOfAGraphAreLikeNoOther) {
  Graph graph;
  const Delayed<int> input = graph.input(1);
  const auto twice = delayed(doubled, {.pure = true});
  const auto before = twice(input);
  client_.run(graph);
  EXPECT_EQ(client_.compute(before), 2);
  graph.set(input, 5);
  client_.run(graph);
  EXPECT_EQ(client_.compute(twice(input)), 10);
}

TEST_P(PureOptionTest, ACallThatCannotBeComparedIsOneError) {
  int local = 3;
  EXPECT_THAT(
      message_of([&] { client_.with({.pure = true}).submit([&local](int a) { return a + local; }, 1).result(); }),
      HasSubstr("captures a pointer or reference"));
}

TEST_P(PureOptionTest, ThreadsAgreeOnOneTask) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto pure = client_.with({.pure = true});
      for (int n = 0; n < 300; ++n) {
        if (pure.submit(doubled, n % 10).result() != 2 * (n % 10)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ContentTest, ALongChainOfPureCallsEnds) {
  const Client client(Options{.scheduler = "sync"});
  calls = 0;
  {
    PureCalls pure;
    Delayed<int> last = pure(doubled)(0);
    for (int n = 0; n < 200'000; ++n) last = pure(plus)(last, n % 2);
    EXPECT_EQ(client.compute(last), 100'000);
  }
  EXPECT_EQ(calls, 200'001);
}

TEST(ContentTest, ClientsDoNotShareTheirTasks) {
  const Client one(Options{.scheduler = "sync"});
  const Client two(Options{.scheduler = "sync"});
  calls = 0;
  const auto a = one.with({.pure = true}).submit(doubled, 3);
  const auto b = two.with({.pure = true}).submit(doubled, 3);
  EXPECT_NE(a.task_id(), b.task_id());
  EXPECT_EQ(a.result() + b.result(), 12);
  EXPECT_EQ(calls, 2);
}

TEST(ContentTest, AClosedClientsResultsAreNotFoundAgain) {
  calls = 0;
  for (int round = 0; round < 3; ++round) {
    Client client(Options{.scheduler = "sync"});
    EXPECT_EQ(client.with({.pure = true}).submit(doubled, 3).result(), 6);
  }
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace weft
