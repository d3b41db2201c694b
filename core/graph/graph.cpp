#include <weft/graph.hpp>

#include "core/diagnostics/ticks.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/graph_size.hpp"
#include "core/graph/launch_options.hpp"
#include "core/graph/release.hpp"
#include "core/memory/object_store.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft {
namespace {

/// Serials share the space of packet ids in a record's packet field, from the other end.
std::atomic<PacketId> next_serial{kNone - 1};

constexpr std::uint32_t kSampleEvery = 1024;
/// Records fetched before they are looked at, in a walk through all of them.
constexpr std::ptrdiff_t kAhead = 16;
/// What a larger graph leaves behind in malloc is given back to the system: records alone were a gibibyte.
constexpr std::uint32_t kLarge = 1u << 24;

/// Ends what the graph still keeps of a task. A task that a handle still names stays, as a task of its own.
void let_go(TaskId id) {
  TaskRecord& record = arena::task(id);
  std::uint64_t word = record.word.load(std::memory_order_acquire);
  if ((word & task_word::kDone) != 0) {
    bool may_run_again = false;
    if ((word & task_word::kFailed) != 0 && task_word::uses_of(word) != 0)
      extras::read(id, [&](const TaskExtra& extra) { may_run_again = extra.keeps_inputs; });
    if (!may_run_again) destroy_closure(record);
    if (task_word::uses_of(word) == 0) {
      if ((word & task_word::kExtra) != 0 && extras::take(id).keeps_inputs) drop_inputs(record, word);
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

/// Calls `visit` with the producer of each input that belongs, or does not belong, to the graph.
template <class Visit>
void for_inputs(const TaskRecord& record, PacketId serial, bool own, const Visit& visit) {
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId producer = arena::edge(record.first_input + k).producer;
    if ((arena::task(producer).packet == serial) == own) visit(producer);
  }
}

/// Makes a task that has not run ready to stand by itself: it holds its inputs, and waits only for those to come.
void stand_alone(TaskId id, PacketId serial) {
  TaskRecord& record = arena::task(id);
  if ((record.word.load(std::memory_order_acquire) & task_word::kDone) != 0) return;
  std::uint32_t ended = 0;
  for_inputs(record, serial, true, [&](TaskId producer) {
    if (record.borrows) arena::add_use(producer);
    if ((arena::task(producer).word.load(std::memory_order_acquire) & task_word::kDone) != 0) ++ended;
  });
  record.borrows = 0;
  if (ended != 0) record.join.fetch_sub(ended, std::memory_order_acq_rel);
}

/// Gives up what a task that has run still holds outside its graph.
void drop_foreign(TaskId id, PacketId serial) {
  const TaskRecord& record = arena::task(id);
  const std::uint64_t word = record.word.load(std::memory_order_acquire);
  if ((word & task_word::kDone) == 0) return;
  bool keeps_inputs = false;
  if ((word & task_word::kFailed) != 0 && task_word::uses_of(word) != 0)
    extras::read(id, [&](const TaskExtra& extra) { keeps_inputs = extra.keeps_inputs; });
  if (!keeps_inputs) for_inputs(record, serial, false, &arena::drop_use);
}

void let_go(TaskRange range) {
  constexpr std::uint64_t told =
      task_word::kUses | task_word::kPlain | task_word::kDone | task_word::kFailed | task_word::kExtra;
  for (TaskId id = range.first; id < range.end;) {
    const TaskId first = id;
    const TaskId end = std::min(range.end, (id / arena::kSegmentTasks + 1) * arena::kSegmentTasks);
    std::uint32_t plain = 0;
    for (; id < end; ++id) {
      __builtin_prefetch(&arena::task(id) + kAhead);
      const std::uint64_t word = arena::task(id).word.load(std::memory_order_acquire);
      if ((word & told) == (task_word::kPlain | task_word::kDone)) {
        ++plain;
      } else {
        let_go(id);
      }
    }
    arena::free_records(first, plain);
  }
}

void require_parts(const std::unique_ptr<detail::GraphParts>& parts) {
  if (parts == nullptr) throw Error("this graph is empty: it was moved from; use the one it was moved to");
}

}  // namespace

Graph::Graph() : serial_(next_serial.fetch_sub(1, std::memory_order_relaxed)), parts_(new detail::GraphParts) {
  parts_->serial = serial_;
}

// What was moved from has no parts, and writes nowhere.
Graph::Graph(Graph&& other) noexcept : serial_(other.serial_) { *this = std::move(other); }

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
  parts.names.clear();
  if (parts.tasks_run != parts.task_count()) {
    for (const TaskRange range : parts.ranges) {
      for (TaskId id = range.first; id < range.end; ++id) stand_alone(id, parts.serial);
    }
  }
  for (const TaskId id : parts.with_foreign) drop_foreign(id, parts.serial);
  // A handle dropped while a packet still names its graph's serial would look like a task of this graph.
  for (auto range = parts.ranges.rbegin(); range != parts.ranges.rend(); ++range) let_go(*range);
  const bool large = parts.task_count() > kLarge;
  arena::close(cursor_);
  arena::flush_frees();
  if (large) ObjectStore::give_back_free_memory();
}

std::size_t Graph::task_count() const {
  if (parts_ == nullptr) return 0;
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
  require_parts(parts_);
  parts_->guarded.push_back(id);
}

void Graph::add_outside(TaskId id) {
  require_parts(parts_);
  parts_->with_foreign.push_back(id);
}

void Graph::note_annotated(TaskId id) {
  extras::read(id, [&](const TaskExtra& extra) {
    if (extra.options != nullptr) parts_->annotated.emplace(id, extra.options);
  });
}

void Graph::begin_range(TaskId id) {
  require_parts(parts_);
  if (end_ != kNone) parts_->ranges.back().end = end_;
  parts_->ranges.push_back({id, id});
  end_ = id + 1;
}

void Graph::begin_sample() {
  require_parts(parts_);
  sampling_ = true;
  parts_->sample_begin = ticks_now();
}

void Graph::end_sample() {
  sampling_ = false;
  parts_->build_ticks += (ticks_now() - parts_->sample_begin) * kSampleEvery;
  until_sample_ = kSampleEvery;
}

void Graph::check_settable(const Handle& input, const TaskType& type) const {
  require_parts(parts_);
  const bool mine = input.valid() && (arena::task(input.task_id()).word.load() & task_word::kKept) != 0 &&
                    site(arena::task(input.task_id()).site).type == &type;
  if (!mine)
    throw Error(
        "Graph::set: this handle is not an input of the graph; only what graph.input(value) returned can be set");
  if (parts_->running.load())
    throw Error("Graph::set: the graph is running; set its inputs before or after client.run(graph)");
}

namespace detail {

void hold_borrowed(TaskRecord& record) noexcept {
  for_inputs(record, record.packet, true, [](TaskId producer) {
    if ((arena::task(producer).word.load(std::memory_order_relaxed) & task_word::kPlain) != 0) arena::add_use(producer);
  });
}

GraphParts& parts_of(Graph& graph) {
  require_parts(graph.parts_);
  GraphParts& parts = *graph.parts_;
  if (graph.end_ != kNone) parts.ranges.back().end = graph.end_;
  if (!graph.roots_.empty()) graph.roots_.back().second = graph.roots_end_;
  parts.roots.clear();
  for (const auto& [first, end] : graph.roots_) parts.roots.push_back({first, end});
  return parts;
}

const GraphParts& parts_of(const Graph& graph) { return parts_of(const_cast<Graph&>(graph)); }

void arm(const GraphParts& parts, std::uint64_t default_retries) {
  const auto keep = [&](TaskId id) { LaunchOptions(id, nullptr).keep(id, default_retries); };
  for (const auto& [id, options] : parts.annotated) {
    extras::change(id, [&](TaskExtra& extra) { extra.options = options; });
    keep(id);
  }
  if (default_retries == 0) return;
  for (const TaskRange range : parts.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) keep(id);
  }
}

GraphTurn::GraphTurn(GraphParts& graph, bool inside_task, std::uint64_t limit_bytes, std::uint64_t default_retries)
    : graph_(graph) {
  if (graph.running.exchange(true)) throw Error("Client::run: this graph is running already");
  try {
    if (inside_task)
      throw Error("Client::run: a graph cannot be run from inside a task; submit its calls as tasks instead");
    check_graph_size(graph, limit_bytes);
    if (graph.ran) rewind(graph);
    graph.ran = true;
    arm(graph, default_retries);
  } catch (...) {
    graph.running.store(false);
    throw;
  }
}

void rewind(GraphParts& parts) {
  constexpr std::uint64_t again = task_word::kDone | task_word::kFailed | task_word::kWatched | task_word::kExtra;
  // A task that takes nothing of the graph is in no range of roots either: its guard starts it again.
  std::vector<TaskId> guard_again;
  std::erase_if(parts.guarded, [&](TaskId id) {
    const TaskRecord& record = arena::task(id);
    if ((record.word.load(std::memory_order_acquire) & task_word::kDone) == 0) return false;
    bool takes_own = false;
    for_inputs(record, parts.serial, true, [&](TaskId) { takes_own = true; });
    if (!takes_own) guard_again.push_back(id);
    return takes_own;
  });
  for (const TaskRange range : parts.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      TaskRecord& record = arena::task(id);
      std::uint64_t word = record.word.load(std::memory_order_acquire);
      if ((word & task_word::kDone) == 0) continue;  // added since: it stands as it was built
      bool holds_inputs = false;
      if ((word & task_word::kFailed) != 0) {
        holds_inputs = extras::take(id).keeps_inputs;
        failed_records.fetch_sub(1, std::memory_order_relaxed);
      } else if ((word & task_word::kPlain) == 0 && task_word::uses_of(word) != 0) {
        destroy_result(record);
      }
      // Of what is not the graph's it has kept its uses.
      std::uint32_t unfinished = record.input_count;
      if (!record.borrows) {
        unfinished = 0;
        for_inputs(record, parts.serial, true, [&](TaskId producer) {
          ++unfinished;
          if (!holds_inputs) arena::add_use(producer);
        });
      }
      record.join.store(unfinished, std::memory_order_relaxed);
      word = record.word.load(std::memory_order_relaxed);
      while (!record.word.compare_exchange_weak(word, (word & ~again) + task_word::kUse, std::memory_order_acq_rel)) {
      }
    }
  }
  for (const TaskId id : guard_again) arena::task(id).join.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace detail
}  // namespace weft
