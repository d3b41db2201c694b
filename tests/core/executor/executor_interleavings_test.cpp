// The explorer itself: known small programs show what they must, and nothing else.
#include "tests/core/executor/interleavings.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>

namespace weft::interleavings {
namespace {

/// Returns what the two results of a program can be.
template <class Make>
std::set<std::pair<int, int>> results_of(const Make& make) {
  std::set<std::pair<int, int>> seen;
  const Outcome outcome = explore([&] {
    struct World {
      Atomic<int> x, y;
      int first = -1;
      int second = -1;
    };
    const auto world = std::make_shared<World>();
    Program program = make(*world);
    program.verdict = [&seen, world] {
      seen.insert({world->first, world->second});
      return std::string();
    };
    return program;
  });
  EXPECT_EQ(outcome.failure, "");
  EXPECT_TRUE(outcome.complete);
  return seen;
}

auto store_buffering(std::memory_order stores, std::memory_order loads) {
  return [=](auto& world) {
    return Program{{[&world, stores, loads] {
                      world.x.store(1, stores);
                      world.first = world.y.load(loads);
                    },
                    [&world, stores, loads] {
                      world.y.store(1, stores);
                      world.second = world.x.load(loads);
                    }}};
  };
}

TEST(InterleavingsTest, ReleasedStoresMayPassLaterLoads) {
  const std::set<std::pair<int, int>> all{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  EXPECT_EQ(results_of(store_buffering(std::memory_order_release, std::memory_order_acquire)), all);
}

TEST(InterleavingsTest, StronglyOrderedStoresMayNot) {
  const std::set<std::pair<int, int>> all{{0, 1}, {1, 0}, {1, 1}};
  EXPECT_EQ(results_of(store_buffering(std::memory_order_seq_cst, std::memory_order_seq_cst)), all);
}

TEST(InterleavingsTest, AFenceOfOneThreadForAllIsEnough) {
  const auto with_fences = [](auto fence) {
    return [fence](auto& world) {
      return Program{{[&world] {
                        world.x.store(1, std::memory_order_relaxed);
                        world.first = world.y.load(std::memory_order_relaxed);
                      },
                      [&world, fence] {
                        world.y.store(1, std::memory_order_relaxed);
                        fence();
                        world.second = world.x.load(std::memory_order_relaxed);
                      }}};
    };
  };
  EXPECT_FALSE(results_of(with_fences(Futex::heavy_fence)).contains({0, 0}));
  EXPECT_TRUE(results_of(with_fences(Futex::light_fence)).contains({0, 0}));
}

auto message_passing(std::memory_order store, std::memory_order load) {
  return [=](auto& world) {
    return Program{{[&world, store] {
                      world.x.store(1, std::memory_order_relaxed);
                      world.y.store(1, store);
                    },
                    [&world, load] {
                      world.first = world.y.load(load);
                      world.second = world.x.load(std::memory_order_relaxed);
                    }}};
  };
}

TEST(InterleavingsTest, OnlyReleaseAndAcquireTogetherHandOverWhatWasWrittenBefore) {
  const std::pair<int, int> lost{1, 0};
  EXPECT_FALSE(results_of(message_passing(std::memory_order_release, std::memory_order_acquire)).contains(lost));
  EXPECT_TRUE(results_of(message_passing(std::memory_order_relaxed, std::memory_order_acquire)).contains(lost));
  EXPECT_TRUE(results_of(message_passing(std::memory_order_release, std::memory_order_relaxed)).contains(lost));
}

TEST(InterleavingsTest, ATornAdditionLosesOne) {
  const auto total = [](bool torn) {
    Options options;
    options.torn = [torn](const Site&) { return torn; };
    const auto build = [] {
      const auto sum = std::make_shared<Atomic<int>>(0);
      const auto add = [sum] { sum->fetch_add(1, std::memory_order_relaxed); };
      return Program{{add, add, add}, [sum] { return sum->load() == 3 ? std::string() : "lost"; }};
    };
    return explore(build, options);
  };
  EXPECT_EQ(total(false).failure, "");
  EXPECT_NE(total(true).failure, "");
}

TEST(InterleavingsTest, APlainVariableHandedOverWithoutOrderIsARace) {
  const auto hand_over = [](std::memory_order order) {
    return explore([order] {
      struct World {
        Plain<int> payload;
        Atomic<bool> ready;
      };
      const auto world = std::make_shared<World>();
      return Program{{[world, order] {
                        world->payload.set(5);
                        world->ready.store(true, order);
                      },
                      [world] {
                        if (world->ready.load(std::memory_order_acquire) && world->payload.get() != 5)
                          fail("another value");
                      }}};
    });
  };
  EXPECT_EQ(hand_over(std::memory_order_release).failure, "");
  EXPECT_NE(hand_over(std::memory_order_relaxed).failure.find("race"), std::string::npos);
}

TEST(InterleavingsTest, ASleeperThatNobodyWakesIsFound) {
  const auto sleep = [](bool rings) {
    return explore([rings] {
      const auto word = std::make_shared<Atomic<std::uint32_t>>(0);
      return Program{{[word] {
                        const std::uint32_t seen = word->load(std::memory_order_relaxed);
                        if (seen == 0) Futex::wait(*word, seen);
                      },
                      [word, rings] {
                        word->store(1, std::memory_order_relaxed);
                        if (rings) Futex::wake_one(*word);
                      }}};
    });
  };
  EXPECT_EQ(sleep(true).failure, "");
  EXPECT_NE(sleep(false).failure.find("nobody wakes it"), std::string::npos);
}

}  // namespace
}  // namespace weft::interleavings
