#pragma once

#include <weft/array.hpp>

#include <optional>

namespace weft::arrays {

struct KdtreeOptions {
  /// How many neighbours; more than one are a last axis, the nearest first.
  std::int64_t k = 1;
  /// Farther ones do not count.
  double max_distance = std::numeric_limits<double>::infinity();
};
/// Distances and places of neighbours. Where there are too few: infinity, and the number of points.
struct Neighbours {
  Array distances;
  Array places;
};
/// Finds the points (rows of `points`, n x d) that are nearest to each query (the last axis has d coordinates) by a k-d
/// tree, as scipy.spatial.cKDTree has it; of equally near ones the first. The tree is made once, by one task, and goes
/// to each worker once; queries are answered chunk by chunk. Points with a NaN are no neighbours of anything.
Neighbours kdtree_query(const Array& points, const Array& queries, const KdtreeOptions& options = {},
                        const std::source_location& where = std::source_location::current());

struct GatherOptions {
  /// How many of the last axes `places` counts through, in C order.
  int axes = 1;
  /// For places that are not there, such as -1; NaN where it is not given, for which integers become floating.
  std::optional<Scalar> fill = {};
  /// Of the axes of `places`.
  Chunks chunks = {};
};
/// Returns the elements at a table's places: the last axes are replaced by the table's. Each chunk of the result reads
/// only those parts of the array's chunks that it has places in.
///
///     Array on_grid = gather_lut(swath, table, {.axes = 2});   // (time, y, x) and (lat, lon) give (time, lat, lon)
Array gather_lut(const Array& array, const NDArray& places, const GatherOptions& options = {},
                 const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays
