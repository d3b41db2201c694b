#include "core/executor/sleepers.hpp"

#include "tests/core/executor/interleavings.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace weft {
namespace {

using interleavings::Atomic;
using interleavings::Futex;
using interleavings::Options;
using interleavings::Outcome;
using interleavings::Plain;
using interleavings::Program;
using interleavings::Site;

/// As membarrier where the kernel refuses it: only the caller's own fence.
struct RefusingKernel : Futex {
  static void heavy_fence() { light_fence(); }
};

/// Threads of a pool that each take so many pieces of work, and producers that make them available as the executor
/// does.
template <class Kernel>
struct Pool {
  using Sleepers = BasicSleepers<Atomic, Kernel>;

  bool take() {
    std::uint32_t had = available.load(std::memory_order_relaxed);
    while (had != 0) {
      if (available.compare_exchange_weak(had, had - 1, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  void work(unsigned self, unsigned pieces) {
    for (unsigned rounds = 0; pieces != 0; ++rounds) {
      if (take()) {
        --pieces;
        continue;
      }
      if (rounds > pieces) interleavings::give_up();
      const auto has_work = [this] { return available.load(std::memory_order_relaxed) != 0; };
      if (sleepers.sleep(beds[self], has_work, -1) && passes_on) wake_one();
    }
  }
  void produce(unsigned pieces) {
    for (; pieces != 0; --pieces) {
      available.fetch_add(1, std::memory_order_release);
      wake_one();
    }
  }
  void wake_one() {
    if (!sleepers.any()) return;
    for (auto& bed : beds) {
      if (sleepers.wake(bed)) return;
    }
  }

  Sleepers sleepers;
  std::array<typename Sleepers::Bed, 2> beds;
  Atomic<std::uint32_t> available{0};
  bool passes_on = true;
};

/// Returns the program of these workers and producers, each with the number of pieces it takes or makes.
template <class Kernel>
std::function<Program()> pool_of(const std::vector<unsigned>& workers, const std::vector<unsigned>& producers,
                                 bool passes_on = true) {
  return [=] {
    const auto pool = std::make_shared<Pool<Kernel>>();
    pool->passes_on = passes_on;
    Program program;
    for (unsigned i = 0; i < workers.size(); ++i) program.threads.push_back([=] { pool->work(i, workers[i]); });
    for (const unsigned pieces : producers) program.threads.push_back([=] { pool->produce(pieces); });
    program.verdict = [=] {
      return pool->sleepers.any() ? std::string("somebody is still counted as asleep") : std::string();
    };
    return program;
  };
}

TEST(SleepersInterleavingsTest, NoWorkIsLeftWhileItsThreadSleeps) {
  for (const unsigned pieces : {1u, 2u}) {
    const Outcome outcome = interleavings::explore(pool_of<Futex>({pieces}, {pieces}));
    EXPECT_EQ(outcome.failure, "") << pieces;
    EXPECT_TRUE(outcome.complete);
  }
}

TEST(SleepersInterleavingsTest, NoWorkIsLeftToAThreadThatIsBusyWhileAnotherSleeps) {
  Options options;
  options.most_preemptions = 2;
  const Outcome outcome = interleavings::explore(pool_of<Futex>({1, 1}, {2}), options);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_TRUE(outcome.complete);
  const Outcome lost = interleavings::explore(pool_of<Futex>({1, 1}, {2}, false), options);
  EXPECT_NE(lost.failure.find("nobody wakes it"), std::string::npos) << "a wake that is not passed on is missed";
}

TEST(SleepersInterleavingsTest, AFenceOfTheSleeperAloneLosesAWake) {
  const Outcome outcome = interleavings::explore(pool_of<RefusingKernel>({1}, {1}));
  EXPECT_NE(outcome.failure.find("nobody wakes it"), std::string::npos) << outcome.failure;
}

/// A caller waits for a result that another thread makes.
std::function<Program()> visit(unsigned waiters) {
  return [=] {
    struct World {
      BasicDoorbell<Atomic, Futex> bell;
      Atomic<bool> ready;
      Plain<int> result;
    };
    const auto world = std::make_shared<World>();
    Program program;
    program.threads.push_back([=] {
      world->result.set(7);
      world->ready.store(true, std::memory_order_release);
      world->bell.ring();
    });
    for (unsigned i = 0; i < waiters; ++i) {
      program.threads.push_back([=] {
        const auto ready = [&] { return world->ready.load(std::memory_order_acquire); };
        while (!ready()) world->bell.wait([] {}, ready, -1);
        if (world->result.get() != 7) interleavings::fail("another result");
      });
    }
    program.verdict = [=] {
      return world->bell.anybody_waits() ? std::string("a waiter is still counted") : std::string();
    };
    return program;
  };
}

TEST(DoorbellInterleavingsTest, WhoWaitsSeesTheResultOrIsWoken) {
  for (const unsigned waiters : {1u, 2u}) {
    const Outcome outcome = interleavings::explore(visit(waiters));
    EXPECT_EQ(outcome.failure, "") << waiters;
    EXPECT_TRUE(outcome.complete);
  }
}

TEST(DoorbellInterleavingsTest, WithoutStrongOrderAWakeIsLost) {
  Options options;
  options.order = [](const Site& site) {
    return site.order == std::memory_order_seq_cst ? std::memory_order_relaxed : site.order;
  };
  EXPECT_NE(interleavings::explore(visit(1), options).failure.find("nobody wakes it"), std::string::npos);
}

}  // namespace
}  // namespace weft
