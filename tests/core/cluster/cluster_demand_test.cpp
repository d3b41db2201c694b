#include "tests/core/cluster/in_process_cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

namespace weft {
namespace {

using testing::InProcessCluster;

std::atomic<bool> gate{false};
int pass(int x) {
  while (!gate.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return x + 1;
}

/// Returns the demand once it is as wanted, or as it is after a while.
template <class Wanted>
ClusterDemand await(ClusterRuntime& runtime, const Wanted& wanted) {
  for (int i = 0; i < 5000 && !wanted(runtime.demand()); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return runtime.demand();
}

std::uint64_t dealt(const ClusterDemand& demand) {
  return std::accumulate(demand.workers.begin(), demand.workers.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& worker) { return sum + worker.packets; });
}

TEST(DemandTest, NothingToDoIsNoDemand) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const ClusterDemand demand = cluster.runtime().demand();
  EXPECT_EQ(demand.runnable, 0u);
  EXPECT_EQ(demand.tasks_left, 0u);
  ASSERT_EQ(demand.workers.size(), 2u);
  EXPECT_EQ(dealt(demand), 0u);
  EXPECT_FALSE(demand.workers[0].keeps || demand.workers[0].leaving);
}

TEST(DemandTest, EverythingThatCouldRunCountsAlsoWhatNoWorkerHas) {
  gate.store(false);
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  std::vector<int> items(100);
  const auto results = client.map(&pass, items);
  const ClusterDemand demand = await(cluster.runtime(), [](const ClusterDemand& seen) { return seen.runnable == 100; });
  EXPECT_EQ(demand.runnable, 100u);
  EXPECT_EQ(demand.tasks_left, 100u);
  EXPECT_GE(dealt(demand), 2u);
  gate.store(true);
  EXPECT_EQ(client.gather(results).size(), 100u);
  EXPECT_EQ(cluster.runtime().demand().runnable, 0u);
  EXPECT_EQ(cluster.runtime().demand().tasks_done, 100u);
}

TEST(DemandTest, OfAChainOneLinkCounts) {
  gate.store(false);
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  Future<int> last = client.submit(&pass, 0);
  for (int i = 0; i < 50; ++i) last = client.submit(&pass, last);
  const ClusterDemand demand =
      await(cluster.runtime(), [](const ClusterDemand& seen) { return dealt(seen) >= 1 && seen.runnable == 1; });
  EXPECT_EQ(demand.runnable, 1u);
  EXPECT_EQ(demand.tasks_left, 51u);
  gate.store(true);
  EXPECT_EQ(last.result(), 51);
}

TEST(DemandTest, AWorkerThatHoldsAResultKeepsIt) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto keepers = [](const ClusterDemand& demand) {
    return std::count_if(demand.workers.begin(), demand.workers.end(), [](const auto& one) { return one.keeps; });
  };
  {
    const auto value = client.submit([] { return std::vector<double>(20'000); });
    static_cast<void>(value.exception());
    EXPECT_EQ(keepers(cluster.runtime().demand()), 1);
  }
  EXPECT_EQ(keepers(await(cluster.runtime(), [&](const ClusterDemand& seen) { return keepers(seen) == 0; })), 0);
}

TEST(DemandTest, WhoIsToldToGoIsLeavingUntilItHasGone) {
  gate.store(false);
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto results = client.map(&pass, std::vector<int>(2));
  await(cluster.runtime(), [](const ClusterDemand& seen) { return dealt(seen) == 2; });
  cluster.runtime().retire("worker1");
  const ClusterDemand demand = cluster.runtime().demand();
  EXPECT_EQ(std::count_if(demand.workers.begin(), demand.workers.end(), [](const auto& one) { return one.leaving; }),
            1);
  gate.store(true);
  client.gather(results);
  EXPECT_EQ(await(cluster.runtime(), [](const ClusterDemand& seen) { return seen.workers.size() == 1; }).workers.size(),
            1u);
}

}  // namespace
}  // namespace weft
