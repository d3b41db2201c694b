#include "mpi_launch/start/walltime.hpp"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <vector>

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

/// Ends so many seconds from now; `stop` is to be set.
DeadlineCalls calls_of(std::optional<double> seconds) {
  DeadlineCalls calls;
  calls.end = [seconds] { return seconds ? std::optional(JobEnd{*seconds, "a test"}) : std::nullopt; };
  return calls;
}

TEST(WalltimeTest, ADeadlineStopsOnce) {
  std::promise<std::string> stopped;
  DeadlineCalls calls = calls_of(59);
  calls.stop = [&](const JobEnd&, const std::string& why, double) { stopped.set_value(why); };
  const Deadline deadline(std::move(calls), 60);
  EXPECT_EQ(stopped.get_future().get(), "");
  EXPECT_TRUE(deadline.passed());
}

TEST(WalltimeTest, ADeadlineThatIsNotReachedOrThatNobodyKnowsStopsNothing) {
  for (const auto seconds : {std::optional(3600.0), std::optional<double>()}) {
    bool stopped = false;
    DeadlineCalls calls = calls_of(seconds);
    calls.stop = [&](const JobEnd&, const std::string&, double) { stopped = true; };
    { const Deadline deadline(std::move(calls), 60); }
    EXPECT_FALSE(stopped);
  }
}

TEST(WalltimeTest, ADeadlineComesEarlyOnceNothingFitsForAMoment) {
  std::promise<double> stopped;
  std::vector<std::string> answers{"", "a", "", "b", "c", "c", "d"};
  std::size_t asked = 0;
  double told = 0;
  DeadlineCalls calls = calls_of(3600);
  calls.known = [&](double seconds) { told = seconds; };
  calls.nothing_fits = [&] { return answers.at(asked++); };
  calls.stop = [&](const JobEnd&, const std::string& why, double seconds) {
    EXPECT_EQ(why, "c");
    stopped.set_value(seconds);
  };
  const Deadline deadline(std::move(calls), 60);
  EXPECT_NEAR(stopped.get_future().get(), 3540, 60);
  EXPECT_EQ(asked, 6u);
  EXPECT_EQ(told, 3540);
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
