#include "core/executor/executor.hpp"
#include "core/executor/slot.hpp"
#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/completed.hpp>
#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <ranges>
#include <vector>

namespace weft {
namespace {

using testing::ClusterOptions;
using ::testing::HasSubstr;
using testing::InProcessCluster;

int add(int a, int b) { return a + b; }
int square(int x) { return x * x; }
std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}
std::vector<double> ramp(std::size_t size) {
  std::vector<double> values(size);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}
double total(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
int fail_at(int x) {
  if (x == 7) throw std::runtime_error("seven is not allowed");
  return x;
}

class ClusterTest : public ::testing::TestWithParam<unsigned> {
 protected:
  ClusterTest() : cluster_(ClusterOptions{.workers = GetParam()}), client_(InProcessCluster::client_options()) {}
  InProcessCluster cluster_;
  Client client_;
};

INSTANTIATE_TEST_SUITE_P(Workers, ClusterTest, ::testing::Values(1u, 2u, 3u, 7u));

TEST_P(ClusterTest, SubmitGivesTheResultOfAnotherProcess) {
  EXPECT_EQ(client_.submit(&add, 2, 3).result(), 5);
  EXPECT_EQ(client_.submit(&repeat, "ab", 3).result(), "ababab");
}

TEST_P(ClusterTest, ManyTasksThatAskToRunLaterLetThatRunWhichTheyWaitFor) {
  static std::atomic<bool> open;
  open = false;
  const auto wait_for_it = [](int n) {
    if (!open) throw Reschedule();
    return n;
  };
  const auto waiting = client_.map(wait_for_it, std::vector<int>(40, 2));
  const auto key = client_.submit([] { return open = true, 1; });
  EXPECT_EQ(key.result(), 1);
  const std::vector<int> all = client_.gather(waiting);
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), 0), 80);
}

TEST_P(ClusterTest, ATaskThatAsksToRunLaterGoesToAWorkerThatHasNothingToDo) {
  if (GetParam() == 1) GTEST_SKIP() << "there is no other";
  static std::atomic<const Executor*> home;
  for (int round = 0; round < 5; ++round) {
    home = nullptr;
    // With an input it is no call that is handed to a worker past the machines.
    const auto moved = client_.submit(
        [](int n) {
          const Executor* const here = &current_slot()->executor();
          const Executor* first = nullptr;
          if (home.compare_exchange_strong(first, here) || first == here) throw Reschedule();
          return n;
        },
        client_.submit(&add, round, 0));
    EXPECT_EQ(moved.result(), round);
  }
}

TEST_P(ClusterTest, FuturesAreInputsOfOtherTasks) {
  Future<int> value = client_.submit(&add, 1, 0);
  for (int i = 0; i < 20; ++i) value = client_.submit(&add, value, 1);
  EXPECT_EQ(value.result(), 21);
}

TEST_P(ClusterTest, MapKeepsTheOrder) {
  std::vector<int> items(3000);
  std::iota(items.begin(), items.end(), 0);
  const auto futures = client_.map(&square, items);
  const std::vector<int> results = client_.gather(futures);
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)], i * i);
}

constinit std::atomic<bool> first_began{false};

long notes_the_first(long n) {
  if (!first_began.exchange(true)) first_began.notify_all();
  return n;
}

// Half way the range reads no further until the first call has begun: a map that read all of it first would never end.
TEST_P(ClusterTest, TheFirstTaskOfAMapRunsWhileTheRangeIsBeingRead) {
  constexpr long kElements = 20'000;
  for (int round = 0; round < 5; ++round) {
    first_began = false;
    const auto futures =
        client_.map(&notes_the_first, std::views::iota(0L, kElements) | std::views::transform([](long n) {
                                        if (n == kElements / 2) first_began.wait(false);
                                        return n;
                                      }));
    EXPECT_EQ(client_.gather(futures).back(), kElements - 1);
  }
}

