#include "mpi_launch/batch/job_commands.hpp"

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

TEST(JobCommandsTest, NumbersOfJobsAreFoundInWhatSystemsSay) {
  EXPECT_EQ(job_number(BatchSystem::Slurm, "Submitted batch job 17\n"), "17");
  EXPECT_EQ(job_number(BatchSystem::Pbs, "17.server\n"), "17.server");
  EXPECT_EQ(job_number(BatchSystem::Lsf, "Job <17> is submitted to queue <normal2>.\n"), "17");
  EXPECT_EQ(job_number(BatchSystem::Sge, "Your job 17 (\"w3\") has been submitted\n"), "17");
  EXPECT_EQ(job_number(BatchSystem::HtCondor, "17.0 - 17.0\n"), "17");
  EXPECT_EQ(job_number(BatchSystem::Oar, "[ADMISSION RULE] Set default walltime\nOAR_JOB_ID=17\n"), "17");
  EXPECT_EQ(job_number(BatchSystem::Pbs, "qsub: no queue 3\n"), "");
  EXPECT_EQ(job_number(BatchSystem::Slurm, "sh: 1: sbatch: not found\n"),
            "1");  // its exit code says that there is none
}

TEST(JobCommandsTest, WhatWaitsOrRunsHasNotEnded) {
  EXPECT_FALSE(job_state(BatchSystem::Slurm, 0, "PENDING, Priority\n").ended);
  EXPECT_EQ(job_state(BatchSystem::Slurm, 0, "PENDING, Priority\n").text, "PENDING, Priority");
  EXPECT_FALSE(job_state(BatchSystem::Pbs, 0, "Job Id: 17\n    job_state = Q\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::Lsf, 0, "PEND\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::Sge, 0, "job_number: 17\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::HtCondor, 0, "1\n").ended);
  EXPECT_EQ(job_state(BatchSystem::HtCondor, 0, "1\n").text, "idle");
  EXPECT_FALSE(job_state(BatchSystem::Oar, 0, "17: Waiting\n").ended);
}

TEST(JobCommandsTest, WhatIsGoneHasEnded) {
  EXPECT_TRUE(job_state(BatchSystem::Slurm, 0, "").ended);
  EXPECT_TRUE(job_state(BatchSystem::Slurm, 0, "CANCELLED, None\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Slurm, 1, "slurm_load_jobs error: Invalid job id specified\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Pbs, 35, "qstat: 17.server Job has finished, use -x\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Pbs, 0, "Job Id: 17\n    job_state = C\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Lsf, 0, "EXIT\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Sge, 1, "Following jobs do not exist:\n17\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::HtCondor, 0, "").ended);
  EXPECT_TRUE(job_state(BatchSystem::HtCondor, 0, "3\n").ended);
  EXPECT_TRUE(job_state(BatchSystem::Oar, 0, "17: Terminated\n").ended);
}

TEST(JobCommandsTest, ASystemThatDoesNotAnswerHasEndedNothing) {
  EXPECT_FALSE(job_state(BatchSystem::Slurm, 1, "slurm_load_jobs error: Unable to contact slurm controller\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::Pbs, 111, "cannot connect to server\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::Lsf, 255, "LSF is down\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::Sge, 1, "unable to contact qmaster\n").ended);
  EXPECT_FALSE(job_state(BatchSystem::HtCondor, 1, "Failed to fetch ads\n").ended);
}

TEST(JobCommandsTest, LinesNameTheJob) {
  EXPECT_EQ(cancel_line(BatchSystem::Slurm, "17"), "scancel 17");
  EXPECT_EQ(cancel_line(BatchSystem::Lsf, "17"), "bkill 17");
  EXPECT_EQ(state_line(BatchSystem::Pbs, "17.a"), "qstat -f 17.a");
}

}  // namespace
}  // namespace weft::launch
