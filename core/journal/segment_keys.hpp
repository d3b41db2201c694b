#pragma once

#include <atomic>
#include <cstdint>

namespace weft::journal {

/// Whether a task of this process has ever had a key.
extern std::atomic<bool> any_keys;

/// Forgets the keys of a segment of task records whose tasks have all gone.
void forget_keys(std::uint32_t segment) noexcept;

}  // namespace weft::journal
