#pragma once

#include <weft/value.hpp>

#include <atomic>

namespace weft::boxes {

/// Results too big for their record. A box is charged to the memory budget when its value is there; a big one whose type
/// travels may be spilled, so its value is reached through `pin` while a task needs it.

extern std::atomic<bool> spill_enabled;

/// Returns an empty box with room for a value behind its header.
Box* make(const ValueType& type);
/// Frees a box whose value was never constructed.
void discard(Box* box) noexcept;
/// Charges the value, and offers it to the object store. Returns the charged bytes.
std::size_t keep(Box* box);
/// Destroys the value and frees the box.
void release(Box* box) noexcept;

/// Returns the value, brought back from disk if it was spilled; it stays until `unpin`.
void* pin(Box* box);
void unpin(Box* box) noexcept;

/// Returns whether values may be on disk, so that inputs must be pinned before a task runs.
inline bool spilling() { return spill_enabled.load(std::memory_order_relaxed); }

/// Returns the bytes charged now for values in memory.
std::size_t resident_bytes() noexcept;

}  // namespace weft::boxes
