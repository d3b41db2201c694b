#include "core/graph/release.hpp"

#include "core/diagnostics/inject.hpp"
#include "core/executor/aside.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/extras.hpp"

#include <weft/arena.hpp>
#include <weft/task_type.hpp>

#include <cstring>
#include <utility>
#include <vector>

namespace weft {
namespace {

struct Pending {
  TaskId id;
  std::uint64_t word;
};

/// Releases under way in this thread: a release that causes releases queues them instead of recursing.
thread_local std::vector<Pending>* queue = nullptr;

/// Takes one count off the join counter of a task; a zombie whose last count that was is free.
void release_join(TaskId id) noexcept {
  if (arena::task(id).join.fetch_sub(1, std::memory_order_acq_rel) == 1) arena::free_record(id);
}

void release_ended(TaskId id, TaskRecord& record, std::uint64_t word) noexcept {
  if ((word & task_word::kFailed) == 0) {
    destroy_result(record);
  }
  // Why a task of a graph failed is for whoever runs the graph, who may hold no handle to it.
  const bool keeps_extra = (word & task_word::kKept) != 0 && (word & task_word::kFailed) != 0;
  if ((word & task_word::kExtra) != 0 && !keeps_extra) {
    const TaskExtra extra = extras::take(id);
    if (extra.keeps_inputs) {
      // The closure of a graph's task is for all runs.
      if ((word & task_word::kKept) == 0) destroy_closure(record);
      drop_inputs(record, word);
    }
  }
  if ((word & task_word::kKept) != 0) {
    const std::uint64_t gone = keeps_extra ? task_word::kUses : task_word::kUses | task_word::kExtra;
    record.word.store(word & ~gone, std::memory_order_release);
  } else {
    if ((word & task_word::kFailed) != 0) failed_records.fetch_sub(1, std::memory_order_relaxed);
    arena::free_record(id);
  }
}

/// A task that was only described, and that nobody can ask for any more. Its record stays until its producers have let
/// go of the edges that lead to it.
void abandon(TaskId id, TaskRecord& record, std::uint64_t word) noexcept {
  if ((word & task_word::kExtra) != 0) extras::take(id);
  destroy_closure(record);
  // It may have been a graph's: whoever takes the last edge to it would look for a packet of that number.
  record.packet = kNone;
  record.word.store(task_word::kDone | task_word::kFailed, std::memory_order_release);
  // Whoever still hangs in its list has been abandoned too: a living consumer would hold a use.
  for (std::uint32_t e = task_word::edge_of(word); e != 0;) {
    const Edge& edge = arena::edge(e - 1);
    e = edge.next;
    release_join(edge.consumer);
  }
  drop_inputs(record, word);
  release_join(id);
}

}  // namespace

void drop_inputs(const TaskRecord& record, std::uint64_t word) noexcept {
  if (record.borrows) return;
  // A task that a Graph keeps holds on to what is not the graph's: it may run again.
  const PacketId only_of = (word & task_word::kKept) != 0 ? record.packet : kNone;
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId producer = arena::edge(record.first_input + k).producer;
    if (only_of == kNone || arena::task(producer).packet == only_of) arena::drop_use(producer);
  }
}

std::atomic<void (*)(TaskId) noexcept> managed_released{nullptr};

void destroy_closure(TaskRecord& record) noexcept {
  const TaskType& type = *site(record.site).type;
  if (type.destroy_closure != nullptr) type.destroy_closure(record.payload);
}

void destroy_result(TaskRecord& record) noexcept {
  const TaskType& type = *site(record.site).type;
  if (type.result->in_record) return;
  Box* box;
  std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
  if (box != nullptr) boxes::release(box);  // null: the value never came to this process
}

void release_task(TaskId id, std::uint64_t word) noexcept {
  if ((arena::task(id).join.load(std::memory_order_relaxed) & kManagedJoin) != 0) [[unlikely]] {
    managed_released.load(std::memory_order_acquire)(id);
    return;
  }
  if (queue != nullptr) {
    queue->push_back({id, word});
    return;
  }
  // The plain case first: nothing in it can cause another release.
  TaskRecord& record = arena::task(id);
  constexpr std::uint64_t simple = task_word::kDone | task_word::kFailed | task_word::kExtra;
  if ((word & simple) == task_word::kDone &&
      ((word & task_word::kPlain) != 0 || site(record.site).type->result->in_record)) {
    if ((word & task_word::kKept) != 0) {
      record.word.store(word & ~task_word::kUses, std::memory_order_release);
    } else {
      arena::free_record(id);
    }
    return;
  }
  const Aside aside(Phase::Release);
  inject::delay(Phase::Release);
  std::vector<Pending> pending{{id, word}};
  queue = &pending;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const Pending next = pending[i];
    TaskRecord& at = arena::task(next.id);
    if ((next.word & task_word::kDone) != 0) {
      release_ended(next.id, at, next.word);
    } else {
      abandon(next.id, at, next.word);
    }
  }
  queue = nullptr;
}

}  // namespace weft
