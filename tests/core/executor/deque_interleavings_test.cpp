// Small cases of the deque in every order their threads can take. See interleavings.hpp for what is shown.
#include "core/executor/deque.hpp"

#include "tests/core/executor/interleavings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace weft {
namespace {

using interleavings::Kind;
using interleavings::Options;
using interleavings::Outcome;
using interleavings::Plain;
using interleavings::Program;
using interleavings::Site;
using ModelDeque = BasicDeque<interleavings::Atomic>;

constexpr std::size_t kMost = 6;

/// What each item names: written before it is pushed, read by whoever takes it.
struct World {
  explicit World(std::int64_t capacity) : deque(capacity) {}

  void push(std::uint64_t item) {
    payloads[item].set(static_cast<int>(item) + 1);
    deque.push(item);
  }
  void take(std::uint64_t item) {
    if (item == ModelDeque::kEmpty) return;
    if (item >= kMost || ++taken[item] > 1) interleavings::fail("an item is taken twice, or one that was not pushed");
    if (payloads[item].get() != static_cast<int>(item) + 1) interleavings::fail("what an item names was not seen");
  }
  /// Takes all that is left, as the owner does, and says what is missing.
  std::string leftover(std::size_t pushed) {
    for (std::uint64_t item = deque.pop(); item != ModelDeque::kEmpty; item = deque.pop()) ++taken[item];
    for (std::size_t i = 0; i < pushed; ++i) {
      if (taken[i] != 1) return "item " + std::to_string(i) + " was taken " + std::to_string(taken[i]) + " times";
    }
    return {};
  }

  ModelDeque deque;
  std::array<Plain<int>, kMost> payloads;
  std::array<int, kMost> taken{};
};

/// The owner does `words` (p: push the next item, t: take the newest), each thief steals so many times.
std::function<Program()> scenario(std::int64_t capacity, std::string_view words, std::vector<int> thieves) {
  return [=] {
    const auto world = std::make_shared<World>(capacity);
    Program program;
    program.threads.push_back([world, words] {
      std::uint64_t next = 0;
      for (const char word : words) {
        if (word == 'p') {
          world->push(next++);
        } else {
          world->take(world->deque.pop());
        }
      }
    });
    for (const int steals : thieves) {
      program.threads.push_back([world, steals] {
        for (int i = 0; i < steals; ++i) world->take(world->deque.steal());
      });
    }
    const auto pushed = static_cast<std::size_t>(std::count(words.begin(), words.end(), 'p'));
    program.verdict = [world, pushed] { return world->leftover(pushed); };
    return program;
  };
}

/// Small, and such that each order that is needed is needed in one of them; what finds most comes first.
const std::vector<std::function<Program()>>& cases() {
  static const std::vector<std::function<Program()>> all{
      scenario(1, "ppptt", {2}),  // growth under a thief, then a struggle for the last item
      scenario(4, "pptt", {2}),    scenario(1, "ptptp", {2}),  // the same place of the ring again
      scenario(4, "ptpt", {1, 1}),                             // the last item, wanted by three
      scenario(1, "ppp", {1, 1}),                              // growth under two thieves
  };
  return all;
}

/// Returns the first failure over all cases.
std::string failure_with(const Options& options) {
  for (const auto& one : cases()) {
    const Outcome outcome = interleavings::explore(one, options);
    if (!outcome.failure.empty()) return outcome.failure;
    EXPECT_TRUE(outcome.complete);
  }
  return {};
}

TEST(DequeInterleavingsTest, EveryItemIsTakenOnceAndSeenWhole) {
  std::uint64_t executions = 0;
  std::uint64_t states = 0;
  for (const auto& one : cases()) {
    const Outcome outcome = interleavings::explore(one);
    EXPECT_EQ(outcome.failure, "");
    EXPECT_TRUE(outcome.complete);
    executions += outcome.executions;
    states += outcome.states;
  }
  RecordProperty("executions", std::to_string(executions));
  RecordProperty("states", std::to_string(states));
  EXPECT_GT(states, 10'000u);
}

std::memory_order weaker(const Site& site) {
  if (site.order != std::memory_order_seq_cst) return std::memory_order_relaxed;
  switch (site.kind) {
    case Kind::Load:
      return std::memory_order_acquire;
    case Kind::Store:
      return std::memory_order_release;
    case Kind::Change:
      return std::memory_order_acq_rel;
  }
  return std::memory_order_relaxed;
}

TEST(DequeInterleavingsTest, AnOrderThatIsTakenAwayIsMissed) {
  // The other two, push's acquire of top_ and pop's sequentially consistent compare-exchange, are kept because what
  // they forbid (a load that takes effect before an earlier one) is not in the explorer's memory.
  for (const std::string_view needed :
       {"grow: store release", "pop: load seq_cst", "pop: store seq_cst", "push: store release",
        "steal: change seq_cst", "steal: load acquire", "steal: load seq_cst"}) {
    Options options;
    options.order = [&](const Site& site) { return describe(site) == needed ? weaker(site) : site.order; };
    EXPECT_NE(failure_with(options), "") << needed;
  }
}

TEST(DequeInterleavingsTest, ACompareExchangeInTwoStepsIsFound) {
  for (const std::string_view function : {"pop", "steal"}) {
    Options options;
    options.torn = [&](const Site& site) { return site.function == function; };
    EXPECT_NE(failure_with(options), "") << function;
  }
}

}  // namespace
}  // namespace weft
