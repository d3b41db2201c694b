#include "core/cluster/client_process.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/task_name.hpp"
#include "core/runtime/needs.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// Short tasks share a packet of about this length.
constexpr float kPacketNs = 200'000;
constexpr std::uint32_t kMostTasks = 1024;
/// So few are looked at after each packet, more only when packets are formed anew.
constexpr std::size_t kFewDeferred = 64;

bool is_managed(const TaskRecord& record) { return (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0; }

bool is_boxed(const TaskRecord& record) { return !site(record.site).type->result->in_record; }

}  // namespace

ClientPacket* ClientProcess::find(PacketId id) {
  const auto found = packets_.find(id);
  return found == packets_.end() ? nullptr : &found->second;
}

// --- From tasks to packets ---------------------------------------------------------------------------------------

std::uint32_t ClientProcess::needs_index(const TaskOptions& options) {
  Needs needs = resource_needs(options, coming_.resource_ids);
  for (const std::string& name : options.workers) {
    for (WorkerId id = 0; id < members_.workers.size(); ++id) {
      const std::string& known = members_.workers[id].standing.identity.name;
      if (known == name || known.substr(0, known.find(':')) == name) needs.workers.push_back(id);
    }
  }
  needs.preferred = options.allow_other_workers;
  if (needs.workers.empty() && !options.workers.empty() && !options.allow_other_workers) {
    needs.workers.push_back(kNotHere + static_cast<WorkerId>(members_.absent.size()));
    members_.absent.push_back(options.workers.front());
  }
  if (needs.nothing()) return kNone;
  for (std::uint32_t i = 0; i < coming_.needs.size(); ++i) {
    if (coming_.needs[i] == needs) return i;
  }
  coming_.needs.push_back(std::move(needs));
  return static_cast<std::uint32_t>(coming_.needs.size() - 1);
}

/// Returns whether an input will only be there once a graph has run, or waits for such a one itself.
bool ClientProcess::waits_for_graph(TaskId task) const {
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskRecord& producer = arena::task(arena::edge(record.first_input + k).producer);
    if ((producer.word.load(std::memory_order_acquire) & task_word::kDone) != 0) continue;
    if (!is_managed(producer) || producer.packet == kNone) return true;
  }
  return false;
}

/// Returns whether a pending task goes into no packet yet: for what it reads, or because it would not end in time.
bool ClientProcess::must_wait(TaskId task) {
  return waits_for_graph(task) || (time_left_.end != 0 && (outlasts(task) || reads_stalled(task)));
}

SiteTime ClientProcess::site_time(TaskId task) const { return coming_.site_times.of(arena::task(task).site); }

std::uint32_t ClientProcess::tasks_for_next(std::size_t pending) const {
  const float ns = site_time(coming_.forming.front().task).ns;
  if (ns <= 0) return 1;
  const auto fit = static_cast<std::uint32_t>(std::clamp(kPacketNs / ns, 1.0f, static_cast<float>(kMostTasks)));
  const std::uint32_t slots = std::max(1u, slots_.load(std::memory_order_relaxed));
  const auto share = static_cast<std::uint32_t>(std::min<std::size_t>(pending / slots + 1, kMostTasks));
  return std::min(fit, share);
}

/// Makes packets of what is pending while workers have room, or somebody has asked for a task of its own.
void ClientProcess::form_packets() {
  if (any_pending_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(pending_mutex_);
    any_pending_.store(false, std::memory_order_relaxed);
    coming_.turns.line_up(pending_, coming_.forming);
    pending_.clear();
  }
  if (coming_.turns.shared()) try_deferred();
  if (!coming_.graphs.empty()) cut_graphs(members_.no_more && members_.present == 0);
  if (call_.task != kNone && (call_.pauses || !coming_.forming.empty())) share_with_call();
  if (!coming_.forming.empty() && (members_.present != 0 || members_.no_more)) {
    const bool must = members_.no_more && members_.present == 0;
    const auto last_alone =
        std::find_if(coming_.forming.rbegin(), coming_.forming.rend(), [](const Pending& one) { return one.alone; });
    auto forced = static_cast<std::size_t>(coming_.forming.rend() - last_alone);
    while (!coming_.forming.empty() && (must || forced != 0 || outstanding_ < room())) {
      const std::size_t before = coming_.forming.size();
      const PacketId next = next_packet_;
      submit_pending(coming_.forming.front().alone ? 1 : tasks_for_next(coming_.forming.size()));
      forced -= std::min(forced, before - coming_.forming.size());
      if (coming_.turns.shared() && next_packet_ != next && coming_.deferred.size() < kFewDeferred) try_deferred();
    }
    flush_submission();
  }
  hungry_.store(members_.present != 0 && coming_.forming.empty() && outstanding_ < room(), std::memory_order_seq_cst);
  if (members_.no_more && members_.present == 0) end_without_workers();
}

