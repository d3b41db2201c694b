#pragma once

#include <cstdint>

namespace weft {

/// A task record in the process's arena, or an index inside a formula layer's packet.
using TaskId = std::uint32_t;
/// A packet, dense per scheduler: the unit that machines hold and deal.
using PacketId = std::uint32_t;
/// A worker, dense per scheduler. Never used again after the worker is lost.
using WorkerId = std::uint32_t;
/// Counts how often a packet has been dealt; answers of an earlier attempt are dropped.
using Attempt = std::uint16_t;
/// A point in time or a duration. Machines only ever see times that arrived in events.
using Nanoseconds = std::int64_t;

inline constexpr std::uint32_t kNone = 0xffff'ffffu;

}  // namespace weft
