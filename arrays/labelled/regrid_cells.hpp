#pragma once

#include "arrays/expression/structure.hpp"
#include "arrays/labelled/axis_weights.hpp"

#include <weft/array.hpp>

#include <vector>

namespace weft::labelled {

/// Values on another grid of rows and columns, the last two axes: means of those around, or of those overlapped. What
/// is missing counts nothing.
struct RegridCells {
  static constexpr const char* kName = "regrid";
  static constexpr bool kAssembles = false;
  AxisWeights rows;
  AxisWeights columns;
  /// The least share of its weight that a value must have.
  double min_coverage = 0.5;

  void needs(const arrays::expression::Box& out, std::vector<arrays::expression::Need>& needs) const;
  void run(const arrays::expression::ChunkWork& work) const;
};

}  // namespace weft::labelled
