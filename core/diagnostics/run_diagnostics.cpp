#include "core/diagnostics/run_diagnostics.hpp"

#include "core/diagnostics/terminal.hpp"

#include <weft/log.hpp>

namespace weft {

void apply_log_settings(const Settings& settings) {
  logging::set_levels(settings.log_level);
  logging::set_file(settings.log_file);
}

bool close_books(const Settings& settings, const LedgerReport& report) {
  if (settings.ledger != "off" && report.tasks != 0) terminal::write_lines(report.to_text(settings.ledger == "full"));
  const BudgetVerdict verdict = report.check_budget(settings.task_budget_us);
  if (settings.enforce_budget && verdict.over_budget) {
    terminal::write_lines("weft: the run failed its budget: " + verdict.text + "\n");
    return false;
  }
  if (verdict.warn) logging::warning("diagnostics", verdict.text);
  return true;
}

}  // namespace weft
