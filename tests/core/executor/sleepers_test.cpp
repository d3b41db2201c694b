#include "core/executor/sleepers.hpp"

#include "core/executor/futex.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace weft {
namespace {

using Sleepers = BasicSleepers<std::atomic, futex::Kernel>;
using Doorbell = BasicDoorbell<std::atomic, futex::Kernel>;

/// Longer than a test may take: who is not woken is seen.
constexpr Nanoseconds kNoEnd = 600'000'000'000;

TEST(SleepersTest, EveryPieceOfWorkFindsAThread) {
  constexpr unsigned kWorkers = 3;
  constexpr std::uint32_t kPieces = 20'000;
  Sleepers sleepers;
  std::array<Sleepers::Bed, kWorkers> beds;
  std::atomic<std::uint32_t> available{0};
  std::atomic<std::uint32_t> done{0};
  const auto wake_one = [&] {
    if (!sleepers.any()) return;
    for (Sleepers::Bed& bed : beds) {
      if (sleepers.wake(bed)) return;
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&, i] {
      while (done.load() < kPieces) {
        std::uint32_t had = available.load(std::memory_order_relaxed);
        if (had != 0) {
          if (available.compare_exchange_weak(had, had - 1) && done.fetch_add(1) + 1 == kPieces) {
            for (Sleepers::Bed& bed : beds) Sleepers::rouse(bed);
          }
          continue;
        }
        const auto has_work = [&] { return available.load(std::memory_order_relaxed) != 0 || done.load() >= kPieces; };
        if (sleepers.sleep(beds[i], has_work, kNoEnd)) wake_one();
      }
    });
  }
  for (std::uint32_t i = 0; i < kPieces; ++i) {
    available.fetch_add(1, std::memory_order_release);
    wake_one();
    // Some pieces meet threads that sleep, others threads on their way to bed.
    if (i % 7 == 0) std::this_thread::yield();
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(done.load(), kPieces);
  EXPECT_FALSE(sleepers.any());
}

TEST(DoorbellTest, EveryVisitorSeesWhatWasRungFor) {
  constexpr int kRounds = 2'000;
  Doorbell bell;
  int value = 0;
  std::atomic<int> round{0};
  std::atomic<int> seen{0};
  std::thread visitor([&] {
    for (int next = 1; next <= kRounds; ++next) {
      const auto there = [&] { return round.load(std::memory_order_acquire) >= next; };
      while (!there()) bell.wait([] {}, there, kNoEnd);
      if (value < next) break;
      seen.store(next, std::memory_order_release);
    }
  });
  for (int next = 1; next <= kRounds; ++next) {
    value = next;
    round.store(next, std::memory_order_release);
    bell.ring();
    while (seen.load(std::memory_order_acquire) < next) std::this_thread::yield();
  }
  visitor.join();
  EXPECT_EQ(seen.load(), kRounds);
  EXPECT_FALSE(bell.anybody_waits());
}

}  // namespace
}  // namespace weft
