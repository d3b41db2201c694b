#include <algorithm>
#include <cmath>
#include <limits>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::LoadIndex;
using machine::ReadyClass;
using machine::WorkerGroup;
using machine::WorkerRecord;
namespace packet_bits = machine::packet_bits;

namespace {
/// Copies of one packet that a holder makes before others, who have theirs from it, make the next.
constexpr std::size_t kPassedOn = 2;
}  // namespace

void SchedulerState::on(const WorkerJoined& event) {
  if (event.worker >= workers.size()) workers.resize(event.worker + 1);
  WorkerRecord& worker = workers[event.worker];
  WEFT_ASSERT(!worker.present && worker.load_scale == 0, "ids of workers are never used again");
  constexpr double kStepsInLimit = 64;  // how finely loads below the queue's depth are told apart
  worker.slots = std::max(event.slots, 1u);
  worker.ns_share = 1.0 / worker.slots;
  worker.load_scale = static_cast<float>(kStepsInLimit / (static_cast<double>(options.queue_ns) * worker.slots));
  worker.budget_bytes = static_cast<double>(event.budget_bytes);
  worker.resources = event.resources;
  worker.present = true;
  ++counts.workers;
  ++membership;
  refresh(event.worker);
  revive_parked();
  rescue_all();
}

void SchedulerState::on(const WorkerPaused& event) {
  if (!is_known_worker(event.worker)) return;
  workers[event.worker].paused = true;
  workers[event.worker].spilling = event.spilling;
  full_since.reset();
  refresh(event.worker);
}

void SchedulerState::on(const WorkerResumed& event) {
  if (!is_known_worker(event.worker)) return;
  workers[event.worker].paused = false;
  workers[event.worker].spilling = false;
  full_since.reset();
  refresh(event.worker);
}

void SchedulerState::on(const WorkerBlocked& event) {
  if (!is_known_worker(event.worker)) return;
  workers[event.worker].blocked = event.blocked;
  refresh(event.worker);
}

/// 1. Nothing is dealt to it. 2. What waits there is asked back. 3. What it keeps is copied to workers that stay, also
/// what it finishes from now on (on(PacketsFinished)). When it is lost, the copies take over. Where those who were to
/// take over leave too, others are asked (`rescue`).
void SchedulerState::on(const WorkerDraining& event) {
  if (!is_known_worker(event.worker) || !workers[event.worker].present) return;
  workers[event.worker].draining = true;
  ++membership;
  refresh(event.worker);
  for (const PacketId id : workers[event.worker].running.in_order()) {
    PacketRecord& record = packets[id];
    if (record.is(packet_bits::kRecalled)) continue;
    record.bits |= packet_bits::kRecalled;
    ++recalls;
    emit(Recall{event.worker, id, record.attempt, false});
  }
  rescue_all();
}

bool SchedulerState::stays(WorkerId worker) const {
  return worker == kKeeper || (is_known_worker(worker) && workers[worker].present && !workers[worker].draining);
}

/// Has a packet that only leaving workers keep copied to the least loaded of those that stay, unless one of them has
/// been asked to already.
void SchedulerState::rescue(PacketId id, const PacketRecord& record) {
  if (record.state != PacketState::InMemory || stays(record.worker)) return;
  if (record.is(packet_bits::kCopies)) {
    for (const WorkerId holder : copies[id]) {
      if (stays(holder)) return;
    }
  }
  const auto asked = rescues.find(id);
  if (asked != rescues.end() && stays(asked->second)) return;
  WorkerId to = kNone;
  for (const WorkerGroup part : {WorkerGroup::Open, WorkerGroup::Enough, WorkerGroup::Full}) {
    const std::uint32_t bucket = loads.lowest(part);
    if (to == kNone && bucket != LoadIndex::kBuckets) to = loads.set(part, bucket).first();
  }
  for (WorkerId one = 0; to == kNone && one != workers.size(); ++one) {
    if (stays(one)) to = one;  // a paused one rather than none
  }
  if (to == kNone) return;
  rescues[id] = to;
  emit(Replicate{record.worker, to, id, record.attempt});
}

/// After workers that were to leave, or to take over, have changed. Looks at all packets if any worker leaves.
void SchedulerState::rescue_all() {
  const auto leaves = [](const WorkerRecord& worker) { return worker.present && worker.draining; };
  if (std::none_of(workers.begin(), workers.end(), leaves)) return;
  packets.for_each([&](PacketId id, const PacketRecord& record) { rescue(id, record); });
}

