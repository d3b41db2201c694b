#include <algorithm>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::LoadIndex;
using machine::ReadyClass;
using machine::WorkerGroup;
using machine::WorkerRecord;
namespace class_bits = machine::class_bits;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

namespace {

/// Inputs looked at for placement. Beyond, a packet reads from everywhere and the rest would not change the choice.
constexpr std::uint32_t kInputsLookedAt = 64;
constexpr std::uint32_t kOwnersCompared = 16;
/// Ready packets are mostly neighbours: the one this far ahead will probably be dealt soon.
constexpr std::uint32_t kDealAhead = 10;

/// True if a usable worker may take any packet of the class: the usual case.
bool is_unconditional(const WorkerRecord& worker, const ReadyClass& group) {
  return worker.budget_bytes == 0 && worker.alone_with == kNone && group.needs == kNone &&
         (group.bits & class_bits::kSolitary) == 0;
}

struct Owner {
  WorkerId worker;
  double bytes;
};

}  // namespace

machine::OrderedPackets::Place SchedulerState::place_of(PacketId id, const PacketRecord& record) const {
  if (!record.has(packet_flags::kAged)) return {record.priority, id, kNone, 0};
  const machine::PacketDetails& details = packets.details(id);
  return {record.priority, id, details.age, details.turn};
}

void SchedulerState::push_ready(PacketId id, PacketRecord& record) {
  if (!narrowing.empty() && narrowing.contains(id)) {
    record.bits |= packet_bits::kParked;
    parked.push_back(id);
    return;
  }
  ready.insert(record.kind, place_of(id, record));
}

void SchedulerState::remove_ready(PacketId id, PacketRecord& record) {
  if (!record.is(packet_bits::kParked)) {
    ready.erase(record.kind, place_of(id, record));
    return;
  }
  record.bits &= static_cast<std::uint8_t>(~packet_bits::kParked);
  parked.erase(std::find(parked.begin(), parked.end(), id));
}

/// Deals by priority and age until no class can go. A class whose first packet has no worker waits as a whole.
/// Within a submission nobody knows yet who reads what: then it ends at the first packet that is not wanted itself.
void SchedulerState::deal_ready(Certain which) {
  if (ready.size() == 0) return;
  bool urgent_waits = false;
  ready.unblock_all();
  for (;;) {
    const machine::ReadyQueue::Pick pick = ready.first();
    if (pick.kind == kNone) break;
    PacketRecord& record = packets[pick.packet];
    if (which == Certain::Wanted && !record.wanted()) return;
    const WorkerId worker = choose_worker(pick.packet, record);
    if (worker != kNone) {
      if (which == Certain::All) prefetch_inputs(pick.packet + kDealAhead);
      remove_ready(pick.packet, record);
      deal(pick.packet, record, worker);
    } else if (!step_aside(pick.packet, record)) {
      ready[pick.kind].blocked = true;
      urgent_waits = urgent_waits || (ready[pick.kind].bits & class_bits::kUrgent) != 0;
    }
  }
  const bool stands_still = ready.size() != 0 && counts.in(PacketState::Running) == 0;
  if (which == Certain::All && counts.workers != 0 && (stands_still || urgent_waits)) break_standstill();
}

void SchedulerState::break_standstill() {
  const bool nothing_runs = counts.in(PacketState::Running) == 0;
  ready.unblock_all();
  for (;;) {
    const machine::ReadyQueue::Pick pick = ready.first();
    if (pick.kind == kNone) return;
    // Urgent ones come first: what runs may be waiting for them.
    if (!nothing_runs && (ready[pick.kind].bits & class_bits::kUrgent) == 0) return;
    PacketRecord& record = packets[pick.packet];
    const Room room = roomiest(record, ready[pick.kind]);
    if (room.worker != kNone) {
      remove_ready(pick.packet, record);
      deal(pick.packet, record, room.worker);
      return;
    }
    ready[pick.kind].blocked = true;
    if (!nothing_runs || !room.is_full || record.is(packet_bits::kRefused)) continue;
    if (!patience_is_over(room.is_spilling)) continue;
    record.bits |= packet_bits::kRefused;
    const auto peak = static_cast<std::uint64_t>(record.peak_bytes);
    emit(Refuse{pick.packet, Reason::MemoryFull, static_cast<std::uint32_t>((peak + (1u << 20) - 1) >> 20)});
  }
}

