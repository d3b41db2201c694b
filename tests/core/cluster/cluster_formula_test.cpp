// Formulas, options and stored chains on several processes.

#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/annotate.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/layer.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <source_location>
#include <stdexcept>

namespace weft {
namespace {

using ::testing::AllOf;
using testing::ClusterOptions;
using ::testing::HasSubstr;
using testing::InProcessCluster;

std::uint64_t square(std::uint64_t n) { return n * n; }
int increment(int n) { return n + 1; }

/// A value that tells when it is sent.
std::atomic<int> encoded{0};
struct Link {
  std::vector<int> numbers;
};
template <class Archive>
void weft_fields(Archive& archive, Link& link) {
  if (!Archive::kReading) ++encoded;
  archive(link.numbers);
}
/// Measured by itself: its fields are walked for sending alone.
std::size_t weft_size_of(const Link& link) { return sizeof link + link.numbers.size() * sizeof(int); }
Link add_one(const Link& before) {
  Link after = before;
  for (int& n : after.numbers) ++n;
  return after;
}

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class ClusterFormulaTest : public ::testing::TestWithParam<unsigned> {
 protected:
  ClusterFormulaTest() : cluster_(ClusterOptions{.workers = GetParam()}), client_(InProcessCluster::client_options()) {}
  InProcessCluster cluster_;
  Client client_;
};
INSTANTIATE_TEST_SUITE_P(Workers, ClusterFormulaTest, ::testing::Values(1u, 2u, 3u));

TEST_P(ClusterFormulaTest, AReductionOfManyBlocksRunsOnTheWorkers) {
  const std::uint64_t captured = 3;
  const auto total = generate_blocks(200'000, [](std::uint64_t i) { return i; })
                         .map(&square)
                         .map([captured](std::uint64_t n) { return n % captured; })
                         .reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) expected += i * i % 3;
  EXPECT_EQ(client_.compute(total), expected);
}

TEST_P(ClusterFormulaTest, AlignedMapsGiveTheSameBitsAsOneProcess) {
  const auto describe = [] {
    const auto numbers = generate_blocks(30'000, [](std::uint64_t i) { return 1.0 / static_cast<double>(i + 1); });
    const auto roots = numbers.map([](double x) { return x * 0.1; });
    return numbers.map([](double x, double y) { return x - y * y; }, roots).reduce(std::plus<>());
  };
  const double here = Client(Options{.scheduler = "sync"}).compute(describe());
  const double there = client_.compute(describe());
  EXPECT_EQ(std::memcmp(&here, &there, sizeof here), 0);
}

TEST_P(ClusterFormulaTest, AFailureInsideAFormulaNamesTheStepsLine) {
  const std::uint32_t line = std::source_location::current().line();
  const auto total = generate_blocks(5'000, [](std::uint64_t i) { return i; })
                         .map([](std::uint64_t n) -> std::uint64_t {
                           if (n == 321) throw std::runtime_error("not this one");
                           return n;
                         })
                         .reduce(std::plus<>());
  EXPECT_THAT(message_of([&] { client_.compute(total); }),
              AllOf(HasSubstr("not this one"), HasSubstr("value 321 of map"),
                    HasSubstr("cluster_formula_test.cpp:" + std::to_string(line + 2))));
}

TEST_P(ClusterFormulaTest, ACaptureThatPointsIntoThisProcessIsRefused) {
  std::uint64_t local = 3;
  const auto total = generate_blocks(10, [&local](std::uint64_t i) { return i + local; }).reduce(std::plus<>());
  EXPECT_THAT(message_of([&] { client_.compute(total); }), HasSubstr("captures a pointer or reference"));
}

TEST_P(ClusterFormulaTest, RetriesOfAScopeReachGraphsAndLazyCalls) {
  static std::atomic<int> attempts{0};
  const auto third_time = [](int n) {
    if (++attempts < 3) throw std::runtime_error("not yet");
    return n;
  };
  const Annotate scope({.retries = 2, .retry_delay = std::chrono::milliseconds(1), .name = "stubborn"});
  attempts = 0;
  Graph graph;
  const auto result = graph.add(increment, graph.add(third_time, 6));
  client_.run(graph);
  EXPECT_EQ(result.value(), 7);
  attempts = 0;
  EXPECT_EQ(client_.compute(delayed(increment)(delayed(third_time)(7))), 8);
  attempts = -10;
  EXPECT_THAT(client_.submit(third_time, 1).traceback(), AllOf(HasSubstr("stubborn/"), HasSubstr("not yet")));
}

TEST_P(ClusterFormulaTest, RetryIfIsAskedAtTheWorker) {
  const auto picky = client_.with(
      {.retries = 9, .retry_if = [](const std::exception& error) { return std::strcmp(error.what(), "later") == 0; }});
  static std::atomic<int> attempts{0};
  attempts = 0;
  const auto call = [](int most) -> int {
    if (++attempts < most) throw std::runtime_error("later");
    throw std::runtime_error("never");
  };
  EXPECT_THAT(picky.submit(call, 4).traceback(), HasSubstr("never"));
  EXPECT_EQ(attempts, 4);
}

TEST_P(ClusterFormulaTest, TasksOfAGraphWithOptionsStandAlone) {
  Graph graph;
  std::vector<Delayed<int>> ends;
  for (int n = 0; n < 500; ++n) {
    const auto first = graph.add(increment, n);
    const Annotate scope({.priority = n % 7 == 0 ? 2 : 0,
                          .workers = {n % 11 == 0 ? "worker1" : ""},
                          .allow_other_workers = n % 11 != 0});
    ends.push_back(graph.add(increment, first));
  }
  for (int run = 0; run < 2; ++run) {
    client_.run(graph);
    for (int n = 0; n < 500; ++n) ASSERT_EQ(ends[static_cast<std::size_t>(n)].value(), n + 2);
  }
}

TEST_P(ClusterFormulaTest, NeedsThatNobodyHasFailATaskOfAGraph) {
  Graph graph;
  const auto fine = graph.add(increment, 1);
  const Annotate scope({.resources = {{"GPU", 1}}});
  graph.add(increment, fine);
  EXPECT_THAT(message_of([&] { client_.run(graph); }), HasSubstr("\"GPU\""));
}

TEST_P(ClusterFormulaTest, PureCallsAreOneTask) {
  static std::atomic<int> calls{0};
  calls = 0;
  const auto counted = [](int n) { return ++calls, 2 * n; };
  const auto pure = client_.with({.pure = true});
  const auto futures = pure.map(counted, std::vector<int>{1, 2, 1, 2, 1});
  EXPECT_EQ(client_.gather(futures), (std::vector<int>{2, 4, 2, 4, 2}));
  EXPECT_EQ(calls, 2);
}

TEST(ClusterChainTest, AStoredChainIsOnePieceWhoseInnerValuesStayWithTheirWorker) {
  // Chains side by side: each is dealt in a piece or two, so that between its tasks nothing travels; the first few in
  // shorter ones of eight links, while nothing is known of the time that a link takes.
  constexpr int kChains = 40;
  constexpr int kLength = 50;
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  const Client client(InProcessCluster::client_options());
  Graph graph;
  std::vector<Delayed<int>> ends;
  for (int chain = 0; chain < kChains; ++chain) {
    Delayed<Link> at = graph.add([](int n) { return Link{std::vector<int>(100, n)}; }, chain);
    for (int i = 0; i < kLength; ++i) at = graph.add(add_one, at);
    ends.push_back(graph.add([](const Link& link) { return link.numbers.back(); }, at));
  }
  encoded = 0;
  client.run(graph);
  for (int chain = 0; chain < kChains; ++chain) {
    EXPECT_EQ(ends[static_cast<std::size_t>(chain)].value(), chain + kLength);
  }
  EXPECT_LE(encoded, kChains * (kLength + 2) / 8) << "of " << kChains * (kLength + 1) << " values";
}

TEST(ClusterChainTest, AFailureInTheMiddleOfAChainNamesItsOwnLine) {
  InProcessCluster cluster(ClusterOptions{.workers = 2});
  const Client client(InProcessCluster::client_options());
  Graph graph;
  Delayed<int> at = graph.add(increment, 0);
  for (int i = 0; i < 20; ++i) at = graph.add(increment, at);
  const std::uint32_t line = std::source_location::current().line() + 1;
  at = graph.add([](int n) -> int { throw std::runtime_error("at " + std::to_string(n)); }, at);
  for (int i = 0; i < 20; ++i) at = graph.add(increment, at);
  EXPECT_THAT(message_of([&] { client.run(graph); }),
              AllOf(HasSubstr("at 21"), HasSubstr("cluster_formula_test.cpp:" + std::to_string(line))));
}

}  // namespace
}  // namespace weft