bool SchedulerState::holds(WorkerId worker, PacketId id, const PacketRecord& record) const {
  if (record.worker == worker) return true;
  if (!record.is(packet_bits::kCopies)) return false;
  const std::vector<WorkerId>& holders = copies.at(id);
  return std::find(holders.begin(), holders.end(), worker) != holders.end();
}

/// Copies go to the workers with the least bytes, by id where equal, which have room for them. They go in a tree: each
/// holder passes two on (`spread`), the others as copies arrive.
void SchedulerState::on(const ReplicasWanted& event) {
  for (const PacketId id : event.packets) {
    if (!packets.knows(id) || packets[id].state != PacketState::InMemory) continue;
    const PacketRecord& record = packets[id];
    std::vector<WorkerId> others;
    std::size_t places = 0;
    for (WorkerId worker = 0; worker != workers.size(); ++worker) {
      if (holds(worker, id, record)) {
        ++places;
      } else if (workers[worker].usable()) {
        const WorkerRecord& other = workers[worker];
        const double bytes = other.held_bytes + other.promised_bytes + static_cast<double>(record.output_bytes);
        if (other.budget_bytes == 0 || bytes <= other.budget_bytes) others.push_back(worker);
      }
    }
    std::stable_sort(others.begin(), others.end(),
                     [this](WorkerId a, WorkerId b) { return workers[a].held_bytes < workers[b].held_bytes; });
    if (places >= event.copies || others.empty()) continue;
    others.resize(std::min<std::size_t>(others.size(), event.copies - places));
    std::reverse(others.begin(), others.end());
    spreading[id] = std::move(others);
    spread(id, record.worker, kPassedOn);
  }
}

/// Has `from` pass copies on to the next that shall have one.
void SchedulerState::spread(PacketId id, WorkerId from, std::size_t most) {
  const auto found = spreading.find(id);
  if (found == spreading.end()) return;
  std::vector<WorkerId>& left = found->second;
  while (!left.empty() && most != 0) {
    const WorkerId to = left.back();
    left.pop_back();
    if (!workers[to].usable() || holds(to, id, packets[id])) continue;
    emit(Replicate{from, to, id, packets[id].attempt});
    --most;
  }
  if (left.empty()) spreading.erase(found);
}

/// Whoever is gone passes nothing on: the owners do it, or what they held is lost and its copies with it.
void SchedulerState::spread_after_loss() {
  std::vector<PacketId> ids;
  for (const auto& [id, left] : spreading) ids.push_back(id);
  for (const PacketId id : ids) {
    if (packets.knows(id) && packets[id].state == PacketState::InMemory) {
      spread(id, packets[id].worker, kPassedOn);
    } else {
      spreading.erase(id);
    }
  }
}

/// Looks at the largest first; each goes from whoever holds most of them to whoever holds least, where that brings the
/// two closer together.
void SchedulerState::on(const BalanceWanted& event) {
  std::vector<double> held(workers.size(), 0);
  std::vector<PacketId> movable;
  for (const PacketId id : event.packets) {
    if (!packets.knows(id) || packets[id].state != PacketState::InMemory || packets[id].worker == kKeeper) continue;
    held[packets[id].worker] += static_cast<double>(packets[id].output_bytes);
    if (!packets[id].is(packet_bits::kCopies) && !moves.contains(id)) movable.push_back(id);
  }
  std::stable_sort(movable.begin(), movable.end(),
                   [this](PacketId a, PacketId b) { return packets[a].output_bytes > packets[b].output_bytes; });
  for (const PacketId id : movable) {
    const PacketRecord& record = packets[id];
    const auto bytes = static_cast<double>(record.output_bytes);
    WorkerId least = kNone;
    for (WorkerId worker = 0; worker != workers.size(); ++worker) {
      if (!workers[worker].usable()) continue;
      const double there = workers[worker].held_bytes + workers[worker].promised_bytes + bytes;
      if (workers[worker].budget_bytes != 0 && there > workers[worker].budget_bytes) continue;
      if (least == kNone || held[worker] < held[least]) least = worker;
    }
    if (least == kNone || least == record.worker || held[least] + bytes >= held[record.worker]) continue;
    held[record.worker] -= bytes;
    held[least] += bytes;
    moves[id] = least;
    emit(Replicate{record.worker, least, id, record.attempt});
  }
}

/// The copy takes over from the owner, unless somebody there reads it just now: then both stay.
void SchedulerState::finish_move(PacketId id, PacketRecord& record) {
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const PacketId consumer = edges[e].consumer;
    if (consumer == kNone || packets[consumer].state != PacketState::Running) continue;
    if (packets[consumer].worker == record.worker) return;
  }
  emit(Drop{record.worker, id, record.attempt});
  std::vector<PacketId> lost;  // stays empty: there is a copy
  lose_outputs(id, record, lost);
  if (record.wanted()) report(id, record, {});
}

