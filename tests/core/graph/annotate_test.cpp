#include <weft/annotate.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/bag.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/layer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::atomic<int> attempts{0};
/// Throws at its first two attempts.
int third_time(int n) {
  if (++attempts < 3) throw std::runtime_error("not yet");
  return n;
}
int increment(int n) { return n + 1; }
int failing(int) { throw std::runtime_error("no"); }

/// What runs, in the order in which it does.
std::mutex order_mutex;
std::vector<int> order;
int note(int n) {
  const std::lock_guard lock(order_mutex);
  order.push_back(n);
  return n;
}

class AnnotateTest : public testing::TestWithParam<Mode> {
 protected:
  AnnotateTest() {
    attempts = 0;
    order.clear();
  }
  Client client_{GetParam().options(), {{"licence", 1}}};
};
INSTANTIATE_TEST_SUITE_P(Modes, AnnotateTest, testing::ValuesIn(kModes), kModeName);

TEST_P(AnnotateTest, RetriesReachWhateverDescribesATask) {
  const auto runs = [&](const char* what, const auto& call) {
    attempts = 0;
    EXPECT_THROW(call(), TaskError) << what << " without a scope";
    attempts = 0;
    const Annotate scope({.retries = 2});
    EXPECT_EQ(call(), 7) << what;
    EXPECT_EQ(attempts, 3) << what;
  };
  runs("submit", [&] { return client_.submit(third_time, 7).result(); });
  runs("map", [&] { return client_.map(third_time, std::vector<int>{7}).front().result(); });
  runs("delayed", [&] { return client_.compute(delayed(increment)(delayed(third_time)(6))); });
  runs("bag", [&] {
    return client_.compute(bag_from(std::vector<int>{7}, 1).map([](int n) { return third_time(n); }).sum());
  });
  runs("blocks", [&] {
    return client_.compute(generate_blocks(1, [](std::uint64_t) { return third_time(7); }).reduce(std::plus<>()));
  });
  runs("graph", [&] {
    Graph graph;
    const auto result = graph.add(increment, graph.add(third_time, 6));
    client_.run(graph);
    return result.value();
  });
}

TEST_P(AnnotateTest, OptionsOfAGraphsTasksAreForAllRuns) {
  Graph graph;
  Delayed<int> result;
  {
    const Annotate scope({.retries = 2, .name = "stubborn"});
    result = graph.add(increment, graph.add(third_time, 6));
  }
  for (int run = 0; run < 3; ++run) {
    attempts = 0;
    client_.run(graph);
    EXPECT_EQ(result.value(), 7);
    EXPECT_THAT(result.name(), HasSubstr("stubborn/"));
  }
}

TEST_P(AnnotateTest, NamesAreJoinedAndErrorsCarryThem) {
  const Annotate outer({.name = "nightly"});
  {
    const Annotate inner({.name = "load"});
    EXPECT_THAT(client_.submit(failing, 1).traceback(), AllOf(HasSubstr("nightly/load/"), HasSubstr("no")));
    EXPECT_THAT(client_.with({.name = "page"}).submit(failing, 1).traceback(), HasSubstr("nightly/load/page #"));
    EXPECT_THAT(delayed(increment)(1).name(), HasSubstr("nightly/load/function at annotate_test.cpp:"));
  }
  EXPECT_THAT(delayed(increment)(1).name(), AllOf(HasSubstr("nightly/"), Not(HasSubstr("load"))));
}

TEST_P(AnnotateTest, InnerScopesAndCallsGoFirst) {
  const Annotate outer({.priority = 1, .retries = 1, .resources = {{"licence", 1}}, .workers = {"here"}});
  const Annotate inner({.priority = 2, .resources = {{"slots", 1}}, .memory_bytes = 10});
  const TaskOptions now = annotations();
  EXPECT_EQ(now.priority, 2);
  EXPECT_EQ(now.retries, 1u);
  EXPECT_EQ(now.memory_bytes, 10u);
  EXPECT_EQ(now.resources, (std::map<std::string, std::uint32_t>{{"licence", 1}, {"slots", 1}}));
  EXPECT_THAT(now.workers, ElementsAre("here"));
  attempts = 0;
  const auto picky = client_.with({.retries = 5, .workers = {"worker-0"}});
  EXPECT_EQ(picky.submit(third_time, 4).result(), 4);
}

TEST_P(AnnotateTest, OtherThreadsAndLaterTasksAreLeftAlone) {
  {
    const Annotate scope({.name = "mine"});
    std::string name;
    std::thread([&] { name = delayed(increment)(1).name(); }).join();
    EXPECT_THAT(name, Not(HasSubstr("mine")));
  }
  EXPECT_TRUE(annotations().plain());
  EXPECT_THAT(delayed(increment)(1).name(), Not(HasSubstr("mine")));
}