/// A task of one client may read one of another that stands behind it in the line: it goes as soon as that has gone.
void ClientProcess::try_deferred() {
  coming_.forming.insert(coming_.forming.begin(), coming_.deferred.begin(), coming_.deferred.end());
  coming_.deferred.clear();
}

/// Ends what nobody is left to run, or to make again.
void ClientProcess::end_without_workers() {
  std::vector<PacketId> unfinished;
  for (auto& [id, packet] : packets_) {
    const bool has_all =
        packet.ended && (packet.wanted.empty() || !machine_.knows(id) || machine_.state(id) == PacketState::InMemory);
    if (has_all || (!packet.ended && packet.failure != nullptr)) continue;
    unfinished.push_back(id);
    if (packet.ended) continue;
    packet.failure = std::make_shared<TaskFailure>();
    packet.failure->kind = TaskFailure::Kind::Lost;
    packet.failure->message = "no worker is left to run this task: " + members_.no_more_why;
  }
  if (unfinished.empty()) return;
  std::sort(unfinished.begin(), unfinished.end());
  left_.events.push_back(PacketsCancelled{std::move(unfinished)});
}

/// Makes one packet of the first pending tasks, at most `count`: as many as are alike in what they ask for.
void ClientProcess::submit_pending(std::size_t count) {
  while (count != 0 && !coming_.forming.empty()) {
    if (must_wait(coming_.forming.front().task) && !closing_.load(std::memory_order_relaxed)) {
      coming_.deferred.push_back(coming_.forming.front());
      coming_.turns.serve(coming_.forming.front());
      coming_.forming.pop_front();
      --count;
      continue;
    }
    PacketId id = kNone;
    ClientPacket& packet = add_packet(id);
    const Pending first = coming_.forming.front();
    do {
      const TaskId task = coming_.forming.front().task;
      TaskRecord& record = arena::task(task);
      record.packet = id;
      record.link = static_cast<std::uint32_t>(packet.own.size());
      packet.own.push_back(task);
      coming_.turns.serve(coming_.forming.front());
      coming_.forming.pop_front();
      --count;
    } while (count != 0 && !first.alone && !coming_.forming.empty() && !coming_.forming.front().alone &&
             !must_wait(coming_.forming.front().task));
    packet.count = static_cast<std::uint32_t>(packet.own.size());
    if (packet.count == 1) {
      packet.single = packet.own.front();
      packet.own = {};
      packet.tasks = &packet.single;
    } else {
      packet.tasks = packet.own.data();
    }
    PacketSpec spec;
    describe(id, packet, spec);
    if (first.alone) add_options(id, spec, first);
    submission_.packets.push_back(spec);
    if (submission_.packets.size() >= 256) flush_submission();
    if (!closing_.load(std::memory_order_relaxed)) return;
  }
}

/// Fills in what the machine is told of a packet that is one task with options of its own.
void ClientProcess::add_options(PacketId id, PacketSpec& spec, const Pending& options) {
  spec.priority = options.priority;
  spec.peak_bytes = options.memory_bytes;
  if (!options.retriable) spec.flags = static_cast<std::uint8_t>(spec.flags & ~packet_flags::kRetriable);
  if (options.fifo_timeout.count() > 0) {
    spec.flags |= packet_flags::kAged;
    spec.age = coming_.ages.of(options.fifo_timeout, options.fifo_turn, id);
    spec.turn = options.fifo_turn.number;
  }
  if (options.needs == kNone) return;
  submission_.needs.push_back(coming_.needs[options.needs]);
  spec.needs = static_cast<std::uint32_t>(submission_.needs.size() - 1);
}

ClientPacket& ClientProcess::add_packet(PacketId& id) {
  id = next_packet_++;
  if (submission_.packets.empty()) submission_.first_packet = id;
  ++outstanding_;
  return packets_[id];
}

