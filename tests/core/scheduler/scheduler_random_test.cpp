#include <gtest/gtest.h>

#include "tests/core/scheduler/random_world.hpp"

namespace weft {
namespace {

using testing::RandomWorld;

/// Runs until nothing moves, and says whether every wanted packet has ended.
void expect_all_end(RandomWorld& world) {
  for (int idle = 0; idle != 50;) {
    if (world.step()) {
      idle = 0;
    } else {
      world.tick();
      ++idle;
    }
  }
  for (const PacketId id : world.wanted()) {
    ASSERT_TRUE(world.scheduler().knows(id));
    const PacketState state = world.scheduler().state(id);
    EXPECT_TRUE(state == PacketState::InMemory || state == PacketState::Failed)
        << "packet " << id << " is " << to_string(state) << " at " << world.scheduler().owner(id);
  }
  EXPECT_FALSE(world.broken_) << "a worker served what it does not have";
}

void expect_nothing_left(RandomWorld& world) {
  world.release_all();
  while (world.step()) {
  }
  EXPECT_EQ(world.scheduler().counts().known(), 0u);
  EXPECT_EQ(world.kept_at_workers(), 0u);
  EXPECT_EQ(world.reserved_at_workers(), 0u);
}

TEST(MachinesTest, RandomGraphsEndAndLeaveNothing) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed, {1 + static_cast<std::uint32_t>(seed % 4), 2, 0, 0});
    for (int batch = 0; batch != 4; ++batch) {
      world.submit(40);
      for (int i = 0; i != 100; ++i) world.step();
      world.release_some();
    }
    expect_all_end(world);
    expect_nothing_left(world);
  }
}

TEST(MachinesTest, RandomGraphsEndWithinATightBudget) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed, {3, 2, 12'000, 0});
    for (int batch = 0; batch != 4; ++batch) {
      world.submit(40);
      for (int i = 0; i != 150; ++i) world.step();
    }
    expect_all_end(world);
    expect_nothing_left(world);
  }
}

TEST(MachinesTest, LostWorkersDuplicatesAndCancelsEndToo) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed, {4, 2, seed % 3 == 0 ? 20'000u : 0u, 0.2});
    WorkerId next_lost = 0;
    for (int batch = 0; batch != 5; ++batch) {
      world.submit(40);
      for (int i = 0; i != 120; ++i) world.step();
      if (batch % 2 == 0) {
        world.lose(next_lost++);
        world.join();
      }
      if (world.below(3) == 0) world.cancel(world.below(world.next_packet()));
      world.release_some();
    }
    expect_all_end(world);
    expect_nothing_left(world);
  }
}

TEST(MachinesTest, OnlyTheTaskThatKillsIsFailed) {
  std::uint64_t judged = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed, {3, 2, 0, seed % 2 == 0 ? 0.2 : 0.0, 40});
    for (int batch = 0; batch != 3; ++batch) {
      world.submit(40);
      for (int i = 0; i != 200; ++i) world.step();
      world.release_some();
    }
    expect_all_end(world);
    for (const PacketId id : world.judged()) EXPECT_TRUE(world.killers().contains(id)) << "an innocent packet " << id;
    // Innocent packets at the third death may have to be dealt apart first, which costs nobody but the killer itself.
    EXPECT_LE(world.kills(), 3 * (world.judged().size() + world.killers().size()));
    judged += world.judged().size();
    expect_nothing_left(world);
  }
  EXPECT_GT(judged, 20u);
}

}  // namespace
}  // namespace weft
