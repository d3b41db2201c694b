#pragma once

#include <weft/ids.hpp>
#include <weft/task_options.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

namespace detail {
struct Content;
}

/// Why a task has no result. Shared by all tasks that failed because of it.
struct TaskFailure {
  enum class Kind : std::uint8_t { Threw, Cancelled, Refused, Lost };
  Kind kind = Kind::Threw;
  std::string message;
  /// Type of what was thrown.
  std::string type;
  /// The task that began it, as people read it, and where the user wrote it.
  std::string task;
  std::string file;
  std::uint32_t line = 0;
  /// Its arguments, read back.
  std::string arguments;
  /// File, line and arguments are those of a call inside of the task: of a step of a formula.
  bool inside = false;
  std::uint32_t attempt = 1;
  /// Where it was thrown, a function a line, the innermost first; empty where that is not known.
  std::string stack;
  std::exception_ptr exception;
};

/// Where a task with a fifo_timeout stands among those of its age.
struct Turn {
  Nanoseconds call_ns = 0;  // when its `map` began; 0: when it is launched
  std::uint32_t number = 0;
};

/// The rare things of a task, kept beside its record while word & kExtra says so.
struct TaskExtra {
  std::uint16_t retries_left = 0;
  /// Before the next of these.
  double retry_delay_s = 0;
  /// The last pause of a task that asked to be run later.
  double reschedule_delay_s = 0;
  bool (*retry_if)(const std::exception&) = nullptr;
  std::uint16_t attempts = 0;
  bool cancelled = false;
  /// Threw itself: its closure and its inputs are kept so that it can be run again by hand.
  bool keeps_inputs = false;
  /// An input was moved out by the attempt that threw.
  bool took_input = false;
  /// Somebody runs it again by hand now.
  bool runs_again = false;
  std::shared_ptr<const TaskFailure> failure;
  /// For a task that failed with an input: that input.
  TaskId failed_input = kNone;
  /// What people see instead of the function's name; with a '/' at its end: in front of it.
  std::string name;
  /// What it was described with, in an Annotate scope.
  std::shared_ptr<const TaskOptions> options;
  Turn turn;
  /// Its packet, where its segment's other tasks are in another one.
  PacketId packet = kNone;
  /// What it computes, for pure calls that take its result.
  std::shared_ptr<const detail::Content> content;
  std::vector<std::function<void()>> callbacks;
};

namespace extras {

/// Calls `change` on the task's entry, made if absent, under the entry's lock. Sets the record's flag.
void change(TaskId id, const std::function<void(TaskExtra&)>& change);
/// Calls `read` on the entry if there is one.
bool read(TaskId id, const std::function<void(const TaskExtra&)>& read);
/// Removes and returns the entry.
TaskExtra take(TaskId id) noexcept;

}  // namespace extras
}  // namespace weft