/// Returns whether the machine is told that consumers read the task's packet: not where its value is here to stay.
bool ClientProcess::is_linked(const TaskRecord& producer) {
  if (!is_managed(producer)) return false;
  const ClientPacket* const packet = find(producer.packet);
  return packet != nullptr && !packet->released;
}

/// Fills in what the machine is told of a packet: its length, its inputs' packets, what it is expected to take.
void ClientProcess::describe(PacketId id, ClientPacket& packet, PacketSpec& spec) {
  spec.first_task = 0;
  spec.task_count = packet.count;
  spec.flags = packet_flags::kWanted | packet_flags::kRetriable;
  spec.first_producer = static_cast<std::uint32_t>(submission_.producers.size());
  std::vector<ProducerEdge>& edges = submission_.producers;
  float expected = 0;
  bool known = true;
  std::uint32_t last_site = kNone;
  float last_ns = 0;
  for (const TaskId task : packet.list()) {
    const TaskRecord& record = arena::task(task);
    if (record.site != last_site) {
      last_site = record.site;
      last_ns = site_time(task).ns;
    }
    known = known && last_ns > 0;
    expected += last_ns;
    if (record.input_count == 0) spec.flags |= packet_flags::kRoots;
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      const TaskId input = arena::edge(record.first_input + k).producer;
      const TaskRecord& producer = arena::task(input);
      if (is_managed(producer) && producer.packet == id) continue;
      if (!is_linked(producer)) {
        // Its end goes along with the packet, now and should the packet be dealt again.
        arena::add_use(input);
        packet.held.push_back(input);
        continue;
      }
      const std::uint64_t bytes = site(producer.site).type->result->size;
      if (edges.size() != spec.first_producer && edges.back().producer == producer.packet) {
        edges.back().bytes += bytes;
      } else {
        edges.push_back({producer.packet, bytes});
      }
    }
  }
  const auto first = edges.begin() + static_cast<std::ptrdiff_t>(spec.first_producer);
  if (edges.end() - first > 1) {
    std::sort(first, edges.end(), [](const auto& a, const auto& b) { return a.producer < b.producer; });
    auto to = first;
    for (auto at = first + 1; at != edges.end(); ++at) {
      if (at->producer == to->producer) {
        to->bytes += at->bytes;
      } else {
        *++to = *at;
      }
    }
    edges.erase(to + 1, edges.end());
  }
  spec.producer_count = static_cast<std::uint32_t>(edges.size()) - spec.first_producer;
  if (known) spec.expected_ns = static_cast<Nanoseconds>(expected) + 1;
}

void ClientProcess::flush_submission() {
  if (submission_.packets.empty()) return;
  tell(std::exchange(submission_, {}));
}

// --- Ends --------------------------------------------------------------------------------------------------------

/// Ends the packet's tasks in their records. `outcome`: what the worker told; null for a packet that failed as a whole.
void ClientProcess::end_packet(PacketId id, ClientPacket& packet, Reader* outcome) {
  packet.ended = true;
  --outstanding_;
  for (const TaskId task : packet.list()) {
    TaskRecord& record = arena::task(task);
    if (is_boxed(record)) set_box(record, nullptr);
    set_elsewhere(record, true);
  }
  if (outcome != nullptr) read_outcome(id, packet, *outcome);
  tasks_done_.fetch_add(packet.count, std::memory_order_relaxed);
  woken_ = true;
  questions_.owed_changed = true;
  if (packet.graph != nullptr) {
    --packet.graph->packets_left;
    return;
  }
  packet.wanted = {};
  for (const TaskId task : packet.list()) end_task(task);
  // What somebody may still ask for, and is not here, ties the packet to its uses; its own one ends now.
  for (std::uint32_t i = 0; i < packet.count; ++i) {
    const TaskId task = packet.tasks[i];
    const std::uint64_t word = arena::task(task).word.load(std::memory_order_acquire);
    if (task_word::uses_of(word) > 1 && !is_here(task)) packet.own_dropped.push_back(i);
  }
  packet.away = static_cast<std::uint32_t>(packet.own_dropped.size());
  for (const std::uint32_t index : packet.own_dropped) arena::drop_use(packet.tasks[index]);
  if (packet.away == 0 && !packet.released) {
    packet.released = true;
    left_.to_release.push_back(id);
  }
}

