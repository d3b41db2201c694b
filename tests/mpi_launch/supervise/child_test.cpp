#include "mpi_launch/supervise/child.hpp"

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

TEST(ChildTest, AWorkerInheritsNothingOfTheLauncher) {
  std::string variables[] = {"OMPI_COMM_WORLD_RANK=1", "PMIX_RANK=1",    "PATH=/bin",
                             "SLURM_JOB_ID=7",         "SLURM_PROCID=1", "PMI_FD=3",
                             "WEFT_THREADS=2",         "WEFT_RANK=1",    "HOME=/root"};
  std::vector<char*> pointers;
  for (std::string& text : variables) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const std::vector<std::string> expected = {"PATH=/bin", "SLURM_JOB_ID=7", "WEFT_THREADS=2", "HOME=/root"};
  EXPECT_EQ(worker_environment(pointers.data()), expected);
}

}  // namespace
}  // namespace weft::launch
