#pragma once

#include "core/simulate/world.hpp"

namespace weft::sim {

/// Violates for a packet whose outputs are not at `place`, or are not what direct evaluation gives.
void check_outputs(World& world, PacketId packet, Attempt attempt, WorkerId place);

/// Violates if a machine still knows a packet, or a worker or the keeper still holds something: for a cluster at rest
/// whose client has released everything.
void check_nothing_left(World& world);

}  // namespace weft::sim
