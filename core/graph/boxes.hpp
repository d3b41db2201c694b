#pragma once

#include "core/graph/result_memory.hpp"

#include <weft/value.hpp>

#include <memory>

namespace weft::boxes {

/// Results too big for their record. A box is charged when its value is there; a big one is given to the object store,
/// which may move the value to disk, so it is reached through `pin`.
/// Threading: any thread; one box is filled by one.

/// Sets the memory that new boxes live in; null: none, they are only counted.
void set_memory(std::shared_ptr<ResultMemory> memory);

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

/// Returns the bytes of boxes too small to be spilled.
std::size_t small_bytes() noexcept;

}  // namespace weft::boxes
