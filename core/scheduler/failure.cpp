#include <algorithm>
#include <utility>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::PacketDetails;
using machine::ReadyClass;
using machine::WorkerRecord;
namespace class_bits = machine::class_bits;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

/// 1. What it kept and is needed goes to its copies, or is Released and collected. 2. What it ran is requeued, or fails
/// if it may not be run twice or has killed too often. 3. What was collected is required again, with its lineage.
void SchedulerState::on(const WorkerLost& event) {
  if (!is_known_worker(event.worker) || !workers[event.worker].present) return;
  WorkerRecord& worker = workers[event.worker];
  worker.present = false;
  --counts.workers;
  ++membership;
  const std::vector<Suspect> ran = suspects_of(event);

  for (auto entry = copies.begin(); entry != copies.end();) {
    std::erase(entry->second, event.worker);
    if (entry->second.empty()) packets[entry->first].bits &= static_cast<std::uint8_t>(~packet_bits::kCopies);
    entry = entry->second.empty() ? copies.erase(entry) : std::next(entry);
  }
  std::erase_if(moves, [&](const auto& move) { return move.second == event.worker; });
  std::vector<PacketId> lost;
  packets.for_each([&](PacketId id, PacketRecord& record) {
    if (record.is_kept_at(event.worker)) lose_outputs(id, record, lost);
  });
  for (const Suspect& one : ran) {
    PacketRecord* const record = packets.find(one.packet);
    if (record == nullptr || record->state != PacketState::Running || record->worker != event.worker) continue;
    lose_running(*record, one);
  }
  for (const PacketId id : lost) {
    if (packets.knows(id) && packets[id].state == PacketState::Released && packets[id].needed()) require(id, true);
  }
  if (!spreading.empty()) spread_after_loss();
  rescue_all();
  refresh(event.worker);
  if (std::exchange(solitary_waits, false)) revive_parked();
}

/// The packet is no longer Running or InMemory: who needs it waits again.
void SchedulerState::make_unavailable(const PacketRecord& record) {
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const PacketId id = edges[e].consumer;
    if (id == kNone || !packets[id].unfinished()) continue;
    PacketRecord& consumer = packets[id];
    ++consumer.waiting;
    if (consumer.state != PacketState::Ready) continue;
    remove_ready(id, consumer);
    transition(id, consumer, PacketState::Waiting);
  }
}

/// Takes the outputs of an InMemory packet for lost at its owner.
void SchedulerState::lose_outputs(PacketId id, PacketRecord& record, std::vector<PacketId>& lost) {
  if (record.worker != kKeeper) {
    workers[record.worker].held_bytes -= static_cast<double>(record.output_bytes);
    refresh(record.worker);
  }
  record.bits &= static_cast<std::uint8_t>(~packet_bits::kDoubted);
  if (record.is(packet_bits::kCopies)) {
    std::vector<WorkerId>& holders = copies[id];
    record.worker = holders.front();
    holders.erase(holders.begin());
    if (holders.empty()) {
      copies.erase(id);
      record.bits &= static_cast<std::uint8_t>(~packet_bits::kCopies);
    }
    if (record.worker != kKeeper) {
      workers[record.worker].held_bytes += static_cast<double>(record.output_bytes);
      refresh(record.worker);
    }
    redirect_consumers(id, record);
    return;
  }
  record.worker = kNone;
  transition(id, record, PacketState::Released);
  make_unavailable(record);
  lost.push_back(id);
}

void SchedulerState::redirect_consumers(PacketId id, const PacketRecord& record) {
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const Edge& edge = edges[e];
    if (edge.consumer == kNone || packets[edge.consumer].state != PacketState::Running) continue;
    const PacketRecord& consumer = packets[edge.consumer];
    const InputSource source{id, record.worker, record.attempt, static_cast<std::uint64_t>(edge.bytes)};
    emit(Relocate{consumer.worker, edge.consumer, consumer.attempt, source});
  }
}

/// Whoever is to blame as often as kills_to_fail says has had its chances; the last one it has alone. Where it was not
/// alone after all (which happens when packets there had waited for inputs), it is not judged by it, unless that
/// happens again and again.
void SchedulerState::lose_running(PacketRecord& record, const Suspect& suspect) {
  const PacketId id = suspect.packet;
  dequeue(id, record);
  record.worker = kNone;
  if (!can_run(record)) {
    fail(id, {Reason::Unrecoverable, kNone, id});
    return;
  }
  if (suspect.is_named) ++record.kills;
  const std::uint32_t last = suspect.is_alone ? options.kills_to_fail : 2 * options.kills_to_fail;
  if (suspect.is_named && record.kills >= last) {
    if (options.narrows) return end_at_keeper(id, record);
    fail(id, {Reason::KilledWorkers, kNone, id});
    return;
  }
  const bool was_near = (ready[record.kind].bits & class_bits::kSolitary) != 0;
  const bool is_near = record.kills + 1u >= options.kills_to_fail && options.kills_to_fail > 1;
  if (is_near) {
    const ReadyClass& group = ready[record.kind];
    record.kind = ready.class_of(group.needs, group.bits | class_bits::kSolitary);
  }
  run_again(id, record);
  if (is_near && !was_near && options.narrows && packets.details(id).task_count > 1) narrow(id, record);
}

/// Requeues a packet that has just left its worker. Ahead of all others: consumers may wait for it in full queues.
void SchedulerState::run_again(PacketId id, PacketRecord& record) {
  record.worker = kNone;
  const ReadyClass& group = ready[record.kind];
  record.kind = ready.class_of(group.needs, group.bits | class_bits::kUrgent);
  transition(id, record, record.waiting != 0 ? PacketState::Waiting : PacketState::Ready);
  if (record.state == PacketState::Ready) push_ready(id, record);
  make_unavailable(record);
}

