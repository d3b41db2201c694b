// Running a Graph.
//
//   1. `cut` makes packets of its ranges of tasks, some thousand in each. A task with needs or a priority of its own is
//      a packet alone: its segments are then kApart (arena.hpp).
//   2. All of them are handed to the machines; the executor runs them as any others.
//   3. packet_done counts them down, and `run` returns when none is left.

#include "core/diagnostics/inject.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/graph_size.hpp"
#include "core/graph/packet_size.hpp"
#include "core/journal/journal.hpp"
#include "core/runtime/local_runtime.hpp"
#include "core/runtime/machine.hpp"

#include <weft/arena.hpp>
#include <weft/error.hpp>

#include <algorithm>

namespace weft {
namespace {

constexpr TaskId next_segment(TaskId at) { return at + arena::kSegmentTasks - at % arena::kSegmentTasks; }

/// Takes the task out of ranges of roots; returns whether it was in one.
bool take_out(TaskId task, std::vector<TaskRange>& roots) {
  const auto range = std::find_if(roots.begin(), roots.end(),
                                  [&](const TaskRange& one) { return one.first <= task && task < one.end; });
  if (range == roots.end()) return false;
  const TaskRange before{range->first, task};
  const TaskRange behind{task + 1, range->end};
  auto at = roots.erase(range);
  if (!behind.empty()) at = roots.insert(at, behind);
  if (!before.empty()) roots.insert(at, before);
  return true;
}

/// Adds the roots within a range. They stand in the order of the ranges they lie in; ids need not grow from one range
/// to the next.
void take_roots(detail::GraphParts& graph, TaskRange range, std::size_t& next_root, std::vector<TaskRange>& roots) {
  for (; next_root < graph.roots.size(); ++next_root) {
    TaskRange& next = graph.roots[next_root];
    if (next.first < range.first || next.first >= range.end) break;
    roots.push_back({next.first, std::min(next.end, range.end)});
    if (next.end <= range.end) continue;
    next.first = range.end;
    break;
  }
}

}  // namespace

struct LocalRuntime::GraphCut {
  PacketId packet;
  TaskId first;
  std::uint32_t tasks;
  bool roots;
  const TaskOptions* options;
};

/// Makes the packets of tasks that lie side by side, but for gaps that calls which were refused have left.
void LocalRuntime::cut_one(detail::GraphParts& graph, std::span<const TaskRange> pieces, std::size_t& next_root,
                           std::vector<GraphCut>& cuts) {
  const auto add = [&](TaskId first, std::uint32_t tasks, std::vector<TaskRange> roots, const TaskOptions* options) {
    const PacketId packet = take_packet_id();
    graph.packets_left.fetch_add(1, std::memory_order_relaxed);
    packets_[packet].graph = &graph;
    cuts.push_back({packet, first, tasks, !roots.empty(), options});
    executor_.prepare(packet, tasks, std::move(roots), options != nullptr);
    return packet;
  };
  std::vector<TaskRange> roots;
  std::vector<std::pair<TaskId, bool>> apart;
  std::uint32_t tasks = 0;
  for (const TaskRange range : pieces) {
    take_roots(graph, range, next_root, roots);
    const auto first = graph.annotated.lower_bound(range.first);
    const auto end = graph.annotated.lower_bound(range.end);
    for (auto at = first; at != end; ++at) {
      if (at->second->own_packet()) apart.emplace_back(at->first, take_out(at->first, roots));
    }
    tasks += range.size();
  }
  const auto rest = tasks - static_cast<std::uint32_t>(apart.size());
  const PacketId packet = rest != 0 ? add(pieces.front().first, rest, std::move(roots), nullptr) : kNone;
  for (const TaskRange range : pieces) {
    for (TaskId at = range.first; at < range.end; at = next_segment(at)) {
      if (apart.empty()) {
        arena::segment_packets[at >> arena::kSegmentShift] = packet;
      } else {
        arena::set_apart(at, packet);
      }
    }
  }
  for (const auto& [task, is_root] : apart) {
    std::vector<TaskRange> root;
    if (is_root) root.push_back({task, task + 1});
    const PacketId own = add(task, 1, std::move(root), graph.annotated.at(task).get());
    extras::change(task, [&](TaskExtra& extra) { extra.packet = own; });
  }
}

std::vector<LocalRuntime::GraphCut> LocalRuntime::cut(detail::GraphParts& graph) {
  std::vector<GraphCut> cuts;
  std::size_t next_root = 0;
  std::vector<TaskRange> pieces;
  for (const TaskRange range : graph.ranges) {
    for (TaskId first = range.first; first < range.end;) {
      const TaskId end = std::min(range.end, (first / kPacketTasks + 1) * kPacketTasks);
      // All of a segment belong to one packet.
      const bool same =
          !pieces.empty() && (pieces.back().end - 1) / arena::kSegmentTasks == first / arena::kSegmentTasks;
      if (!pieces.empty() && !same) {
        cut_one(graph, pieces, next_root, cuts);
        pieces.clear();
      }
      pieces.push_back({first, end});
      first = end;
    }
  }
  if (!pieces.empty()) cut_one(graph, pieces, next_root, cuts);
  return cuts;
}

void LocalRuntime::run(detail::GraphParts& graph) {
  const detail::GraphTurn turn(graph, executor_.inside(), machine::graph_limit(settings_, budget_bytes_),
                               static_cast<std::uint64_t>(settings_.retries));
  const journal::GraphResults taken(graph);
  const std::uint32_t count = graph.task_count();
  graph.tasks_run = count;
  tasks_total_.fetch_add(count, std::memory_order_relaxed);
  book_client(Phase::Build, std::exchange(graph.build_ticks, 0));
  const Ticks begun = ticks_now();
  Ticks deciding = 0;
  inject::delay(Phase::Submit);
  {
    const std::lock_guard lock(machines_mutex_);
    // All of it is known before the first packet goes: from then on slots run tasks of any packet they find ready.
    const std::vector<GraphCut> cuts = cut(graph);
    const Ticks before = machine_ticks_;
    for (const GraphCut& one : cuts) submit_packet(one.packet, one.first, one.tasks, one.roots, one.options);
    submitter_helps_ = true;
    flush_submission();
    submitter_helps_ = false;
    deciding = machine_ticks_ - before;
  }
  for (const TaskId task : graph.guarded) executor_.release_guard(task);
  book_client(Phase::Schedule, deciding);
  book_client(Phase::Submit, ticks_now() - begun - deciding);
  wait_for(graph);
  for (const TaskRange range : graph.ranges) {
    for (TaskId at = range.first; at < range.end; at = next_segment(at)) {
      arena::segment_packets[at >> arena::kSegmentShift] = kNone;
    }
  }
  if (graph.failed.exchange(0) == 0) return;
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      if ((arena::task(id).word.load() & task_word::kFailed) != 0) throw_failure(id);
    }
  }
}

}  // namespace weft
