#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/messages/action.hpp"
#include "core/messages/event.hpp"

namespace weft {

struct SchedulerOptions {
  /// A worker's queue holds at least this many packets a slot: one that runs, one that follows, and one in place of
  /// those that wait for inputs which are being made elsewhere,
  std::uint32_t queue_packets = 3;
  /// and at least this much expected time a slot, so that it never waits for the scheduler,
  Nanoseconds queue_ns = 1'000'000;
  /// but never more packets a slot than this.
  std::uint32_t queue_packets_most = 1024;
  /// What a move between workers costs, for placement and stealing.
  double bytes_per_second = 1e9;
  Nanoseconds latency_ns = 20'000;
  /// A wanted or not retriable result of at most this size is also kept by the scheduler's process. 0: none.
  std::uint64_t keep_bytes = 4096;
  /// Without lineage a packet is forgotten as soon as its outputs are released: for a runtime that can not lose
  /// workers.
  bool keep_lineage = true;
  /// Share of a worker's budget beyond which packets with roots are withheld from it.
  double withhold_share = 0.6;
  std::uint32_t kills_to_fail = 3;
  /// A packet of several tasks that may be a killer is taken apart before its last chance (Narrow), and a killer's
  /// readers run on its failure instead of failing with it.
  bool narrows = false;
  /// How long nothing runs, and nobody spills, before memory is said to be full; needs Tick.
  Nanoseconds patience_ns = 0;
};

/// How many packets are in each state, and how many workers are present.
struct SchedulerCounts {
  std::uint64_t packets[kPacketStateCount] = {};
  std::uint32_t workers = 0;

  [[nodiscard]] std::uint64_t known() const;
  [[nodiscard]] std::uint64_t in(PacketState state) const { return packets[static_cast<int>(state)]; }
};

struct SchedulerState;

/// Decides which worker runs which packet, and what is kept, run again, released or given up.
/// Owns: what is known of packets, edges and workers; no task and no data.
/// Threading: none; the caller lets one thread at a time in. Equal events give equal actions.
class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Takes what happened and appends what is to be done. `actions` is not cleared.
  void handle(const SchedulerEvent& event, SchedulerActions& actions);

  /// Appends the packet of a Deal that was just made to the message for its worker.
  void describe_deal(const Deal& deal, const SchedulerActions& actions, PacketsDealt& message) const;

  /// True from its submission until Forget. The queries below need a known packet.
  [[nodiscard]] bool knows(PacketId packet) const;
  [[nodiscard]] PacketState state(PacketId packet) const;
  [[nodiscard]] Attempt attempt(PacketId packet) const;
  /// The worker it runs at or whose memory holds its outputs, else kNone.
  [[nodiscard]] WorkerId owner(PacketId packet) const;
  [[nodiscard]] PacketSpec spec(PacketId packet) const;
  /// What it reads.
  [[nodiscard]] std::vector<ProducerEdge> producers(PacketId packet) const;

  /// All whose memory holds its outputs, the owner first; none while it is not InMemory.
  [[nodiscard]] std::vector<WorkerId> holders(PacketId packet) const;

  /// True if a draining worker may go: nothing runs there, and all it keeps is elsewhere too. Visits all packets when
  /// nothing runs there: ask now and then. Also true of a worker that has gone.
  [[nodiscard]] bool is_drained(WorkerId worker) const;

  [[nodiscard]] SchedulerCounts counts() const;
  /// Resident bytes of the machine's own tables.
  [[nodiscard]] std::uint64_t memory_bytes() const;

  /// Asserts what must hold between events. Visits everything: for tests and WEFT_CHECK_INVARIANTS builds.
  void check_invariants() const;

 private:
  std::unique_ptr<SchedulerState> state_;
};

}  // namespace weft
