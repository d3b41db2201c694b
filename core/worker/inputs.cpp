#include <algorithm>

#include "core/worker/state.hpp"

namespace weft {

using machine::CopyRecord;
using machine::DealtInput;
using machine::InputState;
using machine::is_newer;
using machine::Reader;
using machine::Stage;

namespace {

bool is_missing(InputState state) { return state == InputState::Lost || state == InputState::Making; }

}  // namespace

void WorkerState::set_input(Record& record, std::uint32_t index, InputState state) {
  DealtInput& input = record.inputs[index];
  if (is_missing(input.state)) --record.missing;
  if (input.state == InputState::Remote) --record.missing_remote;
  if (is_missing(state)) ++record.missing;
  if (state == InputState::Remote) ++record.missing_remote;
  input.state = state;
}

void WorkerState::inputs_changed(Record& record) {
  const bool complete = record.missing == 0 && record.missing_remote == 0;
  switch (record.stage) {
    case Stage::Blocked:
      if (record.missing != 0) return;
      record.stage = Stage::Queued;
      (record.gated ? gated_queue : queue).insert(record.place());
      return;
    case Stage::Queued:
      if (record.missing == 0) return;
      (record.gated ? gated_queue : queue).erase(record.place());
      record.stage = Stage::Blocked;
      return;
    case Stage::Admitted:
      if (record.missing != 0) {
        step_back(record);
        return;
      }
      if (!complete) return;
      transition(record, PacketState::Ready);
      if (record.gated) {
        record.stage = Stage::Gated;
        waiting_for_slots.insert(record.place());
      } else {
        activate(record);
      }
      return;
    case Stage::Gated:
      if (complete) return;
      transition(record, PacketState::Waiting);
      waiting_for_slots.erase(record.place());
      record.stage = Stage::Admitted;
      if (record.missing != 0) step_back(record);
      return;
    case Stage::Active:
    case Stage::Kept:
      return;
  }
}

/// An admitted packet has lost an input. It would wait with its place and its memory taken for one that may be behind
/// it.
void WorkerState::step_back(Record& record) {
  release_reservations(record);
  record.stage = Stage::Blocked;
}

void WorkerState::attach_input(Record& record, std::uint32_t index) {
  const InputSource& source = record.inputs[index].source;
  if (source.owner == kNone) return;  // InputRelocated will come
  if (source.owner != options.id) {
    attach_copy(record, index);
    return;
  }
  Record* producer = find(source.producer, source.attempt);
  if (producer != nullptr) {
    attach_local(record, index, *producer);
  } else if (const Copy* copy = find_copy(source.producer); copy != nullptr && copy->where == CopyRecord::Where::Here) {
    attach_copy(record, index);  // a replica that took over
  } else {
    wait_for_deal(record, index);
  }
}

/// The input will be made here by a packet whose deal has not come: it is on its way.
void WorkerState::wait_for_deal(Record& record, std::uint32_t index) {
  for (const EarlyReader& early : early_readers) {
    if (early.reader.packet == record.packet && early.reader.input == index) return;
  }
  early_readers.push_back({{record.packet, index}, now});
}

/// Attaches what was told to be made here before the packet that makes it came.
void WorkerState::attach_early_readers(PacketId producer) {
  std::vector<EarlyReader> readers;
  readers.swap(early_readers);
  for (const EarlyReader& early : readers) {
    const Reader& reader = early.reader;
    Record* record = find(reader.packet);
    if (record == nullptr || reader.input >= record->inputs.size()) continue;
    const DealtInput& input = record->inputs[reader.input];
    if (input.state != InputState::Lost || input.source.owner != options.id) continue;
    if (input.source.producer != producer) {
      early_readers.push_back(early);
      continue;
    }
    attach_input(*record, reader.input);
    inputs_changed(*record);
  }
}

/// Complains of deals that should long have come: the packet that waits may be one that was taken back, and whose deal
/// was told once more after that. Then the scheduler cancels it; else it says where the input is.
void WorkerState::on(const Tick&) {
  constexpr Nanoseconds kPatience = 200'000'000;
  std::vector<EarlyReader> readers;
  readers.swap(early_readers);
  for (const EarlyReader& early : readers) {
    if (now - early.since < kPatience) {
      early_readers.push_back(early);
      continue;
    }
    Record* record = find(early.reader.packet);
    if (record == nullptr || early.reader.input >= record->inputs.size()) continue;
    const DealtInput& input = record->inputs[early.reader.input];
    if (input.state != InputState::Lost || input.source.owner != options.id) continue;
    report_missing(*record, early.reader.input);
    early_readers.push_back({early.reader, now});
  }
}

void WorkerState::report_missing(Record& record, std::uint32_t index) {
  const InputSource& source = record.inputs[index].source;
  emit(SendMissing{record.packet, record.attempt, source.producer, source.attempt, source.owner});
}

void WorkerState::attach_local(Record& record, std::uint32_t index, Record& producer) {
  if (producer.dependents.size() == producer.dependents.capacity()) prune_readers(producer);
  producer.dependents.push_back({record.packet, index});
  const bool is_near = producer.stage == Stage::Kept || (producer.stage == Stage::Active && !record.gated);
  set_input(record, index, is_near ? InputState::Local : InputState::Making);
}

/// Keeps the list as long as its unfinished readers, so that a result read for hours does not grow.
void WorkerState::prune_readers(Record& producer) {
  std::erase_if(producer.dependents, [this](const Reader& reader) {
    const Record* consumer = find(reader.packet);
    return consumer == nullptr || consumer->stage == Stage::Kept;
  });
}

void WorkerState::tell_readers(Record& producer) {
  for (std::size_t i = 0; i != producer.dependents.size(); ++i) {
    const Reader reader = producer.dependents[i];
    Record* consumer = find(reader.packet);
    if (consumer == nullptr || reader.input >= consumer->inputs.size()) continue;
    const DealtInput& input = consumer->inputs[reader.input];
    if (input.state != InputState::Making || input.source.producer != producer.packet) continue;
    if (producer.stage != Stage::Kept && consumer->gated) continue;
    set_input(*consumer, reader.input, InputState::Local);
    inputs_changed(*consumer);
  }
}

bool WorkerState::keeps(PacketId packet) {
  const Record* record = find(packet);
  return record != nullptr && record->stage == Stage::Kept;
}

WorkerState::Copy* WorkerState::find_copy(PacketId producer) {
  const std::uint32_t slot = copy_by_packet.find(producer);
  return slot == kNone ? nullptr : &copies[slot];
}

WorkerState::Copy& WorkerState::add_copy(const InputSource& source) {
  std::uint32_t slot;
  if (free_copies.empty()) {
    slot = static_cast<std::uint32_t>(copies.size());
    copies.emplace_back();
  } else {
    slot = free_copies.back();
    free_copies.pop_back();
  }
  copy_by_packet.insert(source.producer, slot);
  Copy& copy = copies[slot];
  copy.producer = source.producer;
  copy.attempt = source.attempt;
  copy.owner = source.owner;
  copy.where = CopyRecord::Where::Unasked;
  copy.replica = false;
  copy.bytes = source.bytes;
  copy.users = 0;
  copy.waiters.clear();
  return copy;
}

/// A copy that is here serves any attempt: attempts give the same bits. One that is not follows the newest source.
void WorkerState::attach_copy(Record& record, std::uint32_t index) {
  const InputSource source = record.inputs[index].source;
  Copy* copy = find_copy(source.producer);
  if (copy == nullptr) copy = &add_copy(source);
  ++copy->users;
  if (copy->where == CopyRecord::Where::Here) {
    set_input(record, index, InputState::Here);
    return;
  }
  copy->waiters.push_back({record.packet, index});
  set_input(record, index, InputState::Remote);
  const bool is_elsewhere = source.owner != copy->owner || source.attempt != copy->attempt;
  if (is_elsewhere && !is_newer(copy->attempt, source.attempt)) {
    const bool was_fetching = copy->where == CopyRecord::Where::Fetching;
    if (was_fetching) reserved -= copy->bytes;
    copy->owner = source.owner;
    copy->attempt = source.attempt;
    copy->where = CopyRecord::Where::Unasked;
    if (was_fetching) fetch(*copy);
  }
  copy->bytes = copy->where == CopyRecord::Where::Unasked ? std::max(copy->bytes, source.bytes) : copy->bytes;
  if (copy->where == CopyRecord::Where::Lost) copy->where = CopyRecord::Where::Unasked;
}

void WorkerState::detach_input(Record& record, std::uint32_t index) {
  const DealtInput& input = record.inputs[index];
  const bool by_copy = input.state == InputState::Remote || input.state == InputState::Here;
  const PacketId producer = input.source.producer;
  set_input(record, index, InputState::Lost);
  if (!by_copy) return;
  Copy* copy = find_copy(producer);
  WEFT_ASSERT(copy != nullptr && copy->users != 0, "a copy stays while it has users");
  if (--copy->users == 0 && !copy->replica) drop_copy(*copy);
}

void WorkerState::fetch(Copy& copy) {
  copy.where = CopyRecord::Where::Fetching;
  reserved += copy.bytes;
  emit(Fetch{copy.producer, copy.attempt, copy.owner, copy.bytes});
}

void WorkerState::fetch_inputs(Record& record) {
  if (record.missing_remote == 0) return;
  for (const DealtInput& input : record.inputs) {
    if (input.state != InputState::Remote) continue;
    Copy* copy = find_copy(input.source.producer);
    if (copy->where == CopyRecord::Where::Unasked) fetch(*copy);
  }
}

/// Frees the copy, or abandons its fetch. If this worker has made the same packet itself, its outputs stay.
void WorkerState::drop_copy(Copy& copy) {
  if (copy.where == CopyRecord::Where::Fetching) reserved -= copy.bytes;
  if (copy.where == CopyRecord::Where::Here) subtract_used(copy.bytes);
  const bool is_touched = copy.where == CopyRecord::Where::Fetching || copy.where == CopyRecord::Where::Here;
  if (is_touched && !keeps(copy.producer)) {
    emit(Discard{copy.producer, copy.attempt});
  }
  const std::uint32_t slot = copy_by_packet.find(copy.producer);
  copy_by_packet.erase(copy.producer);
  copy.producer = kNone;
  copy.waiters.clear();
  free_copies.push_back(slot);
}

/// The copy will not come from where it was asked for: its readers tell the scheduler and wait for InputRelocated.
void WorkerState::lose_copy(Copy& copy) {
  reserved -= copy.bytes;
  copy.where = CopyRecord::Where::Lost;
  copy.replica = false;
  std::vector<Reader> waiters;
  waiters.swap(copy.waiters);
  const PacketId producer = copy.producer;
  const Attempt attempt = copy.attempt;
  const WorkerId owner = copy.owner;
  if (copy.users == 0) drop_copy(copy);
  for (const Reader& reader : waiters) {
    Record* record = find(reader.packet);
    if (record == nullptr || reader.input >= record->inputs.size()) continue;
    const DealtInput& input = record->inputs[reader.input];
    if (input.state != InputState::Remote || input.source.producer != producer) continue;
    emit(SendMissing{record->packet, record->attempt, producer, attempt, owner});
    detach_input(*record, reader.input);
    inputs_changed(*record);
  }
}

void WorkerState::on(const InputArrived& event) {
  Copy* copy = find_copy(event.producer);
  if (copy != nullptr && copy->where == CopyRecord::Where::Here) return;
  if (copy == nullptr || copy->attempt != event.attempt) {
    if (!keeps(event.producer)) emit(Discard{event.producer, event.attempt});  // nobody waits for these bytes any more
    return;
  }
  if (copy->where == CopyRecord::Where::Fetching) reserved -= copy->bytes;
  copy->where = CopyRecord::Where::Here;
  copy->bytes = event.bytes;
  used += event.bytes;
  if (copy->replica) emit(SendReplicated{event.producer, event.attempt});
  std::vector<Reader> waiters;
  waiters.swap(copy->waiters);
  for (const Reader& reader : waiters) {
    Record* record = find(reader.packet);
    if (record == nullptr || reader.input >= record->inputs.size()) continue;
    const DealtInput& input = record->inputs[reader.input];
    if (input.state != InputState::Remote || input.source.producer != event.producer) continue;
    set_input(*record, reader.input, InputState::Here);
    inputs_changed(*record);
  }
}

void WorkerState::on(const InputFailed& event) {
  Copy* copy = find_copy(event.producer);
  const bool is_asked = copy != nullptr && copy->where == CopyRecord::Where::Fetching;
  if (is_asked && copy->attempt == event.attempt && copy->owner == event.owner) lose_copy(*copy);
}

void WorkerState::on(const PeerLost& event) {
  for (Copy& copy : copies) {
    const bool is_asked = copy.producer != kNone && copy.where == CopyRecord::Where::Fetching;
    if (is_asked && copy.owner == event.peer) lose_copy(copy);
  }
  for (Record& record : records) std::erase(record.peers, event.peer);
}

void WorkerState::on(const InputRelocated& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr || record->stage == Stage::Kept) return;
  std::uint32_t index = 0;
  while (index != record->inputs.size() && record->inputs[index].source.producer != event.source.producer) ++index;
  if (index == record->inputs.size()) {
    record->inputs.push_back({event.source, InputState::Lost});
    ++record->missing;
  }
  const InputState state = record->inputs[index].state;
  if (state == InputState::Local || state == InputState::Here) return;
  if (state == InputState::Remote && record->inputs[index].source == event.source) return;
  detach_input(*record, index);
  record->inputs[index].source = event.source;
  attach_input(*record, index);
  const bool has_reserved =
      record->stage == Stage::Admitted || record->stage == Stage::Gated || record->stage == Stage::Active;
  if (has_reserved) fetch_inputs(*record);
  inputs_changed(*record);
}

void WorkerState::on(const ReplicaAsked& event) {
  if (find(event.source.producer, event.source.attempt) != nullptr) return;  // its own
  Copy* copy = find_copy(event.source.producer);
  if (copy == nullptr) copy = &add_copy(event.source);
  if (copy->replica) return;
  copy->replica = true;
  if (copy->where == CopyRecord::Where::Here) {
    emit(SendReplicated{copy->producer, copy->attempt});
  } else if (copy->where != CopyRecord::Where::Fetching) {
    fetch(*copy);
  }
}

}  // namespace weft
