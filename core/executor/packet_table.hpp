#pragma once

#include "core/executor/roots.hpp"

#include <atomic>
#include <cstddef>
#include <vector>

namespace weft {

/// What the executor keeps of a packet between its activation and its end.
///
/// Invariants:
///  1. `remaining` counts the tasks that have not ended, children they submitted included; whoever brings it to zero
///     reports the packet.
///  2. A ready task of a packet that is not active hangs in `parked` (linked through TaskRecord::link).
struct alignas(64) PacketEntry {
  std::atomic<std::uint32_t> remaining{0};
  std::atomic<std::uint32_t> parked{kNone};
  std::atomic<bool> active{false};
  /// Looked at between tasks, before anything else: set for packets with needs or a priority.
  bool urgent = false;
  /// Its tasks are not run any more but end as cancelled; running ones see cancelled().
  std::atomic<bool> cancelled{false};
  std::atomic<std::uint32_t> failed{0};
  /// Tasks that tasks of the packet submitted.
  std::atomic<std::uint32_t> children{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> ticks{0};
  /// Tasks of the packet that may start as soon as it is active.
  std::vector<TaskRange> roots;
};

/// Entries by packet id, at addresses that never change.
/// Owns: the entries.  Threading: entries as said there; `prepare` by whoever drives the machines.
class PacketTable {
 public:
  PacketTable();
  ~PacketTable();
  PacketTable(const PacketTable&) = delete;
  PacketTable& operator=(const PacketTable&) = delete;

  PacketEntry& operator[](PacketId id) { return entries_[id]; }
  /// Makes the entries up to `id` usable.
  void prepare(PacketId id);

 private:
  PacketEntry* entries_;
  PacketId constructed_ = 0;
};

}  // namespace weft
