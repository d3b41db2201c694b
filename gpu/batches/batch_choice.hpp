#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weft::gpu {

/// What batches of short works have cost so far, in seconds a work: the longer of the host's time to put them on the
/// stream and the device's to run them. 0: not measured yet.
struct BatchCosts {
  double one_by_one = 0;
  /// As a graph of a shape that was kept, and of one that had to be made.
  double kept = 0, made = 0;
  /// How often a graph's shape was there, of all: 1 at the start.
  double kept_share = 1;
  /// Batches that were large enough to choose.
  std::uint64_t chosen = 0;
};

enum class BatchWay : std::uint8_t { OneByOne, Graph };

/// Below these, a graph has nothing to save.
inline constexpr std::size_t kFewestInGraph = 4;
inline constexpr std::size_t kMostInBatch = 64;
/// Every so often the way that seems slower is taken, so that what changed is noticed.
inline constexpr std::uint64_t kTryOtherEvery = 64;

/// How many of the gathered works go together: few sizes, so that graphs find the shape of one that was kept.
[[nodiscard]] inline std::size_t batch_size(std::size_t gathered) {
  if (gathered < kFewestInGraph) return gathered;
  std::size_t size = kFewestInGraph;
  while (size < kMostInBatch && 2 * size <= gathered) size *= 2;
  return size;
}

/// Which way a batch of so many goes to the stream.
[[nodiscard]] inline BatchWay choose_way(std::size_t works, const BatchCosts& costs) {
  if (works < kFewestInGraph) return BatchWay::OneByOne;
  if (costs.kept == 0 && costs.made == 0) return BatchWay::Graph;
  if (costs.one_by_one == 0) return BatchWay::OneByOne;
  // The first graph has to be made: what keeping it brings is seen at the next.
  if (costs.kept == 0 && costs.kept_share > 0.5) return BatchWay::Graph;
  const double graph = costs.kept_share * costs.kept + (1 - costs.kept_share) * costs.made;
  const bool pays = graph < costs.one_by_one;
  const bool other = costs.chosen % kTryOtherEvery == kTryOtherEvery - 1;
  return pays != other ? BatchWay::Graph : BatchWay::OneByOne;
}

/// A cost that was measured once more: a quarter of the new one, and never more than four times the old, so that a
/// batch that was held up by others does not decide alone.
[[nodiscard]] inline double measured_cost(double cost, double seconds) {
  if (!(seconds > 0)) return cost;
  return cost == 0 ? seconds : 0.75 * cost + 0.25 * std::min(seconds, 4 * cost);
}

}  // namespace weft::gpu
