#include "core/cluster/client_process.hpp"
#include "core/diagnostics/assert.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/again.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/graph_size.hpp"
#include "core/journal/journal.hpp"
#include "core/runtime/machine.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <limits>

namespace weft::cluster {
namespace {

/// What the cutter aims at: so many packets a slot, and never more tasks, or time, than this in one.
constexpr std::uint32_t kPacketsPerSlot = 8;
constexpr std::uint32_t kMostTasks = 16'384;
constexpr float kLongPacketNs = 5'000'000;
/// Rows of a grid of shorter tasks than this are not told apart.
constexpr float kGridTaskNs = 1'000;
/// From a packet's end until those that wait for it elsewhere begin: where processes look for news, where they sleep.
constexpr float kHandOverNs = 40'000;
constexpr float kSleepyHandOverNs = 300'000;
/// What a packet costs the machines.
constexpr float kPacketCostNs = 10'000;
/// While it is not sure how long tasks take, so many packets a slot are on their way, of so many tasks. While nothing
/// is known they are of one task, or of so many of a chain, which run one after the other anyway.
constexpr std::uint32_t kTrialsPerSlot = 16;
constexpr std::uint32_t kTrialTasks = 256;
constexpr std::uint32_t kTrialLinks = 8;

bool is_managed(const TaskRecord& record) { return (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0; }

/// Returns the options that make the task a packet alone, or null.
const TaskOptions* options_of(const GraphRun& run, std::uint32_t at) {
  if (run.parts->annotated.empty()) return nullptr;
  const auto found = run.parts->annotated.find(run.order[at]);
  return found != run.parts->annotated.end() && found->second->own_packet() ? found->second.get() : nullptr;
}

/// Returns whether each input of a graph's task is of that graph, over, or in a packet.
bool inputs_are_known(const detail::GraphParts& graph, TaskId task) {
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskRecord& producer = arena::task(arena::edge(record.first_input + k).producer);
    if ((producer.word.load(std::memory_order_acquire) & task_word::kDone) != 0) continue;
    const bool is_own = !is_managed(producer) && producer.packet == graph.serial;
    if (!is_own && (!is_managed(producer) || producer.packet == kNone)) return false;
  }
  return true;
}

/// Returns whether a task of the order only goes on with what the one before it makes.
bool is_next_link(const GraphRun& run, std::uint32_t at) {
  const TaskRecord& record = arena::task(run.order[at]);
  return record.input_count == 1 && arena::edge(record.first_input).producer == run.order[at - 1];
}

/// Returns what a slot's share of a grid's row has to be worth. Packets of several rows run one after the other, as
/// each needs what all others make; packets of a share of one row run side by side, but hand over after each row.
float least_share_ns(std::uint32_t slots, bool processes_look) {
  if (slots == 1) return std::numeric_limits<float>::max();
  const float hand_over = processes_look ? kHandOverNs : kSleepyHandOverNs;
  return std::max(kPacketCostNs, hand_over / static_cast<float>(slots - 1));
}

}  // namespace

void ClientProcess::run(detail::GraphParts& graph) {
  const Slot* const slot = current_slot();
  const bool inside = slot != nullptr && slot->running() != kNone;
  const detail::GraphTurn turn(graph, inside, machine::graph_limit(settings_, budget_bytes_),
                               static_cast<std::uint64_t>(settings_.retries));
  const journal::GraphResults taken(graph);
  // What it reads of others has to be in a packet, or over: only then a packet of its own can name it.
  std::size_t known = 0;
  help_until(kNone, [&] {
    const std::lock_guard lock(mutex_);
    while (known < graph.with_foreign.size() && inputs_are_known(graph, graph.with_foreign[known])) ++known;
    return known == graph.with_foreign.size();
  });
  GraphRun run;
  run.parts = &graph;
  tasks_total_.fetch_add(graph.task_count(), std::memory_order_relaxed);
  try {
    run_to_its_end(run);
  } catch (...) {
    give_up(run);
    throw;
  }
  if (graph.failed.exchange(0) == 0) return;
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      if ((arena::task(id).word.load() & task_word::kFailed) != 0) throw_failure(id);
    }
  }
}

