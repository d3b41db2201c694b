#include "core/cluster/client_process.hpp"
#include "core/diagnostics/assert.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/graph_size.hpp"
#include "core/runtime/machine.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// What the cutter aims at: so many packets a slot, and never more tasks than this in one.
constexpr std::uint32_t kPacketsPerSlot = 8;
constexpr std::uint32_t kMostTasks = 16'384;

}  // namespace

void ClientProcess::run(detail::GraphParts& graph) {
  const Slot* const slot = current_slot();
  const bool inside = slot != nullptr && slot->running() != kNone;
  const detail::GraphTurn turn(graph, inside, machine::graph_limit(settings_, budget_bytes_),
                               static_cast<std::uint64_t>(settings_.retries));
  GraphRun run;
  run.parts = &graph;
  tasks_total_.fetch_add(graph.task_count(), std::memory_order_relaxed);
  {
    std::unique_lock lock(mutex_);
    cut(run);
    drive_locked(lock);
  }
  help_until(kNone, [&] {
    const std::lock_guard lock(mutex_);
    return run.packets_left == 0 && run.values_left == 0;
  });
  {
    std::unique_lock lock(mutex_);
    finish_graph(run);
    release_outputs();
    drive_locked(lock);
  }
  if (graph.failed.exchange(0) == 0) return;
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      if ((arena::task(id).word.load() & task_word::kFailed) != 0) throw_failure(id);
    }
  }
}

/// Puts a graph that is mostly trees or chains into an order in which they lie side by side, inputs first: then a
/// packet is a piece that needs little of others. One whose results have many readers may be a grid; else it stays in
/// the order it was written in.
void ClientProcess::put_in_order(GraphRun& run) {
  const auto total = static_cast<std::uint32_t>(run.order.size());
  const PacketId serial = run.parts->serial;
  for (std::uint32_t i = 0; i < total; ++i) arena::task(run.order[i]).link = i;
  std::vector<std::uint32_t> readers(total, 0);
  std::size_t edges = 0;
  std::size_t shared = 0;
  for (const TaskId task : run.order) {
    const TaskRecord& record = arena::task(task);
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      const TaskRecord& producer = arena::task(arena::edge(record.first_input + k).producer);
      if (producer.packet != serial) continue;
      ++edges;
      if (readers[producer.link]++ == 1) ++shared;
    }
  }
  constexpr std::size_t kFewShared = 8;
  if (edges == 0 || shared * kFewShared > total) return;
  struct Visit {
    TaskId task;
    std::uint32_t next_input;
  };
  std::vector<TaskId> ordered;
  ordered.reserve(total);
  std::vector<bool> seen(total, false);
  std::vector<Visit> stack;
  for (std::uint32_t i = 0; i < total; ++i) {
    if (readers[i] != 0) continue;
    stack.push_back({run.order[i], 0});
    while (!stack.empty()) {
      Visit& top = stack.back();
      const TaskRecord& record = arena::task(top.task);
      if (top.next_input == record.input_count) {
        ordered.push_back(top.task);
        stack.pop_back();
        continue;
      }
      const TaskId producer = arena::edge(record.first_input + top.next_input++).producer;
      const TaskRecord& from = arena::task(producer);
      if (from.packet != serial || seen[from.link]) continue;
      seen[from.link] = true;
      stack.push_back({producer, 0});
    }
  }
  WEFT_ASSERT(ordered.size() == total, "every task of a graph is a sink or read by one");
  run.order.swap(ordered);
}

/// Makes the graph's packets and gives all of them to the machine.
void ClientProcess::cut(GraphRun& run) {
  const std::uint32_t total = run.parts->task_count();
  run.order.reserve(total);
  for (const TaskRange range : run.parts->ranges) {
    for (TaskId id = range.first; id < range.end; ++id) run.order.push_back(id);
  }
  put_in_order(run);
  const std::uint32_t slots = std::max(1u, slots_.load(std::memory_order_relaxed));
  const std::uint32_t size = std::clamp(total / (slots * kPacketsPerSlot) + 1, 1u, kMostTasks);
  const auto options_of = [&](std::uint32_t at) -> const TaskOptions* {
    if (run.parts->annotated.empty()) return nullptr;
    const auto found = run.parts->annotated.find(run.order[at]);
    return found != run.parts->annotated.end() && found->second->own_packet() ? found->second.get() : nullptr;
  };
  for (std::uint32_t first = 0; first < total;) {
    const TaskOptions* const options = options_of(first);
    std::uint32_t end = first + 1;
    if (options == nullptr) {
      while (end < std::min(total, first + size) && options_of(end) == nullptr) ++end;
    }
    PacketId id = kNone;
    ClientPacket& packet = add_packet(id);
    packet.graph = &run;
    packet.tasks = run.order.data() + first;
    packet.count = end - first;
    first = end;
    run.packets.push_back(id);
    for (std::uint32_t i = 0; i < packet.count; ++i) {
      TaskRecord& record = arena::task(packet.tasks[i]);
      record.packet = id;
      record.link = i;
      record.join.fetch_or(kManagedJoin, std::memory_order_relaxed);
    }
    PacketSpec spec;
    describe(id, packet, spec);
    if (options != nullptr) {
      Pending alone;
      alone.priority = options->priority;
      alone.memory_bytes = options->memory_bytes;
      alone.needs = needs_index(*options);
      alone.retriable = options->retriable;
      add_options(spec, alone);
    }
    submission_.packets.push_back(spec);
  }
  run.packets_left = static_cast<std::uint32_t>(run.packets.size());
  flush_submission();
}

/// Leaves the graph's records as a run in this process would: ended, with the uses of handles alone.
void ClientProcess::finish_graph(GraphRun& run) {
  for (const PacketId id : run.packets) {
    ClientPacket* const packet = find(id);
    if (packet == nullptr) continue;
    packet->graph = nullptr;
    packet->over = true;
    packet->tasks = nullptr;
    packet->count = 0;
    packet->wanted = {};
    if (!packet->released) to_release_.push_back(id);
    packet->released = true;
  }
  for (const TaskId task : run.order) {
    TaskRecord& record = arena::task(task);
    record.packet = run.parts->serial;
    record.link = kNone;
    record.join.store(0, std::memory_order_relaxed);
  }
  std::uint32_t failed = 0;
  for (const TaskId task : run.order) {
    TaskRecord& record = arena::task(task);
    const std::uint64_t old = record.word.fetch_or(task_word::kDone, std::memory_order_acq_rel);
    failed += (old & task_word::kFailed) != 0 ? 1 : 0;
    if ((old & task_word::kExtra) != 0) {
      arena::add_use(task);
      called_back_.push_back(task);
    }
    drop_inputs(record, old);
    arena::drop_use(task);
  }
  run.parts->failed.fetch_add(failed, std::memory_order_relaxed);
  // Tasks that were submitted on results of this graph can go now.
  forming_.insert(forming_.begin(), deferred_.begin(), deferred_.end());
  deferred_.clear();
}

}  // namespace weft::cluster
