#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/messages/action.hpp"
#include "core/messages/event.hpp"

namespace weft {

struct WorkerOptions {
  WorkerId id = 0;
  std::uint32_t slots = 1;
  std::vector<ResourceAmount> resources;
  /// 0: no limit. MemoryState may change it later.
  std::uint64_t budget_bytes = 0;
  /// Shares of the budget: above the first, root tasks are held and outputs spilled; above the second, nothing is
  /// fetched or activated but what the progress rule admits.
  double spill_share = 0.6;
  double pause_share = 0.8;
  /// Packets activated ahead of the executor, a slot; the rest wait here, where they are cheap to give up. 0: no limit.
  std::uint32_t active_packets = 0;
};

struct WorkerState;

/// Orders the packets dealt to one worker: fetches inputs, reserves memory, slots and resources, hands packets to the
/// executor, keeps and serves outputs until told to drop them.
/// Owns: what is known of dealt packets and of inputs; no task and no data.
/// Threading: none; the caller lets one thread at a time in. Equal events give equal actions.
class Worker {
 public:
  explicit Worker(WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Takes what happened and appends what is to be done. `actions` is not cleared.
  void handle(const WorkerEvent& event, WorkerActions& actions);

  [[nodiscard]] bool knows(PacketId packet) const;
  /// Waiting: inputs or a reservation are missing. Ready: only slots or resources are. The packet must be known.
  [[nodiscard]] PacketState state(PacketId packet) const;
  /// Packets that are not finished.
  [[nodiscard]] std::uint32_t unfinished_count() const;
  /// Bytes promised to active packets and to fetches under way, beside what MemoryState reports as used.
  [[nodiscard]] std::uint64_t reserved_bytes() const;

  /// Asserts what must hold between events. Visits everything: for tests and WEFT_CHECK_INVARIANTS builds.
  void check_invariants() const;

 private:
  std::unique_ptr<WorkerState> state_;
};

}  // namespace weft
