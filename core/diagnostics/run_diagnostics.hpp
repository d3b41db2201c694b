#pragma once

#include <weft/config.hpp>
#include <weft/ledger.hpp>

namespace weft {

/// Sets the log's levels and file as the settings say. Throws ConfigError if the file cannot be opened.
void apply_log_settings(const Settings& settings);

/// Says what a run's settings ask to be said at its end: the ledger, as a table on the standard error, and a warning if
/// the overhead a task is over the budget and also over 5% of the time. Returns false if the budget is enforced and
/// broken; then the sentence is printed whatever the log's level.
bool close_books(const Settings& settings, const LedgerReport& report);

}  // namespace weft
