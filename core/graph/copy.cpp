#include "core/graph/copy.hpp"

#include "core/graph/again.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/task_name.hpp"

#include <weft/error.hpp>
#include <weft/graph_manipulation.hpp>

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>

namespace weft::detail {
namespace {

/// Ends when its inputs have; its values are not looked at.
struct Ended {
  void operator()() const {}
};

/// Describes `Ended` with inputs that its function is not given.
Handle end_of(const Handle* inputs, std::size_t count, const std::source_location& where) {
  static_cast<void>(&registered_task_type<Binding<Ended>>);
  for (std::size_t k = 0; k != count; ++k) require_valid(inputs[k], where);
  const Place place{arena::thread_cursor(), task_word::kUse, kNone};
  const std::uint32_t site = site_of(task_type<Ended>, where);
  const TaskId id = open_task(place, site, static_cast<std::uint32_t>(count), task_word::kPlain);
  TaskRecord& record = arena::task(id);
  Connected connected;
  for (std::uint32_t k = 0; k != count; ++k) {
    connect(record.first_input + k, inputs[k].task_id(), id, kNone, connected);
  }
  hold_inputs(record, connected);
  ::new (static_cast<void*>(record.payload)) Binding<Ended>::Closure{};
  if (annotating()) annotate_task(id);
  settle_inputs(id, connected);
  return Delayed<Nothing>::adopt(id);
}

void copy_extra(TaskId from, TaskId to) {
  TaskExtra kept;
  const bool any = extras::read(from, [&](const TaskExtra& extra) {
    kept.name = extra.name;
    kept.options = extra.options;
  });
  if (!any || (kept.name.empty() && kept.options == nullptr)) return;
  if (kept.options != nullptr && kept.options->pure) {
    // A copy that were merged with what it is a copy of would be none.
    TaskOptions impure = *kept.options;
    impure.pure = false;
    kept.options = std::make_shared<const TaskOptions>(std::move(impure));
  }
  extras::change(to, [&](TaskExtra& extra) {
    extra.name = std::move(kept.name);
    extra.options = std::move(kept.options);
  });
}

/// Describes the call of a task once more, on other inputs. Its closure goes through its encoding: handles inside of it
/// become those of the inputs by themselves.
Handle write_copy(TaskId task, const std::vector<TaskId>& inputs) {
  const TaskRecord& record = arena::task(task);
  const TaskType& type = *site(record.site).type;
  if (type.encode_closure == nullptr) {
    throw Error(
        "task " + task_name(task) +
        " cannot be copied: its function or an argument cannot be encoded (it is declared local_only); leave it "
        "out with `omit`");
  }
  Writer closure;
  type.encode_closure(record.payload, closure, line_of(record));
  const bool plain = type.result->in_record && type.closure_in_record && type.destroy_closure == nullptr;
  const Place place{arena::thread_cursor(), task_word::kUse, kNone};
  // Nothing to run and nothing to destroy until the closure is there.
  const TaskId id = open_task(place, site_of(task_type<Ended>, std::source_location::current()),
                              static_cast<std::uint32_t>(inputs.size()), plain ? task_word::kPlain : 0);
  TaskRecord& made = arena::task(id);
  Connected connected;
  for (std::uint32_t k = 0; k != inputs.size(); ++k) connect(made.first_input + k, inputs[k], id, kNone, connected);
  hold_inputs(made, connected);
  Handle copy = Delayed<Nothing>::adopt(id);
  try {
    const DecodedInputs decoded(id);
    Reader reader(closure);
    type.decode_closure(made.payload, reader);
  } catch (...) {
    settle_inputs(id, connected);
    throw;
  }
  made.site = record.site;
  copy_extra(task, id);
  settle_inputs(id, connected);
  return copy;
}

/// Copies what is only described.
/// Owns: a use of each copy until it is told.  Threading: one thread.
class Copier {
 public:
  /// Copies what was left in other processes: it can be made again, and is not here to be read.
  explicit Copier(const CopyOrder& order, TaskId once_more = kNone) : order_(order), once_more_(once_more) {
    for (const Handle& task : order.omitted) {
      if (task.valid()) omitted_.insert(task.task_id());
    }
  }

