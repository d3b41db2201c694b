#include <string>

#include <gtest/gtest.h>

#include <weft/ledger.hpp>

namespace weft {
namespace {

// Two slots for one second: a million tasks, 0.3 s overhead of which schedule is most, 1.5 s kernel, 0.16 s idle.
LedgerReport example() {
  LedgerReport report;
  report.wall_seconds = 1;
  report.tasks = 1'000'000;
  report.slots = 2;
  report.samples = 4000;
  report.sampled_p99_us = 0.2;
  SlotRow slot{"slot 0", true, 600'000, {}};
  slot.seconds[static_cast<std::size_t>(Phase::Kernel)] = 0.9;
  slot.seconds[static_cast<std::size_t>(Phase::Launch)] = 0.1;
  SlotRow other{"slot 1", true, 400'000, {}};
  other.seconds[static_cast<std::size_t>(Phase::Kernel)] = 0.6;
  other.seconds[static_cast<std::size_t>(Phase::Schedule)] = 0.2;
  other.seconds[static_cast<std::size_t>(Phase::Idle)] = 0.16;
  report.rows = {slot, other};
  for (const SlotRow& row : report.rows) {
    for (std::size_t p = 0; p < kPhaseCount; ++p) report.seconds[p] += row.seconds[p];
  }
  return report;
}

TEST(LedgerReportTest, OverheadLeavesOutFetchKernelSpillAndIdle) {
  LedgerReport report;
  report.tasks = 1;
  for (double& value : report.seconds) value = 1;
  EXPECT_DOUBLE_EQ(report.overhead_seconds(), 8);
}

TEST(LedgerReportTest, FiguresATask) {
  const LedgerReport report = example();
  EXPECT_NEAR(report.overhead_us_per_task(), 0.3, 1e-9);
  EXPECT_NEAR(report.overhead_p99_us(), 0.2 + 0.2, 1e-9) << "the samples' p99 plus the mean of the batched phases";
  EXPECT_NEAR(report.unbooked_fraction(), 1 - 1.96 / 2, 1e-9);
  EXPECT_NEAR(report.sampling_rate(), 0.004, 1e-12);
}

TEST(LedgerReportTest, ARunWithoutTasksHasNoFiguresATask) {
  const LedgerReport report;
  EXPECT_EQ(report.overhead_us_per_task(), 0);
  EXPECT_EQ(report.overhead_p99_us(), 0);
  EXPECT_EQ(report.unbooked_fraction(), 0);
  EXPECT_FALSE(report.check_budget(0).over_budget);
}

TEST(LedgerReportTest, WithinTheBudgetThereIsNothingToSay) {
  const BudgetVerdict verdict = example().check_budget(200);
  EXPECT_FALSE(verdict.over_budget);
  EXPECT_FALSE(verdict.warn);
  EXPECT_TRUE(verdict.text.empty());
}

TEST(LedgerReportTest, OverTheBudgetNamesTheLargestPhase) {
  const BudgetVerdict verdict = example().check_budget(0.1);
  EXPECT_TRUE(verdict.over_budget);
  EXPECT_TRUE(verdict.warn) << "15% of the slots' time";
  EXPECT_NE(verdict.text.find("the largest phase is schedule with 0.2 us a task"), std::string::npos) << verdict.text;
}

TEST(LedgerReportTest, OverheadUnder5PercentOfWallDoesNotWarnButBreaksTheBudget) {
  LedgerReport report = example();
  report.wall_seconds = 4;
  const BudgetVerdict verdict = report.check_budget(0.1);
  EXPECT_TRUE(verdict.over_budget) << "what enforcing looks at";
  EXPECT_FALSE(verdict.warn);
}

TEST(LedgerReportTest, TextShowsThePhasesThatHaveTime) {
  const std::string text = example().to_text();
  EXPECT_NE(text.find("ledger: 1000000 tasks, 2 slots, wall 1 s"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  kernel          1.5 s     75.00          1.5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  unbooked                   2.00\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("spill"), std::string::npos) << text;
  EXPECT_EQ(text.find("slot 1"), std::string::npos) << text;
}

TEST(LedgerReportTest, FullTextAddsSlotsAndLayers) {
  LedgerReport report = example();
  report.layers.push_back({"load", 10, 0.5, 0.001});
  const std::string text = report.to_text(true);
  EXPECT_NE(text.find("\n  slot 1 "), std::string::npos) << text;
  EXPECT_NE(text.find("\n  load "), std::string::npos) << text;
}

TEST(LedgerReportTest, JsonIsOneLineWithPhasesAndUnbooked) {
  LedgerReport report = example();
  report.layers.push_back({"a \"quoted\"\nname", 1, 0, 0});
  const std::string json = report.to_json();
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_NE(json.find("\"phases\":{\"build\":0,\"submit\":0,\"schedule\":0.2,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"unbooked\":0.02,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"a \\\"quoted\\\"\\u000aname\""), std::string::npos) << json;
}

TEST(LedgerReportTest, JsonHasNoNumbersThatJsonDoesNotKnow) {
  LedgerReport report = example();
  report.sampled_p99_us = 1.0 / 0.0;
  EXPECT_NE(report.to_json().find("\"overhead_p99_us\":null"), std::string::npos);
}

}  // namespace
}  // namespace weft
