#pragma once

#include "core/messages/ids.hpp"
#include "core/messages/packet.hpp"
#include "core/messages/tick.hpp"

#include <variant>
#include <vector>

// What happens to a worker machine; see event.hpp.

namespace weft {

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
