#pragma once

#include <algorithm>
#include <cstdint>

#include "core/messages/ids.hpp"

namespace weft::policies {

/// What it costs to bring inputs to a worker.
struct TransferCost {
  double ns_per_byte = 1.0;
  Nanoseconds latency_ns = 20'000;
};

/// A worker that could run a packet, and what that would mean.
struct PlacementCandidate {
  WorkerId worker = kNone;
  double moved_bytes = 0;
  /// Expected time of what waits there already, a slot.
  Nanoseconds wait_ns = 0;
  /// When the last input will have been made, at the earliest: the same for all candidates.
  Nanoseconds inputs_ns = 0;
  /// Its neighbours are there.
  bool affine = false;
};

/// When the packet could begin: when it is its turn and its inputs are made, and then moved.
[[nodiscard]] inline double start_ns(const PlacementCandidate& candidate, const TransferCost& cost) {
  const double move = candidate.moved_bytes == 0
                          ? 0.0
                          : static_cast<double>(cost.latency_ns) + candidate.moved_bytes * cost.ns_per_byte;
  return static_cast<double>(std::max(candidate.wait_ns, candidate.inputs_ns)) + move;
}

/// Earliest start, then fewest bytes moved, then neighbours, then the smaller id. A strict order. `start_a` and
/// `start_b` are the candidates' start_ns().
[[nodiscard]] inline bool is_better_place(const PlacementCandidate& a, double start_a, const PlacementCandidate& b,
                                          double start_b) {
  if (start_a != start_b) return start_a < start_b;
  if (a.moved_bytes != b.moved_bytes) return a.moved_bytes < b.moved_bytes;
  if (a.affine != b.affine) return a.affine;
  return a.worker < b.worker;
}

[[nodiscard]] inline bool is_better_place(const PlacementCandidate& a, const PlacementCandidate& b,
                                          const TransferCost& cost) {
  return is_better_place(a, start_ns(a, cost), b, start_ns(b, cost));
}

}  // namespace weft::policies
