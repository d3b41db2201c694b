#include <weft/ledger.hpp>

#include "core/diagnostics/write_file.hpp"
#include "core/memory/bytes_text.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace weft {

namespace {

constexpr std::string_view kNames[kPhaseCount] = {"build", "submit",  "schedule", "message",  "queue",
                                                  "fetch", "launch",  "kernel",   "complete", "release",
                                                  "spill", "journal", "idle"};
constexpr double kWarnShare = 0.05;
constexpr double kShortRun = 0.5;  // seconds in which nothing needs to be better
constexpr std::size_t kMostMoved = 10;

double sum(const PhaseSeconds& seconds) {
  double total = 0;
  for (const double value : seconds) total += value;
  return total;
}

// Seconds, milliseconds or microseconds, three digits: what a reader compares at a glance.
std::string seconds_text(double seconds) {
  if (seconds >= 1 || seconds == 0) return fmt::format("{:.3g} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} us", seconds * 1e6);
}

std::string json_string(std::string_view text) { return '"' + json_text(text) + '"'; }

// JSON knows no infinity and no NaN.
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null"; }

std::string json_phases(const PhaseSeconds& seconds) {
  std::string out = "{";
  for (std::size_t p = 0; p < kPhaseCount; ++p) {
    if (p != 0) out += ',';
    out += fmt::format("\"{}\":{}", kNames[p], json_number(seconds[p]));
  }
  return out + '}';
}

double overhead_of(const PhaseSeconds& seconds) {
  double total = 0;
  for (std::size_t p = 0; p < kPhaseCount; ++p) {
    if (is_overhead(static_cast<Phase>(p))) total += seconds[p];
  }
  return total;
}

Phase largest_overhead(const PhaseSeconds& seconds) {
  Phase largest = Phase::Build;
  for (std::size_t p = 0; p < kPhaseCount; ++p) {
    const auto phase = static_cast<Phase>(p);
    if (is_overhead(phase) && seconds[p] > seconds[static_cast<std::size_t>(largest)]) largest = phase;
  }
  return largest;
}

}  // namespace

std::string_view phase_name(Phase phase) { return kNames[static_cast<std::size_t>(phase)]; }

double LedgerReport::overhead_seconds() const { return overhead_of(seconds); }

double LedgerReport::overhead_us_per_task() const {
  return tasks == 0 ? 0 : overhead_seconds() * 1e6 / static_cast<double>(tasks);
}

double LedgerReport::overhead_p99_us() const {
  if (tasks == 0) return 0;
  const double batched = overhead_seconds() - phase(Phase::Launch) - phase(Phase::Complete);
  return sampled_p99_us + batched * 1e6 / static_cast<double>(tasks);
}

double LedgerReport::unbooked_fraction() const {
  double booked = 0;
  for (const SlotRow& row : rows) {
    if (row.slot) booked += sum(row.seconds);
  }
  const double available = static_cast<double>(slots) * wall_seconds;
  return available > 0 ? 1.0 - booked / available : 0;
}

double LedgerReport::sampling_rate() const {
  return tasks == 0 ? 0 : static_cast<double>(samples) / static_cast<double>(tasks);
}

BudgetVerdict LedgerReport::check_budget(double budget_us) const {
  BudgetVerdict verdict;
  verdict.budget_us = budget_us;
  const double mean_us = overhead_us_per_task();
  verdict.over_budget = tasks != 0 && mean_us > budget_us;
  if (!verdict.over_budget) return verdict;
  const double available = std::max(1.0, static_cast<double>(slots)) * wall_seconds;
  const double share = available > 0 ? overhead_seconds() / available : 0;
  verdict.warn = share > kWarnShare && wall_seconds >= kShortRun;
  const Phase largest = largest_overhead(seconds);
  verdict.text = fmt::format(
      "overhead {:.3g} us a task exceeds the budget of {:.3g} us ({:.1f}% of the slots' time); the largest phase is {} "
      "with {:.3g} us a task. Make tasks larger, or raise WEFT_TASK_BUDGET_US",
      mean_us, budget_us, share * 100, phase_name(largest), phase(largest) * 1e6 / static_cast<double>(tasks));
  return verdict;
}

