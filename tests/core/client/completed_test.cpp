#include <weft/completed.hpp>

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
  const Waited<int> waited = wait(std::vector<Future<int>>{slow, quick}, WaitFor::First);
  ASSERT_EQ(waited.done.size(), 1u);
  EXPECT_EQ(waited.done[0].result(), 2);
  go = true;
}

INSTANTIATE_TEST_SUITE_P(Modes, CompletedTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
