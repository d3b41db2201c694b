#include "core/runtime/watchdog.hpp"

#include "core/diagnostics/progress_meter.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weft {

Watchdog::Watchdog(Runtime& runtime, double patience_seconds, std::function<std::string()> why_idle)
    : runtime_(runtime), patience_seconds_(patience_seconds), why_idle_(std::move(why_idle)) {}

double Watchdog::interval_seconds() const { return std::clamp(patience_seconds_ / 8, 0.02, 5.0); }

std::string Watchdog::look(double now_seconds) {
  const Runtime::Counts counts = runtime_.counts();
  const std::uint64_t ended = counts.tasks_done + counts.tasks_failed;
  if (since_ < 0 || ended != ended_ || ended >= counts.tasks_total) {
    ended_ = ended;
    since_ = now_seconds;
    next_ = patience_seconds_;
    sampled_ = -1;
    return "";
  }
  const double quiet = now_seconds - since_;
  if (quiet < next_ / 2) return "";
  if (sampled_ >= 0 && quiet < next_) return "";
  const bool is_first = sampled_ < 0;
  const bool busy = take_sample(now_seconds);
  if (is_first) return "";
  // Long tasks that work are no news: they are asked again after as long.
  next_ = 2 * quiet;
  return busy ? "" : sentence(quiet);
}

bool Watchdog::take_sample(double now_seconds) {
  constexpr double kBusyShare = 0.05;
  bool busy = false;
  for (const WorkerLook& look : runtime_.look({})) {
    double& before = processors_[look.worker];
    busy = busy || look.processor_seconds - before > kBusyShare * (now_seconds - sampled_);
    before = look.processor_seconds;
  }
  sampled_ = now_seconds;
  return busy;
}

std::string Watchdog::sentence(double quiet_seconds) const {
  constexpr std::size_t kMost = 8;
  const Runtime::Counts counts = runtime_.counts();
  const std::uint64_t left = counts.tasks_total - std::min(counts.tasks_total, counts.tasks_done + counts.tasks_failed);
  std::string text = fmt::format(
      "nothing moves: for {} no task has ended and no worker has used its processors; {} of {} tasks are left",
      time_text(quiet_seconds), left, counts.tasks_total);
  std::size_t running = 0;
  std::uint32_t again = 0;
  const std::vector<WorkerLook> seen = runtime_.look({.running = true, .compare = true});
  for (const WorkerLook& look : seen) {
    again += look.dealt_again;
    for (const RunningTask& task : look.running) {
      if (running++ >= kMost) continue;
      text += fmt::format("{} {} runs '{}' ({}:{})", running == 1 ? ":" : ",", look.worker, task.name, task.file,
                          task.line);
    }
  }
  if (running > kMost) text += fmt::format(", and {} more run", running - kMost);
  if (seen.empty()) text += "; no worker answers";
  if (running == 0 && !seen.empty()) text += ", and none runs";
  if (again != 0) text += fmt::format("; {} packets that workers did not know of are dealt again", again);
  if (running == 0 && why_idle_) text += ": " + why_idle_();
  return text;
}

}  // namespace weft
