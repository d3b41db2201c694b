#include "core/executor/failing.hpp"

#include "core/coordination/far_client.hpp"
#include "core/diagnostics/error_report.hpp"
#include "core/diagnostics/stack_trace.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/failed_step.hpp"
#include "core/graph/release.hpp"
#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/task_type.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace weft::failing {
namespace {

std::shared_ptr<const TaskFailure> failure_of(TaskId task) {
  std::shared_ptr<const TaskFailure> failure;
  extras::read(task, [&](const TaskExtra& extra) { failure = extra.failure; });
  return failure;
}

/// Asks the user's predicate, if there is one, whether what was thrown is worth another attempt.
bool wants_retry(TaskId task, const std::exception_ptr& thrown) {
  bool (*retry_if)(const std::exception&) = nullptr;
  extras::read(task, [&](const TaskExtra& extra) { retry_if = extra.retry_if; });
  if (retry_if == nullptr) return true;
  bool wanted = false;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    try {
      wanted = retry_if(error);
    } catch (...) {
      logging::error("executor", "the retry_if of task ", task_name(task), " threw ",
                     describe(std::current_exception()).message, "; the task is not run again");
    }
  } catch (...) {
    // Nothing that the predicate could be asked about.
  }
  return wanted;
}

bool asks_to_run_later(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Reschedule&) {
    return true;
  } catch (...) {
    return false;
  }
}

/// Lends the slot for so long; returns false if the task was cancelled or the client is closed meanwhile.
bool pause(TaskId task, double seconds) {
  Executor& executor = current_slot()->executor();
  const auto end = detail::deadline_after(Seconds(seconds));
  bool stopped = false;
  const auto over = [&] {
    extras::read(task, [&](const TaskExtra& extra) { stopped = extra.cancelled; });
    stopped = stopped || executor.draining();
    return stopped || std::chrono::steady_clock::now() >= end;
  };
  const auto sleep = [&] {
    while (!over()) {
      constexpr std::chrono::nanoseconds kPiece = std::chrono::milliseconds(5);
      const std::chrono::nanoseconds left = end - std::chrono::steady_clock::now();
      const timespec nap{0, static_cast<long>(std::clamp<std::int64_t>(left.count(), 0, kPiece.count()))};
      ::nanosleep(&nap, nullptr);
    }
  };
  try {
    if (executor.may_lend() || !executor.something_to_do()) {
      executor.call_without_slot([](void* call) { (*static_cast<const decltype(sleep)*>(call))(); },
                                 const_cast<void*>(static_cast<const void*>(&sleep)));
    } else {
      executor.help_until(Executor::kOnlyLook, over);
    }
  } catch (const CancelledError&) {
    return false;
  }
  return !stopped;
}

}  // namespace

bool input_failed(TaskId task, TaskRecord& record) {
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId producer = arena::edge(record.first_input + k).producer;
    if ((arena::task(producer).word.load(std::memory_order_acquire) & task_word::kFailed) == 0) continue;
    std::shared_ptr<const TaskFailure> failure = failure_of(producer);
    extras::change(task, [&](TaskExtra& extra) {
      extra.failure = std::move(failure);
      extra.failed_input = producer;
    });
    return true;
  }
  return false;
}

bool cancel_requested(TaskId task, std::uint64_t word) {
  if ((word & task_word::kExtra) == 0) return false;
  bool cancelled = false;
  extras::read(task, [&](const TaskExtra& extra) { cancelled = extra.cancelled; });
  if (!cancelled) return false;
  if (std::shared_ptr<const TaskFailure> known = failure_of(task); known != nullptr) return true;
  auto failure = std::make_shared<TaskFailure>();
  failure->kind = TaskFailure::Kind::Cancelled;
  failure->message = "cancelled";
  describe_task(task, *failure);
  extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
  return true;
}

bool cancelled_meanwhile(TaskId task, TaskRecord& record) {
  if (!cancel_requested(task, record.word.load(std::memory_order_acquire))) return false;
  destroy_result(record);
  return true;
}

void cancel_closed(TaskId task) {
  static const std::shared_ptr<const TaskFailure> failure = [] {
    auto made = std::make_shared<TaskFailure>();
    made->kind = TaskFailure::Kind::Lost;
    made->message = "the client was closed before this task ran: keep the client until its futures have ended";
    return made;
  }();
  extras::change(task, [](TaskExtra& extra) {
    if (extra.failure == nullptr) extra.failure = failure;
  });
}

