#include "core/worker/worker.hpp"

#include "core/worker/state.hpp"

namespace weft {
using machine::CopyRecord;
using machine::Stage;

Worker::Worker(WorkerOptions options) : state_(std::make_unique<WorkerState>(std::move(options))) {}

Worker::~Worker() = default;

/// 1. The event changes packets, inputs and memory. 2. pump() admits and activates what may go on now.
void Worker::handle(const WorkerEvent& event, WorkerActions& actions) {
  WorkerState& state = *state_;
  state.actions = &actions;
  state.now = event.time;
  std::visit([&state](const auto& body) { state.on(body); }, event.body);
  state.pump();
  state.actions = nullptr;
#ifdef WEFT_CHECK_INVARIANTS
  // After every event while that is cheap; with many packets so that each event pays for a few hundred of them.
  constexpr std::uint64_t kPacketsPerEvent = 256;
  constexpr std::uint64_t kEveryEventUpTo = 4096;
  if (state.records.size() > kEveryEventUpTo && ++state.unchecked_events * kPacketsPerEvent < state.records.size())
    return;
  state.unchecked_events = 0;
  state.check_invariants();
#endif
}

bool Worker::knows(PacketId packet) const { return state_->find(packet) != nullptr; }

PacketState Worker::state(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have a state");
  return state_->find(packet)->state;
}

std::uint32_t Worker::unfinished_count() const { return static_cast<std::uint32_t>(state_->unfinished.size()); }

std::uint64_t Worker::reserved_bytes() const { return state_->reserved; }

void Worker::check_invariants() const { state_->check_invariants(); }

WorkerState::WorkerState(WorkerOptions given)
    : options(std::move(given)), budget(options.budget_bytes), free_resources(options.resources) {}

void WorkerState::on(const PacketsDealt& event) {
  for (const DealtPacket& dealt : event.packets) {
    Record* known = find(dealt.packet);
    if (known != nullptr && known->attempt == dealt.attempt) continue;                   // told twice
    if (known != nullptr && machine::is_newer(known->attempt, dealt.attempt)) continue;  // late
    if (known != nullptr && known->stage == Stage::Active) emit(CancelActive{known->packet, known->attempt});
    if (known != nullptr) remove(*known);
    Record& record = add(dealt, event);
    if (record.spec.has(packet_flags::kScattered)) {
      keep_scattered(record);
    } else if (!refuse_if_impossible(record)) {
      for (std::uint32_t i = 0; i != record.inputs.size(); ++i) attach_input(record, i);
      inputs_changed(record);
    }
    if (!early_readers.empty()) attach_early_readers(dealt.packet);
  }
}

void WorkerState::on(const PacketDone& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr) emit(Discard{event.packet, event.attempt});  // cancelled while it ended
  if (record == nullptr || record->stage != Stage::Active) return;
  finish(*record, event.bytes);
  emit(SendFinished{{event.packet, event.attempt, event.failed_tasks, event.bytes, event.run_ns}});
  for (const WorkerId peer : record->peers) emit(Serve{peer, event.packet, event.attempt});
  record->peers.clear();
}

void WorkerState::on(const PacketBroken& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr || record->stage != Stage::Active) return;
  emit(SendFailed{event.packet, event.attempt, event.error, Reason::TaskFailed, event.retriable});
  remove(*record);
}

void WorkerState::on(const TasksProgress& event) {
  const Record* record = find(event.packet, event.attempt);
  if (record == nullptr || record->stage != Stage::Active) return;
  emit(SendProgress{event.packet, event.attempt, event.first_done, event.done_count, event.kept_bytes});
}

void WorkerState::on(const PeerSubscribed& event) {
  Record* record = find(event.packet, event.attempt);
  if (record != nullptr) {
    if (record->stage == Stage::Kept) {
      emit(Serve{event.peer, event.packet, event.attempt});
      return;
    }
    for (const WorkerId peer : record->peers) {
      if (peer == event.peer) return;
    }
    record->peers.push_back(event.peer);
    return;
  }
  const Copy* copy = find_copy(event.packet);
  if (copy != nullptr && copy->where == CopyRecord::Where::Here && copy->attempt == event.attempt) {
    emit(Serve{event.peer, event.packet, event.attempt});
  } else {
    emit(AnswerNotMine{event.peer, event.packet, event.attempt});
  }
}

void WorkerState::on(const RecallAsked& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr || record->stage == Stage::Kept) {
    if (!event.cancel) emit(SendRefused{event.packet, event.attempt});
    if (event.cancel && record != nullptr) remove(*record);
    return;
  }
  if (record->stage == Stage::Active && !event.cancel) {
    if (!record->asked_back) emit(GiveUp{event.packet, event.attempt});
    record->asked_back = true;
    return;
  }
  if (record->stage == Stage::Active) emit(CancelActive{event.packet, event.attempt});
  if (!event.cancel) emit(SendReturned{event.packet, event.attempt, record->spec.first_task});
  remove(*record);
}

void WorkerState::on(const TailGivenUp& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr || !record->asked_back) return;
  record->asked_back = false;
  const TaskId first = record->spec.first_task;
  if (record->stage != Stage::Active || event.from_task >= first + record->spec.task_count) {
    emit(SendRefused{event.packet, event.attempt});
    return;
  }
  emit(SendReturned{event.packet, event.attempt, event.from_task});
  if (event.from_task > first) {
    record->spec.task_count = event.from_task - first;
  } else {
    remove(*record);
  }
}

void WorkerState::on(const DropAsked& event) {
  Record* record = find(event.packet, event.attempt);
  if (record != nullptr) {
    if (record->stage != Stage::Kept) return;
    remove(*record);  // and a replica that came of it before it was made here
  }
  Copy* copy = find_copy(event.packet);
  if (copy == nullptr || !copy->replica) return;
  copy->replica = false;
  if (copy->users == 0) drop_copy(*copy);
}

void WorkerState::on(const ReadyTasks& event) {
  Record* record = find(event.packet);
  if (record == nullptr || record->stage != Stage::Blocked) return;
  // The executor's join counters know better: what is made here has come far enough.
  for (std::uint32_t i = 0; i != record->inputs.size(); ++i) {
    if (record->inputs[i].state == machine::InputState::Making) set_input(*record, i, machine::InputState::Local);
  }
  inputs_changed(*record);
}

}  // namespace weft
