// The ledger of the real runtime: a delay put into a phase shows in that phase and in no other.
#include <weft/client.hpp>
#include <weft/graph.hpp>

#include "core/diagnostics/inject.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int kTasks = 40;
constexpr double kDelay = 500e-6;

void spin(double seconds) {
  const Ticks wanted = static_cast<Ticks>(seconds * ticks_per_second());
  for (const Ticks begin = ticks_now(); ticks_now() - begin < wanted;) {
  }
}

#ifdef WEFT_CHECK_INVARIANTS

/// Results too large for their records, and large enough to be kept where they can be spilled.
std::vector<double> grow(const std::vector<double>& values) { return values; }
std::vector<double> first(std::size_t n) { return std::vector<double>(n, 1.0); }

/// Runs a chain of large results on the calling thread, so that each task has work in each phase.
LedgerReport run_chain(bool check_transfer) {
  const Client client({.scheduler = "sync", .check_transfer = check_transfer, .task_budget_us = 1e9});
  client.reset_ledger();
  Graph graph;
  auto last = graph.add(first, std::size_t{20'000});
  for (int i = 1; i < kTasks; ++i) last = graph.add(grow, last);
  client.run(graph);
  return client.ledger();
}

/// Returns the least of each phase over some runs: whatever else the machine does only adds.
PhaseSeconds least_of_runs(bool check_transfer) {
  PhaseSeconds least = run_chain(check_transfer).seconds;
  for (int i = 0; i < 3; ++i) {
    const PhaseSeconds next = run_chain(check_transfer).seconds;
    for (std::size_t phase = 0; phase < kPhaseCount; ++phase) least[phase] = std::min(least[phase], next[phase]);
  }
  return least;
}

class LedgerPhasesTest : public testing::TestWithParam<Phase> {
 protected:
  ~LedgerPhasesTest() override { inject::ticks[index()].store(0); }
  static std::size_t index() { return static_cast<std::size_t>(GetParam()); }
};

/// How often the chain does the work of a phase at least.
int times(Phase phase) {
  return phase == Phase::Submit || phase == Phase::Schedule || phase == Phase::Queue ? 1 : kTasks / 2;
}

TEST_P(LedgerPhasesTest, ADelayShowsInItsPhaseAndNowhereElse) {
  const Phase phase = GetParam();
  const bool encodes = phase == Phase::Message;
  // What is done once is delayed by as much as all the rest together.
  const double total = kDelay * kTasks / 2;
  const PhaseSeconds before = least_of_runs(encodes);
  inject::ticks[index()].store(static_cast<Ticks>(total / times(phase) * ticks_per_second()));
  const PhaseSeconds after = least_of_runs(encodes);
  const double growth = after[index()] - before[index()];
  EXPECT_GE(growth, 0.9 * total);
  for (std::size_t other = 0; other < kPhaseCount; ++other) {
    // Idle is what the one slot does while the caller submits.
    if (other == index() || static_cast<Phase>(other) == Phase::Idle) continue;
    EXPECT_LT(after[other] - before[other], 0.2 * growth)
        << phase_name(static_cast<Phase>(other)) << " grew with " << phase_name(phase);
  }
}

INSTANTIATE_TEST_SUITE_P(Phases, LedgerPhasesTest,
                         testing::Values(Phase::Submit, Phase::Schedule, Phase::Message, Phase::Queue, Phase::Launch,
                                         Phase::Complete, Phase::Release, Phase::Spill),
                         [](const auto& instance) { return std::string(phase_name(instance.param)); });

#endif

TEST(LedgerRuntimeTest, ASlowFunctionIsKernelAndNothingElse) {
  const Client client({.scheduler = "sync"});
  client.reset_ledger();
  std::vector<Future<int>> futures;
  for (int i = 0; i < kTasks; ++i) futures.push_back(client.submit([](int n) { return spin(kDelay), n; }, i));
  client.gather(futures);
  const LedgerReport report = client.ledger();
  EXPECT_GE(report.phase(Phase::Kernel), 0.95 * kDelay * kTasks);
  EXPECT_LT(report.overhead_seconds(), 0.25 * kDelay * kTasks);
}

/// A number whose copies take long.
struct SlowToCopy {
  explicit SlowToCopy(int number = 0) : value(number) {}
  SlowToCopy(const SlowToCopy& other) : value(other.value) { spin(kDelay); }
  SlowToCopy& operator=(const SlowToCopy&) = delete;
  template <class Archive>
  friend void weft_fields(Archive& archive, SlowToCopy& slow) {
    archive(slow.value);
  }
  int value;
};

TEST(LedgerRuntimeTest, AnArgumentThatIsSlowToCopyIsBuild) {
  const Client client({.scheduler = "sync"});
  client.reset_ledger();
  const SlowToCopy slow(1);
  Graph graph;
  for (int i = 0; i < 300; ++i) graph.add([](const SlowToCopy& number) { return number.value; }, slow);
  client.run(graph);
  const LedgerReport report = client.ledger();
  // One call in some hundred is timed and stands for the others.
  EXPECT_GE(report.phase(Phase::Build), 0.3 * 300 * kDelay);
  EXPECT_LT(report.phase(Phase::Submit) + report.phase(Phase::Schedule), 0.1 * 300 * kDelay);
}

std::uint64_t one(std::uint64_t x) { return x + 1; }
std::uint64_t two(std::uint64_t x, std::uint64_t y) { return x + y; }

/// The shapes of weft_bench, small.
template <class Add>
double least_unbooked(const Client& client, const Add& add) {
  double least = 1;
  // The least of some runs: whatever else the machine does is unbooked, too.
  for (int attempt = 0; attempt < 10; ++attempt) {
    Graph graph;
    std::vector<Delayed<std::uint64_t>> tasks;
    for (std::uint64_t i = 0; i < 50'000; ++i) tasks.push_back(add(graph, tasks, i));
    client.reset_ledger();
    client.run(graph);
    least = std::min(least, std::abs(client.ledger().unbooked_fraction()));
  }
  return least;
}

TEST(LedgerRuntimeTest, NearlyAllTimeOfTheSlotsIsBookedOnAllShapes) {
  for (const char* scheduler : {"sync", "threads"}) {
    const Client client({.scheduler = scheduler, .threads = 2});
    const auto independent = [](Graph& graph, auto&, std::uint64_t i) { return graph.add(one, i); };
    const auto chain = [](Graph& graph, auto& tasks, std::uint64_t i) {
      return tasks.empty() ? graph.add(one, i) : graph.add(one, tasks.back());
    };
    const auto tree = [](Graph& graph, auto& tasks, std::uint64_t i) {
      return i < 25'001 ? graph.add(one, i) : graph.add(two, tasks[2 * (i - 25'001)], tasks[2 * (i - 25'001) + 1]);
    };
    const auto random = [](Graph& graph, auto& tasks, std::uint64_t i) {
      return i < 64 ? graph.add(one, i) : graph.add(two, tasks[i * 2'654'435'761u % i], tasks[i * 40'503u % i]);
    };
    EXPECT_LE(least_unbooked(client, independent), 0.02) << scheduler;
    EXPECT_LE(least_unbooked(client, chain), 0.02) << scheduler;
    EXPECT_LE(least_unbooked(client, tree), 0.02) << scheduler;
    EXPECT_LE(least_unbooked(client, random), 0.02) << scheduler;
  }
}

}  // namespace
}  // namespace weft
