#pragma once

#include "core/graph/result_memory.hpp"

#include <weft/value.hpp>

#include <memory>

namespace weft {
class Executor;
}

namespace weft::boxes {

/// Results too big for their record. A box is charged when its value is there; a big one is given to the object store,
/// which may move the value to disk, so it is reached through `pin`.
/// Threading: any thread; one box is filled by one.

/// From now on boxes filled by slots of `executor` live in `memory`. Without an executor: those filled by threads that
/// have no slot. Where nothing is known of a thread, the newest memory takes them; without any they are only counted.
void add_memory(const Executor* executor, std::shared_ptr<ResultMemory> memory);
/// Lets go of a memory. What lies in it stays there.
void remove_memory(const std::shared_ptr<ResultMemory>& memory) noexcept;

/// Returns an empty box with room for a value behind its header.
Box* make(const ValueType& type);
/// Frees a box whose value was never constructed.
void discard(Box* box) noexcept;
/// Charges the value, and gives it to the object store if it is big.
void keep(Box* box);
/// Destroys the value and frees the box.
void release(Box* box) noexcept;

/// Returns the value, brought back from disk if it was spilled; it stays until `unpin`.
void* pin(Box* box);
void unpin(Box* box) noexcept;
/// Waits until nobody else reads a pinned value, as the disk does that it is written to: before it is moved from.
void settle(Box* box);

/// Returns the bytes of boxes too small to be spilled.
std::size_t small_bytes() noexcept;

}  // namespace weft::boxes
