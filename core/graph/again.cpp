#include "core/graph/again.hpp"

#include "core/graph/extras.hpp"
#include "core/graph/release.hpp"
#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>
#include <weft/error.hpp>
#include <weft/task_type.hpp>

#include <cstring>
#include <mutex>

namespace weft::again {
namespace {

/// Who makes values again takes them out of their records afterwards: one thread at a time, also around itself.
std::recursive_mutex& one_at_a_time() {
  static std::recursive_mutex mutex;
  return mutex;
}

template <class Visit>
void for_inputs(const TaskRecord& record, const Visit& visit) {
  for (std::uint32_t k = 0; k < record.input_count; ++k) visit(arena::edge(record.first_input + k).producer);
}

std::uint64_t word_of(TaskId task) { return arena::task(task).word.load(std::memory_order_acquire); }

}  // namespace

bool was_left_elsewhere(TaskId task) noexcept {
  return (word_of(task) & (task_word::kDone | task_word::kFailed)) == task_word::kDone &&
         arena::task(task).link == kLeftElsewhere;
}

void keep_call(TaskId task) {
  TaskRecord& record = arena::task(task);
  if ((word_of(task) & task_word::kFailed) == 0) return;
  TaskId failed_input = kNone;
  for_inputs(record, [&](TaskId input) {
    if (failed_input == kNone && (word_of(input) & task_word::kFailed) != 0) failed_input = input;
  });
  bool keeps = false;
  extras::change(task, [&](TaskExtra& extra) {
    if (extra.failed_input == kNone) extra.failed_input = failed_input;
    keeps = extra.failed_input == kNone && extra.failure != nullptr && extra.failure->kind == TaskFailure::Kind::Threw;
    extra.keeps_inputs = keeps;
  });
  if (!keeps || !record.borrows) return;
  // To be looked at after its graph has gone, it needs its inputs for itself.
  for_inputs(record, [](TaskId input) { arena::add_use(input); });
  record.borrows = 0;
}

void require_remakeable(TaskId task) {
  const std::string name = "task " + task_name(task) + ", whose result this one takes,";
  if ((word_of(task) & task_word::kKept) == 0) {
    throw Error(name +
                " left it at a worker, and its Graph, which could make it again, is gone: keep the Graph while "
                "its tasks are run again");
  }
  if (!site(arena::task(task).site).type->repeatable) {
    throw Error(name +
                " left it at a worker and cannot run again: its function takes its arguments away; let it take "
                "references");
  }
}

Inputs::~Inputs() {
  for (const TaskId task : made_) {
    TaskRecord& record = arena::task(task);
    destroy_result(record);
    if (!site(record.site).type->result->in_record) {
      Box* const none = nullptr;
      std::memcpy(record.payload + result_offset(0, false), &none, sizeof none);
    }
    record.link = kLeftElsewhere;
  }
  if (locked_) one_at_a_time().unlock();
}

/// Depth first, without recursion: inputs before what is made of them.
void Inputs::make(TaskId task, const std::function<void(TaskId)>& bring) {
  one_at_a_time().lock();
  locked_ = true;
  struct Visit {
    TaskId task;
    std::uint32_t next_input;
  };
  std::vector<Visit> stack{{task, 0}};
  while (!stack.empty()) {
    Visit& top = stack.back();
    const TaskRecord& record = arena::task(top.task);
    if (top.next_input != record.input_count) {
      const TaskId input = arena::edge(record.first_input + top.next_input++).producer;
      if (was_left_elsewhere(input)) {
        require_remakeable(input);
        stack.push_back({input, 0});
      } else {
        bring(input);
      }
      continue;
    }
    const TaskId ready = top.task;
    stack.pop_back();
    // It may be an input twice.
    if (!stack.empty() && was_left_elsewhere(ready)) run(ready);
  }
}

void Inputs::run(TaskId task) {
  TaskRecord& record = arena::task(task);
  TaskFrame frame(task);
  site(record.site).type->run(frame);
  record.link = kNone;
  made_.push_back(task);
}

}  // namespace weft::again
