#include <weft/ledger.hpp>

#include "core/diagnostics/write_file.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace weft {

namespace {

constexpr std::string_view kNames[kPhaseCount] = {"build",  "submit", "schedule", "message", "queue", "fetch",
                                                  "launch", "kernel", "complete", "release", "spill", "idle"};
constexpr double kWarnShare = 0.05;

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
  verdict.warn = share > kWarnShare;
  const Phase largest = largest_overhead(seconds);
  verdict.text = fmt::format(
      "overhead {:.3g} us a task exceeds the budget of {:.3g} us ({:.1f}% of the slots' time); the largest phase is {} "
      "with {:.3g} us a task. Make tasks larger, or raise WEFT_TASK_BUDGET_US",
      mean_us, budget_us, share * 100, phase_name(largest), phase(largest) * 1e6 / static_cast<double>(tasks));
  return verdict;
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
  out += "],\"layers\":[";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    fmt::format_to(to, "{}{{\"name\":{},\"tasks\":{},\"kernel_seconds\":{},\"overhead_seconds\":{}}}",
                   i == 0 ? "" : ",", json_string(layers[i].name), layers[i].tasks,
                   json_number(layers[i].kernel_seconds), json_number(layers[i].overhead_seconds));
  }
  return out + "]}";
}

}  // namespace weft
