#pragma once

#include "core/messages/packet.hpp"

namespace weft {

/// The one table of legal transitions, for both machines. core/scheduler/README.md has the picture.
inline constexpr bool kLegalTransition[kPacketStateCount][kPacketStateCount] = {
    // to: Released Waiting Ready Running InMemory Failed
    /* Released */ {false, true, true, false, true, true},    // InMemory: scattered data
    /* Waiting  */ {true, false, true, false, false, true},   // Released: nobody wants it any more
    /* Ready    */ {true, true, false, true, false, true},    // Waiting: an input was lost
    /* Running  */ {true, true, true, false, true, true},     // Ready, Waiting: returned, retried or lost
    /* InMemory */ {true, false, false, false, false, true},  // Released: dropped or lost
    /* Failed   */ {false, false, false, false, false, false},
};

[[nodiscard]] constexpr bool is_legal_transition(PacketState from, PacketState to) {
  return kLegalTransition[static_cast<int>(from)][static_cast<int>(to)];
}

}  // namespace weft