/// Puts values and failures into the records; `wanted` becomes the tasks whose values stay at the worker.
void ClientProcess::read_outcome(PacketId id, ClientPacket& packet, Reader& outcome) {
  const std::size_t failures = outcome.elements(3, "outcome");
  for (std::size_t i = 0; i < failures; ++i) {
    const std::uint32_t index = read_small(outcome, "outcome");
    const TaskEnd end = read_failure(outcome);
    if (index >= packet.count) outcome.damaged("outcome", "a task that failed is not in the packet");
    fail_task(packet.tasks[index], end.failure, end.began_here);
    // What it was called with: to be run again; or to be asked for the failure that was its own, where that input's end
    // is still under way from another worker.
    const bool keeps =
        end.began_here ? end.failure->kind == TaskFailure::Kind::Threw : failed_input_of(packet.tasks[index]) == kNone;
    if (keeps && packet.graph == nullptr) keep_inputs(packet.tasks[index]);
  }
  const bool small = outcome.number<std::uint8_t>("outcome") != 0;
  const std::size_t begin = outcome.offset();
  const std::size_t left = outcome.remaining();
  const std::byte* const all = left != 0 ? outcome.view(0, "outcome") : nullptr;
  const std::size_t values = outcome.elements(2, "outcome");
  for (std::size_t i = 0; i < values; ++i) {
    const std::uint64_t head = outcome.count("outcome");
    const std::uint64_t index = head >> 1;
    if (index >= packet.count) outcome.damaged("outcome", "a value is of a task that is not in the packet");
    const TaskId task = packet.tasks[index];
    // Those nobody has a handle to are only kept for others, but for what fits the record.
    if ((head & 1) == 0 && is_boxed(arena::task(task))) {
      skip_end(outcome);
      continue;
    }
    const TaskEnd end = read_end(outcome, arena::task(task));
    if (end.failure != nullptr) fail_task(task, end.failure, end.began_here);
    set_elsewhere(arena::task(task), false);
  }
  if (small && values != 0) packet.kept.assign(all, all + (outcome.offset() - begin));
  const std::size_t staying = outcome.elements(1, "outcome");
  for (std::size_t i = 0; i < staying; ++i) {
    const std::uint32_t index = read_small(outcome, "outcome");
    if (index >= packet.count) outcome.damaged("outcome", "a value stays that is of no task");
    packet.wanted.push_back(index);
  }
  if (packet.graph == nullptr) return;
  packet.graph->values_left += static_cast<std::uint32_t>(packet.wanted.size());
  if (!packet.wanted.empty()) subscribe(id, packet, packet.wanted);
}

TaskId ClientProcess::failed_input_of(TaskId task) {
  TaskId input = kNone;
  extras::read(task, [&](const TaskExtra& extra) { input = extra.failed_input; });
  return input;
}

/// Has a task that threw hold on to what it was called with, until nobody asks for it any more.
void ClientProcess::keep_inputs(TaskId task) {
  extras::change(task, [](TaskExtra& extra) { extra.keeps_inputs = true; });
}

/// Notes why a task has no result. It ends with its packet.
void ClientProcess::fail_task(TaskId task, const std::shared_ptr<const TaskFailure>& failure, bool began_here) {
  TaskRecord& record = arena::task(task);
  if ((record.word.load(std::memory_order_relaxed) & task_word::kFailed) != 0) return;
  std::shared_ptr<const TaskFailure> known = failure;
  TaskId failed_input = kNone;
  if (began_here) {
    auto mine = std::make_shared<TaskFailure>(*failure);
    describe_task(task, *mine);
    known = std::move(mine);
  } else {
    for (std::uint32_t k = 0; k < record.input_count && failed_input == kNone; ++k) {
      const TaskId producer = arena::edge(record.first_input + k).producer;
      if ((arena::task(producer).word.load(std::memory_order_acquire) & task_word::kFailed) != 0)
        failed_input = producer;
    }
    if (failed_input != kNone) {
      extras::read(failed_input, [&](const TaskExtra& extra) {
        if (extra.failure != nullptr) known = extra.failure;
      });
    }
  }
  extras::change(task, [&](TaskExtra& extra) {
    extra.failure = std::move(known);
    extra.failed_input = failed_input;
  });
  failed_records.fetch_add(1, std::memory_order_relaxed);
  record.word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  tasks_failed_.fetch_add(1, std::memory_order_relaxed);
  if (!closing()) note_failure(serial(), task);
}

