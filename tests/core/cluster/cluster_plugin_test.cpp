#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/error.hpp>
#include <weft/graph_manipulation.hpp>
#include <weft/hardware.hpp>
#include <weft/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

namespace weft {
namespace {

using ::testing::HasSubstr;
using testing::InProcessCluster;

std::atomic<int> set_up_count = 0;
std::atomic<int> taken_down_count = 0;
std::atomic<bool> refuses = false;

const auto count_set_up = [] {
  if (refuses) throw std::runtime_error("no licence left");
  ++set_up_count;
};
const auto count_taken_down = [] { ++taken_down_count; };

int set_up_so_far(int) { return set_up_count; }

class ClusterPluginTest : public ::testing::Test {
 protected:
  ClusterPluginTest() {
    set_up_count = taken_down_count = 0;
    refuses = false;
  }
};

TEST_F(ClusterPluginTest, EachWorkerIsSetUpAlsoOneThatJoinsBeforeItsFirstTask) {
  InProcessCluster cluster({.workers = 2});
  Client client(InProcessCluster::client_options());
  {
    const WorkerPlugin plugin(client, "counting", count_set_up, count_taken_down);
    EXPECT_EQ(set_up_count, 2);
    cluster.add_worker();
    client.wait_for_workers(3);
    EXPECT_EQ(client.with({.workers = {"worker3"}}).submit(set_up_so_far, 1).result(), 3);
  }
  EXPECT_EQ(taken_down_count, 3);
  cluster.add_worker();
  client.wait_for_workers(4);
  EXPECT_EQ(client.with({.workers = {"worker4"}}).submit(set_up_so_far, 1).result(), 3);
}

TEST_F(ClusterPluginTest, AWorkerThatEndsTakesItDown) {
  InProcessCluster cluster({.workers = 3});
  Client client(InProcessCluster::client_options());
  const WorkerPlugin plugin(client, "counting", count_set_up, count_taken_down);
  client.retire_workers({"worker2"});
  EXPECT_EQ(cluster.end_of(1), WorkerEnd::Told);
  EXPECT_EQ(taken_down_count, 1);
}

TEST_F(ClusterPluginTest, ANewcomerThatCannotBeSetUpLeavesAndSaysWhy) {
  InProcessCluster cluster({.workers = 2});
  Client client(InProcessCluster::client_options());
  const WorkerPlugin plugin(client, "counting", count_set_up, count_taken_down);
  refuses = true;
  cluster.add_worker();
  EXPECT_EQ(cluster.end_of(2), WorkerEnd::Told);
  std::string noted;
  for (const LoggedEvent& event : client.events("workers")) noted += event.text + '\n';
  EXPECT_THAT(noted, HasSubstr("worker3 leaves: the setup of a plugin threw no licence left"));
  EXPECT_EQ(client.submit(set_up_so_far, 1).result(), 2);
}

TEST_F(ClusterPluginTest, ASetupThatThrowsOnOneWorkerIsTakenBackOnAll) {
  InProcessCluster cluster({.workers = 2});
  Client client(InProcessCluster::client_options());
  static std::atomic<int> calls = 0;
  calls = 0;
  const auto second_throws = [] {
    if (++calls == 2) throw std::runtime_error("only one of these");
  };
  EXPECT_THROW(WorkerPlugin(client, "single", second_throws, count_taken_down), Error);
  EXPECT_EQ(taken_down_count, 1);
}

TEST_F(ClusterPluginTest, GraphsAreBoundAndCopiedAcrossWorkers) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  std::vector<Delayed<int>> parts;
  for (int i = 0; i < 10; ++i) parts.push_back(delayed([](int n) { return n * n; })(i));
  const auto sum = delayed([](const std::vector<int>& all) {
    int total = 0;
    for (const int one : all) total += one;
    return total;
  })(parts);
  const auto bound = graph_manipulation::bind(sum, graph_manipulation::clone(parts));
  EXPECT_EQ(client.compute(bound), 285);
  client.compute(graph_manipulation::checkpoint(parts));
  EXPECT_EQ(client.compute(graph_manipulation::wait_on(sum)), 285);
}

std::atomic<int> asked = 0;

TEST_F(ClusterPluginTest, ATaskMayAskToRunLater) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  asked = 0;
  const auto third_time = [](int n) {
    if (++asked < 3) throw Reschedule();
    return n;
  };
  EXPECT_EQ(client.submit(third_time, 8).result(), 8);
}

TEST_F(ClusterPluginTest, TheHardwareOfEachWorkerIsMeasured) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto rates = benchmark_hardware(client, 1 << 20);
  ASSERT_EQ(rates.size(), 2u);
  for (const auto& [worker, rate] : rates) {
    EXPECT_GT(rate.memory, 1e6) << worker;
    EXPECT_GT(rate.network, 1e3) << worker;
  }
}

TEST_F(ClusterPluginTest, AWorkerThatIsNotThereCannotBeRestarted) {
  InProcessCluster cluster({.workers = 1});
  const Client client(InProcessCluster::client_options());
  try {
    client.restart_workers({"worker9"});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no worker \"worker9\" to restart"));
  }
}

}  // namespace
}  // namespace weft
