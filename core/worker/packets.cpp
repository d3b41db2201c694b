#include <algorithm>

#include "core/worker/state.hpp"

namespace weft {

using machine::CopyRecord;
using machine::InputState;
using machine::Stage;

namespace {
/// Behind the head, in the order of their tasks: one that was split off later comes before, and is read by, an earlier
/// one.
std::tuple<PacketId, TaskId, PacketId> place_of_tail(const machine::DealtRecord& record) {
  return {record.spec.head, record.spec.first_task, record.packet};
}
}  // namespace

WorkerState::Record* WorkerState::find(PacketId packet) {
  const std::uint32_t slot = by_packet.find(packet);
  return slot == kNone ? nullptr : &records[slot];
}

WorkerState::Record* WorkerState::find(PacketId packet, Attempt attempt) {
  Record* record = find(packet);
  return record != nullptr && record->attempt == attempt ? record : nullptr;
}

WorkerState::Record& WorkerState::add(const DealtPacket& dealt, const PacketsDealt& message) {
  std::uint32_t slot;
  if (free_records.empty()) {
    slot = static_cast<std::uint32_t>(records.size());
    records.emplace_back();
  } else {
    slot = free_records.back();
    free_records.pop_back();
  }
  by_packet.insert(dealt.packet, slot);
  Record& record = records[slot];
  record.packet = dealt.packet;
  record.attempt = dealt.attempt;
  record.state = PacketState::Released;
  record.stage = Stage::Blocked;
  record.asked_back = record.held = false;
  record.missing = record.missing_remote = 0;
  record.reserved = record.kept = 0;
  record.spec = dealt.spec;
  if (dealt.spec.needs != kNone) {
    record.needs = message.needs[dealt.spec.needs];
  } else {
    record.needs.slots = 1;
    record.needs.resources.clear();
  }
  record.gated = dealt.spec.priority != 0 || dealt.spec.has(packet_flags::kAged) || record.needs.slots > 1 ||
                 !record.needs.resources.empty();
  record.inputs.clear();
  for (std::uint32_t i = 0; i != dealt.input_count; ++i) {
    record.inputs.push_back({message.inputs[dealt.first_input + i], InputState::Lost});
    ++record.missing;
  }
  if (!dealt.spec.has(packet_flags::kScattered)) {
    transition(record, PacketState::Waiting);
    unfinished.insert(record.packet);
    if (record.spec.head != kNone) unfinished_tails.insert(place_of_tail(record));
  }
  return record;
}

/// Scattered data is here already; the packet only tells its name and size.
void WorkerState::keep_scattered(Record& record) {
  transition(record, PacketState::InMemory);
  record.stage = Stage::Kept;
  record.kept = record.spec.output_bytes;
  used += record.kept;
}

Reason WorkerState::misfit(const Record& record, std::uint32_t& detail) const {
  if (record.needs.slots > options.slots) {
    detail = record.needs.slots;
    return Reason::NotEnoughSlots;
  }
  for (const ResourceAmount& wanted : record.needs.resources) {
    const auto has = [&wanted](const ResourceAmount& own) {
      return own.resource == wanted.resource && own.amount >= wanted.amount;
    };
    if (wanted.amount == 0 || std::any_of(options.resources.begin(), options.resources.end(), has)) continue;
    detail = wanted.resource;
    return Reason::NoSuchResource;
  }
  std::uint64_t bytes = record.spec.peak_bytes;
  for (const machine::DealtInput& input : record.inputs) {
    if (input.source.owner != options.id) bytes += input.source.bytes;
  }
  if (budget == 0 || bytes <= budget) return Reason::None;
  detail = static_cast<std::uint32_t>((bytes + (1u << 20) - 1) >> 20);
  return Reason::TooLarge;
}

bool WorkerState::refuse_if_impossible(const Record& record) {
  std::uint32_t detail = 0;
  const Reason reason = misfit(record, detail);
  if (reason == Reason::None) return false;
  emit(Stuck{record.packet, reason, detail});
  emit(SendFailed{record.packet, record.attempt, kNone, reason, false});
  remove(*find(record.packet));
  return true;
}

/// Takes the packet out of whatever its stage keeps it in. Its inputs stay attached.
void WorkerState::leave_stage(Record& record) {
  if (record.stage == Stage::Queued) (record.gated ? gated_queue : queue).erase(record.place());
  if (record.stage == Stage::Gated) waiting_for_slots.erase(record.place());
  release_reservations(record);
}

void WorkerState::remove(Record& record) {
  leave_stage(record);
  if (record.stage == Stage::Kept) {
    // A copy that arrived before the packet was made here too still has readers: what was made here took its place, and
    // goes with the last of them.
    Copy* copy = find_copy(record.packet);
    if (copy != nullptr && copy->where == CopyRecord::Where::Here) {
      copy->attempt = record.attempt;
    } else {
      emit(Discard{record.packet, record.attempt});
    }
    subtract_used(record.kept);
  }
  for (std::uint32_t i = 0; i != record.inputs.size(); ++i) detach_input(record, i);
  for (const WorkerId peer : record.peers) emit(AnswerNotMine{peer, record.packet, record.attempt});
  unfinished.erase(record.packet);
  if (record.spec.head != kNone) unfinished_tails.erase(place_of_tail(record));
  const std::uint32_t slot = by_packet.find(record.packet);
  by_packet.erase(record.packet);
  for (const machine::Reader& reader : record.dependents) {
    Record* consumer = find(reader.packet);
    if (consumer == nullptr || consumer->stage == Stage::Kept || reader.input >= consumer->inputs.size()) continue;
    const machine::DealtInput& input = consumer->inputs[reader.input];
    const bool is_read = input.state == InputState::Local || input.state == InputState::Making;
    if (!is_read || input.source.producer != record.packet) continue;
    set_input(*consumer, reader.input, InputState::Lost);
    emit(SendMissing{consumer->packet, consumer->attempt, record.packet, record.attempt, options.id});
    inputs_changed(*consumer);
  }
  record.packet = kNone;
  record.inputs.clear();
  record.dependents.clear();
  record.peers.clear();
  free_records.push_back(slot);
}

void WorkerState::finish(Record& record, std::uint64_t bytes) {
  leave_stage(record);
  transition(record, PacketState::InMemory);
  record.stage = Stage::Kept;
  record.kept = bytes;
  used += bytes;
  unfinished.erase(record.packet);
  if (record.spec.head != kNone) unfinished_tails.erase(place_of_tail(record));
  for (std::uint32_t i = 0; i != record.inputs.size(); ++i) detach_input(record, i);
  record.inputs.clear();
  record.missing = record.missing_remote = 0;
  if (record.asked_back) emit(SendRefused{record.packet, record.attempt});
  record.asked_back = record.held = false;
  tell_readers(record);
}

}  // namespace weft
