#include "core/executor/executor.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/again.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/copy.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/release.hpp"
#include "core/graph/sites.hpp"
#include "core/graph/task_name.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/completed.hpp>
#include <weft/error.hpp>
#include <weft/future.hpp>
#include <weft/this_task.hpp>

#include <fmt/format.h>

#include <cmath>
#include <thread>

namespace weft {
namespace {

std::uint64_t word_of(const Handle& handle) {
  return arena::task(handle.task_id()).word.load(std::memory_order_acquire);
}

bool is_cancelled(TaskId task, std::uint64_t word) {
  if ((word & task_word::kExtra) == 0) return false;
  bool cancelled = false;
  extras::read(task, [&](const TaskExtra& extra) {
    // A task that was refused is taken out the same way, but has a reason of its own; and one that ended while it was
    // asked about has a result.
    cancelled = extra.failure != nullptr ? extra.failure->kind == TaskFailure::Kind::Cancelled
                                         : extra.cancelled && (word & task_word::kDone) == 0;
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

/// Waits until the task has ended; returns false if it has not by then.
bool ends_within(Runtime& runtime, TaskId task, Seconds longest) {
  if (longest != kForever) {
    const auto ended = [&] { return (arena::task(task).word.load(std::memory_order_acquire) & task_word::kDone) != 0; };
    const auto deadline = detail::deadline_after(longest);
    arena::task(task).word.fetch_or(task_word::kWatched, std::memory_order_acq_rel);
    runtime.help_until(Runtime::kOnlyLook, [&] { return ended() || std::chrono::steady_clock::now() >= deadline; });
    if (!ended()) return false;
  }
  runtime.wait(task);
  return true;
}

}  // namespace

namespace detail {

void throw_empty(const std::source_location& where) {
  throw Error(std::string("an argument of the task at ") + where.file_name() + ":" + std::to_string(where.line()) +
              " is an empty handle: it was moved from or never assigned");
}

void refuse_to_share(std::string_view type) {
  throw Error("a result of type " + std::string(type) +
              " is taken by value and cannot be copied, while others need it too: take it by const reference, or move "
              "its last handle into the call");
}

void require_operand(const Handle& handle) {
  if (!handle.valid())
    throw Error("an operand of an operator is an empty Delayed: it was moved from or never assigned");
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

PinnedValue await_value(const Handle& handle, const ValueType& type, Seconds longest) {
  if (!handle.valid()) throw Error("this future is empty: it was moved from, released, or never assigned");
  Runtime& runtime = runtime_of(handle);
  const TaskId task = handle.task_id();
  if ((word_of(handle) & task_word::kDone) == 0) {
    if (is_cancelled(task, word_of(handle))) throw CancelledError("task " + task_name(task) + " was cancelled");
    if (!ends_within(runtime, task, longest)) throw_late("Future::result", longest, 1, {handle});
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
  if (task_word::uses_of(word) != 1 || (word & task_word::kKept) != 0) return false;
  // The caller takes the value, which it has pinned.
  const TaskId task = handle.task_id();
  if (!site(arena::task(task).site).type->result->in_record) {
    Box* box;
    std::memcpy(&box, arena::task(task).payload + result_offset(0, false), sizeof box);
    if (box != nullptr) boxes::settle(box);
  }
  return true;
}

void require_only_owner(const Handle& handle) {
  // A task that has read the value lets go of it a moment after its own end was seen.
  const auto deadline = deadline_after(Seconds(0.2));
  while (!only_owner(handle)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error("the result of task " + task_name(handle.task_id()) +
                  " cannot be copied, and other handles or tasks need it too: read it with inspect(), or take it "
                  "when they are done");
    }
    std::this_thread::yield();
  }
}

void throw_late(const char* what, Seconds longest, std::size_t all, const std::vector<Handle>& unfinished) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  for (std::size_t i = 0; i < unfinished.size() && i < kNamed; ++i) {
    const TaskId task = unfinished[i].task_id();
    const SourceLine line = line_of(arena::task(task));
    names += fmt::format("{}{} ({}:{})", i == 0 ? "" : ", ", task_name(task), line.file, line.line);
  }
  if (unfinished.size() > kNamed) names += fmt::format(", and {} more", unfinished.size() - kNamed);
  const std::string how_many = all == 1 ? "the task has" : fmt::format("{} of {} tasks have", unfinished.size(), all);
  throw TimeoutError(
      fmt::format("{}: {} not ended within {:g} s: {}; they go on", what, how_many, longest.count(), names));
}

std::chrono::steady_clock::time_point deadline_after(Seconds longest) {
  using Clock = std::chrono::steady_clock;
  constexpr double kFar = 1e9;  // thirty years
  if (!(longest.count() < kFar)) return Clock::time_point::max();
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(std::max(longest.count(), 0.0)));
}

std::string name_of(const Handle& handle) { return handle.valid() ? task_name(handle.task_id()) : "no task"; }

void take_line(const Handle& task, const Handle& from) {
  TaskRecord& record = arena::task(task.task_id());
  const Site& line = site(arena::task(from.task_id()).site);
  record.site = site_of(*site(record.site).type, line.file, line.function, line.line);
}

FutureStatus status_of(const Handle& handle) {
  require_client(handle);
  const std::uint64_t word = word_of(handle);
  if (is_cancelled(handle.task_id(), word)) return FutureStatus::Cancelled;
  if ((word & task_word::kDone) == 0) return FutureStatus::Pending;
  return (word & task_word::kFailed) != 0 ? FutureStatus::Failed : FutureStatus::Finished;
}

std::exception_ptr exception_of(const Handle& handle, Seconds longest) {
  require_client(handle);
  if (!ends_within(runtime_of(handle), handle.task_id(), longest))
    throw_late("Future::exception", longest, 1, {handle});
  return (word_of(handle) & task_word::kFailed) != 0 ? failure_exception(handle.task_id()) : nullptr;
}

std::string traceback_of(const Handle& handle) {
  const std::exception_ptr error = exception_of(handle);
  if (error == nullptr) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  }
}

void cancel_task(const Handle& handle) {
  if (!handle.valid()) require_client(handle);
  // With its client all that had not begun was cancelled.
  Runtime* const runtime = Runtime::find(handle.client_serial());
  if (runtime != nullptr && (word_of(handle) & task_word::kDone) == 0) runtime->cancel(handle.task_id());
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
  failing::call_back(task, callback);
}

void settle_inputs(TaskId task, const Connected& connected) noexcept {
  const std::uint32_t ended = arena::task(task).input_count - connected.unfinished;
  // The guard stands, so this never brings the counter to zero.
  if (ended != 0) arena::task(task).join.fetch_sub(ended, std::memory_order_acq_rel);
}

}  // namespace detail

namespace {

/// Of a task that keeps its inputs.
TaskId failed_one_of_inputs(TaskId task) {
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k != record.input_count; ++k) {
    const TaskId input = arena::edge(record.first_input + k).producer;
    if ((arena::task(input).word.load(std::memory_order_acquire) & task_word::kFailed) != 0) return input;
  }
  return kNone;
}

/// Follows a failure to the task that began it.
TaskId origin_of(TaskId failed) {
  TaskId origin = failed;
  for (TaskId next = failed; next != kNone;) {
    origin = next;
    next = kNone;
    bool keeps_inputs = false;
    extras::read(origin, [&](const TaskExtra& extra) {
      next = extra.failed_input;
      keeps_inputs = extra.keeps_inputs;
    });
    if (next == kNone && keeps_inputs) next = failed_one_of_inputs(origin);
  }
  return origin;
}

/// Returns why nothing is left to run a failed task again with.
std::string why_not_kept(TaskId task) {
  TaskFailure::Kind kind = TaskFailure::Kind::Threw;
  extras::read(task, [&](const TaskExtra& extra) {
    if (extra.failure != nullptr) kind = extra.failure->kind;
  });
  switch (kind) {
    case TaskFailure::Kind::Cancelled:
      return "it was cancelled";
    case TaskFailure::Kind::Refused:
      return "no worker could run it";
    case TaskFailure::Kind::Lost:
      return "it did not run to its end";
    case TaskFailure::Kind::Threw:
      break;
  }
  return "its arguments were not kept: run it with the sync scheduler (WEFT_SCHEDULER=sync)";
}

/// The right to run a failed task again: nobody else does meanwhile. Threading: one thread.
class Rerun {
 public:
  Rerun(TaskId task, const char* what) : record_(arena::task(task)), task_(task) {
    bool keeps_inputs = false;
    bool busy = false;
    bool took_input = false;
    extras::change(task, [&](TaskExtra& extra) {
      keeps_inputs = extra.keeps_inputs;
      took_input = extra.took_input;
      busy = keeps_inputs && std::exchange(extra.runs_again, true);
    });
    const std::string name = std::string(what) + ": task " + task_name(task);
    if (busy) throw Error(name + " is being run again already");
    if (keeps_inputs && call().repeatable && !took_input) return;
    release();
    throw Error(
        name + " cannot be run again: " + (keeps_inputs ? "its function took its arguments away" : why_not_kept(task)));
  }
  ~Rerun() { release(); }
  Rerun(const Rerun&) = delete;
  Rerun& operator=(const Rerun&) = delete;