std::string LedgerReport::advice() const {
  constexpr double kGoal = 0.05;          // of the time of tasks may go into what is not theirs
  constexpr double kMuch = 0.2;           // of the slots' time
  constexpr std::uint64_t kFewASlot = 4;  // tasks: then the last ones leave slots idle
  constexpr double kMost = 1000;          // times larger: more is as good as never
  const double available = static_cast<double>(slots) * wall_seconds;
  if (tasks == 0 || slots == 0 || wall_seconds < kShortRun) return "";
  const double kernel = phase(Phase::Kernel);
  const double overhead = overhead_seconds();
  const double small =
      overhead > kGoal * (overhead + kernel) && overhead > kGoal * available ? overhead / available : 0;
  const double idle = phase(Phase::Idle) / available;
  const double large = tasks < kFewASlot * slots && idle > kMuch ? idle : 0;
  const double spilled = phase(Phase::Spill) > kMuch / 2 * available ? phase(Phase::Spill) / available : 0;
  if (small == 0 && large == 0 && spilled == 0) return "";
  if (spilled >= small && spilled >= large) {
    return fmt::format(
        "results do not fit into memory: {:.0f}% of the slots' time went into writing and reading them; make chunks "
        "smaller, or give more memory (--weft-memory)",
        spilled * 100);
  }
  if (large > small) {
    const double each = static_cast<double>(tasks) / static_cast<double>(slots);
    return fmt::format(
        "tasks are too large: {} of them left {} slots idle for {:.0f}% of the time; make chunks {:.0f} times smaller",
        tasks, slots, idle * 100, std::ceil(kFewASlot / each));
  }
  // As many tasks in one as bring their overhead down to the goal.
  const double factor = kernel > 0 ? std::ceil(overhead * (1 - kGoal) / (kGoal * kernel)) : kMost + 1;
  return fmt::format(
      "tasks are too small: each worked for {} and cost {} beside it, {:.0f}% of the time of tasks; make chunks {} "
      "times larger",
      seconds_text(kernel / static_cast<double>(tasks)), seconds_text(overhead / static_cast<double>(tasks)),
      overhead / (overhead + kernel) * 100,
      factor > kMost ? fmt::format("over {:.0f}", kMost) : fmt::format("{:.0f}", factor));
}

std::string LedgerReport::to_text(bool full) const {
  std::string out;
  auto to = std::back_inserter(out);
  const double available = static_cast<double>(slots) * wall_seconds;
  const auto percent = [&](double value) { return available > 0 ? value * 100 / available : 0; };
  fmt::format_to(to, "ledger: {} tasks, {} {}, wall {}\n", tasks, slots, slots == 1 ? "slot" : "slots",
                 seconds_text(wall_seconds));
  fmt::format_to(to, "  {:<10} {:>10} {:>9} {:>12}\n", "phase", "time", "% of wall", "us a task");
  for (std::size_t p = 0; p < kPhaseCount; ++p) {
    if (seconds[p] == 0) continue;
    const double each = tasks == 0 ? 0 : seconds[p] * 1e6 / static_cast<double>(tasks);
    fmt::format_to(to, "  {:<10} {:>10} {:>9.2f} {:>12.4g}\n", kNames[p], seconds_text(seconds[p]), percent(seconds[p]),
                   each);
  }
  fmt::format_to(to, "  {:<10} {:>10} {:>9.2f}\n", "unbooked", "", unbooked_fraction() * 100);
  fmt::format_to(to, "  overhead a task: mean {:.4g} us, p99 {:.4g} us ({} of {} tasks timed one by one)\n",
                 overhead_us_per_task(), overhead_p99_us(), samples, tasks);
  fmt::format_to(to, "  kernel: p50 {:.4g} us, p99 {:.4g} us of the samples", kernel_p50_us, kernel_p99_us);
  if (inferred_kernel_seconds > 0) {
    fmt::format_to(to, "; {} inferred from stretches longer than their samples", seconds_text(inferred_kernel_seconds));
  }
  out += '\n';
  if (!moved.empty()) {
    fmt::format_to(to, "  {:<40} {:>10} {:>10}\n", "moved between workers: results of", "results", "bytes");
    for (std::size_t i = 0; i < std::min(moved.size(), full ? moved.size() : kMostMoved); ++i)
      fmt::format_to(to, "  {:<40} {:>10} {:>10}\n", moved[i].name, moved[i].results, bytes_text(moved[i].bytes));
    if (!full && moved.size() > kMostMoved) fmt::format_to(to, "  and of {} lines more\n", moved.size() - kMostMoved);
  }
  if (!devices.empty()) {
    fmt::format_to(to, "  {:<36} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>10}\n", "device", "works",
                   "launch", "copies in", "kernels", "copies out", "evictions", "bytes in", "out", "evicted");
    for (const DeviceRow& row : devices) {
      fmt::format_to(to, "  {:<36} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>10}\n", row.name, row.works,
                     seconds_text(row.launch_seconds), seconds_text(row.upload_seconds),
                     seconds_text(row.kernel_seconds), seconds_text(row.download_seconds),
                     seconds_text(row.evict_seconds), bytes_text(row.uploaded_bytes), bytes_text(row.downloaded_bytes),
                     bytes_text(row.evicted_bytes));
    }
  }
  if (const std::string told = advice(); !told.empty()) fmt::format_to(to, "  advice: {}\n", told);
  if (!full) return out;
  if (!rows.empty()) {
    fmt::format_to(to, "  {:<12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "slot", "tasks", "overhead", "kernel",
                   "fetch", "spill", "idle");
    for (const SlotRow& row : rows) {
      const auto at = [&](Phase phase) { return seconds_text(row.seconds[static_cast<std::size_t>(phase)]); };
      fmt::format_to(to, "  {:<12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10}\n", row.name, row.tasks,
                     seconds_text(overhead_of(row.seconds)), at(Phase::Kernel), at(Phase::Fetch), at(Phase::Spill),
                     at(Phase::Idle));
    }
  }
  if (!layers.empty()) {
    fmt::format_to(to, "  {:<32} {:>12} {:>10} {:>10}\n", "layer", "tasks", "kernel", "overhead");
    for (const LayerRow& row : layers) {
      fmt::format_to(to, "  {:<32} {:>12} {:>10} {:>10}\n", row.name, row.tasks, seconds_text(row.kernel_seconds),
                     seconds_text(row.overhead_seconds));
    }
  }
  return out;
}

