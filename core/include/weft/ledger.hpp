#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Where the time of a worker slot goes. Every instant of a slot belongs to exactly one phase.
enum class Phase : std::uint8_t {
  Build,     ///< writing task records and layers
  Submit,    ///< turning new records into packets and handing them over
  Schedule,  ///< the scheduler and worker machines deciding
  Message,   ///< encoding, sending, receiving, decoding
  Queue,     ///< pushing, popping and stealing ready tasks
  Fetch,     ///< waiting for inputs held elsewhere
  Launch,    ///< finding a ready task's closure and inputs
  Kernel,    ///< the user's function
  Complete,  ///< keeping the result, counting down consumers
  Release,   ///< freeing results nobody needs any more
  Spill,     ///< writing results to disk and reading them back
  Journal,   ///< keeping results for the next run of the program, and reading those of the last one
  Idle,      ///< nothing to run
};

inline constexpr std::size_t kPhaseCount = 13;

/// Returns the lower-case name used in tables and JSON: "build", "submit", ...
std::string_view phase_name(Phase phase);

/// Returns whether a phase counts as overhead: all but fetch, kernel, spill, journal and idle, which have floors of
/// their own.
constexpr bool is_overhead(Phase phase) {
  return phase != Phase::Fetch && phase != Phase::Kernel && phase != Phase::Spill && phase != Phase::Journal &&
         phase != Phase::Idle;
}

/// Seconds by phase, indexed by Phase.
using PhaseSeconds = std::array<double, kPhaseCount>;

/// The books of one slot (or of a thread that only builds and submits) over a run.
struct SlotRow {
  std::string name;  ///< "slot 3", "client", ...
  bool slot = true;  ///< whether its wall time must be booked in full
  std::uint64_t tasks = 0;
  PhaseSeconds seconds{};
};

/// What one layer or one source line of the user's program cost.
struct LayerRow {
  std::string name;
  std::uint64_t tasks = 0;
  double kernel_seconds = 0;
  double overhead_seconds = 0;
};

/// Results of tasks of one line of the user's program that other workers took over the network.
struct MovedRow {
  std::string name;  ///< "main.cpp:31"
  std::uint64_t results = 0;
  std::uint64_t bytes = 0;
};

/// What a device did. Its streams run beside each other, so the sums may exceed the time of the run.
struct DeviceRow {
  std::string name;  ///< "device 0 (NVIDIA H200)"
  std::uint64_t works = 0;
  double launch_seconds = 0;    ///< the host's: putting works on streams
  double upload_seconds = 0;    ///< copies of inputs to the device
  double kernel_seconds = 0;    ///< what works put on their streams
  double download_seconds = 0;  ///< copies to the host that somebody asked for
  double evict_seconds = 0;     ///< copies to the host because the room was needed
  std::uint64_t uploaded_bytes = 0;
  std::uint64_t downloaded_bytes = 0;
  std::uint64_t evicted_bytes = 0;
};

/// The outcome of comparing a run with its budget a task.
struct BudgetVerdict {
  double budget_us = 0;
  bool over_budget = false;  ///< mean overhead a task exceeds the budget: what enforcing looks at
  bool warn = false;         ///< also over 5% of the slots' wall time, of half a second or more
  std::string text;          ///< one sentence naming the largest phase; empty unless over_budget
};

/// Where the time of a run went. A plain value: taken when asked, never changes afterwards.
struct LedgerReport {
  double wall_seconds = 0;
  std::uint64_t tasks = 0;
  std::size_t slots = 0;
  PhaseSeconds seconds{};              ///< over all rows
  std::vector<SlotRow> rows;           ///< filled always; printed by the full ledger only
  std::vector<LayerRow> layers;        ///< filled by whoever knows the layers; may be empty
  std::vector<MovedRow> moved;         ///< most bytes first; empty where all workers are one process
  std::vector<DeviceRow> devices;      ///< those that worked
  std::uint64_t samples = 0;           ///< tasks whose launch, kernel and completion were timed one by one
  double inferred_kernel_seconds = 0;  ///< part of kernel booked because a stretch was far longer than its samples
  double sampled_p50_us = 0;           ///< launch + completion of the samples
  double sampled_p99_us = 0;
  double kernel_p50_us = 0;
  double kernel_p99_us = 0;

  double phase(Phase which) const { return seconds[static_cast<std::size_t>(which)]; }
  /// Returns build + submit + schedule + message + queue + launch + complete + release.
  double overhead_seconds() const;
  double overhead_us_per_task() const;
  /// Returns the p99 of the samples plus the mean of the phases that are booked by the batch.
  double overhead_p99_us() const;
  /// Returns 1 - booked / (slots x wall): time of slots that no phase claims. Negative if something was booked twice.
  double unbooked_fraction() const;
  /// Returns tasks timed one by one over all tasks.
  double sampling_rate() const;

  BudgetVerdict check_budget(double budget_us) const;
  /// Returns how many times larger or smaller the tasks (their chunks) should be, and why, in one sentence; "" where
  /// there is nothing to say.
  std::string advice() const;
  /// Returns a table for people; `full` adds one line a slot and one a layer.
  std::string to_text(bool full = false) const;
  /// Returns one JSON object on one line.
  std::string to_json() const;
};

}  // namespace weft
