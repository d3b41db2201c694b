#include <weft/graph.hpp>

#include "core/graph/boxes.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft {
namespace {

/// Counts how many copies of it are alive; a task that holds one has something to destroy.
struct Counted {
  explicit Counted(int number) : value(number) { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++alive; }
  ~Counted() { --alive; }
  int value;
  static inline std::atomic<int> alive{0};
};

}  // namespace

template <>
inline constexpr bool local_only<Counted> = true;

namespace {

using Value = std::uint64_t;

Value mix(Value a, Value b) { return (a ^ (b + 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u; }
Value seed(Value a) { return a * 0x94d049bb133111ebu; }

class GraphTest : public testing::TestWithParam<const char*> {
 protected:
  Client client_{Options{.scheduler = GetParam(), .threads = 2}};
};

/// Builds the same random graph in weft and by straight-line evaluation.
struct RandomGraph {
  RandomGraph(Graph& graph, std::size_t tasks, std::uint64_t state) {
    for (std::size_t i = 0; i < tasks; ++i) {
      if (i < 2) {
        expected.push_back(seed(i));
        handles.push_back(graph.add(seed, Value{i}));
        continue;
      }
      state = state * 6364136223846793005u + 1442695040888963407u;
      const std::size_t a = (state >> 33) % i;
      state = state * 6364136223846793005u + 1442695040888963407u;
      const std::size_t b = (state >> 33) % i;
      expected.push_back(mix(expected[a], expected[b]));
      handles.push_back(graph.add(mix, handles[a], handles[b]));
    }
  }
  std::vector<Value> expected;
  std::vector<Delayed<Value>> handles;
};

TEST_P(GraphTest, EveryResultOfARandomGraphIsRight) {
  for (const std::size_t tasks : {1u, 2u, 3u, 1'000u, 50'000u}) {
    Graph graph;
    const RandomGraph random(graph, tasks, tasks);
    EXPECT_EQ(graph.task_count(), tasks);
    client_.run(graph);
    for (std::size_t i = 0; i < tasks; ++i) ASSERT_EQ(random.handles[i].value(), random.expected[i]) << i;
  }
}

TEST_P(GraphTest, RunningAgainWithNewInputsRecomputesEverything) {
  Graph graph;
  const Delayed<double> input = graph.input(2.0);
  const Delayed<double> square = graph.add([](double a) { return a * a; }, input);
  const Delayed<std::string> text = graph.add([](double a) { return std::to_string(a); }, square);
  client_.run(graph);
  EXPECT_EQ(square.value(), 4);
  for (int i = 0; i < 10; ++i) {
    graph.set(input, double(i));
    client_.run(graph);
    EXPECT_EQ(square.value(), i * i);
    EXPECT_EQ(text.value(), std::to_string(double(i) * i));
  }
}

TEST_P(GraphTest, FailureIsThrownAndTheNextRunMaySucceed) {
  Graph graph;
  const Delayed<int> input = graph.input(1);
  const Delayed<int> checked = graph.add([](int a) { return a > 0 ? throw std::runtime_error("positive") : a; }, input);
  const Delayed<int> next = graph.add([](int a) { return a - 1; }, checked);
  EXPECT_THROW(client_.run(graph), TaskError);
  EXPECT_THROW(next.value(), TaskError);
  graph.set(input, -1);
  client_.run(graph);
  EXPECT_EQ(next.value(), -2);
}

TEST_P(GraphTest, HandlesMayOutliveTheGraph) {
  Delayed<Value> kept;
  {
    Graph graph;
    kept = graph.add(mix, graph.add(seed, Value{1}), graph.add(seed, Value{2}));
    client_.run(graph);
  }
  EXPECT_EQ(kept.value(), mix(seed(1), seed(2)));
}

TEST_P(GraphTest, AGraphThatNeverRanIsFreed) {
  {
    Graph warm_up;
    RandomGraph random(warm_up, 5'000, 1);
  }
  arena::flush_frees();
  const std::size_t before = arena::usage().live_tasks;
  for (int round = 0; round < 5; ++round) {
    Graph graph;
    const RandomGraph random(graph, 5'000, 1);
  }
  arena::flush_frees();
  EXPECT_LE(arena::usage().live_tasks, before + arena::kSegmentTasks);
}

TEST_P(GraphTest, TasksTakeFuturesThatAreStillRunning) {
  const Future<Value> running = client_.submit(seed, Value{3});
  Graph graph;
  const Delayed<Value> mixed = graph.add(mix, running, Value{4});
  client_.run(graph);
  EXPECT_EQ(mixed.value(), mix(seed(3), 4));
}

TEST_P(GraphTest, TasksAddedAfterARunRunWithTheNext) {
  Graph graph;
  const Delayed<int> one = graph.input(1);
  const Delayed<std::string> text = graph.add([](int a) { return std::string(40, static_cast<char>('a' + a)); }, one);
  client_.run(graph);
  const Delayed<int> two = graph.add([](int a) { return a + 1; }, one);
  const Delayed<std::size_t> length = graph.add([](const std::string& a, int b) { return a.size() + b; }, text, two);
  client_.run(graph);
  EXPECT_EQ(two.value(), 2);
  EXPECT_EQ(length.value(), 42u);
  graph.set(one, 5);
  client_.run(graph);
  EXPECT_EQ(length.value(), 46u);
  EXPECT_EQ(text.value(), std::string(40, 'f'));
}

TEST_P(GraphTest, ATaskAddedAfterTheLastRunCanStillBeComputed) {
  Delayed<int> last;
  {
    Graph graph;
    const Delayed<int> one = graph.add([] { return 1; });
    client_.run(graph);
    const Delayed<int> two = graph.add([](int a) { return a + 1; }, one);
    last = graph.add([](int a, int b) { return a + b; }, one, two);
  }
  EXPECT_EQ(client_.compute(last), 3);
}

TEST_P(GraphTest, AnUnrunTaskKeepsItsInputsWithoutTheGraph) {
  const std::size_t before = arena::usage().live_tasks;
  {
    Delayed<int> last;
    {
      Graph graph;
      Delayed<int> value = graph.add([] { return 0; });
      for (int i = 0; i < 600; ++i) value = graph.add([](int a) { return a + 1; }, value);
      last = graph.add([](int a, const std::string& b) { return a + static_cast<int>(b.size()); }, value,
                       graph.add([] { return std::string("four"); }));
    }
    EXPECT_EQ(client_.compute(last), 604);
  }
  arena::flush_frees();
  EXPECT_LE(arena::usage().live_tasks, before + 2 * arena::kSegmentTasks);
}

TEST_P(GraphTest, WhatLiesOutsideIsThereForEveryRun) {
  Graph graph;
  Future<std::vector<int>> outside = client_.submit([] { return std::vector<int>(1000, 7); });
  const Delayed<int> input = graph.input(1);
  const Delayed<int> sum = graph.add([](const std::vector<int>& a, int b) { return a[999] + b; }, outside, input);
  outside.release();
  for (int i = 0; i < 3; ++i) {
    graph.set(input, i);
    client_.run(graph);
    EXPECT_EQ(sum.value(), 7 + i);
  }
}

TEST_P(GraphTest, AFailedTasksClosureIsDestroyedOnce) {
  if (detail::checking_transfer()) GTEST_SKIP() << "a Counted stays in its process";
  const int before = Counted::alive.load();
  {
    Graph graph;
    Delayed<int> input = graph.input(1);
    Delayed<int> failing = graph.add(
        [](const Counted& a, int b) -> int {
          if (b != 0) throw std::runtime_error("not yet");
          return a.value;
        },
        Counted(3), input);
    Delayed<int> dependent = graph.add([](const Counted& a, int b) { return a.value + b; }, Counted(4), failing);
    EXPECT_THROW(client_.run(graph), TaskError);
    EXPECT_EQ(Counted::alive.load(), before + 2);
    failing = {};  // the graph may run it again all the same
    graph.set(input, 0);
    client_.run(graph);
    EXPECT_EQ(dependent.value(), 7);
    graph.set(input, 1);
    EXPECT_THROW(client_.run(graph), TaskError);
  }
  EXPECT_EQ(Counted::alive.load(), before);
}

TEST_P(GraphTest, AFailureCanBeLookedAtAfterItsGraphHasGone) {
  Delayed<int> failing;
  {
    Graph graph;
    const Delayed<int> input = graph.add([] { return 41; });
    failing = graph.add([](int a) -> int { throw std::runtime_error("at " + std::to_string(a)); }, input);
    EXPECT_THROW(client_.run(graph), TaskError);
  }
  try {
    rerun_locally(failing);
    FAIL() << "it does not throw any more";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "at 41");
  }
}

TEST_P(GraphTest, EveryRunFindsTheFuturesItTakes) {
  Graph graph;
  Delayed<std::size_t> size;
  {
    const auto large = client_.submit([] { return std::vector<int>(5'000, 1); });
    size = graph.add([](const std::vector<int>& all) { return all.size(); }, large);
  }
  for (int run = 0; run < 3; ++run) {
    client_.run(graph);
    EXPECT_EQ(size.value(), 5'000u);
  }
}

TEST_P(GraphTest, FinishedFuturesThatItTookAreFreedWithIt) {
  {
    Graph graph;
    {
      Future<std::vector<double>> outside = client_.submit([] { return std::vector<double>(100, 1.0); });
      outside.result();
      graph.add([](const std::vector<double>& all) { return all.size(); }, outside);
    }
    client_.run(graph);
    client_.run(graph);
    EXPECT_GE(boxes::small_bytes(), 800u);
  }
  EXPECT_LT(boxes::small_bytes(), 800u);
}

TEST_P(GraphTest, WhatAnotherGraphGivesMustHaveRun) {
  Graph first;
  const auto input = first.input(Value{1});
  Graph second;
  const auto next = second.add(seed, input);
  EXPECT_THROW(client_.run(second), Error);
  client_.run(first);
  client_.run(second);
  EXPECT_EQ(next.value(), seed(1));
}

TEST_P(GraphTest, LazyValuesFromOutsideAreComputedWithTheGraph) {
  const auto lazy = delayed(seed)(delayed(seed)(Value{3}));
  Graph graph;
  const auto next = graph.add(mix, lazy, graph.input(Value{1}));
  client_.run(graph);
  EXPECT_EQ(next.value(), mix(seed(seed(3)), 1));
  client_.run(graph);
  EXPECT_EQ(next.value(), mix(seed(seed(3)), 1));
}

TEST_P(GraphTest, AGraphThatWasMovedFromSaysSo) {
  Graph from;
  const auto input = from.input(Value{1});
  const auto next = from.add(seed, input);
  Graph to = std::move(from);
  client_.run(to);
  EXPECT_EQ(next.value(), seed(1));
  EXPECT_EQ(from.task_count(), 0u);
  EXPECT_THROW(client_.run(from), Error);
  EXPECT_THROW(from.add(seed, Value{2}), Error);
  EXPECT_THROW(from.set(input, Value{2}), Error);
  EXPECT_THROW(from.name("x", input), Error);
  EXPECT_THROW(from.names(), Error);
  to.add(seed, next);
  client_.run(to);
  from = std::move(to);
  client_.run(from);
  EXPECT_EQ(from.task_count(), 3u);
}

TEST_P(GraphTest, SettingWhatIsNoInputIsAnError) {
  Graph graph;
  const Delayed<Value> task = graph.add(seed, Value{1});
  EXPECT_THROW(graph.set(task, Value{2}), Error);
}

TEST(GraphLimitTest, AGraphOverItsLimitIsRefusedNamingItsLargestParts) {
  const Client client(Options{.scheduler = "sync", .graph_limit_bytes = "1MiB"});
  Graph graph;
  const RandomGraph random(graph, 50'000, 1);
  try {
    client.run(graph);
    FAIL() << "not refused";
  } catch (const MemoryError& error) {
    EXPECT_NE(std::string(error.what()).find("graph_test.cpp:"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("50000 tasks"), std::string::npos) << error.what();
  }
}

TEST(GraphLimitTest, LazyWorkOverTheLimitIsRefusedAndCanStillBeComputedWithAHigherOne) {
  Delayed<Value> last = delayed(seed)(Value{1});
  Value expected = seed(1);
  for (Value i = 0; i < 50'000; ++i) {
    last = delayed(mix)(last, i);
    expected = mix(expected, i);
  }
  {
    const Client client(Options{.scheduler = "sync", .graph_limit_bytes = "1MiB"});
    try {
      client.compute(last);
      FAIL() << "not refused";
    } catch (const MemoryError& error) {
      EXPECT_NE(std::string(error.what()).find("graph_test.cpp:"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("50001 tasks"), std::string::npos) << error.what();
    }
    EXPECT_EQ(client.compute(delayed(seed)(Value{2})), seed(2));
  }
  const Client client(Options{.scheduler = "sync"});
  EXPECT_EQ(client.compute(last), expected);
}

TEST(GraphLimitTest, ManySmallGraphsThatAreComputedTogetherAreRefusedAsOne) {
  std::vector<Delayed<Value>> ends;
  for (Value i = 0; i < 10'000; ++i) {
    Delayed<Value> last = delayed(seed)(i);
    for (Value link = 0; link < 4; ++link) last = delayed(mix)(last, link);
    ends.push_back(last);
  }
  const Client client(Options{.scheduler = "sync", .graph_limit_bytes = "1MiB"});
  const auto refusal = [&](const auto& call) -> std::string {
    try {
      call();
    } catch (const MemoryError& error) {
      return error.what();
    }
    return "not refused";
  };
  for (const std::string& text : {refusal([&] { client.compute(ends); }), refusal([&] { client.persist(ends); })}) {
    EXPECT_NE(text.find("50000 tasks"), std::string::npos) << text;
    EXPECT_NE(text.find("(40000 tasks"), std::string::npos) << text;
  }
  EXPECT_EQ(client.counts().total, 0u);
  EXPECT_EQ(client.compute(ends[7]), mix(mix(mix(mix(seed(7), 0), 1), 2), 3));
}

INSTANTIATE_TEST_SUITE_P(Modes, GraphTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
