#pragma once

#include <deque>
#include <set>
#include <tuple>
#include <vector>

#include "core/diagnostics/assert.hpp"
#include "core/messages/transitions.hpp"
#include "core/scheduler/ordered_packets.hpp"
#include "core/worker/id_map.hpp"
#include "core/worker/worker.hpp"

namespace weft {

namespace machine {

/// Attempts count modulo 65,536.
[[nodiscard]] inline bool is_newer(Attempt a, Attempt b) {
  return static_cast<std::int16_t>(static_cast<Attempt>(a - b)) > 0;
}

enum class InputState : std::uint8_t {
  Local,   ///< Here, or made here by a packet that is active: the executor's join counters do the rest.
  Making,  ///< Will be made here by a packet that is not that far.
  Remote,  ///< A copy that has not arrived.
  Here,    ///< A copy that has.
  Lost,    ///< Nobody has it at present: InputRelocated will come.
};

struct DealtInput {
  InputSource source;
  InputState state = InputState::Lost;
};

/// Where a packet stands here, finer than its state.
enum class Stage : std::uint8_t {
  Blocked,   ///< Waits for a local producer or for InputRelocated; nothing is reserved.
  Queued,    ///< Waits for memory.
  Admitted,  ///< Memory is reserved, inputs are on their way.
  Gated,     ///< Inputs are here; waits for slots or resources.
  Active,    ///< At the executor.
  Kept,      ///< Finished; outputs are here.
};

/// An input of a packet here: some may be of packets that have gone.
struct Reader {
  PacketId packet = kNone;
  std::uint32_t input = 0;
};

/// A packet dealt to this worker. Slots are used again with the capacity of their lists.
struct DealtRecord {
  PacketId packet = kNone;  // kNone: the slot is free
  Attempt attempt = 0;
  PacketState state = PacketState::Released;
  Stage stage = Stage::Blocked;
  bool gated = false;                // has needs of its own: activated one by one
  bool asked_back = false;           // GiveUp is unanswered
  bool held = false;                 // active, but a task of it is not started: its slots and resources are free
  std::uint32_t missing = 0;         // inputs that are Making or Lost
  std::uint32_t missing_remote = 0;  // inputs that are Remote
  std::uint64_t reserved = 0;
  std::uint64_t kept = 0;
  PacketSpec spec;
  Needs needs;
  std::vector<DealtInput> inputs;
  std::vector<Reader> dependents;  // who reads it here
  std::vector<WorkerId> peers;     // subscribers to answer when it is finished

  [[nodiscard]] OrderedPackets::Place place() const {
    return {spec.priority, packet, spec.has(packet_flags::kAged) ? spec.age : kNone, spec.turn};
  }
};

/// A packet of another worker whose outputs are, or will be, here too.
struct CopyRecord {
  PacketId producer = kNone;  // kNone: the slot is free
  Attempt attempt = 0;
  WorkerId owner = kNone;
  enum class Where : std::uint8_t { Unasked, Fetching, Here, Lost } where = Where::Unasked;
  bool replica = false;         // kept on the scheduler's wish
  std::uint64_t bytes = 0;      // reserved while Fetching, used when Here
  std::uint32_t users = 0;      // inputs here that are Remote or Here by it
  std::vector<Reader> waiters;  // those to tell when it arrives
};

}  // namespace machine

/// The worker's tables and the steps that its events are made of.
/// Owns: everything the machine knows.  Threading: none.
///
/// Invariants between events (check_invariants()):
/// 1. `reserved` is the sum over admitted, gated and active packets of their peaks, and over copies under way.
/// 2. A packet is in exactly one of: blocked (some input Making or Lost), queue_ or gated_queue_ (Queued), admitted,
///    waiting_for_slots_ (Gated), active, kept.
/// 3. A copy has users or is a replica; `users` is the number of inputs of unfinished packets that are Remote or Here.
/// 4. Slots and resources in use are the sums over active packets with needs of their own that are not held.
struct WorkerState {
  using Record = machine::DealtRecord;
  using Copy = machine::CopyRecord;

  explicit WorkerState(WorkerOptions given);

  void on(const PacketsDealt& event);
  void on(const InputArrived& event);
  void on(const InputFailed& event);
  void on(const InputRelocated& event);
  void on(const PeerLost& event);
  void on(const PacketDone& event);
  void on(const PacketBroken& event);
  void on(const TasksProgress& event);
  void on(const PeerSubscribed& event);
  void on(const MemoryState& event);
  void on(const SlotsIdle& event);
  void on(const RecallAsked& event);
  void on(const TailGivenUp& event);
  void on(const DropAsked& event);
  void on(const ReplicaAsked& event);
  void on(const ReadyTasks& event);
  void on(const Tick& event);
  void on(const PacketHeld& event);

