#pragma once

#include <variant>
#include <vector>

#include "core/messages/ids.hpp"
#include "core/messages/packet.hpp"

// What happens to the two machines. Events own their data, arrive one after the other and carry their time.
// Ids of packets are chosen by the caller: dense, a batch contiguous, never one that is still known (see Forget).

namespace weft {

// ---- To the scheduler ----

/// A worker is there and empty. Worker ids are dense and never used again.
struct WorkerJoined {
  WorkerId worker = kNone;
  std::uint32_t slots = 1;
  /// 0: no limit.
  std::uint64_t budget_bytes = 0;
  std::vector<ResourceAmount> resources;
};

/// A worker is gone with all it held. `suspects`: what it ran when it died, if the supervisor knows; else all it was
/// dealt.
struct WorkerLost {
  WorkerId worker = kNone;
  std::uint32_t reason = 0;
  std::vector<PacketId> suspects;
};

/// A worker leaves in peace: it is dealt nothing more, and what it holds and others need is copied away.
struct WorkerDraining {
  WorkerId worker = kNone;
};

/// A worker is short of memory: it is dealt nothing until WorkerResumed, unless nothing runs anywhere. Told again when
/// `spilling` changes and as memory is freed. `spilling`: results are on their way to disk, so that there will be room.
struct WorkerPaused {
  WorkerId worker = kNone;
  bool spilling = false;
};

struct WorkerResumed {
  WorkerId worker = kNone;
};

/// New packets `first_packet` .. in topological order: a producer is an earlier one, of this batch or of the past.
struct PacketsSubmitted {
  PacketId first_packet = 0;
  std::vector<PacketSpec> packets;
  std::vector<ProducerEdge> producers;
  std::vector<Needs> needs;
};

struct FinishedPacket {
  PacketId packet = kNone;
  Attempt attempt = 0;
  /// Tasks that failed inside it; the executor keeps their errors and answers them to whoever asks for the outputs.
  std::uint32_t failed_tasks = 0;
  /// What it keeps, and how long it ran in all.
  std::uint64_t bytes = 0;
  Nanoseconds run_ns = 0;
  bool operator==(const FinishedPacket&) const = default;
};

struct PacketsFinished {
  WorkerId worker = kNone;
  std::vector<FinishedPacket> packets;
};

/// Part of a packet is done: `done` tasks more, `kept_bytes` more in memory. Corrects load, changes no state.
struct PacketProgress {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId first_done = 0;
  std::uint32_t done_count = 0;
  std::uint64_t kept_bytes = 0;
};

/// The whole packet failed. With retries left and `retriable`, it is dealt again.
struct PacketFailed {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::uint32_t error = kNone;
  Reason reason = Reason::TaskFailed;
  bool retriable = true;
};

/// A worker gave up the tasks from `from_task` on, none of them started. From the first task: the packet is dealt
/// again. Later: the rest is `tail`, a fresh packet id that the caller chose, and the packet ends before `from_task`.
struct PacketReturned {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId from_task = 0;
  PacketId tail = kNone;
};

/// Answers Narrow: the packet's tasks are packets of their own from now on, `first_part` .. in topological order, fresh
/// ids that the caller chose. Their producers are those of the packet and earlier parts; their needs are the packet's.
/// The packet itself has no task left. Only of one that waits for its deal (Scheduler::state: Waiting or Ready).
/// Without parts: it stays whole.
struct PacketSplit {
  PacketId packet = kNone;
  PacketId first_part = kNone;
  std::vector<PacketSpec> parts;
  std::vector<ProducerEdge> producers;
};

struct RecallRefused {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
};

/// A consumer asked where its packet said, and the owner does not have it (or is gone).
struct InputMissing {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  PacketId producer = kNone;
  Attempt producer_attempt = 0;
  WorkerId owner = kNone;
};

/// The client no longer wants these outputs.
struct OutputsReleased {
  std::vector<PacketId> packets;
};

/// The client cancels these; what depends on them is cancelled too.
struct PacketsCancelled {
  std::vector<PacketId> packets;
};

/// The client wants each of these in the memory of this many workers in all. Done once, for those in memory now: what
/// is lost later is not copied again.
struct ReplicasWanted {
  std::vector<PacketId> packets;
  std::uint32_t copies = 2;
};

/// The client wants these, as far as they are in memory now, to lie at the workers in about equal shares: what one
/// holds too much of is copied to one that holds least, and dropped by its owner when the copy is there.
struct BalanceWanted {
  std::vector<PacketId> packets;
};

/// `worker` now has a copy too.
struct Replicated {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
};

/// Of the packets that run there, so many only wait for something that other tasks do: as many more are dealt.
struct WorkerBlocked {
  WorkerId worker = kNone;
  std::uint32_t blocked = 0;
};

/// The one task of a packet, which runs there, asked to be run later (Reschedule), and no longer runs: it may go on
/// elsewhere. Told each time.
struct PacketPostponed {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
};

/// Time passes. To the scheduler, which looks for steals that pay: every few milliseconds while something runs. To a
/// worker, which complains of deals that do not come: every 100 ms or so while it has packets.
struct Tick {};

using SchedulerEventBody =
    std::variant<WorkerJoined, WorkerLost, WorkerDraining, WorkerPaused, WorkerResumed, PacketsSubmitted,
                 PacketsFinished, PacketProgress, PacketFailed, PacketReturned, RecallRefused, InputMissing,
                 OutputsReleased, PacketsCancelled, Replicated, Tick, ReplicasWanted, WorkerBlocked, BalanceWanted,
                 PacketSplit, PacketPostponed>;

struct SchedulerEvent {
  Nanoseconds time = 0;
  SchedulerEventBody body;
};

// ---- To a worker ----

/// Carries Deal. The slices of each packet point into `inputs`, spec.needs into `needs`.
struct PacketsDealt {
  std::vector<DealtPacket> packets;
  std::vector<InputSource> inputs;
  std::vector<Needs> needs;
};

/// Answers Fetch: the bytes are here.
struct InputArrived {
  PacketId producer = kNone;
  Attempt attempt = 0;
  std::uint64_t bytes = 0;
};

/// Answers Fetch: "not mine", or the owner is gone.
struct InputFailed {
  PacketId producer = kNone;
  Attempt attempt = 0;
  WorkerId owner = kNone;
};

/// Carries Relocate: the input of a dealt packet is, or will be, elsewhere or of a later attempt.
struct InputRelocated {
  PacketId packet = kNone;
  Attempt attempt = 0;
  InputSource source;
};

/// A peer is gone: its subscriptions lapse, and what was expected from it is reported missing.
struct PeerLost {
  WorkerId peer = kNone;
};

/// The executor has run every task of an active packet.
struct PacketDone {
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::uint64_t bytes = 0;
  Nanoseconds run_ns = 0;
  std::uint32_t failed_tasks = 0;
};

/// The executor gives up on an active packet as a whole.
struct PacketBroken {
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::uint32_t error = kNone;
  bool retriable = true;
};

/// The executor has run these tasks of a packet that goes on.
struct TasksProgress {
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId first_done = 0;
  std::uint32_t done_count = 0;
  std::uint64_t kept_bytes = 0;
};

/// A peer wants outputs: it is answered now, when ready, or "not mine". Repeating it changes nothing.
struct PeerSubscribed {
  PacketId packet = kNone;
  Attempt attempt = 0;
  WorkerId peer = kNone;
};

/// What the budget and the object store say. `spillable`: bytes that could go to disk now.
struct MemoryState {
  std::uint64_t used_bytes = 0;
  std::uint64_t budget_bytes = 0;
  std::uint64_t spillable_bytes = 0;
};

/// This many slots found nothing to run.
struct SlotsIdle {
  std::uint32_t count = 0;
};

/// Carries Recall.
struct RecallAsked {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool cancel = false;
};

/// Answers GiveUp: tasks from `from_task` on are given up; at the end of the range: none.
struct TailGivenUp {
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId from_task = 0;
};

/// Carries Drop: frees the outputs, or the copy, of a packet.
struct DropAsked {
  PacketId packet = kNone;
  Attempt attempt = 0;
};

/// Carries Replicate on the receiving side: fetch a copy and keep it.
struct ReplicaAsked {
  InputSource source;
};

/// The executor has seen the inputs of a packet that is not active yet arrive: a task of it could run.
struct ReadyTasks {
  PacketId packet = kNone;
};

/// The executor does not start a task of an active packet, because the program ends too soon: others may have the slots
/// and resources that the packet was given.
struct PacketHeld {
  PacketId packet = kNone;
  Attempt attempt = 0;
};

using WorkerEventBody = std::variant<PacketsDealt, InputArrived, InputFailed, InputRelocated, PeerLost, PacketDone,
                                     PacketBroken, TasksProgress, PeerSubscribed, MemoryState, SlotsIdle, RecallAsked,
                                     TailGivenUp, DropAsked, ReplicaAsked, ReadyTasks, Tick, PacketHeld>;

struct WorkerEvent {
  Nanoseconds time = 0;
  WorkerEventBody body;
};

}  // namespace weft
