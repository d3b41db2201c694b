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
  Deadline deadline(-1, [&] { stopped.set_value(); });
  stopped.get_future().get();
  EXPECT_TRUE(deadline.passed());
}

TEST(WalltimeTest, ADeadlineThatIsNotReachedStopsNothing) {
  bool stopped = false;
  {
    Deadline deadline(3600, [&] { stopped = true; });
  }
  EXPECT_FALSE(stopped);
}

}  // namespace
}  // namespace weft::launch
