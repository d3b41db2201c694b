#pragma once

#include <cstdint>

#include "core/messages/ids.hpp"

namespace weft::policies {

/// How much is dealt to a worker ahead of its slots.
struct QueueLimits {
  std::uint32_t packets = 2;
  Nanoseconds ns = 1'000'000;
  std::uint32_t packets_most = 1024;
};

/// True while a worker could wait for the scheduler if it were dealt nothing more.
[[nodiscard]] inline bool has_room(std::uint64_t queued_packets, Nanoseconds queued_ns, std::uint64_t slots,
                                   const QueueLimits& limits) {
  if (queued_packets < slots * limits.packets) return true;
  return queued_ns < static_cast<Nanoseconds>(slots) * limits.ns && queued_packets < slots * limits.packets_most;
}

/// True if a worker should be dealt no packet that begins new data: what it holds and has promised is enough of its
/// budget. Never true of a worker with nothing to run, or it could wait for ever.
[[nodiscard]] inline bool has_enough(double held_bytes, double promised_bytes, double budget_bytes, double share,
                                     std::uint64_t queued_packets) {
  return budget_bytes > 0 && queued_packets > 0 && held_bytes + promised_bytes > share * budget_bytes;
}

}  // namespace weft::policies
