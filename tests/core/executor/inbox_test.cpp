#include "core/executor/inbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

namespace weft {
namespace {

TEST(InboxTest, HoldsTasksUntilTheyAreTakenTheNewestFirst) {
  Inbox inbox;
  std::map<TaskId, TaskId> behind;
  const auto hang = [&](TaskId task, TaskId next) { behind[task] = next; };
  EXPECT_TRUE(inbox.empty());
  EXPECT_EQ(inbox.take(), kNone);
  inbox.give(7, hang);
  inbox.give(9, hang);
  inbox.give(8, hang);
  EXPECT_FALSE(inbox.empty());
  EXPECT_EQ(inbox.take(), 8u);
  EXPECT_TRUE(inbox.empty());
  EXPECT_EQ(behind[8], 9u);
  EXPECT_EQ(behind[9], 7u);
  EXPECT_EQ(behind[7], kNone);
  inbox.give(8, hang);
  EXPECT_EQ(inbox.take(), 8u);
  EXPECT_EQ(behind[8], kNone);
}

TEST(InboxTest, EveryTaskGivenIsTakenOnceByOwnerOrThief) {
  constexpr TaskId kTasks = 100'000;
  Inbox inbox;
  std::vector<int> records(2 * kTasks, 0);
  std::vector<TaskId> behind(2 * kTasks, kNone);
  std::vector<std::atomic<int>> taken(2 * kTasks);
  std::atomic<TaskId> left{2 * kTasks};
  const auto take_some = [&] {
    while (left.load(std::memory_order_relaxed) != 0) {
      TaskId task = inbox.take();
      if (task == kNone) std::this_thread::yield();
      for (; task != kNone; task = behind[task]) {
        EXPECT_EQ(records[task], 1);
        taken[task].fetch_add(1, std::memory_order_relaxed);
        left.fetch_sub(1, std::memory_order_relaxed);
      }
    }
  };
  const auto give = [&](TaskId first) {
    for (TaskId task = first; task < first + kTasks; ++task) {
      records[task] = 1;
      inbox.give(task, [&](TaskId given, TaskId next) { behind[given] = next; });
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
