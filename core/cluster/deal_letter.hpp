#pragma once

#include "core/messages/event.hpp"

#include <weft/wire.hpp>

namespace weft::cluster {

/// A packet on its way to a worker, but for its body: what the worker machine is told of it.
struct DealLetter {
  PacketId packet = kNone;
  Attempt attempt = 0;
  PacketSpec spec;
  Needs needs;
  std::vector<InputSource> inputs;
};

void write(Writer& writer, const DealLetter& deal);
DealLetter read_deal(Reader& reader);

/// How the tasks of a finished packet ended, as its worker tells the client:
/// failures: index, failure; values: 2 * index + (wanted ? 1 : 0), end; wanted tasks whose values stay there: index.
/// The lists stand one behind the other, each with its count before it.
struct OutcomeSizes {
  static constexpr std::uint32_t kMostFailures = 1024;
};

}  // namespace weft::cluster