/// What workers keep counts as held wherever it lies, so one that spills is not full: it will say so when it cannot go
/// on, or resume. One of which nothing is heard for long in spite of that hangs at its disk, and counts as full.
bool SchedulerState::patience_is_over(bool is_spilling) {
  constexpr int kSpillingIsWaitedFor = 12;
  if (!full_since) full_since = now;
  if (!is_spilling) return now - *full_since >= options.patience_ns;
  return options.patience_ns != 0 && now - *full_since >= kSpillingIsWaitedFor * options.patience_ns;
}

/// The worker with most room left, paused or not, for a packet that fits beside what it holds.
SchedulerState::Room SchedulerState::roomiest(const PacketRecord& record, const ReadyClass& group) const {
  Room best;
  double best_room = 0;
  for (WorkerId id = 0; id != workers.size(); ++id) {
    const WorkerRecord& worker = workers[id];
    if (!worker.present || worker.draining || worker.alone_with != kNone || worker.budget_bytes == 0) continue;
    if (group.needs != kNone && !fits_needs(group.needs, id)) continue;
    if ((group.bits & class_bits::kSolitary) != 0 && !all_wait(id)) continue;
    const double room = worker.budget_bytes - worker.held_bytes - static_cast<double>(record.peak_bytes);
    best.is_full = best.is_full || room < 0;
    best.is_spilling = best.is_spilling || (room < 0 && worker.spilling);
    if (room < 0 || (best.worker != kNone && room <= best_room)) continue;
    best.worker = id;
    best_room = room;
  }
  return best;
}

/// Fetches into the cache what dealing this packet, if it exists, and ending it will touch.
void SchedulerState::prefetch_inputs(PacketId id) const {
  constexpr std::uint32_t kInputs = 4;
  const PacketRecord* const record = packets.find(id);
  if (record == nullptr || record->edge_count == 0) return;
  const Edge* const block = edges.block(record->first_edge);
  const std::uint32_t count = std::min(record->edge_count, kInputs);
  for (std::uint32_t i = 0; i != count; ++i) packets.prefetch(block[i].producer);
}

/// True if the worker is open to packets of this class, whatever its load.
bool SchedulerState::may_take(const PacketRecord& record, const ReadyClass& group, WorkerId id) const {
  const WorkerRecord& worker = workers[id];
  if (!worker.usable()) return false;
  if (is_unconditional(worker, group)) return true;
  // A solitary packet that waits may wait for this one, and this one for a worker like that.
  const bool is_urgent = (group.bits & class_bits::kUrgent) != 0;
  if (worker.alone_with != kNone && !(is_urgent && waits_for_inputs(worker.alone_with))) return false;
  if (worker.budget_bytes > 0 && static_cast<double>(record.peak_bytes) > worker.budget_bytes) return false;
  if ((group.bits & class_bits::kSolitary) != 0 && worker.queued != 0 && !(is_urgent && all_wait(id))) return false;
  return group.needs == kNone || fits_needs(group.needs, id);
}

bool SchedulerState::waits_for_inputs(PacketId id) const {
  const PacketRecord& record = packets[id];
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    if (packets[edges[record.first_edge + i].producer].state != PacketState::InMemory) return true;
  }
  return false;
}

/// True if nothing of what the worker was dealt can run: a solitary packet would be alone.
bool SchedulerState::all_wait(WorkerId id) const {
  const machine::RunningQueue& running = workers[id].running;
  for (PacketId packet = running.last(); packet != kNone; packet = running.before(packets[packet].position)) {
    if (!waits_for_inputs(packet)) return false;
  }
  return true;
}

WorkerId SchedulerState::least_loaded_in(WorkerGroup part, const PacketRecord& record, const ReadyClass& group) const {
  for (std::uint32_t bucket = loads.lowest(part); bucket != LoadIndex::kBuckets;
       bucket = loads.lowest(part, bucket + 1)) {
    const machine::WorkerSet& set = loads.set(part, bucket);
    for (WorkerId worker = set.first(); worker != kNone; worker = set.next(worker)) {
      if (is_unconditional(workers[worker], group) || may_take(record, group, worker)) return worker;
    }
  }
  return kNone;
}

WorkerId SchedulerState::least_loaded_of(const std::vector<WorkerId>& some, const PacketRecord& record,
                                         const ReadyClass& group) const {
  WorkerId best = kNone;
  for (const WorkerId id : some) {
    if (!is_known_worker(id) || !may_take(record, group, id)) continue;
    const WorkerGroup part = workers[id].group;
    const bool urgent = (group.bits & class_bits::kUrgent) != 0;
    if ((part == WorkerGroup::Closed && !urgent) || (part == WorkerGroup::Full && !urgent)) continue;
    if (part == WorkerGroup::Enough && (group.bits & class_bits::kRoots) != 0 && !urgent) continue;
    if (best == kNone || workers[id].wait_ns() < workers[best].wait_ns()) best = id;
  }
  return best;
}

