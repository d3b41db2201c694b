#pragma once

#include "core/graph/extras.hpp"

#include <weft/ids.hpp>
#include <weft/task_options.hpp>

#include <memory>
#include <optional>

namespace weft {

/// Returns `outer` with all that `inner` says put over it. Their names are joined.
TaskOptions merge_options(const TaskOptions& outer, const TaskOptions& inner);

/// What a task is launched with: what its launch gives, over what it was described with.
/// Owns: a share of the latter; borrows `given`.  Threading: one thread.
class LaunchOptions {
 public:
  LaunchOptions(TaskId task, const TaskOptions* given);
  LaunchOptions(const LaunchOptions&) = delete;
  LaunchOptions& operator=(const LaunchOptions&) = delete;

  /// Returns the options; null where there are none.
  const TaskOptions* get() const { return options_; }
  /// Returns whether the scheduler must decide about the task by itself.
  bool own_packet() const { return options_ != nullptr && options_->own_packet(); }
  /// Returns when its call began, and its turn among those of one age.
  const Turn& turn() const { return turn_; }
  /// Puts what the task's slot will look at beside its record: retries, and its name.
  void keep(TaskId task, std::uint64_t default_retries) const;

 private:
  std::shared_ptr<const TaskOptions> described_;
  std::optional<TaskOptions> merged_;
  const TaskOptions* options_;
  Turn turn_;
};

}  // namespace weft
