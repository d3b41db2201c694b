#include <algorithm>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
namespace class_bits = machine::class_bits;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

namespace {
// One after the other: the record, its edges, the records of its inputs.
constexpr std::size_t kRecordAhead = 30;
constexpr std::size_t kEdgesAhead = 20;
constexpr std::size_t kInputsAhead = 10;
}  // namespace

/// True if the packet's tasks may be started once more (or for the first time).
bool SchedulerState::can_run(const PacketRecord& record) const {
  if (record.has(packet_flags::kScattered) || record.is(packet_bits::kNoLineage)) return false;
  return record.attempt == 0 || record.has(packet_flags::kRetriable);
}

/// kNone: goes on with what require_one() left in `pending` and `doomed`.
void SchedulerState::require(PacketId id, bool urgent) {
  if (id != kNone) require_one(id, urgent);
  while (!pending.empty()) {
    const PacketId next = pending.back();
    pending.pop_back();
    const PacketRecord& record = packets[next];
    // A producer that was released is run again because somebody lost its output: others may wait for it in queues.
    if (record.state == PacketState::Released && record.needed()) require_one(next, true);
  }
  while (!doomed.empty()) {
    const Doomed next = doomed.back();
    doomed.pop_back();
    if (packets.knows(next.packet) && packets[next.packet].state != PacketState::Failed)
      fail(next.packet, next.failure);
  }
}

void SchedulerState::require_one(PacketId id, bool urgent) {
  PacketRecord& record = packets[id];
  if ((record.traits & packet_traits::kEnded) != 0) {
    record.worker = kKeeper;
    transition(id, record, PacketState::InMemory);
    wake_consumers(id, record);
    return;
  }
  if (!can_run(record)) {
    doomed.push_back({id, {Reason::Unrecoverable, kNone, id}});
    return;
  }
  if (!tails.empty()) add_missing_tails(id);
  std::uint32_t waiting = 0;
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const PacketId input = edges[record.first_edge + i].producer;
    PacketRecord& producer = packets[input];
    open_edge(record.first_edge + i, producer);
    if (producer.available()) continue;
    ++waiting;
    if (producer.state == PacketState::Released) pending.push_back(input);
    if (producer.state == PacketState::Failed) doomed.push_back({id, {Reason::InputFailed, kNone, input}});
  }
  record.waiting = waiting;
  if (urgent) {
    const machine::ReadyClass& group = ready[record.kind];
    record.kind = ready.class_of(group.needs, group.bits | class_bits::kUrgent);
  }
  transition(id, record, waiting != 0 ? PacketState::Waiting : PacketState::Ready);
  if (waiting == 0) push_ready(id, record);
}

void SchedulerState::close_edges(PacketRecord& record) {
  const Edge* block = record.edge_count == 0 ? nullptr : edges.block(record.first_edge);
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const PacketId input = block[i].producer;
    PacketRecord& producer = packets[input];
    if (--producer.open != 0) continue;
    drop_readers(input, producer);
    if (!producer.wanted()) unneeded.push_back(input);
  }
  record.waiting = 0;
}

void SchedulerState::settle() {
  std::size_t looked = 0;
  std::size_t forgotten = 0;
  while (looked != unneeded.size() || forgotten != forgettable.size()) {
    if (looked != unneeded.size()) {
      if (looked + kRecordAhead < unneeded.size()) packets.prefetch(unneeded[looked + kRecordAhead]);
      release_unneeded(unneeded[looked++]);
    } else {
      const std::size_t count = forgettable.size();
      if (forgotten + kRecordAhead < count) packets.prefetch(forgettable[forgotten + kRecordAhead]);
      if (forgotten + kEdgesAhead < count) prefetch_edges(forgettable[forgotten + kEdgesAhead]);
      if (forgotten + kInputsAhead < count) prefetch_inputs(forgettable[forgotten + kInputsAhead]);
      forget(forgettable[forgotten++]);
    }
  }
  unneeded.clear();
  forgettable.clear();
}

void SchedulerState::release_unneeded(PacketId id) {
  PacketRecord* const found = packets.find(id);
  if (found == nullptr || found->needed()) return;
  PacketRecord& record = *found;
  switch (record.state) {
    case PacketState::Ready:
      remove_ready(id, record);
      [[fallthrough]];
    case PacketState::Waiting:
      close_edges(record);
      transition(id, record, PacketState::Released);
      break;
    case PacketState::Running: {
      const WorkerId worker = record.worker;
      emit(Recall{worker, id, record.attempt, true});
      dequeue(id, record);
      refresh(worker);
      close_edges(record);
      transition(id, record, PacketState::Released);
      break;
    }
    case PacketState::InMemory:
      drop_outputs(id, record);
      transition(id, record, PacketState::Released);
      break;
    case PacketState::Released:
    case PacketState::Failed:
      break;
  }
  if (record.linked == 0) forgettable.push_back(id);
}

void SchedulerState::drop_outputs(PacketId id, PacketRecord& record) {
  emit(Drop{record.worker, id, record.attempt});
  if (record.worker != kKeeper) {
    workers[record.worker].held_bytes -= record.output_bytes;
    if (workers[record.worker].budget_bytes != 0) refresh(record.worker);
  }
  record.worker = kNone;
  if (!moves.empty()) moves.erase(id);
  if (!spreading.empty()) spreading.erase(id);
  if (!rescues.empty()) rescues.erase(id);
  if (!record.is(packet_bits::kCopies)) return;
  for (const WorkerId worker : copies[id]) emit(Drop{worker, id, record.attempt});
  copies.erase(id);
  record.bits &= static_cast<std::uint8_t>(~packet_bits::kCopies);
}

void SchedulerState::prefetch_edges(PacketId id) const {
  const PacketRecord* const record = packets.find(id);
  if (record != nullptr) edges.prefetch(record->first_edge);
}

void SchedulerState::forget(PacketId id) {
  PacketRecord* const found = packets.find(id);
  if (found == nullptr) return;
  PacketRecord& record = *found;
  const bool is_over = record.state == PacketState::Released || record.state == PacketState::Failed;
  if (!is_over || record.wanted() || record.linked != 0 || is_pinned_tail(id)) return;
  leave_inputs(record);
  if (!doubted_since.empty()) doubted_since.erase(id);
  if (!narrowing.empty()) narrowing.erase(id);
  if (!left_behind.empty()) left_behind.erase(id);
  if (!heads.empty()) forget_tail(id);
  --counts.packets[static_cast<int>(record.state)];
  packets.remove(id);
  emit(Forget{id});
}

void SchedulerState::on(const OutputsReleased& event) {
  const std::size_t count = event.packets.size();
  for (std::size_t i = 0; i != count; ++i) {
    if (i + kRecordAhead < count) packets.prefetch(event.packets[i + kRecordAhead]);
    const PacketId id = event.packets[i];
    PacketRecord* const record = packets.find(id);
    if (record == nullptr) continue;
    record->flags &= static_cast<std::uint8_t>(~packet_flags::kWanted);
    if (record->open == 0) unneeded.push_back(id);
  }
}

void SchedulerState::on(const PacketsCancelled& event) {
  for (const PacketId id : event.packets) {
    if (packets.knows(id) && packets[id].unfinished()) fail(id, {Reason::Cancelled, kNone, id});
  }
}

}  // namespace weft
