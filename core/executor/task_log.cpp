#include "core/executor/task_log.hpp"

#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>

#include <algorithm>
#include <chrono>

namespace weft {

void TaskLog::turn(bool on) {
  const std::lock_guard lock(mutex_);
  // The first tick of the calibration: it needs some milliseconds before it is asked.
  if (on) start_tick_calibration();
  on_.store(on, std::memory_order_relaxed);
  if (!on) kept_.clear();
}

void TaskLog::note(TaskId task, unsigned slot, Ticks took, bool failed) noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  try {
    LoggedTask one;
    one.name = task_name(task);
    one.site = arena::task(task).site;
    one.slot = slot;
    one.took_ns = static_cast<std::int64_t>(static_cast<double>(took) / ticks_per_second() * 1e9);
    one.start_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - one.took_ns;
    one.failed = failed;
    const std::lock_guard lock(mutex_);
    if (!on()) return;
    kept_.push_back(std::move(one));
    ++next_;
    if (kept_.size() > kMost) kept_.pop_front();
  } catch (...) {
    // No memory to say what ran: it did run.
  }
}

std::vector<LoggedTask> TaskLog::since(std::uint64_t number, std::uint64_t& first, std::uint64_t& next) const {
  const std::lock_guard lock(mutex_);
  next = next_;
  first = std::min(next_, std::max(number, next_ - kept_.size()));
  return {kept_.end() - static_cast<std::ptrdiff_t>(next_ - first), kept_.end()};
}

}  // namespace weft
