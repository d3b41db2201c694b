#pragma once

#include "core/messages/ids.hpp"
#include "core/messages/packet.hpp"
#include "core/messages/tick.hpp"

#include <variant>
#include <vector>

// What happens to the scheduler machine; see event.hpp.

namespace weft {

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

using SchedulerEventBody =
    std::variant<WorkerJoined, WorkerLost, WorkerDraining, WorkerPaused, WorkerResumed, PacketsSubmitted,
                 PacketsFinished, PacketProgress, PacketFailed, PacketReturned, RecallRefused, InputMissing,
                 OutputsReleased, PacketsCancelled, Replicated, Tick, ReplicasWanted, WorkerBlocked, BalanceWanted,
                 PacketSplit, PacketPostponed>;

struct SchedulerEvent {
  Nanoseconds time = 0;
  SchedulerEventBody body;
};

}  // namespace weft
