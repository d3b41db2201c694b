#pragma once

#include "core/messages/ids.hpp"

namespace weft::policies {

/// True if taking the last packet of a queue to an idle worker ends it sooner: the time it would still wait there must
/// exceed the move, with the message to and fro, by half. Packets that are short beside a message never qualify.
[[nodiscard]] inline bool steal_pays(Nanoseconds victim_wait_ns, Nanoseconds packet_ns, double move_ns,
                                     Nanoseconds latency_ns) {
  const double cost = move_ns + 2.0 * static_cast<double>(latency_ns);
  const double saved = static_cast<double>(victim_wait_ns - packet_ns);
  return saved > 1.5 * cost;
}

}  // namespace weft::policies
