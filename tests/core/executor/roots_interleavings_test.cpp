#include "core/executor/roots.hpp"

#include "tests/core/executor/interleavings.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace weft {
namespace {

using interleavings::Options;
using interleavings::Outcome;
using interleavings::Plain;
using interleavings::Program;
using interleavings::Site;
using ModelRange = BasicRootRange<interleavings::Atomic>;

constexpr TaskId kTasks = 5;

struct World {
  void note(TaskRange range) {
    for (TaskId task = range.first; task < range.end; ++task) {
      if (task >= kTasks || ++taken[task] > 1) interleavings::fail("a task is taken twice");
      if (records[task].get() != 1) interleavings::fail("a record was not seen");
    }
  }
  void walk(ModelRange& range, std::uint32_t most) {
    for (TaskRange part = range.take(most); !part.empty(); part = range.take(most)) note(part);
  }

  std::array<Plain<int>, kTasks> records;
  std::array<int, kTasks> taken{};
  ModelRange of_owner;
  ModelRange of_thief;
};

/// The owner writes records, walks them, is given a second range; a thief carries halves away, another takes of those.
Program build() {
  const auto world = std::make_shared<World>();
  Program program;
  program.threads.push_back([world] {
    for (TaskId task = 0; task < 3; ++task) world->records[task].set(1);
    world->of_owner.assign({0, 3});
    world->walk(world->of_owner, 1);
    for (TaskId task = 3; task < kTasks; ++task) world->records[task].set(1);
    world->of_owner.assign({3, kTasks});
    world->walk(world->of_owner, 2);
  });
  program.threads.push_back([world] {
    world->of_thief.assign(world->of_owner.steal_half());
    world->walk(world->of_thief, 1);
  });
  program.threads.push_back([world] { world->note(world->of_thief.steal_half()); });
  program.verdict = [world] {
    for (TaskId task = 0; task < kTasks; ++task) {
      if (world->taken[task] != 1) return "task " + std::to_string(task) + " was not taken";
    }
    return std::string();
  };
  return program;
}

TEST(RootRangeInterleavingsTest, EveryTaskIsTakenOnceAndItsRecordSeen) {
  const Outcome outcome = interleavings::explore(build);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_TRUE(outcome.complete);
  EXPECT_GT(outcome.states, 1'000u);
}

TEST(RootRangeInterleavingsTest, WithoutReleaseRecordsAreNotSeen) {
  Options options;
  options.order = [](const Site&) { return std::memory_order_relaxed; };
  EXPECT_NE(interleavings::explore(build, options).failure.find("race"), std::string::npos);
}

TEST(RootRangeInterleavingsTest, ACompareExchangeInTwoStepsIsFound) {
  Options options;
  options.torn = [](const Site&) { return true; };
  EXPECT_NE(interleavings::explore(build, options).failure, "");
}

}  // namespace
}  // namespace weft
