#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/simulate/workload.hpp"

namespace weft::sim {

/// Integrates over virtual time how many cores run a task, and how many could.
/// A core could run a task if it runs one, or if the inputs of one that has not begun are all finished, wherever they
/// are. Owns: counters by task.  Threading: none.
class BusyMeter {
 public:
  BusyMeter(const Workload& workload, std::uint32_t cores);

  void begin(Nanoseconds now);
  void task_started(Nanoseconds now);
  void task_finished(TaskId task, Nanoseconds now);

  /// In core-nanoseconds.
  [[nodiscard]] double busy() const { return busy_; }
  [[nodiscard]] double possible() const { return possible_; }
  [[nodiscard]] Nanoseconds last_finish() const { return last_; }
  [[nodiscard]] std::uint64_t finished() const { return finished_; }

 private:
  void advance(Nanoseconds now) {
    const auto passed = static_cast<double>(now - last_);
    busy_ += passed * static_cast<double>(running_);
    possible_ += passed * static_cast<double>(std::min<std::uint64_t>(cores_, running_ + ready_));
    last_ = now;
  }

  const std::uint64_t cores_;
  std::vector<std::uint32_t> missing_;         // by task: inputs that are not finished
  std::vector<std::uint32_t> first_consumer_;  // by task: into consumers_
  std::vector<TaskId> consumers_;
  std::uint64_t running_ = 0;
  std::uint64_t ready_ = 0;
  std::uint64_t finished_ = 0;
  double busy_ = 0;
  double possible_ = 0;
  Nanoseconds last_ = 0;
};

/// Returns the makespan of the same tasks run in order of readiness, then of number, on `cores` cores, with free
/// decisions and free transfers.
[[nodiscard]] Nanoseconds greedy_makespan(const Workload& workload, std::uint32_t cores);

/// The longest chain of tasks.
[[nodiscard]] Nanoseconds critical_path(const Workload& workload);

}  // namespace weft::sim