void SchedulerState::on(const PacketFailed& event) {
  PacketRecord* record = running(event.packet, event.attempt, event.worker);
  if (record == nullptr) return;
  dequeue(event.packet, *record);
  record->worker = kNone;
  refresh(event.worker);
  if (event.retriable && record->retries != 0) {
    --record->retries;
    run_again(event.packet, *record);
  } else {
    fail(event.packet, {event.reason, event.error, event.packet});
  }
}

/// Fails a packet and, with it as the cause, everything unfinished that needs it.
void SchedulerState::fail(PacketId id, const Failure& failure) {
  std::vector<Doomed> work{{id, failure}};
  for (std::size_t i = 0; i != work.size(); ++i) {
    const Doomed next = work[i];
    PacketRecord& record = packets[next.packet];
    if (record.state == PacketState::Failed) continue;
    fail_one(next.packet, record, next.failure);
    Failure passed = next.failure;
    if (passed.reason != Reason::Cancelled) passed.reason = Reason::InputFailed;
    for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
      const PacketId reader = edges[e].consumer;
      if (reader != kNone && packets[reader].unfinished()) work.push_back({reader, passed});
    }
  }
}

void SchedulerState::fail_one(PacketId id, PacketRecord& record, const Failure& failure) {
  if (record.state == PacketState::Ready) remove_ready(id, record);
  if (record.state == PacketState::Running && record.worker != kNone) {
    const WorkerId worker = record.worker;
    emit(Recall{worker, id, record.attempt, true});
    dequeue(id, record);
    refresh(worker);
  }
  if (record.state == PacketState::InMemory) drop_outputs(id, record);
  if (record.unfinished()) close_edges(record);
  record.worker = kNone;
  transition(id, record, PacketState::Failed);
  report(id, record, failure);
  if (!record.wanted()) forgettable.push_back(id);
}

void SchedulerState::on(const PacketReturned& event) {
  PacketRecord* record = running(event.packet, event.attempt, event.worker);
  if (record == nullptr) return;
  if (record->is(packet_bits::kRecalled)) {
    record->bits &= static_cast<std::uint8_t>(~packet_bits::kRecalled);
    --recalls;
  }
  const PacketDetails& range = packets.details(event.packet);
  if (event.from_task >= range.first_task + range.task_count) return;  // told twice
  if (event.from_task > range.first_task) {
    if (event.tail != kNone) split_tail(event.packet, event.from_task, event.tail);
  } else {
    if ((record->traits & packet_traits::kMovedMost) != packet_traits::kMovedMost)
      record->traits += packet_traits::kMoved;
    dequeue(event.packet, *record);
    run_again(event.packet, *record);
  }
  refresh(event.worker);
}

void SchedulerState::on(const RecallRefused& event) {
  PacketRecord* record = running(event.packet, event.attempt, event.worker);
  if (record == nullptr || !record->is(packet_bits::kRecalled)) return;
  record->bits &= static_cast<std::uint8_t>(~packet_bits::kRecalled);
  record->bits |= packet_bits::kSettled;
  --recalls;
  next_steals = now;
}

/// The consumer may know an old place, may have asked before the owner was dealt the packet, or the data is gone. The
/// first complaint about an attempt is answered with the present place; one long after it is believed. Who complains
/// for a packet that it should not have (dealt twice, cancelled in between) is told to let go of it.
void SchedulerState::on(const InputMissing& event) {
  PacketRecord* consumer = running(event.packet, event.attempt, event.worker);
  if (consumer == nullptr) {
    const PacketRecord* record = packets.knows(event.packet) ? &packets[event.packet] : nullptr;
    const bool has_ended = record != nullptr && record->state == PacketState::InMemory &&
                           record->worker == event.worker && record->attempt == event.attempt;
    if (!has_ended && is_known_worker(event.worker) && workers[event.worker].present) {
      emit(Recall{event.worker, event.packet, event.attempt, true});
    }
    return;
  }
  if (!packets.knows(event.producer)) return;
  float bytes = -1;
  for (std::uint32_t i = 0; i != consumer->edge_count; ++i) {
    const Edge& edge = edges[consumer->first_edge + i];
    if (edge.producer == event.producer) bytes = edge.bytes;
  }
  PacketRecord& producer = packets[event.producer];
  if (bytes < 0 || !producer.available()) return;  // Relocate follows when it is dealt again
  const bool is_same_place = producer.worker == event.owner && producer.attempt == event.producer_attempt;
  const bool is_settled = producer.state == PacketState::InMemory && is_same_place;
  // Complaints may be as late as messages are: only one that comes long after the first is about what is there now.
  constexpr Nanoseconds kDoubtLasts = 1'000'000'000;
  if (is_settled && producer.is(packet_bits::kDoubted) && now - doubted_since[event.producer] > kDoubtLasts) {
    doubted_since.erase(event.producer);
    emit(Drop{producer.worker, event.producer, producer.attempt});
    std::vector<PacketId> lost;
    lose_outputs(event.producer, producer, lost);
    for (const PacketId id : lost) require(id, true);
    return;
  }
  if (is_settled && !producer.is(packet_bits::kDoubted)) {
    producer.bits |= packet_bits::kDoubted;
    doubted_since[event.producer] = now;
  }
  const InputSource source{event.producer, producer.worker, producer.attempt, static_cast<std::uint64_t>(bytes)};
  emit(Relocate{event.worker, event.packet, event.attempt, source});
}

}  // namespace weft
