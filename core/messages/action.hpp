#pragma once

#include <variant>
#include <vector>

#include "core/messages/event.hpp"
#include "core/messages/ids.hpp"
#include "core/messages/packet.hpp"

// What the machines want done. Actions are small values; lists that belong to them lie beside them in one array,
// so that a batch costs no allocation once the buffers have grown.

namespace weft {

// ---- Of the scheduler ----

/// Send the packet to `worker` as PacketsDealt; describe_deal() makes the message.
struct Deal {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  /// Slice of SchedulerActions::inputs.
  std::uint32_t first_input = 0;
  std::uint32_t input_count = 0;
  bool operator==(const Deal&) const = default;
};

/// Ask the worker to give the packet up: it returns it or refuses. `cancel`: it will never be wanted; no answer is due.
struct Recall {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool cancel = false;
  bool operator==(const Recall&) const = default;
};

/// Tell `worker` where an input of a packet it was dealt is now: goes out as InputRelocated.
struct Relocate {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  InputSource source;
  bool operator==(const Relocate&) const = default;
};

/// Free the outputs at `worker`: goes out as DropAsked.
struct Drop {
  WorkerId worker = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const Drop&) const = default;
};

/// Make `to` fetch a copy from `from`: goes to `to` as ReplicaAsked, answered by Replicated. `to` may be kKeeper:
/// then the scheduler's process fetches and keeps it, and serves it until Drop.
struct Replicate {
  WorkerId from = kNone;
  WorkerId to = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const Replicate&) const = default;
};

/// Tell the client: the packet is InMemory at `worker` (wanted ones only), or Failed (always). InMemory at kKeeper with
/// Reason::KilledWorkers: all its tasks have failed for that; the caller keeps, and serves, these ends until Forget.
struct Report {
  PacketId packet = kNone;
  PacketState state = PacketState::Released;
  Reason reason = Reason::None;
  Attempt attempt = 0;
  WorkerId worker = kNone;
  /// Of a failed packet: the runtime's error record. Of a finished one: how many of its tasks failed.
  std::uint32_t error = kNone;
  /// The packet whose failure began it.
  PacketId cause = kNone;
  bool operator==(const Report&) const = default;
};

/// Tell the client: no present worker can ever run it. It stays Ready and is dealt if a fitting worker joins.
struct Refuse {
  PacketId packet = kNone;
  Reason reason = Reason::None;
  std::uint32_t detail = 0;
  bool operator==(const Refuse&) const = default;
};

/// Ask the caller to take the packet, which may have killed its workers, apart: answered by PacketSplit. Until then it
/// is not dealt.
struct Narrow {
  PacketId packet = kNone;
  bool operator==(const Narrow&) const = default;
};

/// The machine no longer knows the packet; its id may be used again. Once for each id.
struct Forget {
  PacketId packet = kNone;
  bool operator==(const Forget&) const = default;
};

using SchedulerAction = std::variant<Deal, Recall, Relocate, Drop, Replicate, Report, Refuse, Forget, Narrow>;

struct SchedulerActions {
  std::vector<SchedulerAction> list;
  std::vector<InputSource> inputs;

  void clear() {
    list.clear();
    inputs.clear();
  }
};

// ---- Of a worker ----

/// Subscribe at `owner`; answered by InputArrived or InputFailed. Memory for it is reserved.
struct Fetch {
  PacketId producer = kNone;
  Attempt attempt = 0;
  WorkerId owner = kNone;
  std::uint64_t bytes = 0;
  bool operator==(const Fetch&) const = default;
};

/// Hand the packet to the executor: its tasks may run. Its slots, resources and bytes are reserved until PacketDone.
struct Activate {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const Activate&) const = default;
};

/// Start no more tasks without inputs, also of active packets.
struct HoldRoots {
  bool operator==(const HoldRoots&) const = default;
};

/// Let `count` such tasks begin, kNone: all.
struct ReleaseRoots {
  std::uint32_t count = kNone;
  bool operator==(const ReleaseRoots&) const = default;
};

/// Write this many bytes of the least useful outputs to disk.
struct Spill {
  std::uint64_t bytes = 0;
  bool operator==(const Spill&) const = default;
};

/// Send the outputs to a subscriber.
struct Serve {
  WorkerId peer = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const Serve&) const = default;
};

struct AnswerNotMine {
  WorkerId peer = kNone;
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const AnswerNotMine&) const = default;
};

/// Free the outputs of a packet, or the copy fetched from its owner: those of this attempt. What was made here
/// meanwhile by a later one, and is about to be told as PacketDone, stays.
struct Discard {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const Discard&) const = default;
};

/// Ask the executor for the part of an active packet that it has not started; answered by TailGivenUp.
struct GiveUp {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const GiveUp&) const = default;
};

/// Take an active packet from the executor: tasks not started are dropped, running ones see cancelled(). No answer is
/// due.
struct CancelActive {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const CancelActive&) const = default;
};

/// Each of these is the scheduler's event of the same fields. The loop may batch SendFinished into one PacketsFinished.
struct SendFinished {
  FinishedPacket finished;
  bool operator==(const SendFinished&) const = default;
};
struct SendProgress {
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId first_done = 0;
  std::uint32_t done_count = 0;
  std::uint64_t kept_bytes = 0;
  bool operator==(const SendProgress&) const = default;
};
struct SendFailed {
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::uint32_t error = kNone;
  Reason reason = Reason::TaskFailed;
  bool retriable = true;
  bool operator==(const SendFailed&) const = default;
};
struct SendReturned {
  PacketId packet = kNone;
  Attempt attempt = 0;
  TaskId from_task = 0;
  bool operator==(const SendReturned&) const = default;
};
struct SendRefused {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const SendRefused&) const = default;
};
struct SendMissing {
  PacketId packet = kNone;
  Attempt attempt = 0;
  PacketId producer = kNone;
  Attempt producer_attempt = 0;
  WorkerId owner = kNone;
  bool operator==(const SendMissing&) const = default;
};
struct SendReplicated {
  PacketId packet = kNone;
  Attempt attempt = 0;
  bool operator==(const SendReplicated&) const = default;
};
struct SendPaused {
  bool spilling = false;
  bool operator==(const SendPaused&) const = default;
};
struct SendResumed {
  bool operator==(const SendResumed&) const = default;
};

/// The packet can not be run here, whatever ends first; SendFailed goes with it. The runtime makes the sentence.
struct Stuck {
  PacketId packet = kNone;
  Reason reason = Reason::None;
  std::uint32_t detail = 0;
  bool operator==(const Stuck&) const = default;
};

using WorkerAction = std::variant<Fetch, Activate, HoldRoots, ReleaseRoots, Spill, Serve, AnswerNotMine, Discard,
                                  GiveUp, CancelActive, SendFinished, SendProgress, SendFailed, SendReturned,
                                  SendRefused, SendMissing, SendReplicated, SendPaused, SendResumed, Stuck>;

struct WorkerActions {
  std::vector<WorkerAction> list;

  void clear() { list.clear(); }
};

}  // namespace weft
