#include "core/journal/folder.hpp"
#include "core/journal/journal.hpp"
#include "tests/core/journal/journal_run.hpp"

#include <weft/annotate.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/this_task.hpp>

#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

std::atomic<int>& runs = weft::testing::journal_runs;
using weft::testing::work;

int step(int x) {
  ++runs;
  work();
  return x + 1;
}
/// Too many bytes for the time that they take.
std::vector<double> wide(int x) {
  ++runs;
  std::vector<double> values(200'000);
  std::iota(values.begin(), values.end(), x);
  return values;
}
std::vector<double> worked(int x) {
  work();
  work();
  return wide(x);
}
double total(const std::vector<double>& left, const std::vector<double>& right) {
  ++runs;
  for (int i = 0; i < 40; ++i) work();
  return std::accumulate(left.begin(), left.end(), 0.0) + std::accumulate(right.begin(), right.end(), 0.0);
}
void mark(int) { ++runs; }
int noting(int x) {
  ++runs;
  work();
  this_task::has_effect();
  return x;
}

using JournalGraphTest = weft::testing::JournalRunTest;

TEST_P(JournalGraphTest, ASecondRunTakesWhatTheFirstComputed) {
  const auto body = [](const Client& client) {
    Graph graph;
    std::vector<Delayed<int>> ends;
    for (int chain = 0; chain < 3; ++chain) {
      Delayed<int> at = graph.add(step, 10 * chain);
      for (int i = 0; i < 3; ++i) at = graph.add(step, at);
      ends.push_back(at);
    }
    client.run(graph);
    for (int chain = 0; chain < 3; ++chain) EXPECT_EQ(ends[static_cast<std::size_t>(chain)].value(), 10 * chain + 4);
    // A graph that is run again computes its own results.
    client.run(graph);
    EXPECT_EQ(ends[2].value(), 24);
  };
  EXPECT_EQ(run(body), 24);
  EXPECT_EQ(report_.written, 24u);
  // A program begins to count equal calls anew; this process has counted on.
  EXPECT_EQ(run(body), 24);
}

TEST_P(JournalGraphTest, WhatOnlyFoundResultsWereMadeOfIsNotComputed) {
  double sum = 0;
  const auto body = [&](const Client& client) {
    const Annotate scope({.pure = true});
    Graph graph;
    const Delayed<double> end = graph.add(total, graph.add(wide, 1), graph.add(wide, 2));
    client.run(graph);
    if (sum == 0) sum = end.value();
    EXPECT_EQ(end.value(), sum);
    client.run(graph);
    EXPECT_EQ(end.value(), sum);
  };
  EXPECT_EQ(run(body), 6);
  EXPECT_EQ(run(body), 0);
  EXPECT_EQ(report_.found, 2u);
}

TEST_P(JournalGraphTest, WhatIsReadStaysAndOtherInputsAreOtherCalls) {
  const auto body = [](int first) {
    return [first](const Client& client) {
      const Annotate scope({.pure = true});
      Graph graph;
      const Delayed<int> input = graph.input(first);
      const Delayed<int> middle = graph.add(step, input);
      const Delayed<int> end = graph.add(step, middle);
      client.run(graph);
      EXPECT_EQ(middle.value(), first + 1);
      EXPECT_EQ(end.value(), first + 2);
      graph.set(input, first + 50);
      client.run(graph);
      EXPECT_EQ(end.value(), first + 52);
    };
  };
  EXPECT_EQ(run(body(1)), 4);
  EXPECT_EQ(run(body(1)), 0);
  EXPECT_EQ(run(body(51)), 2);  // it has seen 51 before, and has not seen 101
}

TEST_P(JournalGraphTest, WhatHasAnEffectIsRun) {
  const auto body = [](const Client& client) {
    const Annotate scope({.pure = true});
    Graph graph;
    graph.add(mark, graph.add(step, 1));
    const Delayed<int> noted = graph.add(step, graph.add(noting, 2));
    const Annotate without({.journalled = false});
    const Delayed<int> never = graph.add(step, 3);
    client.run(graph);
    EXPECT_EQ(noted.value() + never.value(), 7);
  };
  EXPECT_EQ(run(body), 5);
  EXPECT_EQ(run(body), 4);  // all but the first step
}

TEST_P(JournalGraphTest, LargeResultsComeBackUnlessTheyAreDamaged) {
  writes_ = "all";
  const auto body = [](const Client& client) {
    const Annotate scope({.pure = true});
    Graph graph;
    std::vector<Delayed<std::vector<double>>> all;
    for (int i = 0; i < 16; ++i) all.push_back(graph.add(worked, i));
    client.run(graph);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].value().at(9), i + 9);
  };
  EXPECT_EQ(run(body), 16);
  EXPECT_EQ(run(body), 0);
  {
    const std::string file = journal::segment_files(folder_.path() + "/journal").front();
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);
    bytes.put('!');
  }
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 0);
}

TEST_P(JournalGraphTest, TasksThatFailKeepTheirCalls) {
  const auto body = [](const Client& client) {
    const Annotate scope({.pure = true});
    Graph graph;
    const Delayed<int> failed = graph.add(
        [](int x) -> int {
          ++runs;
          throw Error("no " + std::to_string(x));
        },
        graph.add(step, 1));
    EXPECT_THROW(client.run(graph), Error);
    EXPECT_THROW(rerun_locally(failed), Error);
  };
  EXPECT_EQ(run(body), 3);
  EXPECT_EQ(run(body), 2);
}

INSTANTIATE_TEST_SUITE_P(Modes, JournalGraphTest, ::testing::Values("sync", "threads"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace weft
