#pragma once

#include "core/runtime/look.hpp"

#include <weft/wire.hpp>

#include <cstdint>

// How an order to look at a worker, and what is seen, travel.

namespace weft::cluster {

/// What one worker is told of an order.
struct LookLetter {
  /// Comes back with the answer.
  std::uint64_t number = 0;
  LookOrder order;
  std::uint64_t known = 0;
};

void write(Writer& writer, const LookLetter& letter);
LookLetter read_look_letter(Reader& reader);

void write(Writer& writer, const WorkerLook& look);
WorkerLook read_look(Reader& reader);

}  // namespace weft::cluster
