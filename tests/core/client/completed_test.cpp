#include <weft/completed.hpp>
#include <weft/coordination.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace weft {
namespace {

class CompletedTest : public testing::TestWithParam<const char*> {
 protected:
  Client client_{Options{.scheduler = GetParam(), .threads = 2}};
};

int identity(int a) { return a; }

TEST_P(CompletedTest, GivesEveryFutureOnce) {
  std::vector<Future<int>> futures;
  for (int i = 0; i < 200; ++i) futures.push_back(client_.submit(identity, i));
  std::multiset<int> seen;
  for (Future<int>& next : as_completed(futures)) seen.insert(next.result());
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 200u);
}

TEST_P(CompletedTest, TakesFuturesWhileItIsIterated) {
  AsCompleted<int> running = as_completed(std::vector<Future<int>>{client_.submit(identity, 0)});
  int last = -1;
  while (std::optional<Future<int>> next = running.next()) {
    last = next->result();
    if (last < 50) running.add(client_.submit(identity, last + 1));
  }
  EXPECT_EQ(last, 50);
  EXPECT_TRUE(running.is_empty());
}

TEST_P(CompletedTest, WaitsUntilOneIsReadyOrForSoLong) {
  AsCompleted<int> running;
  EXPECT_TRUE(running.wait_ready()) << "nothing is left to wait for";
  const Event go(client_, "go");
  running.add(client_.submit(
      [](const Event& gate) {
        gate.wait();
        return 1;
      },
      go));
  if (std::string(GetParam()) != "sync") {
    EXPECT_FALSE(running.wait_ready(Seconds(0.01)));
  }
  go.set();
  EXPECT_TRUE(running.wait_ready(Seconds(60)));
  EXPECT_TRUE(running.has_ready());
  EXPECT_EQ(running.next()->result(), 1);
}

TEST_P(CompletedTest, AWaitWithAnEndRunsNoTaskThatMayOutlastIt) {
  if (std::string(GetParam()) == "sync") GTEST_SKIP() << "there nobody else runs tasks";
  const auto start = [&](const Event& gate) {
    return client_.submit(
        [](const Event& one) {
          one.wait();
          return 1;
        },
        gate);
  };
  // They are known as short, so that whoever waits may run them, until one waits for what comes after the wait.
  const Event open(client_, "open");
  open.set();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(start(open).result(), 1);
  for (int i = 0; i < 20; ++i) {
    const Event closed(client_, "closed" + std::to_string(i));
    const Future<int> held = start(closed);
    EXPECT_THROW(static_cast<void>(held.result(Seconds(0.001))), TimeoutError);
    AsCompleted<int> running;
    running.add(held);
    EXPECT_FALSE(running.wait_ready(Seconds(0.001)));
    const Event never(client_, "never");
    EXPECT_FALSE(never.wait_for(Milliseconds(1)));
    closed.set();
    EXPECT_EQ(held.result(), 1);
  }
}

TEST_P(CompletedTest, FailuresCountAsEnds) {
  const auto futures = client_.map([](int a) { return a % 2 == 0 ? throw a : a; }, std::vector<int>{1, 2, 3, 4});
  int failed = 0;
  for (Future<int>& next : as_completed(futures)) failed += next.exception() != nullptr ? 1 : 0;
  EXPECT_EQ(failed, 2);
}

TEST_P(CompletedTest, WaitForAllReturnsWhenAllHaveEnded) {
  const auto futures = client_.map(identity, std::vector<int>{1, 2, 3});
  const Waited<int> waited = wait(futures);
  EXPECT_EQ(waited.done.size(), 3u);
  EXPECT_TRUE(waited.not_done.empty());
}

TEST(CompletedThreadsTest, WaitForFirstReturnsWhileOthersRun) {
  const Client client({.scheduler = "threads", .threads = 2});
  static std::atomic<bool> go;
  go = false;
  const auto slow = client.submit(
      [](int a) {
        while (!go) std::this_thread::yield();
        return a;
      },
      1);
  const auto quick = client.submit(identity, 2);
  const Waited<int> waited = wait(std::vector<Future<int>>{slow, quick}, {.return_when = ReturnWhen::First});
  ASSERT_EQ(waited.done.size(), 1u);
  EXPECT_EQ(waited.done[0].result(), 2);
  go = true;
}

TEST_P(CompletedTest, ResultsAndBatchesGiveEverythingOnce) {
  const auto futures = client_.map(identity, std::vector<int>{1, 2, 3, 4});
  int sum = 0;
  for (const int value : as_completed(futures).results()) sum += value;
  EXPECT_EQ(sum, 10);
  std::size_t seen = 0;
  for (const auto& batch : as_completed(futures).batches()) {
    EXPECT_FALSE(batch.empty());
    seen += batch.size();
  }
  EXPECT_EQ(seen, 4u);
}

TEST_P(CompletedTest, ReadyOnesAreToldAndForgottenOnesAreGone) {
  const auto futures = client_.map(identity, std::vector<int>{1, 2, 3});
  AsCompleted<int> running = as_completed(futures);
  wait(futures);
  running.next();
  EXPECT_TRUE(running.has_ready());
  running.clear();
  EXPECT_TRUE(running.is_empty());
  EXPECT_FALSE(running.has_ready());
  EXPECT_FALSE(running.next().has_value());
  running.add(futures[0]);
  EXPECT_EQ(running.next()->result(), 1);
}

/// One task that ends at once and others that wait for `go`.
struct Slow {
  Client client{Options{.scheduler = "threads", .threads = 2}};
  Event go{client, "go"};
  std::vector<Future<int>> futures = [this] {
    std::vector<Future<int>> all{client.submit(identity, 0)};
    for (int i = 1; i < 4; ++i) {
      all.push_back(
          client.with({.name = "slow"}).submit([](const Event& event, int n) { return event.wait(), n; }, go, i));
    }
    return all;
  }();
};

std::string late(const std::function<void()>& call) {
  try {
    call();
  } catch (const TimeoutError& error) {
    return error.what();
  }
  return "no TimeoutError was thrown";
}

TEST(CompletedThreadsTest, WaitNamesWhatHasNotEndedInTime) {
  Slow slow;
  const std::string text = late([&] { wait(slow.futures, {.timeout = std::chrono::milliseconds(20)}); });
  EXPECT_NE(text.find("3 of 4 tasks have not ended within 0.02 s: slow #"), std::string::npos) << text;
  slow.go.set();
  EXPECT_EQ(wait(slow.futures, {.timeout = std::chrono::minutes(1)}).done.size(), 4u);
}

TEST(CompletedThreadsTest, AsCompletedGivesWhatEndsInTimeAndThenThrows) {
  Slow slow;
  AsCompleted<int> running = as_completed(slow.futures, {.timeout = std::chrono::milliseconds(200)});
  EXPECT_EQ(running.next()->result(), 0);
  const std::string text = late([&] { running.next(); });
  EXPECT_NE(text.find("3 of 4"), std::string::npos) << text;
  slow.go.set();
}

INSTANTIATE_TEST_SUITE_P(Modes, CompletedTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
