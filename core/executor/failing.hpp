#pragma once

#include <weft/task_record.hpp>

#include <cstdint>
#include <exception>
#include <functional>

namespace weft::failing {

/// How tasks end without a result, and what is kept of it. All of it is off the hot path.
/// Threading: the slot that runs the task, but for request_cancel.

/// Returns whether an input failed; then the failure has been passed on to this task.
bool input_failed(TaskId task, TaskRecord& record);
/// Returns whether somebody asked to cancel the task; then it counts as failed.
bool cancel_requested(TaskId task, std::uint64_t word);
/// Returns whether somebody asked to cancel a task that has just run well; then its result is gone and it has failed.
bool cancelled_meanwhile(TaskId task, TaskRecord& record);
/// Makes the task count as cancelled because its client is being closed.
void cancel_closed(TaskId task);
/// What is to become of a task that threw.
enum class Next : std::uint8_t {
  Fails,
  RunsAgain,  ///< Now.
  RunsLater,  ///< It asked for it: what else is ready goes first.
};
/// Records what the task threw.
Next after_throw(TaskId task, std::exception_ptr thrown);
/// Marks the task failed before it is completed. Returns whether its inputs are kept for running it again by hand.
bool settle(TaskId task, TaskRecord& record);

/// Calls, once each, what waits for the task's end.
void call_back(TaskId task) noexcept;
/// Calls one of these; what it throws is logged, on whichever thread that is.
void call_back(TaskId task, const std::function<void()>& callback) noexcept;

/// Asks that the task does not start; one that runs is told through this_task::cancelled(), and ends as cancelled.
void request_cancel(TaskId task);

}  // namespace weft::failing