TEST_P(ClusterTest, LargeValuesStayWithTheirWorkerUntilAsked) {
  const Future<std::vector<double>> values = client_.submit(&ramp, std::size_t{200'000});
  const Future<double> sum = client_.submit(&total, values);
  EXPECT_EQ(sum.result(), 199'999.0 * 200'000.0 / 2);
  EXPECT_EQ(values.result().size(), 200'000u);
  EXPECT_EQ(values.result()[7], 7.0);
}

TEST_P(ClusterTest, ManyTasksReadOneLargeValue) {
  const Future<std::vector<double>> values = client_.submit(&ramp, std::size_t{50'000});
  std::vector<Future<double>> sums;
  for (int i = 0; i < 40; ++i) {
    sums.push_back(
        client_.submit([](const std::vector<double>& all,
                          int from) { return std::accumulate(all.begin() + from, all.begin() + from + 100, 0.0); },
                       values, i * 100));
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(sums[static_cast<std::size_t>(i)].result(), 100.0 * (i * 100) + 4950.0);
  }
}

TEST_P(ClusterTest, DelayedTreesCompute) {
  std::vector<Delayed<int>> level;
  for (int i = 0; i < 256; ++i) level.push_back(delayed(&square)(i));
  while (level.size() > 1) {
    std::vector<Delayed<int>> above;
    for (std::size_t i = 0; i < level.size(); i += 2) above.push_back(delayed(&add)(level[i], level[i + 1]));
    level.swap(above);
  }
  EXPECT_EQ(client_.compute(level[0]), 255 * 256 * 511 / 6);
}

TEST_P(ClusterTest, GraphsRunAgainWithOtherInputs) {
  Graph graph;
  const Delayed<int> x = graph.input(3);
  std::vector<Delayed<int>> row;
  for (int i = 0; i < 500; ++i) row.push_back(graph.add(&add, x, i));
  Delayed<int> sum = row[0];
  for (std::size_t i = 1; i < row.size(); ++i) sum = graph.add(&add, sum, row[i]);
  client_.run(graph);
  EXPECT_EQ(sum.value(), 500 * 3 + 499 * 500 / 2);
  graph.set(x, 5);
  client_.run(graph);
  EXPECT_EQ(sum.value(), 500 * 5 + 499 * 500 / 2);
  EXPECT_EQ(row[10].value(), 15);
}

TEST_P(ClusterTest, GraphsWithLargeValuesBringThemHome) {
  Graph graph;
  const Delayed<std::vector<double>> values = graph.add(&ramp, std::size_t{20'000});
  const Delayed<double> sum = graph.add(&total, values);
  client_.run(graph);
  EXPECT_EQ(sum.value(), 19'999.0 * 20'000.0 / 2);
  EXPECT_EQ(values.value().size(), 20'000u);
}

TEST_P(ClusterTest, AFailureNamesTheTaskAndWhatItThrew) {
  const Future<int> failed = client_.submit(&fail_at, 7);
  try {
    failed.result();
    FAIL() << "the failure did not reach the client";
  } catch (const TaskError& error) {
    EXPECT_THAT(error.what(), HasSubstr("seven is not allowed"));
    EXPECT_THAT(error.what(), HasSubstr("cluster_test.cpp"));
  }
  const Future<int> after = client_.submit(&add, failed, 1);
  EXPECT_THROW(after.result(), TaskError);
  EXPECT_EQ(client_.submit(&fail_at, 8).result(), 8);
}

TEST_P(ClusterTest, AFailureInAGraphIsThrownByRun) {
  Graph graph;
  std::vector<Delayed<int>> row;
  for (int i = 0; i < 100; ++i) row.push_back(graph.add(&fail_at, i));
  Delayed<int> sum = row[0];
  for (std::size_t i = 1; i < row.size(); ++i) sum = graph.add(&add, sum, row[i]);
  EXPECT_THROW(client_.run(graph), TaskError);
}

TEST_P(ClusterTest, RetriesAreCountedWhereTheTaskRuns) {
  static std::atomic<int> calls{0};
  calls = 0;
  const auto flaky = [](int x) {
    if (calls.fetch_add(1) < 2) throw std::runtime_error("not yet");
    return x;
  };
  TaskOptions options;
  options.retries = 3;
  EXPECT_EQ(client_.with(options).submit(flaky, 4).result(), 4);
  EXPECT_EQ(calls.load(), 3);
}

TEST_P(ClusterTest, TasksThatSubmitTasksWaitForThem) {
  static const Client* inner = nullptr;
  inner = &client_;
  struct Fib {
    static int of(int n) {
      if (n < 2) return n;
      const Future<int> left = inner->submit(&Fib::of, n - 1);
      const Future<int> right = inner->submit(&Fib::of, n - 2);
      return left.result() + right.result();
    }
  };
  EXPECT_EQ(client_.submit(&Fib::of, 12).result(), 144);
  inner = nullptr;
}

TEST_P(ClusterTest, ContainersOfHandlesAreInputs) {
  std::vector<Future<int>> parts;
  for (int i = 0; i < 30; ++i) parts.push_back(client_.submit(&square, i));
  const Future<int> sum = client_.submit(
      [](const std::vector<int>& values) { return std::accumulate(values.begin(), values.end(), 0); }, parts);
  EXPECT_EQ(sum.result(), 29 * 30 * 59 / 6);
  std::map<std::string, Delayed<int>> named{{"a", delayed(&square)(3)}, {"b", delayed(&square)(4)}};
  const Delayed<int> both =
      delayed([](const std::map<std::string, int>& values) { return values.at("a") + 10 * values.at("b"); })(named);
  EXPECT_EQ(client_.compute(both), 169);
}

TEST_P(ClusterTest, AsCompletedGivesEveryFutureOnce) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 50; ++i) futures.push_back(client_.submit(&square, i));
  int sum = 0;
  for (const Future<int>& future : as_completed(futures)) sum += future.result();
  EXPECT_EQ(sum, 49 * 50 * 99 / 6);
}

TEST_P(ClusterTest, ScatteredValuesAreInputs) {
  const auto values = client_.scatter(ramp(10'000));
  EXPECT_EQ(client_.submit(&total, values).result(), 9'999.0 * 10'000.0 / 2);
}

TEST_P(ClusterTest, CopiesAtAllWorkersAreReadWhereverTasksRun) {
  const auto values = client_.scatter(ramp(10'000), {.broadcast = true});
  const auto small = client_.scatter(7, {.broadcast = true, .hash = true});
  EXPECT_EQ(client_.scatter(7, {.hash = true}).task_id(), small.task_id());
  for (const auto& [worker, sum] : client_.run_on_workers(&total, values)) EXPECT_EQ(sum, 9'999.0 * 10'000.0 / 2);
  client_.replicate(std::vector{values}, 2);
  EXPECT_EQ(client_.submit(&total, values).result(), 9'999.0 * 10'000.0 / 2);
  EXPECT_FALSE(client_.has_what(values).empty());
}

TEST_P(ClusterTest, CancelledTasksEndAsCancelled) {
  static std::atomic<bool> go{false};
  go = false;
  std::vector<Future<int>> blockers;
  for (unsigned i = 0; i < GetParam(); ++i) {
    blockers.push_back(client_.submit(
        [](int x) {
          while (!go && !this_task::cancelled()) std::this_thread::yield();
          return x;
        },
        static_cast<int>(i)));
  }
  const Future<int> unwanted = client_.submit(&square, 9);
  unwanted.cancel();
  go = true;
  EXPECT_THROW(unwanted.result(), CancelledError);
  for (unsigned i = 0; i < GetParam(); ++i) EXPECT_EQ(blockers[i].result(), static_cast<int>(i));
}

TEST_P(ClusterTest, ATaskThatCannotTravelIsRefusedAtOnce) {
  auto shared = std::make_shared<int>(3);
  int* const pointer = shared.get();
  const Future<std::uint64_t> refused = client_.submit([pointer] { return static_cast<std::uint64_t>(*pointer); });
  EXPECT_THROW(refused.result(), Error);
}

TEST(ClusterLifeTest, ClientsFollowOneAnother) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  for (int round = 0; round < 3; ++round) {
    Client client(InProcessCluster::client_options());
    EXPECT_EQ(client.submit(&add, round, 1).result(), round + 1);
  }
}

TEST(ClusterLifeTest, ARestartedClientGivesUpItsResultsAndGoesOn) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  const auto before = client.submit(&add, 1, 1);
  EXPECT_EQ(before.result(), 2);
  client.restart();
  EXPECT_THROW(before.result(), Error);
  EXPECT_EQ(client.submit(&add, 2, 3).result(), 5);
  EXPECT_EQ(client.info().workers.size(), 2u);
}

TEST(ClusterLifeTest, ClosingCancelsWhatHasNotRun) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  static std::atomic<bool> started{false};
  started = false;
  Client client(InProcessCluster::client_options());
  const Future<int> running = client.submit(
      [](int x) {
        started = true;
        while (!this_task::cancelled()) std::this_thread::yield();
        return x;
      },
      1);
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(client.submit(&square, i));
  while (!started) std::this_thread::yield();
  client.close();
  EXPECT_THROW(waiting[99].result(), Error);
}

TEST(ClusterLifeTest, ResourcesGoToTheWorkersThatHaveThem) {
  InProcessCluster cluster(ClusterOptions{.workers = 2, .resources = {{"licence", 1}}});
  Client client(InProcessCluster::client_options());
  TaskOptions options;
  options.resources = {{"licence", 1}};
  std::vector<Future<int>> futures;
  for (int i = 0; i < 10; ++i) futures.push_back(client.with(options).submit(&square, i));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i * i);
  options.resources = {{"licence", 2}};
  const Future<int> never = client.with(options).submit(&square, 3);
  EXPECT_THROW(never.result(), Error);
}

}  // namespace
}  // namespace weft
