#include <weft/plan.hpp>

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/layer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <sstream>

namespace weft {
namespace {

using testing::HasSubstr;

/// A result of exactly 1,000 bytes.
struct Kilobyte {
  char bytes[1'000];
};
constexpr std::uint64_t kBytes = 1'000 + sizeof(Box);

Kilobyte make(int) { return {}; }
Kilobyte change(const Kilobyte& a) { return a; }
Kilobyte merge(const Kilobyte& a, const Kilobyte&) { return a; }

const PlanRow& row_of(const Plan& plan, std::uint32_t line) {
  for (const PlanRow& row : plan.rows) {
    if (row.line == line) return row;
  }
  throw std::runtime_error("no row of line " + std::to_string(line));
}

TEST(PlanTest, CountsTasksEdgesAndBytesByLine) {
  std::vector<Delayed<Kilobyte>> leaves;
  for (int i = 0; i < 8; ++i) leaves.push_back(delayed(make)(i));
  const std::uint32_t leaves_line = __LINE__ - 1;
  Delayed<Kilobyte> top = leaves[0];
  for (int i = 1; i < 8; ++i) top = delayed(merge)(top, leaves[static_cast<std::size_t>(i)]);
  const std::uint32_t merges_line = __LINE__ - 1;
  leaves.clear();
  const Plan known = plan(top);
  EXPECT_EQ(known.tasks, 15u);
  EXPECT_EQ(known.edges, 14u);
  EXPECT_EQ(known.packets, 1u);
  EXPECT_EQ(known.longest_chain, 8u);
  EXPECT_EQ(known.output_bytes, 15 * kBytes);
  EXPECT_EQ(known.certainty, Certainty::Exact);
  EXPECT_EQ(row_of(known, leaves_line).tasks, 8u);
  EXPECT_EQ(row_of(known, leaves_line).edges, 0u);
  EXPECT_EQ(row_of(known, merges_line).tasks, 7u);
  EXPECT_EQ(row_of(known, merges_line).edges, 14u);
  // All leaves may be made before the first merge. Depth first, each merge runs as soon as its leaf is there.
  EXPECT_EQ(known.peak_bytes, 9 * kBytes);
  EXPECT_EQ(known.depth_first_peak_bytes, 3 * kBytes);
}

TEST(PlanTest, AChainNeedsTwoResultsAtOnce) {
  Delayed<Kilobyte> last = delayed(make)(0);
  for (int i = 0; i < 99; ++i) last = delayed(change)(last);
  const Plan known = plan(last);
  EXPECT_EQ(known.longest_chain, 100u);
  EXPECT_EQ(known.peak_bytes, 2 * kBytes);
  EXPECT_EQ(known.depth_first_peak_bytes, 2 * kBytes);
}

TEST(PlanTest, ResultsThatAHandleHoldsStayToTheEnd) {
  std::vector<Delayed<Kilobyte>> chain{delayed(make)(0)};
  for (int i = 0; i < 9; ++i) chain.push_back(delayed(change)(chain.back()));
  EXPECT_EQ(plan(chain.back()).peak_bytes, 10 * kBytes);
}

/// The most bytes of any order, by trying random orders of a random graph.
TEST(PlanTest, NoOrderOfARandomGraphNeedsMoreThanTheBound) {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    constexpr std::size_t kTasks = 40;
    std::vector<std::vector<std::size_t>> inputs(kTasks);
    Graph graph;
    {
      std::vector<Delayed<Kilobyte>> tasks;
      for (std::size_t i = 0; i < kTasks; ++i) {
        if (i < 4) {
          tasks.push_back(graph.add(make, 0));
          continue;
        }
        const std::size_t a = random() % i;
        const std::size_t b = random() % 3 == 0 ? random() % i : a;
        inputs[i] = a == b ? std::vector{a} : std::vector{a, b};
        tasks.push_back(a == b ? graph.add(change, tasks[a]) : graph.add(merge, tasks[a], tasks[b]));
      }
    }
    const Plan known = plan(graph);
    std::uint64_t worst = 0;
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<std::size_t> consumers(kTasks);
      for (const auto& of : inputs) {
        for (const std::size_t input : of) ++consumers[input];
      }
      const std::vector<std::size_t> all = consumers;
      std::vector<bool> done(kTasks);
      std::uint64_t alive = 0;
      for (std::size_t ran = 0; ran < kTasks; ++ran) {
        std::vector<std::size_t> ready;
        for (std::size_t i = 0; i < kTasks; ++i) {
          bool may = !done[i];
          for (const std::size_t input : inputs[i]) may = may && done[input];
          if (may) ready.push_back(i);
        }
        const std::size_t task = ready[random() % ready.size()];
        done[task] = true;
        ++alive;
        worst = std::max(worst, alive);
        for (const std::size_t input : inputs[task]) alive -= --consumers[input] == 0 ? 1 : 0;
      }
    }
    EXPECT_GE(known.peak_bytes, worst * kBytes) << round;
    EXPECT_GE(known.peak_bytes, known.depth_first_peak_bytes) << round;
    EXPECT_LE(known.peak_bytes, kTasks * kBytes);
  }
}

TEST(PlanTest, SizesThatOnlyARunTellsAreEstimatedAndNamed) {
  const auto text = delayed([](int n) { return std::vector<int>(static_cast<std::size_t>(n)); })(3);
  const Plan known = plan(text);
  EXPECT_EQ(known.certainty, Certainty::Estimated);
  ASSERT_EQ(known.estimated.size(), 1u);
  EXPECT_THAT(known.estimated[0], HasSubstr("plan_test.cpp:"));
}

TEST(PlanTest, AGraphThatRanTellsItsSizes) {
  const Client client(Options{.scheduler = "sync"});
  Graph graph;
  const auto large = graph.add([](int n) { return std::vector<char>(static_cast<std::size_t>(n)); }, 50'000);
  EXPECT_LT(plan(graph).output_bytes, 1'000u);
  client.run(graph);
  EXPECT_GE(plan(graph).output_bytes, 50'000u);
  EXPECT_EQ(plan(graph).tasks, 1u);
  EXPECT_EQ(plan(graph).finished, 0u);
}

TEST(PlanTest, WhatIsThereDoesNotRunAgain) {
  const Client client(Options{.scheduler = "sync"});
  const Delayed<Kilobyte> first = delayed(make)(1);
  client.persist(first).result();
  const Plan known = plan(delayed(change)(first));
  EXPECT_EQ(known.tasks, 1u);
  EXPECT_EQ(known.finished, 1u);
  EXPECT_EQ(known.longest_chain, 1u);
}

TEST(PlanTest, ABillionTasksOfAFormulaTakeNoTimeAndRunNothing) {
  static std::atomic<std::uint64_t> calls;
  calls = 0;
  const auto begun = std::chrono::steady_clock::now();
  const auto total = generate_blocks(1'000'000'000, [](std::uint64_t i) {
                       return ++calls, i;
                     }).map([](std::uint64_t i) {
                         return i * 2;
                       }).reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
  const Plan known = plan(total, {.slots = 4});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(seconds.count(), 1.0);
  EXPECT_EQ(calls, 0u);
  // Two layers, and a tree of fan-in 8 above 10^9 values.
  std::uint64_t tree = 0;
  for (std::uint64_t nodes = 1'000'000'000; nodes > 1; tree += nodes) nodes = (nodes + 7) / 8;
  EXPECT_EQ(known.tasks, 2'000'000'000 + tree);
  EXPECT_EQ(known.longest_chain, 2u + 10u);
  EXPECT_LT(known.peak_bytes, 1'000'000u);
  EXPECT_EQ(known.certainty, Certainty::Bounded);
  ASSERT_GE(known.rows.size(), 3u);
  EXPECT_EQ(known.rows[0].name, "generate");
  EXPECT_THAT(known.rows[0].file, HasSubstr("plan_test.cpp"));
  EXPECT_EQ(known.rows[0].tasks, 1'000'000'000u);
  EXPECT_EQ(known.rows[1].name, "map");
}

TEST(PlanTest, ThePlanOfASmallFormulaIsWhatRuns) {
  const Client client(Options{.scheduler = "sync"});
  for (const std::uint64_t count : {1u, 7u, 8u, 9u, 5'000u, 70'001u}) {
    const auto total = generate_blocks(count, [](std::uint64_t i) {
                         return i;
                       }).reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
    const Plan known = plan(total);
    std::uint64_t tree = 0;
    for (std::uint64_t nodes = count; nodes > 1; tree += nodes) nodes = (nodes + 7) / 8;
    EXPECT_EQ(known.tasks, count + tree) << count;
  }
}

TEST(PlanTest, LayersCanBePlannedBeforeTheyAreReduced) {
  const auto blocks = generate_blocks(1'000, [](std::uint64_t i) { return i; });
  const Plan known = plan(blocks.map([](std::uint64_t a, std::uint64_t b) { return a + b; }, blocks), {.slots = 2});
  EXPECT_EQ(known.tasks, 2'000u);
  EXPECT_EQ(known.longest_chain, 2u);
  EXPECT_EQ(known.edges, 2'000u);
  EXPECT_EQ(known.peak_bytes, 2u * 2u * 8u);
}

TEST(PlanTest, PlanningRunsNothingAndEmptyHandlesAreRefused) {
  static std::atomic<int> calls;
  calls = 0;
  const auto lazy = delayed([] { return ++calls; })();
  plan(lazy);
  explain(lazy);
  plan(std::vector{lazy, lazy});
  EXPECT_EQ(calls, 0);
  EXPECT_THROW(plan(Delayed<int>()), Error);
}

TEST(PlanTest, TextNamesWhatStandsOut) {
  Delayed<Kilobyte> last = delayed(make)(0);
  for (int i = 0; i < 40; ++i) last = delayed(change)(last);
  std::ostringstream out;
  out << plan(last, {.slots = 8});
  EXPECT_THAT(out.str(), HasSubstr("41 tasks to run, in 1 packet; the longest chain has 41 tasks"));
  const std::string text = explain(last, {.slots = 8, .memory_bytes = 100});
  EXPECT_THAT(text, HasSubstr("longest chain: "));
  EXPECT_THAT(text, HasSubstr("on average 1.0 tasks can run at once"));
  EXPECT_THAT(text, HasSubstr("spilled to disk"));
}

}  // namespace
}  // namespace weft
