#include <weft/graph.hpp>

#include "core/diagnostics/ticks.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/release.hpp"

#include <weft/error.hpp>

namespace weft {
namespace {

/// Serials share the space of packet ids in a record's packet field, from the other end.
std::atomic<PacketId> next_serial{kNone - 1};

constexpr std::uint32_t kSampleEvery = 1024;

/// Ends what the graph still keeps of a task. A task that a handle still names stays, as a task of its own.
void let_go(TaskId id) {
  TaskRecord& record = arena::task(id);
  std::uint64_t word = record.word.load(std::memory_order_acquire);
  if ((word & task_word::kDone) != 0) {
    const bool keeps_closure = (word & task_word::kFailed) == 0 || task_word::uses_of(word) == 0;
    if (keeps_closure) destroy_closure(record);
    if (task_word::uses_of(word) == 0) {
      if ((word & task_word::kFailed) != 0) failed_records.fetch_sub(1, std::memory_order_relaxed);
      arena::free_record(id);
      return;
    }
    record.word.fetch_and(~task_word::kKept, std::memory_order_acq_rel);
    return;
  }
  // Never run: it is now a task that was only described; the run that was to come gives up its use.
  record.word.fetch_and(~task_word::kKept, std::memory_order_acq_rel);
  record.join.fetch_add(1, std::memory_order_relaxed);
  arena::drop_use(id);
}

}  // namespace

Graph::Graph() : serial_(next_serial.fetch_sub(1, std::memory_order_relaxed)), parts_(new detail::GraphParts) {
  parts_->serial = serial_;
}

Graph::Graph(Graph&& other) noexcept = default;

Graph& Graph::operator=(Graph&& other) noexcept {
  std::swap(cursor_, other.cursor_);
  std::swap(serial_, other.serial_);
  std::swap(end_, other.end_);
  std::swap(roots_end_, other.roots_end_);
  std::swap(until_sample_, other.until_sample_);
  std::swap(sampling_, other.sampling_);
  roots_.swap(other.roots_);
  parts_.swap(other.parts_);
  return *this;
}

Graph::~Graph() {
  if (parts_ == nullptr) return;
  detail::GraphParts& parts = detail::parts_of(*this);
  // A handle dropped while a packet still names its graph's serial would look like a task of this graph.
  for (auto range = parts.ranges.rbegin(); range != parts.ranges.rend(); ++range) {
    for (TaskId id = range->first; id < range->end; ++id) let_go(id);
  }
  arena::close(cursor_);
  arena::flush_frees();
}

std::size_t Graph::task_count() const {
  return parts_->task_count() + (end_ == kNone ? 0 : end_ - parts_->ranges.back().end);
}

void Graph::add_root(TaskId id) {
  if (!roots_.empty()) roots_.back().second = roots_end_;
  roots_.emplace_back(id, id + 1);
  roots_end_ = id + 1;
}

void Graph::add_guarded(TaskId id, std::uint32_t unfinished) {
  // The counter started one above the inputs; those that had ended already do not count.
  const TaskRecord& record = arena::task(id);
  const std::uint32_t ended = record.input_count - unfinished;
  if (ended != 0) arena::task(id).join.fetch_sub(ended, std::memory_order_acq_rel);
  parts_->guarded.push_back(id);
}

void Graph::begin_range(TaskId id) {
  if (end_ != kNone) parts_->ranges.back().end = end_;
  parts_->ranges.push_back({id, id});
  end_ = id + 1;
}

void Graph::begin_sample() {
  sampling_ = true;
  parts_->sample_begin = ticks_now();
}

void Graph::end_sample() {
  sampling_ = false;
  parts_->build_ticks += (ticks_now() - parts_->sample_begin) * kSampleEvery;
  until_sample_ = kSampleEvery;
}

void Graph::check_settable(const Handle& input, const TaskType& type) const {
  const bool mine = input.valid() && (arena::task(input.task_id()).word.load() & task_word::kKept) != 0 &&
                    site(arena::task(input.task_id()).site).type == &type;
  if (!mine)
    throw Error(
        "Graph::set: this handle is not an input of the graph; only what graph.input(value) returned can be set");
  if (parts_->running.load())
    throw Error("Graph::set: the graph is running; set its inputs before or after client.run(graph)");
}

namespace detail {

GraphParts& parts_of(Graph& graph) {
  GraphParts& parts = *graph.parts_;
  if (graph.end_ != kNone) parts.ranges.back().end = graph.end_;
  if (!graph.roots_.empty()) graph.roots_.back().second = graph.roots_end_;
  parts.roots.clear();
  for (const auto& [first, end] : graph.roots_) parts.roots.push_back({first, end});
  return parts;
}

void rewind(GraphParts& parts) {
  parts.guarded.clear();
  for (const TaskRange range : parts.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      TaskRecord& record = arena::task(id);
      const std::uint64_t word = record.word.load(std::memory_order_acquire);
      if ((word & task_word::kFailed) != 0) {
        const TaskExtra extra = extras::take(id);
        // Its inputs were kept for a look at the failure; they count again below.
        if (extra.keeps_inputs) {
          for (std::uint32_t k = 0; k < record.input_count; ++k) {
            arena::drop_use(arena::edge(record.first_input + k).producer);
          }
        }
        failed_records.fetch_sub(1, std::memory_order_relaxed);
      } else if (task_word::uses_of(word) != 0 && !site(record.site).type->result->in_record) {
        destroy_result(record);
      }
    }
  }
  constexpr std::uint64_t again = task_word::kDone | task_word::kFailed | task_word::kWatched | task_word::kExtra;
  for (const TaskRange range : parts.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      TaskRecord& record = arena::task(id);
      std::uint32_t unfinished = 0;
      for (std::uint32_t k = 0; k < record.input_count; ++k) {
        const TaskId producer = arena::edge(record.first_input + k).producer;
        TaskRecord& of = arena::task(producer);
        of.word.fetch_add(task_word::kUse, std::memory_order_relaxed);
        if (of.packet == parts.serial) ++unfinished;
      }
      record.join.store(unfinished, std::memory_order_relaxed);
      record.word.fetch_and(~again, std::memory_order_acq_rel);
      record.word.fetch_add(task_word::kUse, std::memory_order_relaxed);
    }
  }
}

}  // namespace detail
}  // namespace weft
