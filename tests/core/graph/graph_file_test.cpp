#include "core/graph/graph_file.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Value = std::uint64_t;

Value mix(Value a, Value b) { return (a ^ (b + 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u; }
Value seed(Value a) { return a * 0x94d049bb133111ebu; }
std::string joined(const std::map<std::string, Value>& values, const std::string& separator) {
  std::string text;
  for (const auto& [name, value] : values) text += name + separator + std::to_string(value) + "\n";
  return text;
}

/// A folder of this test, gone when it ends.
class GraphFileTest : public testing::Test {
 protected:
  GraphFileTest() {
    char pattern[] = "/tmp/weft_graph_file_XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~GraphFileTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  static std::string refusal_of(const std::string& path) {
    try {
      Graph::load(path);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  /// The same without a file.
  static std::string refusal_of_bytes(const std::string& bytes) {
    try {
      parse_graph_file("bytes", bytes);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  /// Saves a graph of a few kinds of tasks: y = joined({"sum": mix(x, seed(5)), "x": x}, ":").
  std::string save_small() const {
    Graph graph;
    const Delayed<Value> x = graph.input(Value{3});
    const Delayed<Value> sum = graph.add(mix, x, graph.add(seed, Value{5}));
    const auto y = graph.add(joined, std::map<std::string, Delayed<Value>>{{"sum", sum}, {"x", x}}, ":");
    graph.name("x", x);
    graph.name("y", y);
    graph.save(path("small.weftgraph"));
    return path("small.weftgraph");
  }
  static std::string expected_of(Value x) {
    return "sum:" + std::to_string(mix(x, seed(5))) + "\nx:" + std::to_string(x) + "\n";
  }

  std::string folder_;
};

TEST_F(GraphFileTest, ALoadedGraphRunsWithNewInputsAsTheBuiltOneDoes) {
  const std::string file = save_small();
  for (const char* const scheduler : {"sync", "threads"}) {
    const Client client(Options{.scheduler = scheduler, .threads = 2});
    Graph graph = Graph::load(file);
    EXPECT_EQ(graph.task_count(), 4u);
    const Delayed<std::string> y = graph.get<std::string>("y");
    client.run(graph);
    EXPECT_EQ(y.value(), expected_of(3));
    for (const Value x : {7u, 8u}) {
      graph.set("x", x + Value{0});
      client.run(graph);
      EXPECT_EQ(y.value(), expected_of(x));
    }
    graph.set(graph.get<Value>("x"), Value{11});
    client.run(graph);
    EXPECT_EQ(y.value(), expected_of(11));
  }
}

TEST_F(GraphFileTest, ALargeRandomGraphSurvives) {
  std::vector<Value> expected;
  {
    Graph graph;
    std::vector<Delayed<Value>> tasks;
    Value state = 1;
    const auto pick = [&](std::size_t below) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % below;
    };
    for (std::size_t i = 0; i < 20'000; ++i) {
      if (i < 2) {
        expected.push_back(seed(i));
        tasks.push_back(graph.add(seed, Value{i}));
      } else {
        const std::size_t a = pick(i);
        const std::size_t b = pick(i);
        expected.push_back(mix(expected[a], expected[b]));
        tasks.push_back(graph.add(mix, tasks[a], tasks[b]));
      }
      if (i % 1'000 == 999) graph.name(std::to_string(i), tasks[i]);
    }
    graph.save(path("large"));
  }
  const Client client(Options{.scheduler = "threads", .threads = 2});
  Graph graph = Graph::load(path("large"));
  client.run(graph);
  for (std::size_t i = 999; i < 20'000; i += 1'000) {
    EXPECT_EQ(graph.get<Value>(std::to_string(i)).value(), expected[i]) << i;
  }
}

TEST_F(GraphFileTest, SavingAfterARunKeepsTheInputsOfThatRun) {
  const Client client(Options{.scheduler = "sync"});
  Graph graph = Graph::load(save_small());
  graph.set("x", Value{21});
  client.run(graph);
  graph.save(path("again"));
  Graph again = Graph::load(path("again"));
  client.run(again);
  EXPECT_EQ(again.get<std::string>("y").value(), expected_of(21));
}

TEST_F(GraphFileTest, ValuesFromOutsideAreSavedWithTheGraph) {
  {
    const Client client(Options{.scheduler = "sync"});
    const Future<Value> small = client.submit(seed, Value{9});
    const Future<std::vector<double>> large = client.submit([] { return std::vector<double>(1'000, 0.5); });
    Graph graph;
    graph.name("small", graph.add(mix, small, Value{1}));
    graph.name("large", graph.add([](const std::vector<double>& all) { return all.size() * 10; }, large));
    EXPECT_THROW(graph.save(path("early")), Error);
    small.result();
    large.result();
    graph.save(path("outside"));
  }
  const Client client(Options{.scheduler = "sync"});
  Graph graph = Graph::load(path("outside"));
  client.run(graph);
  client.run(graph);
  EXPECT_EQ(graph.get<Value>("small").value(), mix(seed(9), 1));
  EXPECT_EQ(graph.get<std::size_t>("large").value(), 10'000u);
}

TEST_F(GraphFileTest, AnotherProcessOfTheProgramReadsIt) {
  const std::string file = save_small();
  ::setenv("WEFT_TEST_GRAPH_FILE", file.c_str(), 1);
  const std::string command =
      std::filesystem::read_symlink("/proc/self/exe").string() +
      " --gtest_also_run_disabled_tests --gtest_filter=GraphFileChild.DISABLED_LoadsAndRuns > " + path("child.log");
  EXPECT_EQ(std::system(command.c_str()), 0) << bytes_of(path("child.log"));
  EXPECT_THAT(bytes_of(path("child.log")), HasSubstr("[  PASSED  ] 1 test"));
  ::unsetenv("WEFT_TEST_GRAPH_FILE");
}

// Run by the test above, in a process of its own: there functions and constants lie at other addresses.
TEST(GraphFileChild, DISABLED_LoadsAndRuns) {
  const char* const file = std::getenv("WEFT_TEST_GRAPH_FILE");
  ASSERT_NE(file, nullptr);
  const Client client(Options{.scheduler = "sync"});
  Graph graph = Graph::load(file);
  client.run(graph);
  EXPECT_THAT(graph.get<std::string>("y").value(), HasSubstr("sum:" + std::to_string(mix(3, seed(5)))));
}

TEST_F(GraphFileTest, NamesAreTypedAndMistakesSayWhatIsThere) {
  Graph graph = Graph::load(save_small());
  const std::vector<NamedTask> names = graph.names();
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0].name, "x");
  EXPECT_TRUE(names[0].is_input);
  EXPECT_EQ(names[1].name, "y");
  EXPECT_FALSE(names[1].is_input);
  const auto message_of = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(message_of([&] { graph.get<Value>("z"); }), AllOf(HasSubstr("\"z\""), HasSubstr("\"x\", \"y\"")));
  EXPECT_THAT(message_of([&] { graph.get<float>("x"); }), AllOf(HasSubstr("unsigned"), HasSubstr("not float")));
  EXPECT_THAT(message_of([&] { graph.set("y", "text"); }), HasSubstr("not an input"));
  Graph other;
  const Delayed<Value> stranger = other.input(Value{1});
  EXPECT_THAT(message_of([&] { graph.name("s", stranger); }), HasSubstr("not a task of this graph"));
  EXPECT_THAT(message_of([&] { graph.name("x", graph.get<std::string>("y")); }), HasSubstr("another task"));
}

TEST_F(GraphFileTest, WhatCannotLeaveTheProcessIsNamedWhenSaving) {
  Graph graph;
  int local = 4;
  graph.add([&local](int a) { return a + local; }, 1);
  try {
    graph.save(path("never"));
    FAIL() << "saved";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("graph_file_test.cpp:"), HasSubstr("pointer or reference")));
  }
  EXPECT_FALSE(std::filesystem::exists(path("never")));
}

TEST_F(GraphFileTest, EveryChangedByteIsOneError) {
  const std::string whole = bytes_of(save_small());
  ASSERT_LT(whole.size(), 4'096u);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      ASSERT_THAT(refusal_of_bytes(bytes), testing::AnyOf(HasSubstr("is damaged"), HasSubstr("is no graph file")))
          << at;
    }
  }
}

TEST_F(GraphFileTest, EveryTruncationAndEveryTailIsOneError) {
  const std::string whole = bytes_of(save_small());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_THAT(refusal_of_bytes(whole.substr(0, size)),
                testing::AnyOf(HasSubstr("is damaged"), HasSubstr("is no graph file")))
        << size;
  }
  write(path("damaged"), whole.substr(0, whole.size() / 2));
  EXPECT_THAT(refusal_of(path("damaged")), HasSubstr("is damaged"));
  write(path("damaged"), whole + '\0');
  EXPECT_THAT(refusal_of(path("damaged")), HasSubstr("is damaged"));
}

/// Saves a small graph, changes what the file says, and writes that as a whole file again.
class ChangedGraphFileTest : public GraphFileTest {
 protected:
  ChangedGraphFileTest() : content_(read_graph_file(save_small())) {}
  std::string refusal() {
    write_graph_file(path("changed"), content_);
    return refusal_of(path("changed"));
  }
  GraphFile content_;
};

TEST_F(ChangedGraphFileTest, ACycleIsNamedWithItsTasks) {
  // x, seed, mix(x, seed), joined(mix, x): the second task has no input to change, so mix takes what follows from it.
  ASSERT_EQ(content_.inputs.size(), 4u);
  content_.inputs[0] = 3;
  const std::string text = refusal();
  EXPECT_THAT(
      text, AllOf(HasSubstr("cycle"), HasSubstr("task 2 ("), HasSubstr("task 3 ("), HasSubstr("graph_file_test.cpp:")));
}

TEST_F(ChangedGraphFileTest, ATaskThatNeedsItselfIsACycle) {
  content_.inputs[1] = 2;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("cycle"), HasSubstr("needs itself")));
}

TEST_F(ChangedGraphFileTest, AnInputThatIsNotThereIsNamed) {
  content_.inputs[1] = 77;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("task 2 ("), HasSubstr("takes the result of task 77"), HasSubstr("4 tasks")));
}

