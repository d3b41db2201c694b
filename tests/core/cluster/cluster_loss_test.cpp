#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <random>

namespace weft {
namespace {

using testing::ClusterOptions;
using testing::InProcessCluster;

std::atomic<int> calls{0};
std::atomic<int> kill_at{-1};

/// A task that tells when so many have run.
int step(int a, int b) {
  calls.fetch_add(1);
  return (a * 31 + b) % 1'000'003;
}
int leaf(int x) {
  calls.fetch_add(1);
  return x;
}

/// Kills a worker once about half of the tasks have run.
class Killer {
 public:
  Killer(InProcessCluster& cluster, int half)
      : thread_([&cluster, half, this] {
          while (calls.load() < half && !stop_) std::this_thread::yield();
          if (!stop_) cluster.kill(0);
        }) {
    calls = 0;
  }
  ~Killer() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class LossTest : public ::testing::Test {
 protected:
  LossTest() : cluster_(ClusterOptions{.workers = 3}), client_(InProcessCluster::client_options()) { calls = 0; }
  InProcessCluster cluster_;
  Client client_;
};

TEST_F(LossTest, IndependentTasksOfALostWorkerRunElsewhere) {
  constexpr int kTasks = 20'000;
  Graph graph;
  std::vector<Delayed<int>> values;
  for (int i = 0; i < kTasks; ++i) values.push_back(graph.add(&leaf, i));
  {
    const Killer killer(cluster_, kTasks / 2);
    client_.run(graph);
  }
  for (int i = 0; i < kTasks; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)].value(), i);
}

TEST_F(LossTest, TreesAreCompletedFromTheirRecords) {
  Graph graph;
  std::vector<Delayed<int>> level;
  std::vector<int> expected;
  for (int i = 0; i < 8192; ++i) {
    level.push_back(graph.add(&leaf, i));
    expected.push_back(i);
  }
  while (level.size() > 1) {
    std::vector<Delayed<int>> above;
    std::vector<int> sums;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      above.push_back(graph.add(&step, level[i], level[i + 1]));
      sums.push_back((expected[i] * 31 + expected[i + 1]) % 1'000'003);
    }
    level.swap(above);
    expected.swap(sums);
  }
  {
    const Killer killer(cluster_, 8192);
    client_.run(graph);
  }
  EXPECT_EQ(level[0].value(), expected[0]);
}

TEST_F(LossTest, RandomGraphsGiveTheSameValues) {
  constexpr std::size_t kTasks = 20'000;
  std::mt19937 random(7);
  Graph graph;
  std::vector<Delayed<int>> tasks;
  std::vector<int> expected;
  for (std::size_t i = 0; i < kTasks; ++i) {
    if (i < 4) {
      tasks.push_back(graph.add(&leaf, static_cast<int>(i)));
      expected.push_back(static_cast<int>(i));
      continue;
    }
    const std::size_t a = random() % i;
    const std::size_t b = i - 1 - random() % std::min<std::size_t>(i, 100);
    tasks.push_back(graph.add(&step, tasks[a], tasks[b]));
    expected.push_back((expected[a] * 31 + expected[b]) % 1'000'003);
  }
  {
    const Killer killer(cluster_, static_cast<int>(kTasks) / 2);
    client_.run(graph);
  }
  for (std::size_t i = 0; i < kTasks; ++i) ASSERT_EQ(tasks[i].value(), expected[i]);
}

TEST_F(LossTest, SubmittedTasksAndTheirLargeValuesAreMadeAgain) {
  std::vector<Future<std::vector<int>>> made;
  for (int i = 0; i < 12; ++i) {
    made.push_back(client_.submit(
        [](int x) {
          calls.fetch_add(1);
          return std::vector<int>(10'000, x);
        },
        i));
  }
  while (calls.load() < 12) std::this_thread::yield();
  cluster_.kill(1);
  for (int i = 0; i < 12; ++i) {
    const Future<int> read =
        client_.submit([](const std::vector<int>& all) { return all.at(9'999); }, made[static_cast<std::size_t>(i)]);
    EXPECT_EQ(read.result(), i);
    EXPECT_EQ(made[static_cast<std::size_t>(i)].result(), std::vector<int>(10'000, i));
  }
}

TEST_F(LossTest, ANewWorkerTakesPart) {
  cluster_.kill(0);
  cluster_.kill(1);
  cluster_.add_worker();
  std::vector<Future<int>> futures;
  for (int i = 0; i < 500; ++i) futures.push_back(client_.submit(&leaf, i));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
}

TEST(LossLifeTest, AWorkerThatComesWhileTheClientEndsGoesAgain) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  cluster.runtime().end();
  EXPECT_EQ(cluster.end_of(0), WorkerEnd::Told);
  cluster.add_worker();
  EXPECT_NE(cluster.end_of(1), WorkerEnd::Refused);
}

TEST(LossLifeTest, WithNobodyLeftTasksFailWithTheReason) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  Client client(InProcessCluster::client_options());
  static std::atomic<bool> started{false};
  started = false;
  const Future<int> stuck = client.submit(
      [](int x) {
        started = true;
        return x;
      },
      1);
  static_cast<void>(stuck.result());
  cluster.kill(0);
  const Future<int> never = client.submit(&leaf, 3);
  cluster.runtime().no_more_workers("the test has ended them all");
  try {
    never.result();
    FAIL() << "nobody is left, and yet it ran";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the test has ended them all"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace weft
