#pragma once

#include <cstdint>
#include <vector>

namespace weft::arrays::expression {

/// Where an element of a view lies in its source: for each source axis, `start + step * (index along out_axis)`.
/// Slices, flips, transposes, broadcasts, single places and diagonals are all of this kind, and so are their
/// compositions.
struct AxisMap {
  /// The axis of the view that this source axis follows; -1: always at `start`.
  std::int32_t out_axis = -1;
  std::int64_t start = 0;
  std::int64_t step = 1;
  bool operator==(const AxisMap&) const = default;
};

using IndexMap = std::vector<AxisMap>;

/// Returns the map of an array onto itself.
IndexMap identity_map(std::size_t ndim);
/// Returns the map from the places of the outer view to those of the source: `inner` leads from the middle to the
/// source, `outer` from the outer view to the middle.
IndexMap compose(const IndexMap& inner, const IndexMap& outer);
/// Returns the map by which an array of shape `from` is broadcast to `ndim` axes, where `ones` tells its axes of extent
/// 1 that are stretched.
IndexMap broadcast_map(const std::vector<bool>& stretched, std::size_t ndim);

}  // namespace weft::arrays::expression
