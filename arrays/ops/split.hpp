#pragma once

#include <weft/ops/blocks.hpp>

#include <utility>
#include <vector>

namespace weft::arrays::ops {

/// An array some axes of which were split into blocks of neighbours: each of them into two, the second within a block.
struct SplitArray {
  Array apart;
  /// The axes within blocks; none: nothing was split.
  std::vector<int> inner;
};
/// Splits axes into blocks of so many places. Chunks are moved so that each has whole blocks.
SplitArray split_axes(const Array& array, const std::vector<std::pair<int, std::int64_t>>& factors,
                      const CoarsenOptions& options, const std::source_location& where);

}  // namespace weft::arrays::ops
