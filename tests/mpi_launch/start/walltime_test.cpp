#include "mpi_launch/start/walltime.hpp"

#include <gtest/gtest.h>

#include <future>

namespace weft::launch {
namespace {

std::optional<JobEnd> end_with(std::map<std::string, std::string> variables, Options options = {}) {
  HostView host;
  host.environment = std::move(variables);
  options.config = "none";
  return read_job_end(resolve(options), 1000, host);
}

TEST(WalltimeTest, NobodySaysAnEnd) { EXPECT_FALSE(end_with({}).has_value()); }

TEST(WalltimeTest, SlurmTellsTheMomentAndTorqueTheLength) {
  EXPECT_EQ(end_with({{"SLURM_JOB_END_TIME", "1600"}})->seconds_left, 600);
  EXPECT_EQ(end_with({{"PBS_WALLTIME", "3600"}})->seconds_left, 3600);
  EXPECT_FALSE(end_with({{"SLURM_JOB_END_TIME", "soon"}}).has_value());
}

TEST(WalltimeTest, WhatTheUserSaysWins) {
  EXPECT_EQ(end_with({{"SLURM_JOB_END_TIME", "1600"}}, {.walltime = "2min"})->seconds_left, 120);
}

TEST(WalltimeTest, ADeadlineStopsOnce) {
  std::promise<void> stopped;
  Deadline deadline([] { return JobEnd{59, "a test"}; }, 60, [&](const JobEnd&) { stopped.set_value(); });
  stopped.get_future().get();
  EXPECT_TRUE(deadline.passed());
}

TEST(WalltimeTest, ADeadlineThatIsNotReachedStopsNothing) {
  bool stopped = false;
  {
    Deadline deadline([] { return JobEnd{3600, "a test"}; }, 60, [&](const JobEnd&) { stopped = true; });
  }
  EXPECT_FALSE(stopped);
}

TEST(WalltimeTest, ADeadlineThatNobodyKnowsStopsNothing) {
  bool stopped = false;
  {
    Deadline deadline([] { return std::nullopt; }, 60, [&](const JobEnd&) { stopped = true; });
  }
  EXPECT_FALSE(stopped);
}

TEST(WalltimeTest, TimesAreReadAsSlurmWritesThem) {
  EXPECT_EQ(slurm_seconds("0:54"), 54);
  EXPECT_EQ(slurm_seconds("1:02:03"), 3723);
  EXPECT_EQ(slurm_seconds("2-01:00:00"), 2 * 86'400 + 3600);
  for (const char* const text : {"", "UNLIMITED", "NOT_SET", "INVALID", "5", "1:2:3:4", "1:x", "1-", "-1:00"})
    EXPECT_FALSE(slurm_seconds(text).has_value()) << text;
}

TEST(WalltimeTest, SlurmIsNotAskedOutsideOfItsJobs) {
  HostView host;
  host.environment = std::map<std::string, std::string>{{"SLURM_JOB_ID", "1; touch /tmp/x"}};
  EXPECT_FALSE(ask_slurm(host).has_value());
  host.environment = std::map<std::string, std::string>{};
  EXPECT_FALSE(ask_slurm(host).has_value());
}

}  // namespace
}  // namespace weft::launch
