#pragma once

#include <weft/arena.hpp>

namespace weft {

/// Tasks of a stored graph in one packet: some hundred microseconds of empty tasks.
inline constexpr std::uint32_t kPacketTasks = 64 * arena::kSegmentTasks;

}  // namespace weft
