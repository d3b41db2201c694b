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

TEST(LedgerReportTest, ARunOfAMomentDoesNotWarn) {
  LedgerReport report = example();
  for (double& seconds : report.seconds) seconds *= 0.1;
  report.wall_seconds = 0.1;
  EXPECT_TRUE(report.check_budget(0.01).over_budget);
  EXPECT_FALSE(report.check_budget(0.01).warn);
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

/// 10 s on 4 slots.
LedgerReport run_of(std::uint64_t tasks, double kernel, double launch, double idle, double spill) {
  LedgerReport report;
  report.wall_seconds = 10;
  report.slots = 4;
  report.tasks = tasks;
  report.seconds[static_cast<std::size_t>(Phase::Kernel)] = kernel;
  report.seconds[static_cast<std::size_t>(Phase::Launch)] = launch;
  report.seconds[static_cast<std::size_t>(Phase::Idle)] = idle;
  report.seconds[static_cast<std::size_t>(Phase::Spill)] = spill;
  return report;
}

TEST(LedgerReportTest, TasksThatAreTooSmallAreToldByHowMuch) {
  // 20 us of work and 5 us beside it: 4.75 times as much work a task leaves 5% beside it.
  EXPECT_EQ(
      run_of(1'600'000, 32, 8, 0, 0).advice(),
      "tasks are too small: each worked for 20 us and cost 5 us beside it, 20% of the time of tasks; make chunks 5 "
      "times larger");
  EXPECT_NE(run_of(40'000'000, 0, 40, 0, 0).advice().find("over 1000 times larger"), std::string::npos);
}

TEST(LedgerReportTest, TasksThatAreTooLargeAreToldByHowMuch) {
  EXPECT_EQ(run_of(5, 22, 0, 18, 0).advice(),
            "tasks are too large: 5 of them left 4 slots idle for 45% of the time; make chunks 4 times smaller");
}

TEST(LedgerReportTest, ResultsThatDoNotFitAreTold) {
  const std::string advice = run_of(1'000, 20, 0, 5, 15).advice();
  EXPECT_TRUE(advice.starts_with("results do not fit into memory: 38% of the slots' time")) << advice;
}

TEST(LedgerReportTest, WhereNothingIsAmissNothingIsAdvised) {
  EXPECT_EQ(run_of(40'000, 39, 0.5, 0.5, 0).advice(), "");
  EXPECT_EQ(run_of(1'000, 10, 0.5, 29, 0).advice(), "") << "idle for other reasons than the size of tasks";
  EXPECT_EQ(LedgerReport{}.advice(), "");
  LedgerReport moment = run_of(1'600'000, 32, 8, 0, 0);
  moment.wall_seconds = 0.1;
  EXPECT_EQ(moment.advice(), "") << "short runs need not be better";
}

TEST(LedgerReportTest, AdviceStandsInTheTextOnce) {
  const std::string text = run_of(5, 22, 0, 18, 0).to_text(true);
  const std::size_t at = text.find("  advice: tasks are too large");
  EXPECT_NE(at, std::string::npos) << text;
  EXPECT_EQ(text.find("advice", at + 5), std::string::npos) << text;
}

TEST(LedgerReportTest, WhatMovedStandsInTextAndJson) {
  LedgerReport report = example();
  EXPECT_EQ(report.to_text().find("moved"), std::string::npos);
  for (int line = 1; line <= 12; ++line) report.moved.push_back({"main.cpp:" + std::to_string(line), 3, 2048});
  const std::string text = report.to_text();
  EXPECT_NE(text.find("main.cpp:10 "), std::string::npos) << text;
  EXPECT_EQ(text.find("main.cpp:11 "), std::string::npos) << text;
  EXPECT_NE(text.find("and of 2 lines more"), std::string::npos) << text;
  EXPECT_NE(report.to_text(true).find("main.cpp:12 "), std::string::npos);
  EXPECT_NE(report.to_json().find("\"moved\":[{\"name\":\"main.cpp:1\",\"results\":3,\"bytes\":2048},"),
            std::string::npos);
}

TEST(LedgerReportTest, DevicesStandInTextAndJson) {
  LedgerReport report = example();
  EXPECT_EQ(report.to_text().find("device"), std::string::npos);
  DeviceRow row;
  row.name = "device 0 (NVIDIA H200)";
  row.works = 12;
  row.kernel_seconds = 0.25;
  row.uploaded_bytes = 3 << 20;
  report.devices.push_back(row);
  const std::string text = report.to_text();
  EXPECT_NE(text.find("\n  device "), std::string::npos) << text;
  EXPECT_NE(text.find("\n  device 0 (NVIDIA H200)                     12       0 s       0 s    250 ms"),
            std::string::npos)
      << text;
  EXPECT_NE(report.to_json().find("\"devices\":[{\"name\":\"device 0 (NVIDIA H200)\",\"works\":12,\"launch\":0,"),
            std::string::npos)
      << report.to_json();
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
