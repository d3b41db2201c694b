// Large clusters without faults: the cores must be busy.

#include <gtest/gtest.h>

#include <algorithm>

#include <weft/simulate.hpp>

namespace weft {
namespace {

SimulationReport run(SimulationShape shape, std::uint32_t cores, std::uint32_t tasks_per_core, double charge_seconds) {
  SimulationOptions options;
  options.shape = shape;
  options.cores = cores;
  options.tasks = tasks_per_core * cores;
  options.charge_seconds = charge_seconds;
  const SimulationReport report = simulate(options);
  std::printf(
      "%-12s %6u cores: busy %.4f (plain %.4f, ideal/makespan %.4f), scheduler %.3f + workers %.3f us/task, load "
      "%.3f\n",
      to_string(shape), cores, report.busy_fraction, report.plain_busy_fraction, report.ideal_over_makespan,
      report.machine_us_per_task, report.worker_us_per_task, report.scheduler_load);
  return report;
}

/// Busy, or as early at the end as if each core had been busy whenever it could: in the rounds of map-reduce a core
/// waits now and then for what was dealt to it while another has a queue, and yet no round ends later than with free
/// and perfect decisions, because it ends with its longest chain. bench/results/simulation.md has the arithmetic.
void expect_busy(const SimulationReport& report) {
  EXPECT_GE(report.busy_fraction, 0.90);
  EXPECT_GE(std::max(report.busy_fraction, report.ideal_over_makespan), 0.95);
}

class ScaleTest : public ::testing::TestWithParam<SimulationShape> {};
class ScaleSlow : public ::testing::TestWithParam<SimulationShape> {};

/// Charged with a fixed microsecond a decision, so that the result is the same everywhere.
TEST_P(ScaleTest, AThousandCoresAreBusy) {
  const SimulationReport report = run(GetParam(), 1'000, 20, 1e-6);
  expect_busy(report);
}

/// Charged with what the decisions took here.
TEST_P(ScaleSlow, TwentyThousandCoresAreBusy) { expect_busy(run(GetParam(), 20'000, 50, -1)); }

constexpr SimulationShape kAllShapes[] = {
    SimulationShape::Independent, SimulationShape::Tree,      SimulationShape::Stencil, SimulationShape::RandomDag,
    SimulationShape::ForkJoin,    SimulationShape::MapReduce, SimulationShape::Chains};

std::string shape_name(const ::testing::TestParamInfo<SimulationShape>& info) {
  std::string name = to_string(info.param);
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Shapes, ScaleTest, ::testing::ValuesIn(kAllShapes), shape_name);
INSTANTIATE_TEST_SUITE_P(Shapes, ScaleSlow, ::testing::ValuesIn(kAllShapes), shape_name);

TEST(ScaleTest, EqualOptionsGiveEqualRuns) {
  SimulationOptions options;
  options.cores = 100;
  options.tasks = 2'000;
  options.charge_seconds = 1e-6;
  EXPECT_EQ(simulate(options).makespan_seconds, simulate(options).makespan_seconds);
  EXPECT_EQ(simulate(options).messages, simulate(options).messages);
}

/// The run throws where the machine decides otherwise when it is told the same again.
TEST(ScaleTest, TheSchedulerDecidesTheSameWhenToldTheSame) {
  SimulationOptions options;
  options.cores = 100;
  options.tasks = 2'000;
  options.replay = true;
  EXPECT_GT(simulate(options).alone_us_per_task, 0);
}

}  // namespace
}  // namespace weft