void ClientProcess::run_to_its_end(GraphRun& run) {
  const detail::GraphParts& graph = *run.parts;
  {
    std::unique_lock lock(mutex_);
    if (!open_.load() || closing_.load()) throw Error("Client::run: the client was closed before the graph ran");
    run.order.reserve(graph.task_count());
    for (const TaskRange range : graph.ranges) {
      for (TaskId id = range.first; id < range.end; ++id) run.order.push_back(id);
    }
    put_in_order(run);
    coming_.graphs.push_back(&run);
    cut_graphs(false);
    drive_locked(lock);
  }
  help_until(kNone, [&] {
    const std::lock_guard lock(mutex_);
    return run.all_cut() && run.packets_left == 0 && run.values_left == 0;
  });
  {
    std::unique_lock lock(mutex_);
    std::erase(coming_.graphs, &run);  // where the client was closed meanwhile
    finish_graph(run);
    release_outputs();
    drive_locked(lock);
  }
}

/// After a throw in this process: what has not ended is cancelled and fails, and no packet points at the run any more.
void ClientProcess::give_up(GraphRun& run) {
  std::unique_lock lock(mutex_);
  std::erase(coming_.graphs, &run);
  const auto failure = std::make_shared<TaskFailure>();
  failure->kind = TaskFailure::Kind::Cancelled;
  failure->message = "the run of its graph was given up, because of an error in the client's process";
  const auto fail_rest = [&](std::span<const TaskId> tasks) {
    for (const TaskId task : tasks) fail_task(task, failure, true);
  };
  std::vector<PacketId> unfinished;
  for (const PacketId id : run.packets) {
    ClientPacket* const packet = find(id);
    if (packet == nullptr || packet->ended) continue;
    fail_rest(packet->list());
    packet->ended = true;
    --outstanding_;
    unfinished.push_back(id);
  }
  fail_rest(std::span(run.order).subspan(run.cut));
  run.cut = static_cast<std::uint32_t>(run.order.size());
  left_.events.push_back(PacketsCancelled{std::move(unfinished)});
  finish_graph(run);
  release_outputs();
  drive_locked(lock);
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
  run.is_grid = shared * kFewShared > total;
  if (edges == 0 || run.is_grid) return;
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

/// Counts rows among the tasks that are not in packets yet: each is one behind the last of its inputs'.
void ClientProcess::find_rows(GraphRun& run) {
  run.rows.resize(run.order.size(), 0);
  for (std::uint32_t i = run.cut; i < run.order.size(); ++i) {
    const TaskRecord& record = arena::task(run.order[i]);
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      const TaskRecord& producer = arena::task(arena::edge(record.first_input + k).producer);
      if (producer.packet == run.parts->serial && !is_managed(producer))
        run.rows[i] = std::max(run.rows[i], run.rows[producer.link] + 1);
    }
  }
}