/// Looks at all packets once nothing runs there.
bool SchedulerState::is_drained(WorkerId worker) const {
  if (!is_known_worker(worker) || !workers[worker].present) return true;
  if (!workers[worker].draining || workers[worker].queued != 0) return false;
  bool keeps_alone = false;
  packets.for_each([&](PacketId id, const PacketRecord& record) {
    if (keeps_alone || record.state != PacketState::InMemory || stays(record.worker)) return;
    if (!holds(worker, id, record)) return;
    const auto found = copies.find(id);
    keeps_alone = found == copies.end() || std::none_of(found->second.begin(), found->second.end(),
                                                        [this](WorkerId holder) { return stays(holder); });
  });
  return !keeps_alone;
}

void SchedulerState::on(const Replicated& event) {
  const bool is_present = event.worker == kKeeper || (is_known_worker(event.worker) && workers[event.worker].present);
  if (!is_present) return;
  const bool is_current = packets.knows(event.packet) && packets[event.packet].state == PacketState::InMemory &&
                          packets[event.packet].attempt == event.attempt;
  if (!is_current) {
    emit(Drop{event.worker, event.packet, event.attempt});
    return;
  }
  PacketRecord& record = packets[event.packet];
  if (record.worker == event.worker) {
    moves.erase(event.packet);
    return;
  }
  std::vector<WorkerId>& holders = copies[event.packet];
  if (std::find(holders.begin(), holders.end(), event.worker) == holders.end()) holders.push_back(event.worker);
  record.bits |= packet_bits::kCopies;
  if (!rescues.empty()) {
    const auto rescue_to = rescues.find(event.packet);
    if (rescue_to != rescues.end() && rescue_to->second == event.worker) rescues.erase(rescue_to);
    rescue(event.packet, record);
  }
  spread(event.packet, event.worker, kPassedOn);
  const auto move = moves.find(event.packet);
  if (move == moves.end() || move->second != event.worker) return;
  moves.erase(move);
  finish_move(event.packet, record);
}

void SchedulerState::enqueue(PacketId id, PacketRecord& record, WorkerId worker_id) {
  WorkerRecord& worker = workers[worker_id];
  record.worker = worker_id;
  record.position =
      worker.running.append(id, [this](PacketId moved, std::uint32_t position) { packets[moved].position = position; });
  ++worker.queued;
  worker.queued_ns += static_cast<Nanoseconds>(record.expected_ns);
  worker.promised_bytes += static_cast<double>(record.output_bytes);
}

/// Takes a packet off its worker's queue. `worker` stays in the record for the caller; refresh() is the caller's too.
void SchedulerState::dequeue(PacketId id, PacketRecord& record) {
  WorkerRecord& worker = workers[record.worker];
  worker.running.erase(record.position);
  --worker.queued;
  worker.queued_ns -= static_cast<Nanoseconds>(record.expected_ns);
  worker.promised_bytes -= static_cast<double>(record.output_bytes);
  if (worker.alone_with == id) worker.alone_with = kNone;
  if (record.is(packet_bits::kRecalled)) {
    record.bits &= static_cast<std::uint8_t>(~packet_bits::kRecalled);
    --recalls;
  }
}

void SchedulerState::refresh(WorkerId id) {
  WorkerRecord& worker = workers[id];
  WorkerGroup group = WorkerGroup::Closed;
  if (worker.usable() && worker.alone_with == kNone) {
    const std::uint32_t working = worker.queued - std::min(worker.queued, worker.blocked);
    if (!policies::has_room(working, worker.queued_ns, worker.slots, limits)) {
      group = WorkerGroup::Full;
    } else if (policies::has_enough(worker.held_bytes, worker.promised_bytes, worker.budget_bytes,
                                    options.withhold_share, worker.queued)) {
      group = WorkerGroup::Enough;
    } else {
      group = WorkerGroup::Open;
    }
  }
  const std::uint16_t bucket = LoadIndex::bucket_of(static_cast<float>(worker.queued_ns) * worker.load_scale);
  if (group == worker.group && bucket == worker.bucket) return;
  if (worker.group != WorkerGroup::Closed) loads.erase(worker.group, worker.bucket, id);
  if (group != WorkerGroup::Closed) loads.insert(group, bucket, id);
  worker.group = group;
  worker.bucket = bucket;
}

