#pragma once

#include "core/memory/spill_file.hpp"

#include <weft/buffer.hpp>
#include <weft/value.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weft {

/// A result in the object store: where its value is, and who keeps it there. Users see the pointer only.
///
/// `word` is the state in the low bits, a mark for a value released by the thread that moves it, and the number of
/// pins:
///   Free      the entry is unused; its memory stays an entry for ever, so that a stale pointer may be looked at
///   Resident  the value is in memory
///   Writing   in memory, and on its way to disk; a pin that comes now wins, and the copy on disk is only kept
///   Evicting  being destroyed; nobody may look until it is Spilled
///   Spilled   on disk only
///   Reading   on its way back
///   Fresh     back in memory before anybody asked; the first pin makes it Resident, and so learns that it was read
///   ahead
/// Any thread may add pins at any time. The state changes under the shard's mutex, but for Writing to Evicting, which
/// also needs that there are no pins: one compare-and-swap decides between the spiller and a pin.
struct Held {
  enum State : std::uint32_t { Free, Resident, Writing, Evicting, Spilled, Reading, Fresh };
  static constexpr std::uint32_t kStateMask = 7;
  static constexpr std::uint32_t kDoomed = 8;
  static constexpr std::uint32_t kPin = 16;

  std::atomic<std::uint32_t> word{Free};
  std::uint32_t shard = 0;
  // Guarded by the shard's mutex. Changes with each use of the entry.
  std::uint64_t serial = 0;
  bool spillable = false;
  void* value = nullptr;
  const ValueType* type = nullptr;
  const PayloadOps* payload = nullptr;
  void (*gone)(void* value) noexcept = nullptr;
  std::size_t bytes = 0;
  // The copy on disk, kept after the value came back: values do not change, and need not be written twice.
  SpillTicket copy;
  Held* next_free = nullptr;
  // Guarded by the read-ahead's mutex: neighbours among the spilled, in the order in which they went.
  Held* older = nullptr;
  Held* newer = nullptr;

  // Where the entry stands among those to be spilled.
  std::atomic<std::int64_t> priority{0};
  std::atomic<std::uint64_t> last_use{0};

  static State state_of(std::uint32_t word) { return static_cast<State>(word & kStateMask); }
  static bool in_memory(std::uint32_t word) { return state_of(word) == Resident || state_of(word) == Writing; }
};

}  // namespace weft