/// The idlest worker with room for the packet. Few feasible workers are compared; many are looked up by load.
WorkerId SchedulerState::least_loaded(const PacketRecord& record, ReadyClass& group) {
  constexpr std::size_t kFew = 64;
  if (group.needs != kNone) {
    const Needs& need = needs[group.needs];
    if (need.preferred) {
      const WorkerId preferred = least_loaded_of(need.workers, record, group);
      if (preferred != kNone) return preferred;
    }
    const std::vector<WorkerId>& some = feasible(group);
    if (some.size() <= kFew) return least_loaded_of(some, record, group);
  }
  WorkerId worker = least_loaded_in(WorkerGroup::Open, record, group);
  const bool urgent = (group.bits & class_bits::kUrgent) != 0;
  if (worker == kNone && ((group.bits & class_bits::kRoots) == 0 || urgent)) {
    worker = least_loaded_in(WorkerGroup::Enough, record, group);
  }
  if (worker == kNone && urgent) worker = least_loaded_in(WorkerGroup::Full, record, group);
  for (WorkerId id = 0; worker == kNone && urgent && id != workers.size(); ++id) {
    if (workers[id].alone_with != kNone && may_take(record, group, id)) worker = id;
  }
  return worker;
}

WorkerId SchedulerState::choose_worker(PacketId id, const PacketRecord& record) {
  ReadyClass& group = ready[record.kind];
  if ((group.bits & class_bits::kSolitary) != 0 && waits_for_inputs(id)) return kNone;
  if (!left_behind.empty() && left_behind.contains(id)) {
    const WorkerId other = idle_other(left_behind[id], record);
    if (other != kNone) return other;
  }
  const WorkerId idlest = least_loaded(record, group);
  if (idlest == kNone || (record.edge_count == 0 && (record.traits & packet_traits::kAffinity) == 0)) return idlest;
  if (counts.workers == 1) return idlest;
  return best_by_data(id, record, group, idlest);
}

/// Compares the idlest worker with those that hold inputs or neighbours. A full one may be chosen for its data up to
/// twice its queue's depth.
WorkerId SchedulerState::best_by_data(PacketId id, const PacketRecord& record, const ReadyClass& group,
                                      WorkerId idlest) {
  Owner owners[kOwnersCompared];
  std::uint32_t owner_count = 0;
  double total = 0;
  Nanoseconds inputs_ns = 0;
  const std::uint32_t looked_at = std::min(record.edge_count, kInputsLookedAt);
  const Edge* block = looked_at == 0 ? nullptr : edges.block(record.first_edge);
  for (std::uint32_t i = 0; i != looked_at; ++i) {
    const Edge& edge = block[i];
    const PacketRecord& producer = packets[edge.producer];
    const WorkerId worker = producer.worker;
    if (producer.state == PacketState::Running) {
      inputs_ns = std::max(inputs_ns, workers[worker].end_ns(producer.position, producer.expected_ns));
    }
    const double bytes = static_cast<double>(edge.bytes);
    total += bytes;
    if (worker == kKeeper || worker == kNone) continue;
    const std::uint32_t at = workers[worker].mark;
    if (at < owner_count && owners[at].worker == worker) {
      owners[at].bytes += bytes;
    } else if (owner_count != kOwnersCompared) {
      workers[worker].mark = owner_count;
      owners[owner_count++] = {worker, bytes};
    }
  }
  WorkerId neighbour = kNone;
  if ((record.traits & packet_traits::kAffinity) != 0) {
    neighbour = neighbours[packets.details(id).affinity % neighbours.size()];
    std::uint32_t at = 0;
    while (at != owner_count && owners[at].worker != neighbour) ++at;
    if (neighbour != kNone && at == owner_count && owner_count != kOwnersCompared)
      owners[owner_count++] = {neighbour, 0};
  }
  policies::PlacementCandidate best{idlest, total, workers[idlest].wait_ns(), inputs_ns, idlest == neighbour};
  for (std::uint32_t i = 0; i != owner_count; ++i) {
    const WorkerId worker = owners[i].worker;
    if (worker == idlest) best.moved_bytes = total - owners[i].bytes;
  }
  double best_start_ns = policies::start_ns(best, cost);
  const bool roots = (group.bits & class_bits::kRoots) != 0;
  for (std::uint32_t i = 0; i != owner_count; ++i) {
    const WorkerId worker = owners[i].worker;
    const WorkerRecord& owner = workers[worker];
    if (worker == idlest || owner.group == WorkerGroup::Closed) continue;
    const Nanoseconds wait_ns = owner.wait_ns();
    if (static_cast<double>(std::max(wait_ns, inputs_ns)) > best_start_ns) continue;  // whatever need not be moved
    if (owner.group == WorkerGroup::Enough && roots) continue;
    if (owner.group == WorkerGroup::Full) {
      const bool is_deep = !policies::has_room(owner.queued / 2, owner.queued_ns / 2, owner.slots, limits);
      if (roots || is_deep) continue;
    }
    if (!is_unconditional(owner, group) && !may_take(record, group, worker)) continue;
    const policies::PlacementCandidate candidate{worker, total - owners[i].bytes, wait_ns, inputs_ns,
                                                 worker == neighbour};
    const double start_ns = policies::start_ns(candidate, cost);
    if (!policies::is_better_place(candidate, start_ns, best, best_start_ns)) continue;
    best = candidate;
    best_start_ns = start_ns;
  }
  return best.worker;
}

