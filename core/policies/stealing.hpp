#pragma once

#include "core/messages/ids.hpp"

namespace weft::policies {

/// True if taking a packet to an idle worker starts it sooner: what it would still wait at the victim beyond the time
/// when its inputs are made must exceed the move, with the message to and fro, by half. So packets that are short
/// beside a message never qualify, nor those that wait for their inputs rather than for a slot.
[[nodiscard]] inline bool steal_pays(Nanoseconds victim_start_ns, Nanoseconds inputs_ns, double move_ns,
                                     Nanoseconds latency_ns) {
  const double cost = move_ns + 2.0 * static_cast<double>(latency_ns);
  return static_cast<double>(victim_start_ns - inputs_ns) > 1.5 * cost;
}

}  // namespace weft::policies
