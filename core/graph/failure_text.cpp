#include "core/graph/failure_text.hpp"

#include "core/diagnostics/error_report.hpp"
#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>
#include <weft/error.hpp>
#include <weft/task_type.hpp>

#include <algorithm>

namespace weft {
namespace {

/// Returns the names from the task that was asked for down to the one that failed, the nearest to the failure first.
std::vector<std::string> chain_of(TaskId task) {
  std::vector<std::string> chain;
  for (TaskId at = task; at != kNone;) {
    TaskId next = kNone;
    extras::read(at, [&](const TaskExtra& extra) { next = extra.failed_input; });
    if (next != kNone) {
      const Site& place = site(arena::task(at).site);
      chain.push_back(task_name(at) + " (" + place.file + ":" + std::to_string(place.line) + ")");
    }
    at = next;
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

}  // namespace

std::exception_ptr failure_exception(TaskId task) {
  std::shared_ptr<const TaskFailure> known;
  extras::read(task, [&](const TaskExtra& extra) { known = extra.failure; });
  if (known == nullptr)
    return std::make_exception_ptr(TaskError("task " + task_name(task) + " failed; nothing more is known"));
  if (known->kind == TaskFailure::Kind::Lost) return std::make_exception_ptr(CancelledError(known->message));
  if (known->kind == TaskFailure::Kind::Cancelled) {
    const std::string own = task_name(task);
    const std::string dependent = known->task == own ? "" : "; " + own + " has no result";
    return std::make_exception_ptr(CancelledError("task " + known->task + " was cancelled" + dependent));
  }
  if (known->kind == TaskFailure::Kind::Refused) {
    return std::make_exception_ptr(
        Error("task " + known->task + " (" + known->file + ":" + std::to_string(known->line) + ") " + known->message));
  }
  Failure failure;
  failure.task = known->task;
  failure.thrown = {known->type, known->message};
  failure.at = {known->task, known->file, static_cast<int>(known->line)};
  if (!known->arguments.empty()) failure.inputs.push_back(known->arguments);
  failure.stack = known->stack;
  failure.dependents = chain_of(task);
  if (failure.dependents.size() > 16) {
    failure.more_dependents = failure.dependents.size() - 16;
    failure.dependents.resize(16);
  }
  failure.attempt = known->attempt;
  failure.attempts_allowed = known->attempt;
  failure.can_rerun = true;
  return std::make_exception_ptr(TaskError(failure_text(failure)));
}

void throw_failure(TaskId task) { std::rethrow_exception(failure_exception(task)); }

std::string refusal_text(Reason reason, std::uint32_t detail,
                         const std::function<std::string(std::uint32_t)>& resource_name) {
  switch (reason) {
    case Reason::NoSuchResource:
      return "needs more of the resource \"" + resource_name(detail) +
             "\" than any worker has: name it in Options/resources of the client, or ask for less";
    case Reason::NotEnoughSlots:
      return "asks for " + std::to_string(detail) +
             " slots, and no worker has that many: ask for fewer, or set --weft-threads";
    case Reason::NoAllowedWorker:
      return "may only run on workers that are not here (the first is " + std::to_string(detail) + ")";
    case Reason::TooLarge:
      return "needs " + std::to_string(detail) +
             " MiB while it runs, more than any worker's memory budget: split the work, or raise --weft-memory";
    case Reason::MemoryFull:
      return (detail == 0 ? "cannot begin: " : "needs " + std::to_string(detail) + " MiB while it runs, and ") +
             "all memory is taken by results that are still held, with no room to spill them: release results, name a "
             "spill directory with room, or raise --weft-memory";
    case Reason::None:
    case Reason::TaskFailed:
    case Reason::InputFailed:
    case Reason::Cancelled:
    case Reason::KilledWorkers:
    case Reason::Unrecoverable:
      return "cannot be run";
  }
  return "cannot be run";
}

}  // namespace weft
