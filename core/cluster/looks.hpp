#pragma once

#include "core/runtime/look.hpp"

#include <weft/wire.hpp>

#include <cstdint>
#include <vector>

// How an order to look at a worker, and what is seen, travel.

namespace weft::cluster {

struct DealtName {
  PacketId packet = kNone;
  Attempt attempt = 0;
};
/// The list goes before the rest of what is seen: packets of an order to compare that the worker does not know.
void write(Writer& writer, const std::vector<DealtName>& dealt);
std::vector<DealtName> read_dealt(Reader& reader);

/// What one worker is told of an order.
struct LookLetter {
  /// Comes back with the answer.
  std::uint64_t number = 0;
  LookOrder order;
  std::uint64_t known = 0;
  /// Of an order to compare: what it was dealt and has not told the end of.
  std::vector<DealtName> dealt = {};
};

void write(Writer& writer, const LookLetter& letter);
LookLetter read_look_letter(Reader& reader);

void write(Writer& writer, const WorkerLook& look);
WorkerLook read_look(Reader& reader);

}  // namespace weft::cluster
