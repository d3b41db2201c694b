#pragma once

#include "arrays/labelled/cell_overlaps.hpp"
#include "arrays/ops/gather.hpp"

#include <weft/array.hpp>

#include <source_location>

namespace weft::labelled {

/// Means of the elements that a table names for each place: the last axes are replaced by the table's. What is missing
/// counts nothing. Inputs: the array; how many entries each place has; their places; how much they count.
struct SparseMeans {
  static constexpr const char* kName = "regrid_cells";
  static constexpr bool kAssembles = false;
  arrays::ops::Gather gather;
  /// Where the entries of each chunk of the table begin; one more than there are chunks.
  std::vector<std::int64_t> entries = {0};
  double min_coverage = 0.5;

  void needs(const arrays::expression::Box& out, std::vector<arrays::expression::Need>& needs) const;
  void run(const arrays::expression::ChunkWork& work) const;
};

/// Returns the array, which is floating, with its last `axes` replaced by those of `shape`, the target's.
arrays::Array sparse_means(const arrays::Array& array, std::size_t axes, const SparseWeights& weights,
                           const Shape& shape, double min_coverage, const std::source_location& where);

}  // namespace weft::labelled