/// From here on the task has ended for everybody in this process. Its own use stays until its packet is forgotten.
void ClientProcess::end_task(TaskId task) {
  TaskRecord& record = arena::task(task);
  const std::uint64_t old = record.word.fetch_or(task_word::kDone, std::memory_order_acq_rel);
  for (std::uint32_t e = task_word::edge_of(old); e != 0;) {
    const Edge& edge = arena::edge(e - 1);
    TaskRecord& consumer = arena::task(edge.consumer);
    const TaskId id = edge.consumer;
    e = edge.next;
    if (is_managed(consumer)) continue;
    // One that was only described, and has been given up since, is free with its last producer's end.
    if (consumer.join.fetch_sub(1, std::memory_order_acq_rel) == 1 &&
        (consumer.word.load(std::memory_order_acquire) & task_word::kDone) != 0) {
      arena::free_record(id);
    }
  }
  if ((old & task_word::kExtra) != 0) {
    arena::add_use(task);
    left_.called_back.push_back(task);
  }
  if (keeps_inputs(task)) return;
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    arena::drop_use(arena::edge(record.first_input + k).producer);
  }
}

/// A packet that will not be run again has no outputs: its tasks fail for the machine's reason.
void ClientProcess::fail_packet(PacketId id, ClientPacket& packet, const Report& report) {
  if (packet.ended) {
    // Its values were lost after it had ended and cannot be made again.
    for (const std::uint32_t index : std::exchange(packet.wanted, {})) {
      auto failure = std::make_shared<TaskFailure>();
      failure->kind = TaskFailure::Kind::Lost;
      failure->message = "the value was lost with the worker that held it, and could not be made again";
      TaskEnd end;
      end.failure = std::move(failure);
      value_here(id, packet, index, std::move(end));
    }
    return;
  }
  std::shared_ptr<const TaskFailure> failure = packet.failure;
  bool began_here = false;
  if (failure == nullptr && report.cause != kNone && report.cause != id) {
    const ClientPacket* const cause = find(report.cause);
    if (cause != nullptr && cause->failure != nullptr) failure = cause->failure;
  }
  if (failure == nullptr) {
    auto made = std::make_shared<TaskFailure>();
    began_here = report.cause == id || report.cause == kNone;
    if (report.reason == Reason::Cancelled) {
      made->kind = TaskFailure::Kind::Cancelled;
      made->message = "cancelled";
    } else {
      made->message = "what it needs was lost with a worker and cannot be made again";
      made->type = "weft::Error";
    }
    packet.failure = made;
    failure = std::move(made);
  }
  for (const TaskId task : packet.list()) fail_task(task, failure, began_here);
  end_packet(id, packet, nullptr);
}

/// The machine knows the packet no more: nothing will be run again, so closures and inputs may go.
void ClientProcess::forget_packet(PacketId id) {
  const auto found = packets_.find(id);
  if (found == packets_.end()) return;
  ClientPacket& packet = found->second;
  if (packet.graph == nullptr && !packet.over) {
    for (const TaskId task : packet.list()) {
      if (!keeps_inputs(task)) destroy_closure(arena::task(task));
      arena::task(task).join.store(0, std::memory_order_release);
    }
    std::size_t away = 0;
    for (std::uint32_t i = 0; i < packet.count; ++i) {
      const TaskId task = packet.tasks[i];
      TaskRecord& record = arena::task(task);
      if (away == packet.own_dropped.size() || packet.own_dropped[away] != i) {
        arena::drop_use(task);
        continue;
      }
      ++away;
      // One that is still held is a plain result of this process now, or note_released() will find it.
      if (record.packet == kNone) release_task(task, record.word.load(std::memory_order_acquire));
    }
  }
  for (const TaskId held : packet.held) arena::drop_use(held);
  packets_.erase(found);
}

/// Looks at the uses that have ended since: a packet all of whose values elsewhere are unused is let go of.
void ClientProcess::note_released() {
  if (!any_released_.load(std::memory_order_acquire)) return;
  std::vector<TaskId> released;
  {
    const std::lock_guard lock(released_mutex_);
    any_released_.store(false, std::memory_order_relaxed);
    released.swap(released_);
  }
  for (const TaskId task : released) {
    TaskRecord& record = arena::task(task);
    const PacketId id = std::exchange(record.packet, kNone);
    ClientPacket* const packet = find(id);
    if (packet == nullptr) release_task(task, record.word.load(std::memory_order_acquire));
    if (packet == nullptr || packet->away == 0 || --packet->away != 0 || packet->released) continue;
    packet->released = true;
    left_.to_release.push_back(id);
  }
}

}  // namespace weft::cluster
