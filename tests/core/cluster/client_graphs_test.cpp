// How the client's process cuts a Graph into packets: by the time that its tasks take.

#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weft {
namespace {

using testing::ClusterOptions;
using testing::InProcessCluster;

std::atomic<int> running{0};
std::atomic<int> side_by_side{0};  // tasks that began while another one ran

double long_task(double left, double middle, double right) {
  if (running.fetch_add(1) != 0) side_by_side.fetch_add(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  running.fetch_sub(1);
  return left + 2 * middle + right;
}

double short_task(double left, double middle, double right) { return left + 2 * middle + right; }

using Task = double (*)(double, double, double);

/// Runs a stencil of so many columns and rows, and returns its last row.
std::vector<double> stencil(Client& client, Task task, std::size_t columns, std::size_t rows) {
  Graph graph;
  std::vector<Delayed<double>> row;
  for (std::size_t i = 0; i < columns; ++i) row.push_back(graph.add(task, static_cast<double>(i), 1.0, 0.0));
  for (std::size_t r = 1; r < rows; ++r) {
    std::vector<Delayed<double>> next;
    for (std::size_t i = 0; i < columns; ++i) {
      next.push_back(graph.add(task, row[(i + columns - 1) % columns], row[i], row[(i + 1) % columns]));
    }
    row.swap(next);
  }
  client.run(graph);
  std::vector<double> values;
  for (const Delayed<double>& one : row) values.push_back(one.value());
  return values;
}

std::vector<double> plain_stencil(std::size_t columns, std::size_t rows) {
  std::vector<double> row(columns);
  for (std::size_t i = 0; i < columns; ++i) row[i] = static_cast<double>(i) + 2;
  for (std::size_t r = 1; r < rows; ++r) {
    std::vector<double> next(columns);
    for (std::size_t i = 0; i < columns; ++i)
      next[i] = row[(i + columns - 1) % columns] + 2 * row[i] + row[(i + 1) % columns];
    row.swap(next);
  }
  return row;
}

int plus_one(int value) { return value + 1; }

std::vector<double> ramp(int size) {
  std::vector<double> values(static_cast<std::size_t>(size));
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}
std::atomic<int> refusals{0};
/// Throws as often as `refusals` says.
double last_of(const std::vector<double>& values, double more) {
  if (refusals.fetch_sub(1) > 0) throw std::out_of_range("the last one is " + std::to_string(values.back()));
  return values.back() + more;
}

TEST(ClusterGraphTest, WhatFailedInItCanBeRunAgain) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  const Future<int> size = client.submit(&plus_one, 4'999);
  Delayed<double> bad;
  {
    Graph graph;
    // Nobody has a handle to these: they are let go of where they were made.
    const auto doubled = [](std::vector<double> values) {
      for (double& one : values) one *= 2;
      return values;
    };
    bad = graph.add(&last_of, graph.add(doubled, graph.add(&ramp, size)), graph.add(&plus_one, 0));
    const Delayed<double> behind = graph.add([](double value) { return value; }, bad);
    refusals = 1'000;
    EXPECT_THROW(client.run(graph), TaskError);
    EXPECT_THROW(rerun_locally(behind), std::out_of_range);
    EXPECT_THROW(rerun_locally(bad), std::out_of_range);
    EXPECT_EQ(refusals.load(), 1'000 - 3);
    const Future<double> failed = client.persist(bad);
    EXPECT_THROW(client.retry(failed).result(), TaskError);
    EXPECT_THROW(client.retry(client.persist(behind)), Error);
    refusals = 0;
    EXPECT_NO_THROW(rerun_locally(failed));
    EXPECT_EQ(client.retry(failed).result(), 2 * 4'999.0 + 1);
    client.run(graph);
    EXPECT_EQ(behind.value(), 2 * 4'999.0 + 1);
    refusals = 1;
    EXPECT_THROW(client.run(graph), TaskError);
  }
  try {
    rerun_locally(bad);
    FAIL() << "what it takes is gone";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("its Graph, which could make it again, is gone"));
  }
}

TEST(ClusterGraphTest, ARowOfLongTasksIsForAllWorkers) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  for (int run = 0; run < 2; ++run) {  // their time is unknown at first
    side_by_side.store(0);
    EXPECT_EQ(stencil(client, &long_task, 8, 25), plain_stencil(8, 25));
    EXPECT_GT(side_by_side.load(), 200 / 4) << "of 200 tasks, in run " << run;
  }
}

TEST(ClusterGraphTest, GraphsOfAnyLengthAreCutWhileTheirTimesAreLearnt) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  for (const std::size_t rows : {1u, 3u, 40u, 1000u}) {
    EXPECT_EQ(stencil(client, &short_task, 7, rows), plain_stencil(7, rows)) << rows << " rows";
  }
}

TEST(ClusterGraphTest, RowsOfShortAndLongTasksMix) {
  InProcessCluster cluster(ClusterOptions{.workers = 3});
  Client client(InProcessCluster::client_options());
  Graph graph;
  Delayed<double> last = graph.add(&short_task, 0.0, 0.0, 0.0);
  std::vector<Delayed<double>> ends;
  for (int r = 0; r < 5; ++r) {
    std::vector<Delayed<double>> row;
    for (int i = 0; i < 400; ++i) row.push_back(graph.add(i % 100 == 0 ? &long_task : &short_task, last, 0.0, 1.0));
    for (int i = 1; i < 400; i += 2) ends.push_back(graph.add(&short_task, row[i - 1], 0.0, row[i]));
    last = row[399];
  }
  client.run(graph);
  for (std::size_t k = 0; k < ends.size(); ++k) EXPECT_EQ(ends[k].value(), 2.0 * static_cast<double>(k / 200 + 1));
}

int twice(int value) { return 2 * value; }

TEST(ClusterGraphTest, ShortCallsThatOnlyAGraphReadsHaveTheirValues) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client.submit(&plus_one, i).result(), i + 1);  // known to be short
  for (int i = 0; i < 50; ++i) {
    Graph graph;
    const Delayed<int> end = graph.add(&twice, delayed(&plus_one)(i));
    client.run(graph);
    ASSERT_EQ(end.value(), 2 * (i + 1));
    const Delayed<int> shared = delayed(&plus_one)(i);
    { const Delayed<int> abandoned = delayed(&twice)(shared); }
    ASSERT_EQ(client.compute(shared), i + 1);
  }
}