bool SchedulerState::step_aside(PacketId id, PacketRecord& record) {
  std::uint32_t detail = 0;
  if (counts.workers != 0 && refusal(record, detail) != Reason::None) {
    refuse_if_impossible(id, record);
    park(id, record);
    return true;
  }
  const ReadyClass& group = ready[record.kind];
  if ((group.bits & class_bits::kSolitary) != 0 && waits_for_inputs(id)) {
    // It is to run at once, or others that wait there would run beside it. Whoever makes its inputs may be behind it.
    park(id, record);
    solitary_waits = true;
    return true;
  }
  if ((group.bits & class_bits::kLarge) != 0) return false;
  const bool roots = (group.bits & class_bits::kRoots) != 0;
  const bool others_have_room = !loads.empty(WorkerGroup::Open) || (!roots && !loads.empty(WorkerGroup::Enough));
  if (!others_have_room || group.needs != kNone) return false;
  // Some worker has room, so it was the packet's size that did not fit.
  remove_ready(id, record);
  record.kind = ready.class_of(group.needs, group.bits | class_bits::kLarge);
  push_ready(id, record);
  return true;
}

void SchedulerState::deal(PacketId id, PacketRecord& record, WorkerId worker) {
  if ((ready[record.kind].bits & class_bits::kSolitary) != 0) take_back_waiting(worker);
  transition(id, record, PacketState::Running);
  ++record.attempt;
  full_since.reset();
  if (!left_behind.empty()) left_behind.erase(id);
  record.bits &= static_cast<std::uint8_t>(~(packet_bits::kSettled | packet_bits::kDoubted));
  std::vector<InputSource>& inputs = actions->inputs;
  emit(Deal{worker, id, record.attempt, static_cast<std::uint32_t>(inputs.size()), record.edge_count});
  if (record.edge_count != 0) {
    const std::size_t first = inputs.size();
    inputs.resize(first + record.edge_count);
    InputSource* const sources = inputs.data() + first;
    const Edge* block = edges.block(record.first_edge);
    for (std::uint32_t i = 0; i != record.edge_count; ++i) {
      const Edge& edge = block[i];
      const PacketRecord& producer = packets[edge.producer];
      // Signed: one instruction; no region has 2^63 bytes.
      const auto bytes = static_cast<std::uint64_t>(static_cast<std::int64_t>(edge.bytes));
      sources[i] = {edge.producer, producer.worker, producer.attempt, bytes};
    }
  }
  if ((ready[record.kind].bits & class_bits::kSolitary) != 0) workers[worker].alone_with = id;
  enqueue(id, record, worker);
  refresh(worker);
  if ((record.traits & packet_traits::kAffinity) != 0) {
    neighbours[packets.details(id).affinity % neighbours.size()] = worker;
  }
  wake_consumers(id, record);
}

/// The packet is Running now: its consumers may be dealt, and those that were dealt before it was lost learn its place.
void SchedulerState::wake_consumers(PacketId id, const PacketRecord& record) {
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const Edge& edge = edges[e];
    if (edge.consumer == kNone || !packets[edge.consumer].unfinished()) continue;
    PacketRecord& consumer = packets[edge.consumer];
    --consumer.waiting;
    if (consumer.state == PacketState::Running) {
      const InputSource source{id, record.worker, record.attempt, static_cast<std::uint64_t>(edge.bytes)};
      emit(Relocate{consumer.worker, edge.consumer, consumer.attempt, source});
    } else if (consumer.waiting == 0) {
      transition(edge.consumer, consumer, PacketState::Ready);
      push_ready(edge.consumer, consumer);
    }
  }
}

}  // namespace weft
