#include "core/graph/release.hpp"

#include "tests/core/client/client_modes.hpp"

#include <weft/graph.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace weft {
namespace {

int add_one(int value) { return value + 1; }

/// A task that runs until it is told to end.
struct Gate {
  std::atomic<bool> entered{false};
  std::atomic<bool> open{false};

  int pass(int value) {
    entered = true;
    entered.notify_all();
    open.wait(false);
    return value;
  }
  void release() {
    open = true;
    open.notify_all();
  }
};

class GivenUpTest : public testing::Test {
 protected:
  const Client client_{Mode{"threads", false}.options()};
};

// In each round the packet has another number, and one task of it has ended when the second one begins.
TEST_F(GivenUpTest, ATaskGivenUpWhileItsInputRunsNeitherRunsNorDisturbsThePacket) {
  for (int round = 0; round < 40; ++round) {
    Gate gate;
    std::atomic<int> ran{0};
    const Delayed<int> first = delayed(add_one)(round);
    const Delayed<int> second = delayed([&gate](int value) { return gate.pass(value); })(first);
    Delayed<int> given_up = delayed([&ran](int value) { return ran = value; })(second);
    const Future<int> result = client_.persist(second);
    gate.entered.wait(false);
    given_up = Delayed<int>();
    gate.release();
    ASSERT_EQ(result.result(), round + 1);
    ASSERT_EQ(ran, 0);
  }
}

TEST_F(GivenUpTest, AGraphThatGoesBeforeItHasRunLeavesTheTaskItWaitsForAlone) {
  for (int round = 0; round < 40; ++round) {
    Gate gate;
    std::atomic<int> ran{0};
    const Future<int> input = client_.submit([&gate](int value) { return gate.pass(value); }, round);
    gate.entered.wait(false);
    {
      Graph graph;
      graph.add([&ran](int value) { return ran = value; }, graph.add(add_one, input));
    }
    gate.release();
    ASSERT_EQ(input.result(), round);
    ASSERT_EQ(ran, 0);
  }
}

}  // namespace
}  // namespace weft
