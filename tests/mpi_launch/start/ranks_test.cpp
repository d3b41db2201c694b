#include "mpi_launch/start/ranks.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

Ranks ranks_with(std::map<std::string, std::string> variables) {
  HostView host;
  host.environment = std::move(variables);
  return read_ranks(host);
}

TEST(RanksTest, AProcessThatNobodyLaunchedIsAlone) {
  EXPECT_FALSE(ranks_with({}).several());
  EXPECT_EQ(ranks_with({}).launcher, "");
}

TEST(RanksTest, OpenMpiSaysRankCountAndNode) {
  const Ranks ranks =
      ranks_with({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}});
  EXPECT_EQ(ranks.rank, 2u);
  EXPECT_EQ(ranks.count, 4u);
  EXPECT_TRUE(ranks.mpi);
  EXPECT_TRUE(ranks.one_node);
}

TEST(RanksTest, MpirunInsideASlurmStepIsMpiruns) {
  const Ranks ranks = ranks_with({{"OMPI_COMM_WORLD_RANK", "1"},
                                  {"OMPI_COMM_WORLD_SIZE", "2"},
                                  {"SLURM_PROCID", "0"},
                                  {"SLURM_STEP_NUM_TASKS", "9"}});
  EXPECT_EQ(ranks.count, 2u);
  EXPECT_FALSE(ranks.one_node);
}

TEST(RanksTest, ABatchScriptWithoutSrunIsAlone) {
  EXPECT_FALSE(ranks_with({{"SLURM_JOB_ID", "7"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).several());
}

TEST(RanksTest, SrunWithPmixStartsMpiAndWithoutDoesNot) {
  std::map<std::string, std::string> step = {
      {"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_STEP_NUM_NODES", "1"}};
  EXPECT_FALSE(ranks_with(step).mpi);
  EXPECT_TRUE(ranks_with(step).one_node);
  step["PMIX_RANK"] = "3";
  step["PMIX_NAMESPACE"] = "slurm.pmix.7.0";
  EXPECT_TRUE(ranks_with(step).mpi);
  EXPECT_EQ(ranks_with(step).rank, 3u);
}

TEST(RanksTest, HalfOfAPairOfOursIsAMistake) {
  EXPECT_THROW(ranks_with({{"WEFT_RANK", "1"}}), ConfigError);
  EXPECT_THROW(ranks_with({{"WEFT_RANK", "2"}, {"WEFT_RANKS", "2"}}), ConfigError);
  EXPECT_EQ(ranks_with({{"WEFT_RANK", "1"}, {"WEFT_RANKS", "2"}}).count, 2u);
}

}  // namespace
}  // namespace weft::launch
