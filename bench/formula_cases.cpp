// formula-plan, formula-run: graphs that are described by formula and never stored.

#include <weft/client.hpp>
#include <weft/layer.hpp>

#include <algorithm>

#include "bench/cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {
namespace {

/// Leaves under `tasks` tasks in all: each leaf is one task to make and one to extend, and a tree of `fan_in` joins
/// them.
std::uint64_t leaves_of(std::uint64_t tasks, std::uint32_t fan_in) {
  const double per_leaf = 2.0 + 1.0 / (fan_in - 1);
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(tasks) / per_leaf));
}

/// The values that are reduced: source_value and extend_value of each index, which nobody inlines.
auto describe(std::uint64_t leaves) { return generate_blocks(leaves, &source_value).map(&extend_value); }

std::uint64_t expected_sum(std::uint64_t leaves) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < leaves; ++i) sum += extend_value(source_value(i));
  return sum;
}

/// Addition is associative here, so that the sum says whether each leaf was taken exactly once.
std::uint64_t add(std::uint64_t left, std::uint64_t right) { return left + right; }

std::uint32_t fan_in_of(const Arguments& arguments) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(arguments.integer("fan-in", 2), 1 << 20));
}

void run_plan(const Case& self, const Arguments& arguments, const Output& output) {
  const std::uint32_t fan_in = fan_in_of(arguments);
  const std::uint64_t leaves = leaves_of(static_cast<std::uint64_t>(arguments.integer("tasks", 2)), fan_in);
  const std::int64_t before = resident_bytes();
  Samples samples;
  LayerPlan plan;
  for (std::int64_t i = 0; i < arguments.integer("repeat", 1); ++i) {
    const double start = seconds_now();
    const auto blocks = describe(leaves);
    plan = blocks.plan(fan_in);
    const Delayed<std::uint64_t> sum = blocks.reduce(&add, fan_in);
    samples.add(seconds_now() - start);
    if (!sum.valid() || plan.tasks < leaves) wrong_result("the plan");
  }
  const auto tasks = static_cast<double>(plan.tasks);
  Line line(self.name);
  line.param("tasks", arguments.integer("tasks")).param("fan_in", fan_in).seconds(samples);
  line.integer("tasks", static_cast<std::int64_t>(plan.tasks)).number("us_per_task", samples.min() * 1e6 / tasks);
  line.integer("layers", static_cast<std::int64_t>(plan.layers.size()));
  line.integer("packets", static_cast<std::int64_t>(plan.packets));
  line.number("bytes_per_task", static_cast<double>(resident_bytes() - before) / tasks).peak();
  output.print(line);
}

void run_formula(const Case& self, const Arguments& arguments, const Output& output) {
  const std::uint32_t fan_in = fan_in_of(arguments);
  const std::uint64_t leaves = leaves_of(static_cast<std::uint64_t>(arguments.integer("tasks", 2)), fan_in);
  const std::uint64_t expected = expected_sum(leaves);
  const std::int64_t repeat = arguments.integer("repeat", 1);
  const auto tasks = static_cast<std::int64_t>(describe(leaves).plan(fan_in).tasks);
  const Client client(client_options(arguments));
  Samples samples;
  double cold = 0;
  for (std::int64_t i = 0; i <= repeat; ++i) {
    if (i == repeat) client.reset_ledger();
    const double start = seconds_now();
    const std::uint64_t sum = client.compute(describe(leaves).reduce(&add, fan_in));
    const double seconds = seconds_now() - start;
    if (sum != expected) wrong_result("the reduction");
    if (i == 0)
      cold = seconds;
    else
      samples.add(seconds);
  }
  const LedgerReport ledger = client.ledger();
  const auto count = static_cast<double>(tasks);
  Line line(self.name);
  line.param("tasks", arguments.integer("tasks"))
      .param("fan_in", fan_in)
      .param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).param("repeat", repeat).seconds(samples).integer("tasks", tasks);
  line.number("us_per_task", samples.min() * 1e6 / count).number("us_per_task_cold", cold * 1e6 / count);
  line.number("tasks_per_second", count / samples.min()).peak().ledger(ledger);
  output.print(line);
}

}  // namespace

std::vector<Case> formula_cases() {
  return {
      {"formula-plan",
       "a map and a reduction described by formula: build and plan, run nothing",
       {{"tasks", "1000000000", "tasks of the graph"},
        {"fan-in", "8", "children of a node of the reduction"},
        {"repeat", "5", "repetitions"}},
       &run_plan},
      {"formula-run",
       "the same, run",
       {{"tasks", "100000000", "tasks of the graph"},
        {"fan-in", "8", "children of a node of the reduction"},
        kScheduler,
        kThreads,
        {"repeat", "3", "warm repetitions; one cold comes before"}},
       &run_formula},
  };
}

}  // namespace weft::bench
