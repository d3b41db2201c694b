#include "mpi_launch/batch/script.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace weft::launch {
namespace {

BatchJob rich_job() {
  BatchJob job;
  job.name = "regrid";
  job.nodes = 4;
  job.ranks_per_node = 2;
  job.cores_per_rank = 16;
  job.gpus_per_node = 2;
  job.memory_per_node = "120G";
  job.queue = "short";
  job.account = "climate";
  job.walltime_s = 2 * 3600 + 30 * 60;
  job.resume = true;
  job.prologue = {"module load openmpi"};
  job.command = {"./regrid", "in put.nc", "--weft-ledger=summary", "it's"};
  return job;
}

/// Compares with a file beside this test; WEFT_TEST_REWRITE=1 writes the file anew, to be reviewed by diff.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(WEFT_SOURCE_DIR) + "/tests/mpi_launch/batch/golden/" + name;
  if (std::getenv("WEFT_TEST_REWRITE") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, golden) << path;
}

TEST(BatchScriptTest, EverySystemGetsItsGoldenScript) {
  expect_golden("slurm.sh", batch_script(BatchSystem::Slurm, rich_job()));
  expect_golden("pbs.sh", batch_script(BatchSystem::Pbs, rich_job()));
  expect_golden("lsf.sh", batch_script(BatchSystem::Lsf, rich_job()));
  expect_golden("sge.sh", batch_script(BatchSystem::Sge, rich_job()));
  BatchJob job = rich_job();
  job.queue.clear();
  expect_golden("htcondor.sh", batch_script(BatchSystem::HtCondor, job));
  job = rich_job();
  job.memory_per_node.clear();
  expect_golden("oar.sh", batch_script(BatchSystem::Oar, job));
}

TEST(BatchScriptTest, WhatASystemHasNotIsNotLeftOutSilently) {
  EXPECT_THROW(batch_script(BatchSystem::HtCondor, rich_job()), ConfigError);  // a queue
  EXPECT_THROW(batch_script(BatchSystem::Oar, rich_job()), ConfigError);       // memory
}

TEST(BatchScriptTest, OneMachineOfHtcondorNeedsNoDedicatedScheduler) {
  BatchJob job;
  job.command = {"./program"};
  expect_golden("htcondor-plain.sh", batch_script(BatchSystem::HtCondor, job));
}

TEST(BatchScriptTest, EverySystemHasItsCommandToHandIn) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(submit_command(BatchSystem::Slurm, "job.sh"), (Words{"sbatch", "job.sh"}));
  EXPECT_EQ(submit_command(BatchSystem::HtCondor, "job.sh"), (Words{"bash", "job.sh"}));
  EXPECT_EQ(submit_command(BatchSystem::Oar, "job.sh"), (Words{"oarsub", "-S", "./job.sh"}));
  EXPECT_EQ(submit_command(BatchSystem::Oar, "/tmp/job.sh"), (Words{"oarsub", "-S", "/tmp/job.sh"}));
}

TEST(BatchScriptTest, APlainJobAsksForNothingThatWasNotAskedFor) {
  BatchJob job;
  job.command = {"./program"};
  expect_golden("slurm-plain.sh", batch_script(BatchSystem::Slurm, job));
}

TEST(BatchScriptTest, OneProcessNeedsNoLauncher) {
  BatchJob job;
  job.plain = true;
  job.command = {"./program", "two words"};
  for (const BatchSystem system : {BatchSystem::Slurm, BatchSystem::Pbs, BatchSystem::HtCondor}) {
    const std::string text = batch_script(system, job);
    EXPECT_NE(text.find("\n./program 'two words'\ncode=$?\nexit $code\n"), std::string::npos) << text;
  }
}

TEST(BatchScriptTest, LsfGetsWholeMinutesAndNeverFewer) {
  BatchJob job;
  job.command = {"./program"};
  for (const auto& [seconds, words] : {std::pair(60, "-W 00:01\n"), std::pair(61, "-W 00:02\n"),
                                       std::pair(3599, "-W 01:00\n"), std::pair(7200, "-W 02:00\n")}) {
    job.walltime_s = static_cast<std::uint64_t>(seconds);
    EXPECT_NE(batch_script(BatchSystem::Lsf, job).find(words), std::string::npos) << seconds;
  }
}

TEST(BatchScriptTest, WordsAreQuotedForTheShellOnlyWhereNeeded) {
  EXPECT_EQ(shell_word("--a=b/c.nc"), "--a=b/c.nc");
  EXPECT_EQ(shell_word("two words"), "'two words'");
  EXPECT_EQ(shell_word("$(rm -rf x)"), "'$(rm -rf x)'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(BatchScriptTest, SenselessJobsAreRefused) {
  BatchJob job;
  EXPECT_THROW(batch_script(BatchSystem::Slurm, job), ConfigError);
  job.command = {"./program"};
  job.name = "x\n#SBATCH --uid=0";
  EXPECT_THROW(batch_script(BatchSystem::Slurm, job), ConfigError);
  job.name = "x";
  job.walltime_s = 5;
  EXPECT_THROW(batch_script(BatchSystem::Slurm, job), ConfigError);
  EXPECT_THROW(batch_system("slrum"), ConfigError);
}

}  // namespace
}  // namespace weft::launch
