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

TEST(ChildTest, LibrariesGetTheCoresOfASlotUnlessTheUserSaysOtherwise) {
  WorkerOrders orders;
  orders.slots = 2;
  orders.processors = {0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<std::string> variables = {"HOME=/", "OMP_NUM_THREADS=3"};
  share_library_threads(variables, orders);
  EXPECT_EQ(variables, (std::vector<std::string>{"HOME=/", "OMP_NUM_THREADS=3", "OPENBLAS_NUM_THREADS=4",
                                                 "MKL_NUM_THREADS=4", "BLIS_NUM_THREADS=4"}));
  orders.processors.clear();
  variables.clear();
  share_library_threads(variables, orders);
  EXPECT_EQ(variables.front(), "OMP_NUM_THREADS=1");
}

}  // namespace
}  // namespace weft::launch