TEST_F(ChangedGraphFileTest, LaterTasksWithoutACycleAreAWrongOrder) {
  std::swap(content_.tasks[0].input_count, content_.tasks[3].input_count);
  content_.inputs = {2, 1, 1, 1};
  EXPECT_THAT(refusal(), HasSubstr("wrong order"));
}

TEST_F(ChangedGraphFileTest, AnotherProgramIsToldFromThisOne) {
  content_.program_digest ^= 1;
  content_.program = "forecast";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("saved by forecast"), HasSubstr("and this is weft_core_tests")));
}

TEST_F(ChangedGraphFileTest, AnotherVersionIsTold) {
  write_graph_file(path("next"), content_, 2);
  EXPECT_THAT(refusal_of(path("next")), AllOf(HasSubstr("version 2"), HasSubstr("reads version 1")));
}

TEST_F(ChangedGraphFileTest, CountsThatDoNotFitAreDamage) {
  const GraphFile good = content_;
  content_.tasks[0].kind = 99;
  EXPECT_THAT(refusal(), HasSubstr("is of kind 99"));
  content_ = good;
  content_.tasks[0].input_count = 1'000;
  EXPECT_THAT(refusal(), HasSubstr("more inputs than the file"));
  content_ = good;
  content_.tasks[0].closure_bytes = ~std::uint64_t{0};
  EXPECT_THAT(refusal(), HasSubstr("outside of the file"));
  content_ = good;
  content_.inputs.push_back(0);
  EXPECT_THAT(refusal(), HasSubstr("left over"));
  content_ = good;
  content_.names[0].task = 4;
  EXPECT_THAT(refusal(), HasSubstr("the name \"x\""));
  content_ = good;
  content_.names[0].name = content_.names[1].name;
  EXPECT_THAT(refusal(), HasSubstr("two tasks have the name"));
  content_ = good;
  content_.kinds[0].address[3] = static_cast<char>(content_.kinds[0].address[3] ^ 1);
  EXPECT_THAT(refusal(), HasSubstr("which this program has not"));
}