namespace {

/// A task that asked to run later lets others go first; where there are none it waits, longer each time. Returns Fails
/// for one that cannot run twice.
Next after_request(TaskId task) {
  constexpr double kFirst_s = 0.001;
  constexpr double kLongest_s = 1;
  double delay_s = kFirst_s;
  extras::change(task, [&](TaskExtra& extra) {
    if (extra.reschedule_delay_s > 0) delay_s = std::min(2 * extra.reschedule_delay_s, kLongest_s);
    extra.reschedule_delay_s = delay_s;
  });
  const TaskRecord& record = arena::task(task);
  if (!site(record.site).type->repeatable || record.link == kTookInput) return Next::Fails;
  if (detail::FarClient* const far = current_slot()->executor().far_client()) {
    if (far->only_waits(arena::packet_of(task))) {
      request_cancel(task);
      cancel_requested(task, arena::task(task).word.load(std::memory_order_acquire));
      return Next::Fails;
    }
  }
  if (!current_slot()->executor().something_to_do()) return pause(task, delay_s) ? Next::RunsAgain : Next::RunsLater;
  // The others may be no more than tasks that ask for the same: they must not keep a core busy with asking.
  const timespec nap{0, static_cast<long>(delay_s > kFirst_s ? 1e6 * delay_s : 0)};
  ::nanosleep(&nap, nullptr);
  return Next::RunsLater;
}

}  // namespace

Next after_throw(TaskId task, std::exception_ptr thrown) {
  // Whatever it threw: nobody wants to know any more.
  if (cancel_requested(task, arena::task(task).word.load(std::memory_order_acquire))) return Next::Fails;
  const bool asked = asks_to_run_later(thrown);
  if (asked) {
    if (const Next next = after_request(task); next != Next::Fails) return next;
    if (cancel_requested(task, arena::task(task).word.load(std::memory_order_acquire))) return Next::Fails;
  }
  bool repeat = false;
  std::uint32_t attempt = 1;
  TaskRecord& record = arena::task(task);
  if ((record.word.load(std::memory_order_relaxed) & task_word::kExtra) != 0) {
    repeat = wants_retry(task, thrown);
    double delay_s = 0;
    extras::change(task, [&](TaskExtra& extra) {
      repeat = repeat && extra.retries_left != 0 && !extra.cancelled && site(record.site).type->repeatable;
      attempt = ++extra.attempts;
      if (!repeat) return;
      --extra.retries_left;
      delay_s = extra.retry_delay_s;
      extra.retry_delay_s = 2 * delay_s;
    });
    repeat = repeat && (!(delay_s > 0) || pause(task, delay_s));
  }
  if (repeat) return Next::RunsAgain;
  auto failure = std::make_shared<TaskFailure>();
  const Thrown text = describe(thrown);
  failure->message = text.message;
  if (asked) failure->message += ", and cannot be: what it was given was moved into it; let it take references";
  failure->type = text.type;
  failure->attempt = attempt;
  failure->stack = stack_trace::take(thrown);
  failure->exception = std::move(thrown);
  describe_failed_step(failure->exception, *failure);
  describe_task(task, *failure);
  if (record.borrows) {
    // To be looked at after its graph has gone, it needs its inputs for itself.
    for (std::uint32_t k = 0; k < record.input_count; ++k) arena::add_use(arena::edge(record.first_input + k).producer);
    record.borrows = 0;
  }
  extras::change(task, [&](TaskExtra& extra) {
    extra.failure = std::move(failure);
    extra.keeps_inputs = true;
    extra.took_input = record.link == kTookInput;
  });
  return Next::Fails;
}

bool settle(TaskId task, TaskRecord& record) {
  bool keeps_inputs = false;
  extras::read(task, [&](const TaskExtra& extra) { keeps_inputs = extra.keeps_inputs; });
  failed_records.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t word = record.word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  if (!keeps_inputs && (word & task_word::kKept) == 0) {
    const TaskType& type = *site(record.site).type;
    if (type.destroy_closure != nullptr) type.destroy_closure(record.payload);
  }
  return keeps_inputs;
}

void request_cancel(TaskId task) {
  extras::change(task, [](TaskExtra& extra) { extra.cancelled = true; });
}

void call_back(TaskId task, const std::function<void()>& callback) noexcept {
  try {
    callback();
  } catch (...) {
    logging::error("executor", "a callback of task ", task_name(task), " threw ",
                   describe(std::current_exception()).message,
                   "; what it throws has nowhere to go: catch it inside the callback");
  }
}

void call_back(TaskId task) noexcept {
  std::vector<std::function<void()>> callbacks;
  extras::change(task, [&](TaskExtra& extra) { callbacks.swap(extra.callbacks); });
  for (const auto& callback : callbacks) call_back(task, callback);
}

}  // namespace weft::failing
