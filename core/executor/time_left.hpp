#pragma once

#include "core/diagnostics/ticks.hpp"

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace weft {

/// Tasks of one kind, described at one line, that are not started because they would not end in time.
struct HeldKind {
  std::uint32_t site = 0;
  TaskId first = kNone;
  std::uint32_t tasks = 0;
  double expected_seconds = 0;
};

/// How long the program may still run, how long tasks of each kind take, and the tasks that do not fit any more.
/// A kind of which nothing is known fits.
///
/// For: Executor. Owns: the times of kinds, the list of tasks that are held.  Threading: any thread.
class TimeLeft {
 public:
  /// Whether an end is known at all: until then nothing is learnt and nothing held.
  bool known() const noexcept { return known_.load(std::memory_order_relaxed); }
  void set(double seconds);
  /// From now on everything fits; returns what was held.
  std::vector<TaskId> forget();

  /// A task of this kind took so long. Returns the held ones that fit now.
  std::vector<TaskId> learn(std::uint32_t site, Ticks took, Ticks now);
  /// Somebody else knows how long a task of this kind takes: taken where nothing is known here.
  void expect(std::uint32_t site, double seconds);
  /// Keeps the task, which is ready, if it is expected to take longer than what is left. Returns whether it did.
  bool hold(TaskId task, std::uint32_t site, Ticks now);
  /// Holds the task whatever is left. Returns whether it did: not where no end is known any more.
  bool keep(TaskId task, std::uint32_t site);
  /// Returns all that is held, and holds it no more.
  std::vector<TaskId> take_all();

  /// Calls `look(HeldKind)` for each kind while nothing is let go of: the first task of it may be read.
  template <class Look>
  void each_held(const Look& look) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [site, kind] : kinds_) {
      if (kind.held.empty()) continue;
      look(HeldKind{site, kind.held.front(), static_cast<std::uint32_t>(kind.held.size()),
                    kind.ticks / ticks_per_second_});
    }
  }

 private:
  struct Kind {
    double ticks = 0;  // expected of one task
    std::vector<TaskId> held;
  };

  bool fits(double ticks, Ticks now) const {
    const Ticks end = end_.load(std::memory_order_relaxed);
    return now < end && ticks <= static_cast<double>(end - now);
  }
  void raise_longest(double ticks);

  std::atomic<bool> known_{false};
  std::atomic<Ticks> end_{0};
  /// No kind takes longer: what has so much time left needs no look at its kind.
  std::atomic<Ticks> longest_{0};
  mutable std::mutex mutex_;
  std::map<std::uint32_t, Kind> kinds_;  // guarded by mutex_
  double ticks_per_second_ = 1;          // guarded by mutex_
};

}  // namespace weft
