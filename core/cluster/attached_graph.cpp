// Graphs of a client that is attached: each task goes to the other process as a submitted one does.

#include "core/cluster/attached_client.hpp"

#include "core/cluster/guests.hpp"
#include "core/cluster/values.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/again.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/release.hpp"
#include "core/runtime/machine.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

template <class Visit>
void for_tasks(const detail::GraphParts& graph, Visit&& visit) {
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) visit(id);
  }
}

bool has_failed(TaskId task) {
  return (arena::task(task).word.load(std::memory_order_acquire) & task_word::kFailed) != 0;
}

}  // namespace

/// 1. All tasks are written in their order, inputs first. 2. Their ends come. 3. What handles ask for and is not small
/// is fetched. 4. The records are left as a run in this process leaves them.
void AttachedClient::run(detail::GraphParts& graph) {
  const std::uint64_t limit = machine::graph_limit(settings_, machine::memory_budget(settings_));
  const detail::GraphTurn turn(graph, false, limit, static_cast<std::uint64_t>(settings_.retries));
  tasks_total_.fetch_add(graph.task_count(), std::memory_order_relaxed);
  std::exception_ptr refusal;
  {
    const std::lock_guard lock(mutex_);
    try {
      submit_graph(graph);
    } catch (const Error& error) {
      refusal = std::current_exception();
      refuse_rest(graph, error.what());
    }
    post_.flush();
  }
  post_.wake();
  help_until(kNone, [&] { return graph.packets_left.load(std::memory_order_acquire) == 0; });
  fetch_results(graph);
  finish_graph(graph);
  if (refusal != nullptr) std::rethrow_exception(refusal);
  if (graph.failed.exchange(0) == 0) return;
  for_tasks(graph, [](TaskId task) {
    if (has_failed(task)) throw_failure(task);
  });
}

void AttachedClient::submit_graph(detail::GraphParts& graph) {
  if (!end_.empty()) throw Error("the job that this client is attached to is gone: " + end_);
  for_tasks(graph, [&](TaskId task) {
    const auto annotated = graph.annotated.find(task);
    TaskOptions options = annotated != graph.annotated.end() ? *annotated->second : TaskOptions{};
    if (options.retries == 0) options.retries = static_cast<unsigned>(settings_.retries);
    const std::string body = written(task, options);
    numbers_[task] = next_number_++;
    TaskRecord& record = arena::task(task);
    record.link = 0;
    record.join.fetch_or(kManagedJoin, std::memory_order_relaxed);
    of_graph_[task] = &graph.packets_left;
    graph.packets_left.fetch_add(1, std::memory_order_relaxed);
    write_guest(body, task, true);
  });
}

/// Fails what could not be written, and gives up what has been.
void AttachedClient::refuse_rest(const detail::GraphParts& graph, const std::string& why) {
  for_tasks(graph, [&](TaskId task) {
    if (const std::uint64_t number = number_of(task); number != 0) {
      Writer out;
      out.number(GuestForm::Cancel);
      out.count(number);
      if (end_.empty()) write_guest(text_of(out), kNone, false);
      return;
    }
    auto failure = std::make_shared<TaskFailure>();
    failure->message = why;
    failure->type = "weft::Error";
    extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
    failed_records.fetch_add(1, std::memory_order_relaxed);
    arena::task(task).word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  });
}

/// Notes the end of a graph's task in its record. It is told to nobody before the graph has ended.
void AttachedClient::end_of_graphs_task(TaskId task, std::shared_ptr<const TaskFailure> failure, bool elsewhere) {
  TaskRecord& record = arena::task(task);
  const bool boxed = !site(record.site).type->result->in_record;
  if (boxed && (elsewhere || failure != nullptr)) set_box(record, nullptr);
  if (elsewhere) set_elsewhere(record, true);
  tasks_done_.fetch_add(1, std::memory_order_relaxed);
  if (failure != nullptr) {
    tasks_failed_.fetch_add(1, std::memory_order_relaxed);
    extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
    failed_records.fetch_add(1, std::memory_order_relaxed);
    record.word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  }
  if (std::atomic<std::uint32_t>* const left = std::exchange(of_graph_[task], nullptr)) left->fetch_sub(1);
}

