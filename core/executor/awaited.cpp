// What a thread runs on its own stack while it waits. A task may wait, by means that nobody here sees, for what the
// waiting thread does next: on its stack it would never end. So a thread that waits for a task runs that one and what
// it needs, one that waits for a graph runs tasks of graphs, and one that waits for whatever comes first runs none; the
// rest is left to the threads of the pool.

#include "core/executor/awaited.hpp"

#include "core/executor/executor.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/sites.hpp"

#include <weft/arena.hpp>

namespace weft {
namespace {

/// Edges looked at on the way from a task to the one that is awaited.
constexpr unsigned kMostEdges = 32;
/// Ready tasks looked at for one that a waiting task needs.
constexpr unsigned kMostLooks = 16;

}  // namespace

bool leads_to(TaskId task, TaskId awaited) noexcept {
  if (task == awaited) return true;
  // Depth first: edges still to follow, each the newest of a list.
  std::uint32_t open[kMostEdges];
  unsigned count = 0;
  const auto enter = [&](TaskId entered) {
    const std::uint32_t first = task_word::edge_of(arena::task(entered).word.load(std::memory_order_acquire));
    if (first != 0 && count < kMostEdges) open[count++] = first;
  };
  enter(task);
  for (unsigned looks = 0; count != 0 && looks < kMostEdges; ++looks) {
    const Edge& edge = arena::edge(open[--count] - 1);
    if (edge.consumer == awaited) return true;
    if (edge.next != 0) open[count++] = edge.next;
    enter(edge.consumer);
  }
  return false;
}

bool Slot::refuses(TaskId task) const {
  switch (awaited_) {
    case kNone:
      return false;
    case Executor::kOnlyLook:
      return true;
    case Executor::kAnyTask:
      return site(arena::task(task).site).pace.load(std::memory_order_relaxed) != Site::kShort;
    case Executor::kGraphs:
      return (arena::task(task).word.load(std::memory_order_relaxed) & task_word::kKept) == 0;
    default:
      return !leads_to(task, awaited_);
  }
}

bool Slot::may_steal_roots(TaskId first) const {
  if (awaited_ == kNone) return true;
  if (awaited_ == Executor::kGraphs) return !refuses(first);
  // Its owner may run the task meanwhile: nothing but a guess at its kind may be read.
  return awaited_ == Executor::kAnyTask &&
         site(site_at_a_glance(first)).pace.load(std::memory_order_relaxed) == Site::kShort;
}

bool Slot::run_newer_for(std::int64_t mark, TaskId awaited) {
  TaskId aside[kMostLooks];
  unsigned count = 0;
  TaskId found = kNone;
  while (found == kNone && count != kMostLooks && ready_.bottom() > mark) {
    const std::uint64_t item = ready_.pop();
    if (item == Deque::kEmpty) break;
    if (item == awaited || leads_to(static_cast<TaskId>(item), awaited)) {
      found = static_cast<TaskId>(item);
    } else {
      aside[count++] = static_cast<TaskId>(item);
    }
  }
  while (count != 0) ready_.push(aside[--count]);
  if (found == kNone) return false;
  const TaskId outer = std::exchange(awaited_, awaited);
  run_chain(found);
  current_slot()->awaited_ = outer;
  return true;
}

}  // namespace weft
