#include "core/diagnostics/run_diagnostics.hpp"

#include <gtest/gtest.h>

#include <weft/log.hpp>

#include "tests/core/diagnostics/redirected_terminal.hpp"

namespace weft {
namespace {

// One slot for a second: 1,000 tasks of which each has `overhead_us` of overhead, all of it launch.
LedgerReport run_with(double overhead_us) {
  LedgerReport report;
  report.wall_seconds = 1;
  report.slots = 1;
  report.tasks = 1000;
  report.seconds[static_cast<std::size_t>(Phase::Launch)] = overhead_us * 1e-3;
  report.rows.push_back({"slot 0", true, 1000, report.seconds});
  return report;
}

TEST(RunDiagnosticsTest, NothingIsSaidByDefaultWithinTheBudget) {
  const RedirectedTerminal screen;
  EXPECT_TRUE(close_books(Settings{.ledger = "off", .task_budget_us = 200}, run_with(10)));
  EXPECT_EQ(screen.text(), "");
}

TEST(RunDiagnosticsTest, TheLedgerIsPrintedWhenAskedFor) {
  const RedirectedTerminal screen;
  EXPECT_TRUE(close_books(Settings{.ledger = "summary", .task_budget_us = 200}, run_with(10)));
  EXPECT_EQ(screen.text().substr(0, 18), "ledger: 1000 tasks");
  EXPECT_EQ(screen.text().find("slot 0"), std::string::npos);
  EXPECT_TRUE(close_books(Settings{.ledger = "full", .task_budget_us = 200}, run_with(10)));
  EXPECT_NE(screen.text().find("slot 0"), std::string::npos);
}

TEST(RunDiagnosticsTest, ARunWithoutTasksHasNoLedger) {
  const RedirectedTerminal screen;
  EXPECT_TRUE(close_books(Settings{.ledger = "full"}, LedgerReport{}));
  EXPECT_EQ(screen.text(), "");
}

TEST(RunDiagnosticsTest, OverTheBudgetWarnsAndPasses) {
  const logging::Capture capture;
  EXPECT_TRUE(close_books(Settings{.ledger = "off", .task_budget_us = 50}, run_with(100)));
  ASSERT_EQ(capture.records().size(), 1u);
  EXPECT_NE(capture.records()[0].text.find("the largest phase is launch"), std::string::npos);
}

TEST(RunDiagnosticsTest, AnEnforcedBudgetFailsOnTheFigureAlone) {
  const RedirectedTerminal screen;
  const Settings settings{.ledger = "off", .task_budget_us = 5, .enforce_budget = true};
  EXPECT_FALSE(close_books(settings, run_with(10))) << "1% of wall, but over the figure";
  EXPECT_EQ(screen.text().substr(0, 32), "weft: the run failed its budget:");
}

TEST(RunDiagnosticsTest, LogSettingsReachTheLog) {
  apply_log_settings(Settings{.log_level = "error,scheduler=debug"});
  EXPECT_TRUE(logging::Room("scheduler").enabled(logging::Level::Debug));
  EXPECT_FALSE(logging::Room("memory").enabled(logging::Level::Warning));
  apply_log_settings(Settings{.log_level = "warning"});
  EXPECT_FALSE(logging::Room("scheduler").enabled(logging::Level::Info));
}

}  // namespace
}  // namespace weft
