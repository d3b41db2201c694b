#pragma once

#include "core/diagnostics/ticks.hpp"

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace weft {

/// A task that a slot has timed.
struct LoggedTask {
  std::string name;
  std::uint32_t site = 0;
  unsigned slot = 0;
  /// Since the epoch of the system's clock.
  std::int64_t start_ns = 0;
  std::int64_t took_ns = 0;
  bool failed = false;
};

/// The tasks that the slots of an executor have timed lately, while somebody wants to know.
/// Owns: the last kMost of them.  Threading: any thread; guarded by its mutex but for `on`.
class TaskLog {
 public:
  static constexpr std::size_t kMost = 100'000;

  bool on() const { return on_.load(std::memory_order_relaxed); }
  /// Turned off, it forgets what it has; numbers go on.
  void turn(bool on);
  /// The task must not have been completed: its record is still there.
  void note(TaskId task, unsigned slot, Ticks took, bool failed) noexcept;
  /// Returns those from a number on; `next` is the number of the one to come, `first` that of the first returned.
  std::vector<LoggedTask> since(std::uint64_t number, std::uint64_t& first, std::uint64_t& next) const;

 private:
  std::atomic<bool> on_{false};
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<LoggedTask> kept_;
  std::uint64_t next_ = 0;
};

}  // namespace weft