/// A handle shows in the uses: beside the task's own and its consumers', which its list tells.
void AttachedClient::fetch_results(const detail::GraphParts& graph) {
  std::vector<TaskId> fetched;
  {
    const std::lock_guard lock(mutex_);
    for_tasks(graph, [&](TaskId task) {
      const TaskRecord& record = arena::task(task);
      if (!is_elsewhere(record) || has_failed(task)) return;
      const std::uint64_t word = record.word.load(std::memory_order_acquire);
      std::uint64_t consumers = 0;
      for (std::uint32_t e = task_word::edge_of(word); e != 0; e = arena::edge(e - 1).next) {
        consumers += holds_uses(arena::task(arena::edge(e - 1).consumer)) ? 1 : 0;
      }
      if (task_word::uses_of(word) > consumers + 1 && fetch(task)) fetched.push_back(task);
    });
    post_.flush();
  }
  help_until(kNone, [&] {
    const std::lock_guard lock(mutex_);
    return std::none_of(fetched.begin(), fetched.end(), [this](TaskId task) { return fetching_.contains(task); });
  });
}

/// Lets the other process free its tasks, and leaves the graph's records ended, with the uses of handles alone.
void AttachedClient::finish_graph(detail::GraphParts& graph) {
  std::uint32_t failed = 0;
  {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> numbers;
    for_tasks(graph, [&](TaskId task) {
      const auto found = numbers_.find(task);
      if (found == numbers_.end()) return;
      numbers.push_back(found->second);
      numbers_.erase(found);
      of_graph_.erase(task);
    });
    Writer out;
    out.number(GuestForm::Release);
    out.count(numbers.size());
    for (const std::uint64_t number : numbers) out.count(number);
    if (end_.empty() && !numbers.empty()) write_guest(text_of(out), kNone, false);
    post_.flush();
    for_tasks(graph, [&](TaskId task) {
      TaskRecord& record = arena::task(task);
      record.link = is_elsewhere(record) ? again::kLeftElsewhere : kNone;
      record.join.store(0, std::memory_order_relaxed);
    });
    for_tasks(graph, &again::keep_call);
    for_tasks(graph, [&](TaskId task) {
      TaskRecord& record = arena::task(task);
      const std::uint64_t old = record.word.fetch_or(task_word::kDone, std::memory_order_acq_rel);
      failed += (old & task_word::kFailed) != 0 ? 1 : 0;
      if ((old & task_word::kExtra) != 0) {
        arena::add_use(task);
        called_back_.push_back(task);
      }
      if (!keeps_inputs(task)) drop_inputs(record, old);
      arena::drop_use(task);
    });
  }
  graph.failed.fetch_add(failed, std::memory_order_relaxed);
  drive();
}

// --- Copies ----------------------------------------------------------------------------------------------------------

std::string AttachedClient::numbers_of(const std::vector<TaskId>& tasks, GuestForm form, std::size_t copies) {
  Writer out;
  out.number(form);
  out.count(copies);
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    for (const TaskId task : tasks) {
      if (const std::uint64_t number = number_of(task); number != 0) numbers.push_back(number);
    }
  }
  out.count(numbers.size());
  for (const std::uint64_t number : numbers) out.count(number);
  return text_of(out);
}

void AttachedClient::replicate(const std::vector<TaskId>& tasks, std::size_t copies) {
  ask_guest(numbers_of(tasks, GuestForm::Replicate, copies), "Client::replicate");
}

void AttachedClient::rebalance(const std::vector<TaskId>& tasks) {
  ask_guest(numbers_of(tasks, GuestForm::Rebalance, 0), "Client::rebalance");
}

}  // namespace weft::cluster
