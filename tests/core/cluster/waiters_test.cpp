#include "core/cluster/waiters.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace weft::cluster {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Nanoseconds kLong = 20'000'000'000;

TEST(WaitersTest, CountsWhoWaits) {
  Waiters waiters;
  EXPECT_FALSE(waiters.any());
  EXPECT_TRUE(waiters.enter());
  EXPECT_FALSE(waiters.enter());
  waiters.leave();
  EXPECT_TRUE(waiters.any());
  waiters.leave();
  EXPECT_FALSE(waiters.any());
  EXPECT_TRUE(waiters.enter());
}

TEST(WaitersTest, WaitsThatFollowEachOtherAreGivenWayForANapOnly) {
  Waiters waiters;
  std::atomic<bool> stop{false};
  std::thread waiter([&] {
    while (!stop.load()) {
      waiters.enter();
      waiters.leave();
    }
  });
  const auto begin = Clock::now();
  for (int nap = 0; nap < 20; ++nap) waiters.give_way(kLong);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  stop.store(true);
  waiter.join();
}

TEST(WaitersTest, ALongWaitIsGivenWayUntilItsEnd) {
  Waiters waiters;
  waiters.enter();
  std::atomic<int> naps{0};
  std::thread progress([&] {
    while (waiters.any()) {
      waiters.give_way(kLong);
      ++naps;
    }
  });
  const auto until = Clock::now() + std::chrono::milliseconds(200);
  while (Clock::now() < until) std::this_thread::yield();
  EXPECT_LT(naps.load(), 10) << "it rests";
  const auto end = Clock::now();
  waiters.leave();
  progress.join();
  EXPECT_LT(Clock::now() - end, std::chrono::seconds(10)) << "the end of the last wait ends the rest";
}

TEST(WaitersTest, ARestEndsAfterTheLongestThatIsAllowed) {
  Waiters waiters;
  waiters.enter();
  for (int nap = 0; nap < 6; ++nap) waiters.give_way(1'000'000);
  EXPECT_TRUE(waiters.any());
  waiters.leave();
}

}  // namespace
}  // namespace weft::cluster