TEST_P(AnnotateTest, NeedsThatNobodyHasFailATaskOfAGraph) {
  Graph graph;
  const auto fine = graph.add(increment, 1);
  {
    const Annotate scope({.resources = {{"GPU", 1}}});
    graph.add(increment, fine);
  }
  EXPECT_THAT(message_of([&] { client_.run(graph); }), AllOf(HasSubstr("\"GPU\""), HasSubstr("annotate_test.cpp:")));
}

TEST_P(AnnotateTest, AResourceIsTakenByOneTaskOfAGraphAtATime) {
  static std::atomic<int> together{0};
  static std::atomic<int> most{0};
  together = most = 0;
  const auto exclusive = [](int n) {
    const int now = ++together;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
    --together;
    return n;
  };
  Graph graph;
  std::vector<Delayed<int>> parts;
  for (int n = 0; n < 20; ++n) {
    const auto before = graph.add(increment, n);
    const Annotate scope({.resources = {{"licence", 1}}});
    parts.push_back(graph.add(exclusive, before));
    parts.push_back(graph.add(exclusive, n));
  }
  const auto sum = graph.add(
      [](const std::vector<int>& all) {
        int total = 0;
        for (const int one : all) total += one;
        return total;
      },
      parts);
  for (int run = 0; run < 3; ++run) {
    client_.run(graph);
    EXPECT_EQ(sum.value(), 2 * 190 + 20);
    EXPECT_EQ(most, 1);
  }
}

TEST_P(AnnotateTest, ManyTasksWithAPriorityStandAmongOthers) {
  // Several packets' worth, so that some of each are alone and some are not.
  constexpr int kTasks = 20'000;
  Graph graph;
  std::vector<Delayed<int>> ends;
  for (int n = 0; n < kTasks; ++n) {
    const auto first = graph.add(increment, n);
    if (n % 97 == 0) {
      const Annotate scope({.priority = n % 2 == 0 ? 3 : -3});
      ends.push_back(graph.add(increment, first));
    } else {
      ends.push_back(graph.add(increment, first));
    }
  }
  for (int run = 0; run < 2; ++run) {
    client_.run(graph);
    for (int n = 0; n < kTasks; ++n) ASSERT_EQ(ends[static_cast<std::size_t>(n)].value(), n + 2);
  }
}

TEST_P(AnnotateTest, AGraphOfTasksThatAreAllAloneRuns) {
  Graph graph;
  const Annotate scope({.priority = 1});
  Delayed<int> last = graph.add(increment, 0);
  for (int n = 1; n < 600; ++n) last = graph.add(increment, last);
  client_.run(graph);
  EXPECT_EQ(last.value(), 600);
}

TEST_P(AnnotateTest, LazyWorkWithOptionsRunsBesideWorkWithout) {
  std::vector<Delayed<int>> parts;
  for (int n = 0; n < 300; ++n) {
    const auto plain = delayed(increment)(n);
    const Annotate scope({.priority = n, .memory_bytes = 1024});
    parts.push_back(delayed(increment)(plain));
  }
  const std::vector<int> values = client_.compute(parts);
  for (int n = 0; n < 300; ++n) EXPECT_EQ(values[static_cast<std::size_t>(n)], n + 2);
}

TEST(AnnotateOrderTest, HigherPrioritiesOfAGraphRunFirst) {
  order.clear();
  const Client client(Options{.scheduler = "sync"});
  Graph graph;
  for (const int priority : {1, 5, 3, 4, 2}) {
    const Annotate scope({.priority = priority});
    graph.add(note, priority);
  }
  client.run(graph);
  EXPECT_THAT(order, ElementsAre(5, 4, 3, 2, 1));
}

TEST(AnnotateOrderTest, DefaultRetriesReachGraphsAndAnnotatedTasks) {
  Options options{.scheduler = "sync"};
  options.retries = 2;
  const Client client(options);
  attempts = 0;
  Graph graph;
  const auto result = graph.add(third_time, 6);
  client.run(graph);
  EXPECT_EQ(result.value(), 6);
  attempts = 0;
  const Annotate scope({.priority = 2});
  EXPECT_EQ(client.submit(third_time, 5).result(), 5);
}

TEST_P(AnnotateTest, DelayedTakesOptionsToo) {
  const auto stubborn = delayed(third_time, {.retries = 2, .name = "stubborn"});
  const auto one = stubborn(3);
  EXPECT_THAT(one.name(), HasSubstr("stubborn"));
  EXPECT_EQ(client_.compute(one), 3);
}

}  // namespace
}  // namespace weft
