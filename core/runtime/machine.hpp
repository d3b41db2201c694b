#pragma once

#include "core/diagnostics/wait_display.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/result_memory.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/config.hpp>
#include <weft/progress.hpp>

#include <functional>
#include <span>
#include <string>

namespace weft::machine {

/// What the settings and the machine together say about one process.

/// Returns how many slots, which processors, and how they idle. Spinning is off where slots outnumber processors.
ExecutorOptions executor_options(const Settings& settings);
/// Returns the bytes results may hold: what was configured, else a share of the least limit found.
std::uint64_t memory_budget(const Settings& settings);
/// Returns the bytes the description of a graph may take: what was configured, else half of the budget for results.
std::uint64_t graph_limit(const Settings& settings, std::uint64_t budget_bytes);
/// Throws MemoryError if what these described tasks need takes more than a graph may, before any of it is claimed.
/// Costs nothing while all that was ever described at once is small.
void check_needed(std::span<const TaskId> wanted, const Settings& settings);
/// Returns the memory for results, with a place to spill to where there is one and it is wanted.
std::shared_ptr<ResultMemory> result_memory(const Settings& settings, std::uint64_t budget_bytes);
/// Returns whether the settings mean one slot on the calling thread.
bool is_sync(const Settings& settings);
/// How far a runtime is, by its counts alone.
Progress::Source progress_of(Runtime& runtime);
/// Returns what notices that this runtime's run stands still; nothing in sync mode, which has one thread. `why_idle`:
/// see Watchdog.
WaitDisplay::Watch watch_of(Runtime& runtime, const Settings& settings, std::function<std::string()> why_idle = {});

}  // namespace weft::machine
