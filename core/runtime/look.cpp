#include "core/runtime/look.hpp"

#include "core/coordination/notes.hpp"
#include "core/diagnostics/last_lines.hpp"
#include "core/diagnostics/progress_meter.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/sites.hpp"
#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>

namespace weft {
namespace {

std::vector<RunningTask> running_here(const Executor& executor) {
  std::vector<RunningTask> running;
  for (unsigned i = 0; i < executor.slot_count(); ++i) {
    const Slot& slot = executor.slot(i);
    const TaskId task = slot.running();
    if (task == kNone) continue;
    const std::uint32_t kind = site_at_a_glance(task);
    if (kind >= known_sites()) continue;
    const bool named = (arena::task(task).word.load(std::memory_order_acquire) & task_word::kExtra) != 0;
    RunningTask one;
    one.name = task_name_of(task, kind, named);
    // It was the one that ran until here, so what was read is its own.
    if (slot.running() != task) continue;
    const Site& at = site(kind);
    one.file = at.file;
    one.line = at.line;
    one.slot = i;
    running.push_back(std::move(one));
  }
  return running;
}

std::vector<RanTask> ran_here(const std::string& worker, const TaskLog& log, std::uint64_t known, WorkerLook& look) {
  std::vector<RanTask> ran;
  for (LoggedTask& logged : log.since(known, look.first_ran, look.next_ran)) {
    RanTask& one = ran.emplace_back();
    const Site& at = site(logged.site);
    one.name = std::move(logged.name);
    one.file = at.file;
    one.line = at.line;
    one.worker = worker;
    one.slot = logged.slot;
    one.start = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(logged.start_ns)));
    one.seconds = static_cast<double>(logged.took_ns) * 1e-9;
    one.failed = logged.failed;
  }
  return ran;
}

/// With tenths of a second where they matter.
std::string long_time_text(double seconds) {
  return seconds < 60 ? fmt::format("{:.1f} s", seconds) : time_text(seconds);
}

}  // namespace

std::vector<HeldTasks> held_here(const Executor& executor) {
  std::vector<HeldTasks> held;
  executor.time_left().each_held([&](const HeldKind& kind) {
    const Site& at = site(kind.site);
    held.push_back({task_name(kind.first), at.file, at.line, kind.tasks, kind.expected_seconds});
  });
  return held;
}

std::string held_text(const std::vector<HeldTasks>& held) {
  constexpr std::size_t kMost = 4;
  std::vector<HeldTasks> kinds;
  std::uint64_t tasks = 0;
  for (const HeldTasks& one : held) {
    tasks += one.tasks;
    const auto known = std::find_if(kinds.begin(), kinds.end(), [&](const HeldTasks& kind) {
      return kind.line == one.line && kind.file == one.file;
    });
    if (known == kinds.end()) {
      kinds.push_back(one);
    } else {
      known->expected_seconds = std::max(known->expected_seconds, one.expected_seconds);
    }
  }
  std::string text = fmt::format("{} task{} would not end in time", tasks, tasks == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(kinds.size(), kMost); ++i) {
    text += fmt::format("{} '{}' ({}:{}) is expected to take {}", i == 0 ? ":" : ",", kinds[i].name, kinds[i].file,
                        kinds[i].line, long_time_text(kinds[i].expected_seconds));
  }
  if (kinds.size() > kMost) text += fmt::format(", and {} kinds more", kinds.size() - kMost);
  return text;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void note_failure(std::uint32_t client, TaskId task) noexcept {
  std::shared_ptr<const TaskFailure> failure;
  extras::read(task, [&](const TaskExtra& extra) {
    if (extra.failed_input == kNone) failure = extra.failure;
  });
  if (failure == nullptr || failure->kind == TaskFailure::Kind::Cancelled) return;
  try {
    detail::note_event(
        client, "failures",
        failure->task + " (" + failure->file + ":" + std::to_string(failure->line) + "): " + failure->message);
  } catch (...) {
    // No memory to say it: whoever waits for the task hears of it.
  }
}

WorkerLook look_here(const std::string& worker, Executor& executor, const MemoryReport& memory,
                     std::uint64_t tasks_done, const LookOrder& order, std::uint64_t known) {
  WorkerLook look;
  look.worker = worker;
  look.processor_seconds = processor_seconds();
  look.resident_bytes = memory.resident_bytes;
  look.used_bytes = memory.used_bytes;
  look.spilled_bytes = memory.spilled_bytes;
  look.tasks_done = tasks_done;
  if (order.running) look.running = running_here(executor);
  if (order.running && executor.time_left().known()) look.held = held_here(executor);
  if (order.log) look.log = logging::last_lines();
  TaskLog& log = executor.task_log();
  if (order.stream != LookOrder::Stream::None) look.ran = ran_here(worker, log, known, look);
  if (order.stream == LookOrder::Stream::On && !log.on()) log.turn(true);
  if (order.stream == LookOrder::Stream::Off) log.turn(false);
  return look;
}

}  // namespace weft