std::string LedgerReport::to_json() const {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{{\"wall_seconds\":{},\"tasks\":{},\"slots\":{},\"phases\":{}", json_number(wall_seconds), tasks,
                 slots, json_phases(seconds));
  fmt::format_to(to, ",\"overhead_us_per_task\":{},\"overhead_p99_us\":{},\"unbooked\":{},\"samples\":{}",
                 json_number(overhead_us_per_task()), json_number(overhead_p99_us()), json_number(unbooked_fraction()),
                 samples);
  fmt::format_to(to, ",\"sampling_rate\":{},\"kernel_p50_us\":{},\"kernel_p99_us\":{},\"inferred_kernel_seconds\":{}",
                 json_number(sampling_rate()), json_number(kernel_p50_us), json_number(kernel_p99_us),
                 json_number(inferred_kernel_seconds));
  out += ",\"rows\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    fmt::format_to(to, "{}{{\"name\":{},\"slot\":{},\"tasks\":{},\"phases\":{}}}", i == 0 ? "" : ",",
                   json_string(rows[i].name), rows[i].slot, rows[i].tasks, json_phases(rows[i].seconds));
  }
  out += "],\"moved\":[";
  for (std::size_t i = 0; i < moved.size(); ++i) {
    fmt::format_to(to, "{}{{\"name\":{},\"results\":{},\"bytes\":{}}}", i == 0 ? "" : ",", json_string(moved[i].name),
                   moved[i].results, moved[i].bytes);
  }
  out += "],\"devices\":[";
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceRow& row = devices[i];
    fmt::format_to(to, "{}{{\"name\":{},\"works\":{},\"launch\":{},\"upload\":{},\"kernel\":{},\"download\":{}",
                   i == 0 ? "" : ",", json_string(row.name), row.works, json_number(row.launch_seconds),
                   json_number(row.upload_seconds), json_number(row.kernel_seconds), json_number(row.download_seconds));
    fmt::format_to(to, ",\"evict\":{},\"uploaded_bytes\":{},\"downloaded_bytes\":{},\"evicted_bytes\":{}}}",
                   json_number(row.evict_seconds), row.uploaded_bytes, row.downloaded_bytes, row.evicted_bytes);
  }
  out += "],\"layers\":[";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    fmt::format_to(to, "{}{{\"name\":{},\"tasks\":{},\"kernel_seconds\":{},\"overhead_seconds\":{}}}",
                   i == 0 ? "" : ",", json_string(layers[i].name), layers[i].tasks,
                   json_number(layers[i].kernel_seconds), json_number(layers[i].overhead_seconds));
  }
  return out + "]}";
}

}  // namespace weft
