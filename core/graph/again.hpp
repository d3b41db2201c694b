#pragma once

#include <weft/ids.hpp>

#include <functional>
#include <vector>

// Running tasks of a Graph again by hand, where the Graph ran in other processes. What they hand to each other stays
// there and is let go of with the run; the Graph keeps the functions with their arguments, so it can be made again.

namespace weft::again {

/// In the link of an ended task of a Graph: its value was left with the process that made it.
inline constexpr std::uint32_t kLeftElsewhere = kNone - 2;
bool was_left_elsewhere(TaskId task) noexcept;

/// Has a task of a Graph that ended elsewhere, because it threw, hold on to what it was called with, as one that throws
/// here does; lets one that failed with an input know that input.
void keep_call(TaskId task);

/// Throws Error where a value that was left elsewhere cannot be made again.
void require_remakeable(TaskId task);

/// The inputs of a task that were left elsewhere, made again in this process for as long as this exists.
/// Owns: those values, and those that they were made of.  Threading: one thread; others that do the same wait.
class Inputs {
 public:
  Inputs() = default;
  ~Inputs();
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;
  /// Makes them; `bring` fetches a value that exists. Throws what the tasks throw.
  void make(TaskId task, const std::function<void(TaskId)>& bring);

 private:
  void run(TaskId task);
  bool locked_ = false;
  std::vector<TaskId> made_;
};

}  // namespace weft::again
