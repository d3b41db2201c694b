#include "core/executor/inbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft {
namespace {

TEST(InboxTest, HoldsOneTaskUntilItIsTaken) {
  Inbox inbox;
  EXPECT_EQ(inbox.take(), kNone);
  EXPECT_TRUE(inbox.give(7));
  EXPECT_FALSE(inbox.give(8));
  EXPECT_FALSE(inbox.empty());
  EXPECT_EQ(inbox.take(), 7u);
  EXPECT_TRUE(inbox.empty());
  EXPECT_TRUE(inbox.give(8));
}

TEST(InboxTest, EveryTaskGivenIsTakenOnceByOwnerOrThief) {
  constexpr TaskId kTasks = 100'000;
  Inbox inbox;
  std::vector<int> records(2 * kTasks, 0);
  std::vector<std::atomic<int>> taken(2 * kTasks);
  std::atomic<TaskId> left{2 * kTasks};
  const auto take_some = [&] {
    while (left.load(std::memory_order_relaxed) != 0) {
      const TaskId task = inbox.take();
      if (task == kNone) {
        std::this_thread::yield();
        continue;
      }
      EXPECT_EQ(records[task], 1);
      taken[task].fetch_add(1, std::memory_order_relaxed);
      left.fetch_sub(1, std::memory_order_relaxed);
    }
  };
  const auto give = [&](TaskId first) {
    for (TaskId task = first; task < first + kTasks; ++task) {
      records[task] = 1;
      while (!inbox.give(task)) std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(take_some);
  threads.emplace_back(take_some);
  threads.emplace_back(give, 0);
  give(kTasks);
  for (std::thread& thread : threads) thread.join();
  for (TaskId task = 0; task < 2 * kTasks; ++task) ASSERT_EQ(taken[task], 1) << task;
}

}  // namespace
}  // namespace weft