TEST_F(ChangedGraphFileTest, AFailedLoadLeavesNothingBehind) {
  content_.closures.back() = static_cast<char>(content_.closures.back() ^ 1);
  content_.closures.resize(content_.closures.size() - 1);
  --content_.tasks.back().closure_bytes;
  arena::flush_frees();
  const std::size_t before = arena::usage().live_tasks;
  for (int round = 0; round < 3; ++round) EXPECT_THAT(refusal(), HasSubstr("cannot be read"));
  arena::flush_frees();
  EXPECT_LE(arena::usage().live_tasks, before + arena::kSegmentTasks);
}

TEST_F(GraphFileTest, FilesThatAreNotThereOrNotWritableAreNamed) {
  EXPECT_THAT(refusal_of(path("absent")), AllOf(HasSubstr("absent"), HasSubstr("cannot be read")));
  Graph graph;
  EXPECT_THROW(graph.save("/no/such/folder/graph"), ConfigError);
  EXPECT_THROW(graph.save("/dev/null"), ConfigError);  // stays what it is
  EXPECT_THROW(graph.save("/tmp"), ConfigError);
  EXPECT_THAT(refusal_of("/dev/null"), HasSubstr("is no graph file"));
  graph.save(path("empty"));
  EXPECT_EQ(Graph::load(path("empty")).task_count(), 0u);
}

}  // namespace
}  // namespace weft