  // ---- Packets (packets.cpp) ----
  Record* find(PacketId packet);
  Record* find(PacketId packet, Attempt attempt);
  Record& add(const DealtPacket& dealt, const PacketsDealt& message);
  void keep_scattered(Record& record);
  bool refuse_if_impossible(const Record& record);
  Reason misfit(const Record& record, std::uint32_t& detail) const;
  /// Forgets the packet: frees what it holds, tells subscribers and readers.
  void remove(Record& record);
  void leave_stage(Record& record);
  void finish(Record& record, std::uint64_t bytes);
  void transition(Record& record, PacketState to) {
    WEFT_ASSERT(is_legal_transition(record.state, to), "packets only make legal transitions");
    record.state = to;
  }

  // ---- Inputs (inputs.cpp) ----
  void attach_input(Record& record, std::uint32_t index);
  void attach_local(Record& record, std::uint32_t index, Record& producer);
  void attach_copy(Record& record, std::uint32_t index);
  void wait_for_deal(Record& record, std::uint32_t index);
  void attach_early_readers(PacketId producer);
  void report_missing(Record& record, std::uint32_t index);
  void detach_input(Record& record, std::uint32_t index);
  void set_input(Record& record, std::uint32_t index, machine::InputState state);
  /// Moves the packet to the stage that its inputs allow.
  void inputs_changed(Record& record);
  void step_back(Record& record);
  void tell_readers(Record& producer);
  void prune_readers(Record& producer);
  bool keeps(PacketId packet);
  Copy* find_copy(PacketId producer);
  Copy& add_copy(const InputSource& source);
  void fetch(Copy& copy);
  void fetch_inputs(Record& record);
  void lose_copy(Copy& copy);
  void drop_copy(Copy& copy);

  // ---- Admission and activation (admit.cpp) ----
  void pump();
  /// True if no packet is at the executor, or those that are wait for others.
  bool nothing_runs() const { return active == 0 || idle_slots >= options.slots; }
  bool admit_next();
  bool admit_first();
  enum class First { Went, Waits, Blocked };
  First admit_if_first(PacketId packet);
  bool fits(std::uint64_t bytes) const { return budget == 0 || (!paused && used + reserved + bytes <= budget); }
  std::uint64_t demand(const Record& record);
  void admit(Record& record);
  void activate_gated();
  void activate(Record& record);
  void release_reservations(Record& record);
  void release_slots(const Record& record);
  void ask_spill(std::uint64_t bytes);
  void tell_paused(bool first);
  void subtract_used(std::uint64_t bytes) { used -= bytes < used ? bytes : used; }

  template <class Action>
  void emit(const Action& action) {
    actions->list.emplace_back(std::in_place_type<Action>, action);
  }
  void check_invariants() const;

  const WorkerOptions options;
  std::deque<Record> records;
  std::vector<std::uint32_t> free_records;
  machine::IdMap by_packet;
  std::deque<Copy> copies;
  std::vector<std::uint32_t> free_copies;
  machine::IdMap copy_by_packet;
  struct EarlyReader {
    machine::Reader reader;
    Nanoseconds since = 0;
  };
  std::vector<EarlyReader> early_readers;  // of packets that are said to be dealt here and have not come yet

  machine::OrderedPackets queue;              // Queued, without needs of their own
  machine::OrderedPackets gated_queue;        // Queued, with
  machine::OrderedPackets waiting_for_slots;  // Gated
  machine::IdSet unfinished;                  // all but Kept: the first in order may always go on
  std::set<std::tuple<PacketId, TaskId, PacketId>> unfinished_tails;  // (head, first task, tail): their place there

  std::uint64_t budget = 0;  // 0: no limit
  std::uint64_t used = 0;    // as last told, and what arrived or went since
  std::uint64_t spillable = 0;
  std::uint64_t reserved = 0;
  std::uint32_t active = 0;
  std::uint32_t active_plain = 0;
  std::uint32_t admitted_gated = 0;  // Admitted or Gated, with needs of their own
  std::uint32_t slots_in_use = 0;    // by packets with needs of their own
  std::uint32_t idle_slots = 0;      // as last told, less what was activated since
  std::vector<ResourceAmount> free_resources;
  bool roots_held = false;
  bool paused = false;
  bool told_spilling = false;   // with the last SendPaused
  std::uint64_t told_used = 0;  // then
  bool spill_asked = false;     // since the last MemoryState

  std::uint64_t unchecked_events = 0;  // since check_invariants(), in builds that call it
  // Within one event.
  WorkerActions* actions = nullptr;
  Nanoseconds now = 0;
};

}  // namespace weft