bool SchedulerState::fits_needs(std::uint32_t need_index, WorkerId id) const {
  const Needs& need = needs[need_index];
  const WorkerRecord& worker = workers[id];
  if (need.slots > worker.slots) return false;
  for (const ResourceAmount& wanted : need.resources) {
    const auto has = [&wanted](const ResourceAmount& own) {
      return own.resource == wanted.resource && own.amount >= wanted.amount;
    };
    if (wanted.amount != 0 && std::none_of(worker.resources.begin(), worker.resources.end(), has)) return false;
  }
  if (need.workers.empty() || need.preferred) return true;
  return std::find(need.workers.begin(), need.workers.end(), id) != need.workers.end();
}

const std::vector<WorkerId>& SchedulerState::feasible(ReadyClass& group) {
  if (group.membership == membership) return group.feasible;
  group.membership = membership;
  group.feasible.clear();
  for (WorkerId id = 0; id != workers.size(); ++id) {
    const bool stays = workers[id].present && !workers[id].draining;
    if (stays && (group.needs == kNone || fits_needs(group.needs, id))) group.feasible.push_back(id);
  }
  return group.feasible;
}

Reason SchedulerState::refusal(const PacketRecord& record, std::uint32_t& detail) {
  ReadyClass& group = ready[record.kind];
  const std::vector<WorkerId>& some = feasible(group);
  if (!some.empty()) {
    for (const WorkerId id : some) {
      const double budget = workers[id].budget_bytes;
      if (budget == 0 || static_cast<double>(record.peak_bytes) <= budget) return Reason::None;
    }
    constexpr double kMebibyte = 1u << 20;
    detail = static_cast<std::uint32_t>(std::min(std::ceil(static_cast<double>(record.peak_bytes) / kMebibyte), 4e9));
    return Reason::TooLarge;
  }
  if (group.needs == kNone) return Reason::None;  // all are draining: wait for a new one
  // Names the first need that no worker meets; if each is met by somebody, the restriction to workers is to blame.
  const Needs& need = needs[group.needs];
  for (const ResourceAmount& wanted : need.resources) {
    const auto has = [&wanted](const WorkerRecord& worker) {
      return worker.present &&
             std::any_of(worker.resources.begin(), worker.resources.end(), [&](const ResourceAmount& own) {
               return own.resource == wanted.resource && own.amount >= wanted.amount;
             });
    };
    if (std::none_of(workers.begin(), workers.end(), has)) {
      detail = wanted.resource;
      return Reason::NoSuchResource;
    }
  }
  const auto is_wide = [&need](const WorkerRecord& worker) { return worker.present && worker.slots >= need.slots; };
  if (std::none_of(workers.begin(), workers.end(), is_wide)) {
    detail = need.slots;
    return Reason::NotEnoughSlots;
  }
  if (need.workers.empty() || need.preferred) {
    detail = need.resources.empty() ? need.slots : need.resources.front().resource;
    return need.resources.empty() ? Reason::NotEnoughSlots : Reason::NoSuchResource;
  }
  detail = need.workers.front();
  return Reason::NoAllowedWorker;
}

void SchedulerState::refuse_if_impossible(PacketId id, PacketRecord& record) {
  if (record.is(packet_bits::kRefused) || counts.workers == 0) return;
  const ReadyClass& group = ready[record.kind];
  if (group.needs == kNone && static_cast<double>(record.peak_bytes) <= largest_budget()) return;
  std::uint32_t detail = 0;
  const Reason reason = refusal(record, detail);
  if (reason == Reason::None) return;
  record.bits |= packet_bits::kRefused;
  emit(Refuse{id, reason, detail});
}

/// Of the workers that stay; beyond all numbers if one has no limit, or if there is none.
double SchedulerState::largest_budget() {
  if (budgets_seen == membership) return budget_seen;
  budgets_seen = membership;
  budget_seen = 0;
  bool is_limited = counts.workers != 0;
  for (const WorkerRecord& worker : workers) {
    if (!worker.present || worker.draining) continue;
    is_limited = is_limited && worker.budget_bytes != 0;
    budget_seen = std::max(budget_seen, worker.budget_bytes);
  }
  if (!is_limited || budget_seen == 0) budget_seen = std::numeric_limits<double>::infinity();
  return budget_seen;
}

/// Takes a Ready packet that nobody present can run out of the queue, until a worker joins.
void SchedulerState::park(PacketId id, PacketRecord& record) {
  remove_ready(id, record);
  record.bits |= packet_bits::kParked;
  parked.push_back(id);
}

void SchedulerState::revive_parked() {
  std::vector<PacketId> waiting;
  waiting.swap(parked);
  for (const PacketId id : waiting) {
    PacketRecord& record = packets[id];
    record.bits &= static_cast<std::uint8_t>(~packet_bits::kParked);
    push_ready(id, record);
  }
}

}  // namespace weft