  std::vector<TaskId> copies() {
    std::vector<TaskId> made;
    for (const Handle& task : order_.tasks) require_valid(task, std::source_location::current());
    for (const Handle& task : order_.tasks) {
      copy_with_needed(task.task_id());
      made.push_back(image(task.task_id()));
    }
    for (const TaskId task : made) arena::add_use(task);
    return made;
  }

 private:
  bool is_copied(TaskId task) const {
    if (once_more_ != kNone) {
      if (task == once_more_) return true;
      const bool missing = again::was_left_elsewhere(task);
      if (missing) again::require_remakeable(task);
      return missing;
    }
    constexpr std::uint64_t settled = task_word::kLaunched | task_word::kDone | task_word::kKept;
    return (arena::task(task).word.load(std::memory_order_acquire) & settled) == 0 && !omitted_.contains(task);
  }
  TaskId image(TaskId task) const {
    const auto found = copies_.find(task);
    return found == copies_.end() ? task : found->second.task_id();
  }

  /// Depth first, without recursion: a task is copied after its inputs.
  void copy_with_needed(TaskId root) {
    struct Visit {
      TaskId task;
      std::uint32_t next_input;
    };
    std::vector<Visit> stack;
    if (is_copied(root) && seen_.insert(root).second) stack.push_back({root, 0});
    while (!stack.empty()) {
      Visit& top = stack.back();
      const TaskRecord& record = arena::task(top.task);
      if (top.next_input == record.input_count) {
        copy(top.task);
        stack.pop_back();
        continue;
      }
      const TaskId input = arena::edge(record.first_input + top.next_input++).producer;
      if (is_copied(input) && seen_.insert(input).second) stack.push_back({input, 0});
    }
  }

  void copy(TaskId task) {
    const TaskRecord& record = arena::task(task);
    bool begins = order_.after.valid();
    for (std::uint32_t k = 0; begins && k != record.input_count; ++k) {
      begins = !copies_.contains(arena::edge(record.first_input + k).producer);
    }
    std::vector<TaskId> inputs;
    for (std::uint32_t k = 0; k != record.input_count; ++k) {
      inputs.push_back(image(arena::edge(record.first_input + k).producer));
    }
    if (begins) inputs.push_back(order_.after.task_id());
    copies_.emplace(task, write_copy(task, inputs));
  }

  const CopyOrder& order_;
  const TaskId once_more_;
  std::unordered_set<TaskId> omitted_;
  std::unordered_set<TaskId> seen_;
  std::unordered_map<TaskId, Handle> copies_;
};

}  // namespace

Handle copy_call(TaskId task) {
  arena::add_use(task);
  CopyOrder order;
  order.tasks.push_back(Delayed<Nothing>::adopt(task));
  return Delayed<Nothing>::adopt(Copier(order, task).copies().front());
}

std::vector<TaskId> copy_tasks(const CopyOrder& order) { return Copier(order).copies(); }

Delayed<Nothing> after_all(const std::vector<Handle>& tasks, std::size_t split_every,
                           const std::source_location& where) {
  if (split_every < 2) throw Error("graph_manipulation::checkpoint: split_every must be at least 2");
  // One task beside each value, so that no value is fetched; then a tree of their ends.
  std::vector<Handle> ends;
  for (const Handle& task : tasks) ends.push_back(end_of(&task, 1, where));
  while (ends.size() != 1) {
    std::vector<Handle> next;
    for (std::size_t i = 0; i < ends.size(); i += split_every) {
      next.push_back(end_of(&ends[i], std::min(split_every, ends.size() - i), where));
    }
    if (ends.empty()) next.push_back(end_of(nullptr, 0, where));
    ends = std::move(next);
  }
  arena::add_use(ends.front().task_id());
  return Delayed<Nothing>::adopt(ends.front().task_id());
}

}  // namespace weft::detail
