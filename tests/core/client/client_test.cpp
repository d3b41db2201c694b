#include <weft/client.hpp>

#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace weft {
namespace {

using testing::HasSubstr;

class ClientTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

int add(int a, int b) { return a + b; }
int increment(int a) { return a + 1; }
int throw_if_positive(int a) {
  if (a > 0) throw std::runtime_error("no positive numbers: " + std::to_string(a));
  return a;
}

TEST_P(ClientTest, SubmitGivesTheResult) { EXPECT_EQ(client_.submit(add, 2, 3).result(), 5); }

TEST_P(ClientTest, FuturesAreInputsOfLaterTasks) {
  const Future<int> three = client_.submit(add, 1, 2);
  const Future<int> six = client_.submit(add, three, three);
  EXPECT_EQ(client_.submit(add, six, three).result(), 9);
}

TEST_P(ClientTest, LargeResultsAreReadWhereTheyLie) {
  const auto vector =
      client_.submit([](int n) { return std::vector<double>(static_cast<std::size_t>(n), 1.5); }, 100'000);
  const auto sum = client_.submit(
      [](const std::vector<double>& values) {
        double total = 0;
        for (const double value : values) total += value;
        return total;
      },
      vector);
  EXPECT_EQ(sum.result(), 150'000);
  EXPECT_EQ(vector.inspect([](const std::vector<double>& values) { return values.size(); }), 100'000u);
}

TEST_P(ClientTest, VectorOfFuturesArrivesAsVectorOfValues) {
  std::vector<Future<int>> squares;
  for (int i = 0; i < 100; ++i) squares.push_back(client_.submit([](int n) { return n * n; }, i));
  const auto total = client_.submit(
      [](const std::vector<int>& values) {
        int sum = 0;
        for (const int value : values) sum += value;
        return sum;
      },
      squares);
  EXPECT_EQ(total.result(), 328'350);
}

TEST_P(ClientTest, HandlesInMapsTuplesAndPairsAreFound) {
  const auto two = delayed(add)(1, 1);
  const auto five = delayed(add)(2, 3);
  const auto product = delayed([](const std::map<std::string, int>& by_name, const std::tuple<int, double>& pair) {
    return by_name.at("two") * by_name.at("five") + std::get<0>(pair);
  })(std::map<std::string, Delayed<int>>{{"two", two}, {"five", five}}, std::tuple(five, 0.5));
  EXPECT_EQ(client_.compute(product), 15);
}

TEST_P(ClientTest, HandlesInOptionalsVariantsAndUnorderedMapsAreFound) {
  using Either = std::variant<Delayed<int>, int, std::string>;
  const auto two = delayed(add)(1, 1);
  std::unordered_map<std::string, Delayed<int>> by_name;
  for (int i = 0; i < 50; ++i) by_name["n" + std::to_string(i)] = delayed(add)(i, 0);
  const auto all =
      delayed([](const std::unordered_map<std::string, int>& numbers, std::optional<int> there,
                 std::optional<int> absent, const std::vector<std::variant<int, int, std::string>>& parts) {
        int wrong = 0;
        for (int i = 0; i < 50; ++i) wrong += numbers.at("n" + std::to_string(i)) == i ? 0 : 1;
        return std::vector<int>{wrong,
                                there.value(),
                                absent.has_value() ? 1 : 0,
                                std::get<0>(parts[0]),
                                std::get<1>(parts[1]),
                                static_cast<int>(std::get<2>(parts[2]).size())};
      })(by_name, std::optional(two), std::optional<Delayed<int>>(), std::vector<Either>{two, 7, std::string("three")});
  EXPECT_EQ(client_.compute(all), (std::vector<int>{0, 2, 0, 2, 7, 5}));
  EXPECT_EQ(client_.compute(by_name).at("n31"), 31);
  EXPECT_EQ(client_.compute(std::optional(two)), 2);
  const auto tables = std::vector{by_name, by_name};
  EXPECT_EQ(client_.compute(tables)[1].at("n9"), 9);
}

TEST_P(ClientTest, ComputeRunsSharedTasksOnce) {
  static std::atomic<int> calls;
  calls = 0;
  const auto shared = delayed([](int a) { return ++calls, a; })(7);
  const auto left = delayed(add)(shared, 1);
  const auto right = delayed(add)(shared, 2);
  const auto [eight, nine] = client_.compute(left, right);
  EXPECT_EQ(eight, 8);
  EXPECT_EQ(nine, 9);
  EXPECT_EQ(calls, 1);
}

TEST_P(ClientTest, ComputeOfAMapGivesAMap) {
  const std::map<std::string, Delayed<int>> lazy{{"a", delayed(add)(1, 2)}, {"b", delayed(add)(3, 4)}};
  EXPECT_EQ(client_.compute(lazy), (std::map<std::string, int>{{"a", 3}, {"b", 7}}));
}

TEST_P(ClientTest, DeepLazyChainNeedsNoDeepStack) {
  Delayed<int> chain = delayed(increment)(0);
  for (int i = 0; i < 200'000; ++i) chain = delayed(increment)(chain);
  EXPECT_EQ(client_.compute(chain), 200'001);
}

TEST_P(ClientTest, LazyValuesThatNobodyComputedAreFreed) {
  { const auto warm_up = delayed(add)(1, 2); }
  arena::flush_frees();
  const std::size_t before = arena::usage().live_tasks;
  {
    Delayed<int> chain = delayed(increment)(0);
    for (int i = 0; i < 100'000; ++i) chain = delayed(increment)(chain);
  }
  arena::flush_frees();
  EXPECT_LE(arena::usage().live_tasks, before + arena::kSegmentTasks);
}

TEST_P(ClientTest, ResultsAreFreedWithTheirLastFuture) {
  std::size_t before = 0;
  for (int round = 0; round < 10; ++round) {
    std::vector<Future<int>> futures;
    for (int i = 0; i < 2'000; ++i) futures.push_back(client_.submit(increment, i));
    for (int i = 0; i < 2'000; ++i) ASSERT_EQ(futures[static_cast<std::size_t>(i)].result(), i + 1);
    futures.clear();
    arena::flush_frees();
    if (round == 0) before = arena::usage().live_tasks;
  }
  EXPECT_LE(arena::usage().live_tasks, before + 4 * arena::kSegmentTasks);
}

TEST_P(ClientTest, FailureNamesMessageLineArgumentsAndChain) {
  const auto bad = client_.submit(throw_if_positive, 5);
  const auto next = client_.submit(increment, bad);
  const std::string text = message_of([&] { client_.submit(increment, next).result(); });
  EXPECT_THAT(text, HasSubstr("no positive numbers: 5"));
  EXPECT_THAT(text, HasSubstr("std::runtime_error"));
  EXPECT_THAT(text, HasSubstr("client_test.cpp:"));
  EXPECT_THAT(text, HasSubstr("needed by"));
  EXPECT_EQ(next.status(), FutureStatus::Failed);
  EXPECT_NE(next.exception(), nullptr);
}

TEST_P(ClientTest, RerunLocallyThrowsWhatTheTaskThrew) {
  const auto bad = client_.submit(throw_if_positive, client_.submit(add, 2, 3));
  const auto next = client_.submit(increment, bad);
  EXPECT_THROW(next.result(), TaskError);
  EXPECT_THROW(rerun_locally(next), std::runtime_error);
  const auto good = client_.submit(add, 1, 1);
  EXPECT_EQ(good.result(), 2);
  EXPECT_THROW(rerun_locally(good), Error);
}

TEST_P(ClientTest, ThingsThatAreNoExceptionsAreReportedToo) {
  const auto bad = client_.submit([](int a) -> int { throw a; }, 42);
  EXPECT_THAT(message_of([&] { bad.result(); }), HasSubstr("42 (int)"));
}

TEST_P(ClientTest, OtherTasksGoOnAfterAFailure) {
  const auto bad = client_.submit(throw_if_positive, 1);
  EXPECT_THROW(bad.result(), TaskError);
  EXPECT_EQ(client_.submit(add, 1, 1).result(), 2);
}

TEST_P(ClientTest, RetriesRunATaskAgain) {
  static std::atomic<int> calls;
  calls = 0;
  const auto third_time = [](int) {
    if (++calls < 3) throw std::runtime_error("not yet");
    return calls.load();
  };
  EXPECT_EQ(client_.with({.retries = 2}).submit(third_time, 0).result(), 3);
  calls = 0;
  EXPECT_THROW(client_.with({.retries = 1}).submit(third_time, 0).result(), TaskError);
  EXPECT_EQ(calls, 2);
}

TEST_P(ClientTest, CancelledTasksGiveCancelledError) {
  static std::atomic<bool> ran;
  ran = false;
  std::atomic<bool> go{false};
  static std::atomic<bool>* gate;
  gate = &go;
  const auto slow = client_.submit(
      [](int a) {
        while (!*gate && !this_task::cancelled()) std::this_thread::yield();
        return a;
      },
      1);
  const auto after = client_.submit([](int a) { return ran = true, a; }, slow);
  after.cancel();
  EXPECT_TRUE(after.cancelled());
  EXPECT_THROW(after.result(), CancelledError);
  go = true;
  EXPECT_EQ(slow.result(), 1);
  EXPECT_FALSE(ran);
}

TEST_P(ClientTest, ATaskCancelledWhileItRunsHasNoResult) {
  // With one thread nothing can be cancelled while it runs, but by itself.
  static const Future<int>* self;
  static std::atomic<bool> go;
  go = false;
  const auto running = client_.submit(
      [](int a) {
        while (!go) std::this_thread::yield();
        self->cancel();
        return a;
      },
      1);
  self = &running;
  go = true;
  const auto after = client_.submit(increment, running);
  EXPECT_THROW(after.result(), CancelledError);
  EXPECT_THROW(running.result(), CancelledError);
  EXPECT_TRUE(running.cancelled());
  EXPECT_NE(after.traceback().find("has no result"), std::string::npos);
  EXPECT_EQ(running.traceback().find("has no result"), std::string::npos);
}

TEST_P(ClientTest, LazyInputsOfASubmittedTaskBeginWithIt) {
  const auto lazy = delayed(add)(delayed(increment)(1), 2);
  EXPECT_EQ(client_.submit(add, lazy, 5).result(), 9);
  EXPECT_EQ(client_.map(add, std::vector{1, 2}, delayed(increment)(7))[1].result(), 10);
}

TEST_P(ClientTest, TasksMaySubmitTasksAndWaitForThem) {
  static Client* client;
  client = &client_;
  struct Fibonacci {
    static long run(long n) {
      if (n < 2) return n;
      const auto left = client->submit(&run, n - 1);
      const auto right = client->submit(&run, n - 2);
      return left.result() + right.result();
    }
  };
  EXPECT_EQ(client_.submit(&Fibonacci::run, 16L).result(), 987);
}

TEST_P(ClientTest, MapGivesFuturesInOrder) {
  const auto futures = client_.map([](int a, int factor) { return a * factor; }, std::vector<int>{1, 2, 3}, 10);
  EXPECT_EQ(client_.gather(futures), (std::vector<int>{10, 20, 30}));
}

TEST_P(ClientTest, CallbacksRunOnceWhenTheTaskEnds) {
  std::atomic<int> seen{0};
  const auto future = client_.submit(add, 20, 22);
  future.add_done_callback([&](const Future<int>& done) { seen += done.result(); });
  EXPECT_EQ(future.result(), 42);
  while (seen == 0) std::this_thread::yield();
  future.add_done_callback([&](const Future<int>&) { seen += 1; });
  EXPECT_EQ(seen, 43);
}

TEST_P(ClientTest, CallbacksMaySubmitTasksAndWaitForThem) {
  std::atomic<int> seen{0};
  const auto first = client_.submit(add, 20, 20);
  const auto second = client_.submit(increment, first);
  first.add_done_callback([&](const Future<int>& done) {
    seen += client_.submit(add, done, second).result();
    seen.notify_all();
  });
  EXPECT_EQ(second.result(), 41);
  seen.wait(0);
  EXPECT_EQ(seen, 81);
}

TEST_P(ClientTest, CountsKeepUpWithPlainCalls) {
  constexpr int kCalls = 5'000;  // more than one open packet holds
  std::vector<Future<int>> futures;
  for (int i = 0; i < kCalls; ++i) futures.push_back(client_.submit(increment, i));
  for (int i = 0; i < kCalls; ++i) ASSERT_EQ(futures[static_cast<std::size_t>(i)].result(), i + 1);
  // A slot tells of what it has run before it rests.
  while (client_.counts().done != kCalls) std::this_thread::yield();
  EXPECT_EQ(client_.counts().total, static_cast<std::uint64_t>(kCalls));
  EXPECT_EQ(client_.counts().failed, 0u);
}

TEST(ClientCountsTest, LongTasksCountWhenTheyEnd) {
  const Client client({.scheduler = "threads", .threads = 1});
  std::vector<int> items(40);
  const auto futures = client.map([](int) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }, items);
  for (std::size_t i = 0; i <= 20; ++i) futures[i].result();
  EXPECT_GE(client.counts().done, 20u) << "and not only when the slot has nothing to do";
  EXPECT_LE(client.counts().done, 40u);
}

TEST(ClientCallsTest, ALoneCallRunsThoughNobodyWaitsForIt) {
  static std::atomic<int> ran;
  ran = 0;
  const Client client(Options{.scheduler = "threads", .threads = 2});
  for (int i = 0; i < 60; ++i) {
    // Slots spin at first, then doze, then sleep.
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(i * i);
    while (std::chrono::steady_clock::now() < until) {
    }
    const auto future = client.submit([] {
      ++ran;
      ran.notify_all();
    });
    for (int before = ran; before == i; before = ran) ran.wait(before);
  }
  EXPECT_EQ(ran, 60);
}

TEST(ClientCallsTest, ATaskOfLowPriorityGoesOnWhenPlainCallsHaveEnded) {
  static std::atomic<bool> go;
  go = false;
  const Client client(Options{.scheduler = "threads", .threads = 2});
  const auto plain = client.submit([] {
    go.wait(false);
    return 1;
  });
  const auto low = client.with({.priority = -1}).submit(add, 1, 1);
  const auto later = client.submit(add, 1, 2);
  go = true;
  go.notify_all();
  EXPECT_EQ(low.result(), 2);
  EXPECT_EQ(plain.result() + later.result(), 4);
}

/// Runs two maps and a call behind them on one slot that is held until all are there; returns who ran when.
std::vector<int> order_of_two_maps(const TaskOptions& options) {
  static std::atomic<bool> go;
  static std::vector<int> order;
  go = false;
  order.clear();
  const auto note = [](int number) {
    order.push_back(number);
    return number;
  };
  const Client client(Options{.scheduler = "threads", .threads = 1});
  const auto held = client.submit([] {
    go.wait(false);
    return 1;
  });
  std::vector<int> numbers(200);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto annotated = client.with(options);
  const auto first = annotated.map(note, std::span(numbers).first(100));
  const auto second = annotated.map(note, std::span(numbers).last(100));
  const auto single = annotated.submit(note, 200);
  go = true;
  go.notify_all();
  client.gather(first);
  client.gather(second);
  EXPECT_EQ(single.result() + held.result(), 201);
  return order;
}

std::ptrdiff_t place_of(const std::vector<int>& order, int number) {
  return std::find(order.begin(), order.end(), number) - order.begin();
}

TEST(ClientTurnsTest, CallsOfOneAgeTakeTurns) {
  const std::vector<int> order = order_of_two_maps({.fifo_timeout = Seconds(60)});
  ASSERT_EQ(order.size(), 201u);
  constexpr std::ptrdiff_t kAhead = 3;  // what the worker had taken before the second map came
  EXPECT_LE(place_of(order, 200), 2 + kAhead) << "a call does not wait for a map";
  for (int i = 5; i < 100; ++i) {
    EXPECT_NEAR(static_cast<double>(place_of(order, i)), 2.0 * i + 1, kAhead) << i;
    EXPECT_NEAR(static_cast<double>(place_of(order, 100 + i)), 2.0 * i + 2, kAhead) << i;
  }
}

TEST(ClientTurnsTest, LaterCallsWaitForOlderOnes) {
  for (const TaskOptions& options : {TaskOptions{.fifo_timeout = Seconds(1e-9)}, TaskOptions{.priority = 1}}) {
    const std::vector<int> order = order_of_two_maps(options);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.size(), 201u);
  }
}

TEST(ClientTurnsTest, ABatchIsAsLargeAsWasAskedFor) {
  const Client client(Options{.scheduler = "sync"});
  std::vector<std::uint64_t> launched;
  const auto look = [&](int number) {
    launched.push_back(client.counts().total);
    return number;
  };
  const auto items = [&] { return std::views::iota(0, 25) | std::views::transform(look); };
  client.gather(client.with({.batch_size = 10}).map([](int number) { return number; }, items()));
  for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(launched[i], i / 10 * 10) << i;
  launched.clear();
  const Annotate scope({.batch_size = 100});
  client.gather(client.map([](int number) { return number; }, items()));
  EXPECT_EQ(launched, std::vector<std::uint64_t>(25, 25)) << "none before the range has ended";
}

TEST_P(ClientTest, MoveOnlyValuesTravelThroughTasks) {
  const auto boxed = client_.submit([](std::unique_ptr<int> value) { return value; }, std::make_unique<int>(9));
  EXPECT_EQ(client_.submit([](const std::unique_ptr<int>& value) { return *value; }, boxed).result(), 9);
}

TEST_P(ClientTest, ATaskMayOpenAClientOfItsOwn) {
  for (const char* scheduler : {"sync", "threads"}) {
    const auto nested = [](bool threads) {
      const Client inner(Options{.scheduler = threads ? "threads" : "sync", .threads = 2});
      std::vector<int> items(100, 1);
      int sum = 0;
      for (const int one : inner.gather(inner.map([](int n) { return n + 1; }, items))) sum += one;
      return sum + inner.compute(delayed(add)(inner.submit(add, 1, 2), 3));
    };
    const auto futures = client_.map(nested, std::vector<bool>(4, std::string(scheduler) == "threads"));
    EXPECT_EQ(client_.gather(futures), std::vector<int>(4, 206)) << scheduler;
  }
  EXPECT_EQ(client_.submit(add, 2, 3).result(), 5);
}

TEST_P(ClientTest, ATaskMayWaitForATaskOfAnotherClientThatWaitsForThisOne) {
  if (client_.settings().scheduler == "sync") return;  // its only thread would wait for itself
  static const Client* first = nullptr;
  static const Client* second = nullptr;
  const Client other(Options{.threads = 1});
  first = &client_;
  second = &other;
  const auto back = [](int n) { return first->submit(add, n, 1).result(); };
  const auto there = client_.submit([back](int n) { return second->submit(back, n).result() + 1; }, 5);
  EXPECT_EQ(there.result(), 7);
}

TEST_P(ClientTest, ComputingInsideNoComputeIsAnError) {
  const auto lazy = delayed(add)(1, 2);
  const NoCompute scope;
  EXPECT_THAT(message_of([&] { client_.compute(lazy); }), HasSubstr("NoCompute"));
}

TEST_P(ClientTest, EmptyHandlesAreNamedAtTheirLine) {
  const Future<int> empty;
  EXPECT_THAT(message_of([&] { client_.submit(increment, empty); }), HasSubstr("client_test.cpp:"));
  EXPECT_THAT(message_of([&] { empty.result(); }), HasSubstr("empty"));
}

TEST_P(ClientTest, ResourceThatNobodyHasIsOneClearError) {
  const auto future = client_.with({.resources = {{"GPU", 1}}}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("\"GPU\""));
  EXPECT_EQ(client_.submit(increment, 1).result(), 2);
}

TEST_P(ClientTest, MoreMemoryThanAnyWorkerHasIsOneClearError) {
  const auto future = client_.with({.memory_bytes = std::uint64_t{1} << 50}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("MiB"));
}

TEST(ClientResourcesTest, TasksNeverHoldMoreThanThereIs) {
  const Client client(Options{.scheduler = "threads", .threads = 4}, {{"licence", 2}});
  static std::atomic<int> holders;
  static std::atomic<int> most;
  holders = most = 0;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(client.with({.resources = {{"licence", 1}}})
                          .submit(
                              [](int a) {
                                const int now = ++holders;
                                int seen = most;
                                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                                }
                                std::this_thread::yield();
                                --holders;
                                return a;
                              },
                              i));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
  EXPECT_LE(most, 2);
}

TEST(ClientResourcesTest, FortyScenariosNeverNeedMoreMemoryThanThereIs) {
  constexpr std::uint64_t kEach = 24 << 20;
  const Client client(Options{.scheduler = "threads", .threads = 8, .memory = "128MiB"});
  static std::atomic<std::uint64_t> needed;
  static std::atomic<std::uint64_t> most;
  needed = most = 0;
  const auto scenario = [](int n) {
    const std::uint64_t now = needed += kEach;
    std::uint64_t seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    needed -= kEach;
    return n;
  };
  std::vector<int> numbers(40);
  std::iota(numbers.begin(), numbers.end(), 0);
  EXPECT_EQ(client.gather(client.with({.memory_bytes = kEach}).map(scenario, numbers)), numbers);
  EXPECT_LE(most, std::uint64_t{128} << 20);
  EXPECT_GE(most, kEach);
}

TEST_P(ClientTest, LargeValuesInContainersAreLetGoAfterTheyWereRead) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Delayed<std::vector<double>>> parts;
    for (int i = 0; i < 4; ++i) parts.push_back(delayed([](int n) { return std::vector<double>(10'000, n); })(i));
    // By the task itself, and by the runtime where the task takes the values.
    const auto lengths = delayed([](const std::vector<Delayed<std::vector<double>>>& all) {
      std::size_t sum = 0;
      for (const auto& one : all) sum += one.value().size();
      return sum;
    })(parts);
    const auto sums = delayed([](const std::vector<std::vector<double>>& all) { return all[3][9'999]; })(parts);
    const auto [length, sum] = client_.compute(lengths, sums);
    EXPECT_EQ(length, 40'000u);
    EXPECT_EQ(sum, 3.0);
    parts.clear();
  }
  // Of the ten rounds' 3.2 MB at most the last one's is still about to be freed.
  EXPECT_LE(client_.memory().held_bytes, 700'000u);
}

TEST(ClientCloseTest, FuturesThatOutliveTheirClientThrow) {
  Future<int> future;
  {
    const Client client({.scheduler = "sync"});
    future = client.submit(increment, 1);
  }
  EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("closed"));
}

/// A result that knows how many of its kind there are.
struct Counted {
  static inline std::atomic<int> alive{0};
  explicit Counted(int number = 0) : value(number) { alive.fetch_add(1); }
  Counted(const Counted& other) : value(other.value) { alive.fetch_add(1); }
  Counted& operator=(const Counted&) = default;
  ~Counted() { alive.fetch_sub(1); }
  template <class Archive>
  friend void weft_fields(Archive& archive, Counted& counted) {
    archive(counted.value);
  }
  int value;
};

TEST(ClientCloseTest, ClosingWithWorkInFlightEndsAndLeavesNothing) {
  for (int round = 0; round < 20; ++round) {
    const Client client({.scheduler = "threads", .threads = 2});
    std::vector<Future<Counted>> futures;
    for (int i = 0; i < 1'000; ++i) futures.push_back(client.submit([](int n) { return Counted(n); }, i));
    futures.erase(futures.begin(), futures.begin() + 500);
  }
  EXPECT_EQ(Counted::alive.load(), 0);
}

TEST(ClientCloseTest, ClientsMayFollowOneAnother) {
  for (int round = 0; round < 5; ++round) {
    const Client client({.scheduler = "threads", .threads = 2});
    EXPECT_EQ(client.submit(add, round, 1).result(), round + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ClientTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
