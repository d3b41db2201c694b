#include "core/executor/executor.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/release.hpp"
#include "core/graph/task_name.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>
#include <weft/future.hpp>
#include <weft/this_task.hpp>

namespace weft {
namespace {

std::uint64_t word_of(const Handle& handle) {
  return arena::task(handle.task_id()).word.load(std::memory_order_acquire);
}

bool is_cancelled(TaskId task, std::uint64_t word) {
  if ((word & task_word::kExtra) == 0) return false;
  bool cancelled = false;
  extras::read(task, [&](const TaskExtra& extra) {
    // A task that was refused is taken out the same way, but has a reason of its own.
    cancelled = extra.failure != nullptr ? extra.failure->kind == TaskFailure::Kind::Cancelled : extra.cancelled;
  });
  return cancelled;
}

/// Returns the runtime of a handle's client; throws where there is none any more.
Runtime& runtime_of(const Handle& handle) {
  Runtime* const runtime = Runtime::find(handle.client_serial());
  if (runtime == nullptr) {
    throw Error("the client of this future has been closed: take results before the client goes out of scope");
  }
  return *runtime;
}

/// Returns whether a task has ended well in another process and its boxed value has not been brought here.
bool lies_elsewhere(TaskId task) {
  const TaskRecord& record = arena::task(task);
  Box* box;
  std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
  return box == nullptr && (record.word.load(std::memory_order_acquire) & task_word::kFailed) == 0;
}

void* value_place(TaskId task, const ValueType& type, Box*& box) {
  TaskRecord& record = arena::task(task);
  if (type.in_record) return record.payload + result_offset(type.size, true);
  std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
  return boxes::pin(box);
}

}  // namespace

namespace detail {

void throw_empty(const std::source_location& where) {
  throw Error(std::string("an argument of the task at ") + where.file_name() + ":" + std::to_string(where.line()) +
              " is an empty handle: it was moved from or never assigned");
}

void require_client(const Handle& handle) {
  if (!handle.valid()) throw Error("this future is empty: it was moved from, released, or never assigned");
  static_cast<void>(runtime_of(handle));
}

PinnedValue finished_value(const Handle& handle, const ValueType& type) {
  if (!handle.valid()) throw Error("this handle is empty: it was moved from or never assigned");
  const std::uint64_t word = word_of(handle);
  if ((word & task_word::kDone) == 0) {
    throw Error(
        "task " + task_name(handle.task_id()) +
        " has not been computed: a Delayed has a value inside a task that was given it, or after its graph ran");
  }
  if ((word & task_word::kFailed) != 0) throw_failure(handle.task_id());
  Box* box = nullptr;
  void* const value = value_place(handle.task_id(), type, box);
  return PinnedValue(value, box);
}

PinnedValue await_value(const Handle& handle, const ValueType& type) {
  if (!handle.valid()) throw Error("this future is empty: it was moved from, released, or never assigned");
  Runtime& runtime = runtime_of(handle);
  const TaskId task = handle.task_id();
  if ((word_of(handle) & task_word::kDone) == 0) {
    if (is_cancelled(task, word_of(handle))) throw CancelledError("task " + task_name(task) + " was cancelled");
    runtime.wait(task);
  } else if (!type.in_record && lies_elsewhere(task)) {
    runtime.wait(task);
  }
  if ((word_of(handle) & task_word::kFailed) != 0) throw_failure(task);
  Box* box = nullptr;
  void* const value = value_place(task, type, box);
  return PinnedValue(value, box);
}

void PinnedValue::unpin() noexcept { boxes::unpin(box_); }

bool only_owner(const Handle& handle) noexcept {
  const std::uint64_t word = word_of(handle);
  return task_word::uses_of(word) == 1 && (word & task_word::kKept) == 0;
}

FutureStatus status_of(const Handle& handle) {
  require_client(handle);
  const std::uint64_t word = word_of(handle);
  if (is_cancelled(handle.task_id(), word)) return FutureStatus::Cancelled;
  if ((word & task_word::kDone) == 0) return FutureStatus::Pending;
  return (word & task_word::kFailed) != 0 ? FutureStatus::Failed : FutureStatus::Finished;
}

std::exception_ptr exception_of(const Handle& handle) {
  require_client(handle);
  runtime_of(handle).wait(handle.task_id());
  return (word_of(handle) & task_word::kFailed) != 0 ? failure_exception(handle.task_id()) : nullptr;
}

void cancel_task(const Handle& handle) {
  require_client(handle);
  if ((word_of(handle) & task_word::kDone) == 0) runtime_of(handle).cancel(handle.task_id());
}

void add_callback(const Handle& handle, std::function<void()> callback) {
  require_client(handle);
  const TaskId task = handle.task_id();
  if ((word_of(handle) & task_word::kDone) == 0) {
    extras::change(task, [&](TaskExtra& extra) { extra.callbacks.push_back(callback); });
    // It may have ended before the flag was seen: then nobody else calls what was just left there.
    if ((word_of(handle) & task_word::kDone) != 0) failing::call_back(task);
    return;
  }
  callback();
}

void settle_inputs(TaskId task, const Connected& connected) noexcept {
  const std::uint32_t ended = arena::task(task).input_count - connected.unfinished;
  // The guard stands, so this never brings the counter to zero.
  if (ended != 0) arena::task(task).join.fetch_sub(ended, std::memory_order_acq_rel);
}

}  // namespace detail

void rerun_locally(const Handle& failed) {
  if (!failed.valid()) throw Error("rerun_locally: this handle is empty");
  if ((word_of(failed) & task_word::kFailed) == 0) {
    throw Error("rerun_locally: task " + task_name(failed.task_id()) + " has not failed");
  }
  TaskId origin = failed.task_id();
  bool keeps_inputs = false;
  for (TaskId next = origin; next != kNone;) {
    origin = next;
    next = kNone;
    extras::read(origin, [&](const TaskExtra& extra) {
      next = extra.failed_input;
      keeps_inputs = extra.keeps_inputs;
    });
  }
  TaskRecord& record = arena::task(origin);
  const TaskType& type = *site(record.site).type;
  if (!keeps_inputs || !type.repeatable) {
    throw Error("rerun_locally: task " + task_name(origin) + " cannot be run again: " +
                (keeps_inputs ? "its function took its arguments away" : "it was cancelled before it ran"));
  }
  {
    TaskFrame frame(origin);
    type.run(frame);
  }
  destroy_result(record);
}

namespace this_task {

bool running() noexcept { return current_slot() != nullptr && current_slot()->running() != kNone; }

bool cancelled() {
  if (!running()) return false;
  const TaskId task = current_slot()->running();
  Executor& executor = current_slot()->executor();
  if (executor.entry(arena::packet_of(task)).cancelled.load(std::memory_order_relaxed)) return true;
  return is_cancelled(task, arena::task(task).word.load(std::memory_order_acquire));
}

unsigned slot() noexcept { return current_slot() == nullptr ? 0 : current_slot()->index(); }

}  // namespace this_task
}  // namespace weft