  const ValueType& type() const { return *call().result; }
  /// Runs it, gives `take` the place of its result, and destroys what is left there.
  void run(const std::function<void(void*)>& take) const {
    {
      TaskFrame frame(task_);
      call().run(frame);
    }
    struct Destroy {
      TaskRecord& record;
      ~Destroy() { destroy_result(record); }
    } const destroy{record_};
    Box* box = nullptr;
    void* const value = value_place(task_, type(), box);
    const detail::PinnedValue pinned(value, box);
    take(value);
  }

 private:
  const TaskType& call() const { return *site(record_.site).type; }
  void release() const {
    extras::change(task_, [](TaskExtra& extra) { extra.runs_again = false; });
  }
  TaskRecord& record_;
  const TaskId task_;
};

/// The end of an input that failed may come after that of the task that needed it. False where inputs are not kept.
bool wait_for_kept_inputs(Runtime& runtime, TaskId task) {
  bool keeps_inputs = false;
  extras::read(task, [&](const TaskExtra& extra) { keeps_inputs = extra.keeps_inputs; });
  if (!keeps_inputs) return false;
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k != record.input_count; ++k)
    runtime.wait_there(arena::edge(record.first_input + k).producer);
  return true;
}

/// Brings a result to this process.
void bring(Runtime& runtime, TaskId task) {
  runtime.wait(task);
  if ((arena::task(task).word.load(std::memory_order_acquire) & task_word::kFailed) != 0) throw_failure(task);
}

/// Returns the task of a failed future, which must have thrown itself.
TaskId failed_itself(const Handle& failed) {
  detail::require_client(failed);
  const TaskId task = failed.task_id();
  if ((word_of(failed) & task_word::kFailed) == 0) {
    throw Error("Client::retry: task " + task_name(task) + " has not failed");
  }
  const TaskId origin = origin_of(task);
  if (origin != task) {
    throw Error("Client::retry: task " + task_name(task) + " failed because " + task_name(origin) +
                " did: retry that one, and submit again what needs it");
  }
  return task;
}

}  // namespace

