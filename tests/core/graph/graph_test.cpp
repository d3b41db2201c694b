#include <weft/graph.hpp>

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace weft {
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

INSTANTIATE_TEST_SUITE_P(Modes, GraphTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
