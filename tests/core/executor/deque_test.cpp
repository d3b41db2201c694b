#include "core/executor/deque.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft {
namespace {

TEST(DequeTest, OwnerTakesTheNewestThiefTheOldest) {
  Deque deque;
  for (std::uint64_t i = 0; i < 3; ++i) deque.push(i);
  EXPECT_EQ(deque.steal(), 0u);
  EXPECT_EQ(deque.pop(), 2u);
  EXPECT_EQ(deque.pop(), 1u);
  EXPECT_EQ(deque.pop(), Deque::kEmpty);
  EXPECT_EQ(deque.steal(), Deque::kEmpty);
}

TEST(DequeTest, GrowsWithoutLosingItems) {
  Deque deque;
  for (std::uint64_t i = 0; i < 100'000; ++i) deque.push(i);
  for (std::uint64_t i = 0; i < 50'000; ++i) ASSERT_EQ(deque.steal(), i);
  for (std::uint64_t i = 100'000; i-- > 50'000;) ASSERT_EQ(deque.pop(), i);
}

TEST(DequeTest, EveryItemIsTakenOnceByOwnerOrThieves) {
  constexpr std::uint64_t kItems = 200'000;
  Deque deque;
  std::vector<std::atomic<int>> taken(kItems);
  std::atomic<bool> done{false};
  const auto steal = [&] {
    while (!done.load(std::memory_order_acquire) || !deque.empty()) {
      const std::uint64_t item = deque.steal();
      if (item != Deque::kEmpty) taken[item].fetch_add(1);
    }
  };
  std::thread first(steal);
  std::thread second(steal);
  for (std::uint64_t i = 0; i < kItems; ++i) {
    deque.push(i);
    if (i % 3 == 0) {
      const std::uint64_t item = deque.pop();
      if (item != Deque::kEmpty) taken[item].fetch_add(1);
    }
  }
  for (std::uint64_t item = deque.pop(); item != Deque::kEmpty; item = deque.pop()) taken[item].fetch_add(1);
  done.store(true, std::memory_order_release);
  first.join();
  second.join();
  for (std::uint64_t i = 0; i < kItems; ++i) ASSERT_EQ(taken[i], 1) << i;
}

}  // namespace
}  // namespace weft