std::size_t nbytes(const Handle& handle) {
  if (!handle.valid()) throw Error("nbytes: this handle is empty");
  const std::uint64_t word = word_of(handle);
  if ((word & task_word::kDone) == 0 || (word & task_word::kFailed) != 0) return 0;
  const ValueType& type = *site(arena::task(handle.task_id()).site).type->result;
  Box* box = nullptr;
  void* const value = value_place(handle.task_id(), type, box);
  const detail::PinnedValue pinned(value, box);
  return type.size_of(value);
}

void rerun_locally(const Handle& failed) {
  if (!failed.valid()) throw Error("rerun_locally: this handle is empty");
  Runtime* const runtime = Runtime::find(failed.client_serial());
  if (runtime != nullptr) static_cast<void>(ends_within(*runtime, failed.task_id(), kForever));
  if ((word_of(failed) & task_word::kFailed) == 0) {
    throw Error("rerun_locally: task " + task_name(failed.task_id()) + " has not failed");
  }
  TaskId origin = origin_of(failed.task_id());
  if (runtime != nullptr && wait_for_kept_inputs(*runtime, origin)) origin = origin_of(origin);
  const Rerun rerun(origin, "rerun_locally");
  again::Inputs inputs;
  inputs.make(origin, [&](TaskId input) {
    if (runtime != nullptr) bring(*runtime, input);
  });
  rerun.run([](void*) {});
}

namespace detail {

void run_again(const Handle& failed, const ValueType& type, const std::function<void(void*)>& take) {
  const TaskId task = failed_itself(failed);
  const Rerun rerun(task, "Client::retry");
  if (&rerun.type() != &type) throw Error("Client::retry: task " + task_name(task) + " gives another type");
  rerun.run(take);
}

Handle describe_again(const Handle& failed) {
  const TaskId task = failed_itself(failed);
  if (runtime_of(failed).alone()) {
    const Rerun may_run_again(task, "Client::retry");
    return {};
  }
  bool keeps_inputs = false;
  extras::read(task, [&](const TaskExtra& extra) { keeps_inputs = extra.keeps_inputs; });
  if (!keeps_inputs) {
    throw Error("Client::retry: task " + task_name(task) + " cannot be run again: " + why_not_kept(task));
  }
  return copy_call(task);
}

}  // namespace detail

namespace this_task {

bool running() noexcept { return current_slot() != nullptr && current_slot()->running() != kNone; }

const Client& client() {
  if (!running()) throw Error("this_task::client: no task runs on this thread; use the client you opened");
  return Client::current();
}

bool cancelled() {
  if (!running()) return false;
  const TaskId task = current_slot()->running();
  Executor& executor = current_slot()->executor();
  if (executor.draining()) return true;
  if (executor.entry(arena::packet_of(task)).cancelled.load(std::memory_order_relaxed)) return true;
  return is_cancelled(task, arena::task(task).word.load(std::memory_order_acquire));
}

void detail::call_without_slot(void (*call)(void*), void* argument) {
  if (!running()) return call(argument);
  current_slot()->executor().call_without_slot(call, argument);
}

unsigned slot() noexcept { return current_slot() == nullptr ? 0 : current_slot()->index(); }

}  // namespace this_task
}  // namespace weft
