#include "mpi_launch/control/messages.hpp"

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

TEST(DeathTest, ASignalIsNamedWithTheTaskItHit) {
  Death death;
  death.signal = 11;
  death.tasks.push_back({0, 12.2, "task #7 of main.cpp:3"});
  EXPECT_EQ(death_sentence(death),
            "was killed by signal 11 (Segmentation fault) while it ran task #7 of main.cpp:3 (for 12 s)");
}

TEST(DeathTest, TheKernelsCounterMakesItMemory) {
  Death death;
  death.signal = 9;
  death.out_of_memory = true;
  death.counter = "/sys/fs/cgroup/memory.events counts 1 more";
  death.memory = {{10, 1 << 20}, {5, 64 << 20}, {0, 60 << 20}};
  const std::string text = death_sentence(death);
  EXPECT_NE(text.find("because memory ran out (signal 9; /sys/fs/cgroup/memory.events counts 1 more)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 MiB 10.0 s before the end, at most 64 MiB, 60 MiB at last"), std::string::npos) << text;
}

TEST(DeathTest, AWorkerThatCannotStartSpeaksForItself) {
  Death death;
  death.cannot_start = true;
  death.exit_code = 119;
  death.last_words = "the licence server is asleep";
  EXPECT_EQ(death_sentence(death), "cannot start: the licence server is asleep");
}

TEST(DeathTest, AnExitCodeIsBlamedOnACallOfExit) {
  Death death;
  death.exit_code = 7;
  EXPECT_NE(death_sentence(death).find("exit code 7: a task, or what it calls, called exit"), std::string::npos);
}

TEST(DeathTest, ARestartThatTheClientAskedForIsNobodysFault) {
  Death death;
  death.exit_code = 77;
  death.to_restart = true;
  EXPECT_TRUE(was_restarted(death));
  EXPECT_EQ(death_sentence(death), "ended, because the client asked for a new one");
  death.signal = 9;
  EXPECT_FALSE(was_restarted(death));
}

TEST(DeathTest, ATaskThatExitsWithTheStatusOfARestartIsToldAsAnyOther) {
  Death death;
  death.exit_code = 77;
  EXPECT_FALSE(was_restarted(death));
  EXPECT_NE(death_sentence(death).find("exit code 77: a task, or what it calls, called exit"), std::string::npos);
}

TEST(DeathTest, ASupervisorSaysWhyItKilled) {
  Death death;
  death.signal = 9;
  death.killed_because = "it gave no sign of life for 31 s";
  EXPECT_EQ(death_sentence(death), "was killed by its supervisor because it gave no sign of life for 31 s");
}

}  // namespace
}  // namespace weft::launch