/// Returns behind which task of the order the next packet ends: `cut` itself, if it is to wait for news of how long
/// tasks like its first one take.
std::uint32_t ClientProcess::end_of_packet(GraphRun& run, bool all) {
  const auto total = static_cast<std::uint32_t>(run.order.size());
  const std::uint32_t first = run.cut;
  if (options_of(run, first) != nullptr) return first + 1;
  const std::uint32_t slots = std::max(1u, slots_.load(std::memory_order_relaxed));
  const std::uint32_t size = std::clamp(total / (slots * kPacketsPerSlot) + 1, 1u, kMostTasks);
  const SiteTime time = site_time(run.order[first]);
  if (!all && size > 1 && !time.is_sure() && run.packets_left >= kTrialsPerSlot * slots + questions_.blocked)
    return first;
  if (time.ns <= 0 || all) {
    std::uint32_t end = first + 1;
    if (all) {  // none of them will run
      while (end < std::min(total, first + size) && options_of(run, end) == nullptr) ++end;
      return end;
    }
    while (end < std::min(total, first + kTrialLinks) && is_next_link(run, end) && options_of(run, end) == nullptr)
      ++end;
    return end;
  }
  std::uint32_t last = std::min(total, first + (time.is_sure() ? size : std::min(size, kTrialTasks)));
  const auto mean_ns = [&](std::uint32_t end) {
    float sum = 0;
    for (std::uint32_t i = first; i < end; ++i) sum += site_time(run.order[i]).ns;
    return sum / static_cast<float>(end - first);
  };
  if (run.is_grid && mean_ns(std::min(total, first + kTrialLinks)) >= kGridTaskNs) {
    if (run.rows.empty()) find_rows(run);
    if (first >= run.row_end) {
      run.row_end = first + 1;
      while (run.row_end < total && run.rows[run.row_end] == run.rows[first]) ++run.row_end;
      run.row_share = (run.row_end - first + slots - 1) / slots;
      const float worth = mean_ns(run.row_end) * static_cast<float>(run.row_share);
      if (worth < least_share_ns(slots, spin_.looks())) run.row_share = 0;
    }
    if (run.row_share != 0) last = std::min({last, run.row_end, first + run.row_share});
  }
  std::uint32_t end = first + 1;
  for (float expected = time.ns; end < last && options_of(run, end) == nullptr; ++end) {
    const float ns = site_time(run.order[end]).ns;
    expected += ns;
    if (ns <= 0 || expected > kLongPacketNs) break;
  }
  return end;
}

/// Makes packets of graphs as far as the times of their tasks are known, or `all`.
void ClientProcess::cut_graphs(bool all) {
  for (GraphRun* const run : coming_.graphs) cut(*run, all);
  std::erase_if(coming_.graphs, [](const GraphRun* run) { return run->all_cut(); });
  flush_submission();
}

void ClientProcess::cut(GraphRun& run, bool all) {
  while (!run.all_cut()) {
    const std::uint32_t first = run.cut;
    run.cut = end_of_packet(run, all);
    if (run.cut == first) return;
    const TaskOptions* const options = options_of(run, first);
    PacketId id = kNone;
    ClientPacket& packet = add_packet(id);
    packet.graph = &run;
    packet.tasks = run.order.data() + first;
    packet.count = run.cut - first;
    run.packets.push_back(id);
    ++run.packets_left;
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
      alone.fifo_timeout = options->fifo_timeout;
      add_options(id, spec, alone);
    }
    submission_.packets.push_back(spec);
  }
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
    if (!packet->released) left_.to_release.push_back(id);
    packet->released = true;
  }
  for (const TaskId task : run.order) {
    TaskRecord& record = arena::task(task);
    record.packet = run.parts->serial;
    record.link = is_elsewhere(record) ? again::kLeftElsewhere : kNone;
    record.join.store(0, std::memory_order_relaxed);
  }
  for (const TaskId task : run.order) again::keep_call(task);
  std::uint32_t failed = 0;
  for (const TaskId task : run.order) {
    TaskRecord& record = arena::task(task);
    const std::uint64_t old = record.word.fetch_or(task_word::kDone, std::memory_order_acq_rel);
    failed += (old & task_word::kFailed) != 0 ? 1 : 0;
    if ((old & task_word::kExtra) != 0) {
      arena::add_use(task);
      left_.called_back.push_back(task);
    }
    if (!keeps_inputs(task)) drop_inputs(record, old);
    arena::drop_use(task);
  }
  run.parts->failed.fetch_add(failed, std::memory_order_relaxed);
  // Tasks that were submitted on results of this graph can go now.
  try_deferred();
}

}  // namespace weft::cluster
