#include "core/executor/inbox.hpp"

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
using ModelInbox = BasicInbox<interleavings::Atomic>;

constexpr TaskId kTasks = 3;

struct World {
  void give(TaskId task) {
    records[task].set(1);
    inbox.give(task, [&](TaskId given, TaskId next) { behind[given].set(next); });
  }
  /// Takes all that lies here, and gives the last one away again, as a slot may that others took back from.
  void take(bool gives_back) {
    for (TaskId task = inbox.take(); task != kNone;) {
      const TaskId next = behind[task].get();
      if (gives_back && next == kNone) return give(task);
      run(task);
      task = next;
    }
  }
  void run(TaskId task) {
    if (++taken[task] > 1) interleavings::fail("a task is taken twice");
    if (records[task].get() != 1) interleavings::fail("a record was not seen");
  }

  std::array<Plain<int>, kTasks> records;
  std::array<Plain<TaskId>, kTasks> behind;
  std::array<int, kTasks> taken{};
  ModelInbox inbox;
};

/// Two slots hand over to a third, which looks twice; one of them looks there too and gives one back.
Program build() {
  const auto world = std::make_shared<World>();
  Program program;
  program.threads.push_back([world] {
    world->give(0);
    world->give(1);
    world->take(true);
  });
  program.threads.push_back([world] { world->give(2); });
  program.threads.push_back([world] {
    world->take(false);
    world->take(false);
  });
  program.verdict = [world] {
    world->take(false);
    for (TaskId task = 0; task < kTasks; ++task) {
      if (world->taken[task] != 1) return std::string("a task was lost");
    }
    return std::string();
  };
  return program;
}

TEST(InboxInterleavingsTest, EveryTaskIsTakenOnceAndItsRecordSeen) {
  const Outcome outcome = interleavings::explore(build);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_TRUE(outcome.complete);
  EXPECT_GT(outcome.states, 1'000u);
}

TEST(InboxInterleavingsTest, WithoutReleaseRecordsAreNotSeen) {
  Options options;
  options.order = [](const Site&) { return std::memory_order_relaxed; };
  EXPECT_NE(interleavings::explore(build, options).failure.find("race"), std::string::npos);
}

TEST(InboxInterleavingsTest, ACompareExchangeInTwoStepsIsFound) {
  Options options;
  options.torn = [](const Site&) { return true; };
  EXPECT_NE(interleavings::explore(build, options).failure, "");
}

}  // namespace
}  // namespace weft
