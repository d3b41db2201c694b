// What users get wrong, with the tasks on other processes: each is one error, and the client works on.

#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace weft {
namespace {

using ::testing::AllOf;
using testing::ClusterOptions;
using ::testing::HasSubstr;
using testing::InProcessCluster;

constexpr const char* kHere = "cluster_wrong_input_test.cpp:";

int increment(int n) { return n + 1; }

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class ClusterWrongInputTest : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(client_.submit(increment, 1).result(), 2) << "the client does not work any more";
  }
  InProcessCluster cluster_{ClusterOptions{.workers = 2}};
  Client client_{InProcessCluster::client_options()};
};

TEST_F(ClusterWrongInputTest, AMissingInputIsNamedWithTheCallsLine) {
  const Delayed<int> never_described;
  EXPECT_THAT(message_of([&] { client_.compute(delayed(increment)(never_described)); }),
              AllOf(HasSubstr(kHere), HasSubstr("empty handle")));
}

TEST_F(ClusterWrongInputTest, AResourceNobodyHasFailsTheTaskAndWhatNeedsIt) {
  const auto bad = client_.with({.resources = {{"GPU", 2}}}).submit(increment, 1);
  const auto after = client_.submit(increment, bad);
  EXPECT_THAT(message_of([&] { after.result(); }), AllOf(HasSubstr("\"GPU\""), HasSubstr(kHere)));
  const auto wide = client_.with({.resources = {{"slots", 1000}}}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { wide.result(); }), AllOf(HasSubstr("1000"), HasSubstr(kHere)));
}

TEST_F(ClusterWrongInputTest, AWorkerThatIsNotHereIsNamed) {
  const auto nowhere = client_.with({.workers = {"no-such-worker"}}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { nowhere.result(); }), AllOf(HasSubstr("no-such-worker"), HasSubstr(kHere)));
}

TEST_F(ClusterWrongInputTest, AThrowOfSomethingElseThanAnExceptionIsToldWithItsType) {
  struct Problem {
    int code;
  };
  EXPECT_THAT(client_.submit([](int) -> int { throw "plain text"; }, 1).traceback(),
              AllOf(HasSubstr("plain text"), HasSubstr(kHere)));
  EXPECT_THAT(client_.submit([](int) -> int { throw Problem{3}; }, 1).traceback(),
              AllOf(HasSubstr("Problem"), HasSubstr(kHere)));
}

TEST_F(ClusterWrongInputTest, MoreMemoryThanAnyWorkerHasIsRefused) {
  const auto bad = client_.with({.memory_bytes = std::uint64_t{1} << 50}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { bad.result(); }), AllOf(HasSubstr("--weft-memory"), HasSubstr(kHere)));
}

TEST_F(ClusterWrongInputTest, ACapturedReferenceSentElsewhereIsRefused) {
  int local = 3;
  EXPECT_THAT(message_of([&] { client_.submit([&local](int a) { return a + local; }, 1).result(); }),
              AllOf(HasSubstr(kHere), HasSubstr("captures a pointer or reference"), HasSubstr("argument")));
  Graph graph;
  graph.add([&local](int a) { return a + local; }, 1);
  EXPECT_THAT(message_of([&] { client_.run(graph); }), HasSubstr("captures a pointer or reference"));
}

TEST_F(ClusterWrongInputTest, ACancelledDependencyCancelsWhatNeedsIt) {
  static std::atomic<bool> go{false};
  go = false;
  const auto block = [](int n) {
    while (!go && !this_task::cancelled()) std::this_thread::yield();
    return n;
  };
  const auto blockers = client_.map(block, std::vector<int>{1, 2, 3, 4});
  const auto unwanted = client_.submit(increment, 1);
  const auto behind = client_.submit(increment, unwanted);
  unwanted.cancel();
  go = true;
  EXPECT_THROW(behind.result(), CancelledError);
  EXPECT_EQ(client_.gather(blockers), (std::vector<int>{1, 2, 3, 4}));
}

TEST(ClusterLimitTest, AGraphOverTheMemoryLimitNamesItsLargestParts) {
  InProcessCluster cluster(ClusterOptions{.workers = 1});
  Options limited = InProcessCluster::client_options();
  limited.graph_limit_bytes = "100kB";
  const Client client(limited);
  Graph graph;
  for (int n = 0; n < 10'000; ++n) graph.add(increment, n);
  EXPECT_THAT(message_of([&] { client.run(graph); }), AllOf(HasSubstr(kHere), HasSubstr("10000 tasks")));
}

}  // namespace
}  // namespace weft
