#include "core/memory/budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft {
namespace {

class CountingListener final : public Budget::Listener {
 public:
  void budget_is_high() noexcept override { ++high; }
  void budget_is_low() noexcept override { ++low; }
  std::atomic<int> high{0};
  std::atomic<int> low{0};
};

TEST(BudgetTest, ReservesAllOrNothing) {
  Budget budget(1000);
  EXPECT_TRUE(budget.try_reserve(600));
  EXPECT_FALSE(budget.try_reserve(401));
  EXPECT_EQ(budget.used(), 600u);
  EXPECT_TRUE(budget.try_reserve(400));
  EXPECT_FALSE(budget.try_reserve(~std::size_t{0}));
  EXPECT_EQ(budget.available(), 0u);
  budget.release(1000);
  EXPECT_EQ(budget.peak(), 1000u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BudgetTest, ProgressMayPassTheLimitAndIsSeen) {
  Budget budget(1000);
  budget.reserve_anyway(1500);
  EXPECT_EQ(budget.peak(), 1500u);
  EXPECT_EQ(budget.available(), 0u);
  EXPECT_FALSE(budget.try_reserve(1));
  budget.release(1500);
}

TEST(BudgetTest, MarksAreToldOnceForEachCrossing) {
  Budget budget(1000);
  CountingListener listener;
  budget.set_listener(&listener);
  ASSERT_TRUE(budget.try_reserve(849));
  EXPECT_EQ(listener.high, 0);
  ASSERT_TRUE(budget.try_reserve(1));
  ASSERT_TRUE(budget.try_reserve(50));
  EXPECT_EQ(listener.high, 1);
  budget.release(150);
  EXPECT_EQ(listener.low, 0);
  budget.release(50);
  EXPECT_EQ(listener.low, 1);
  budget.release(700);
  EXPECT_EQ(listener.low, 1);
}

TEST(BudgetTest, ResidentMemoryThatNobodyReservedIsCharged) {
  Budget budget(1000);
  CountingListener listener;
  budget.set_listener(&listener);
  budget.set_baseline(5000);
  ASSERT_TRUE(budget.try_reserve(300));
  budget.sample(5000 + 300 + 100, 100);
  EXPECT_EQ(budget.unmanaged(), 0u);
  budget.sample(5000 + 300 + 100 + 600, 100);
  EXPECT_EQ(budget.unmanaged(), 600u);
  EXPECT_EQ(listener.high, 1);
  EXPECT_FALSE(budget.try_reserve(101));
  budget.sample(5000, 0);
  EXPECT_EQ(budget.used(), 300u);
  EXPECT_EQ(listener.low, 1);
  budget.release(300);
}

TEST(BudgetTest, ReservationGivesBackWhatItWasNotToldToHandOver) {
  Budget budget(1000);
  {
    Reservation first = Reservation::attempt(budget, 500);
    ASSERT_TRUE(first);
    EXPECT_FALSE(Reservation::attempt(budget, 501));
    first.shrink(200);
    EXPECT_EQ(budget.used(), 200u);
    Reservation second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(second.hand_over(), 200u);
  }
  EXPECT_EQ(budget.used(), 200u);
  budget.release(200);
}

TEST(BudgetTest, ThreadsNeverPassTheLimitTogether) {
  Budget budget(1000);
  CountingListener listener;
  budget.set_listener(&listener);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        if (const Reservation held = Reservation::attempt(budget, 300); held) {
          ASSERT_LE(budget.used(), 1000u);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_LE(budget.peak(), 1000u);
}

}  // namespace
}  // namespace weft