TEST(ClusterGraphTest, WhatAGraphReadsMayStillBeUnderWay) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  Client client(InProcessCluster::client_options());
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client.submit(&plus_one, i).result(), i + 1);
  for (int i = 0; i < 50; ++i) {
    const Future<int> first = client.submit(&plus_one, i);
    const Future<int> second = client.submit(&plus_one, first);
    Graph graph;
    const Delayed<int> end = graph.add([](int a, int b) { return a + b; }, first, second);
    client.run(graph);
    ASSERT_EQ(end.value(), 2 * i + 3);
  }
}

TEST(ClusterGraphTest, WithNobodyLeftAGraphThatRunsFails) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  Client client(InProcessCluster::client_options());
  running.store(0);
  Graph graph;
  Delayed<double> chain = graph.add(&long_task, 0.0, 0.0, 0.0);
  for (int i = 0; i < 2'000; ++i) chain = graph.add(&long_task, chain, 0.0, 0.0);
  std::thread killer([&cluster] {
    while (running.load() == 0) std::this_thread::yield();
    cluster.kill(0);
    cluster.runtime().no_more_workers("the test has ended them all");
  });
  EXPECT_THROW(client.run(graph), Error);
  killer.join();
}

TEST(ClusterGraphTest, AGraphThatIsNotCutToItsEndFailsWithItsClient) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  Client client(InProcessCluster::client_options());
  running.store(0);
  Graph graph;
  Delayed<double> chain = graph.add(&long_task, 0.0, 0.0, 0.0);
  for (int i = 0; i < 5'000; ++i) chain = graph.add(&long_task, chain, 0.0, 0.0);
  std::thread closer([&client] {
    while (running.load() == 0) std::this_thread::yield();
    client.close();
  });
  EXPECT_THROW(client.run(graph), Error);
  closer.join();
}

}  // namespace
}  // namespace weft
