#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

/// What is put around an array.
enum class PadMode { Constant, Edge, Reflect, Symmetric, Wrap, LinearRamp, Maximum, Minimum, Mean, Empty };

/// Options of pad. Two numbers an axis: before and after it.
struct PadOptions {
  PadMode mode = PadMode::Constant;
  /// Constant: the values.
  Scalar value = 0;
  std::vector<std::pair<Scalar, Scalar>> values = {};
  /// LinearRamp: what the ramp ends with.
  std::vector<std::pair<double, double>> end_values = {};
  /// Maximum, Minimum, Mean: how many elements from the edge on are looked at; 0: all.
  std::int64_t stat_length = 0;
  /// Reflect, Symmetric: what is reflected is also turned around the edge's value.
  bool odd = false;
};

/// Returns the array with `width` elements around it: for each axis how many before and after.
Array pad(const Array& array, const std::vector<std::pair<std::int64_t, std::int64_t>>& width,
          const PadOptions& options = {}, const std::source_location& where = std::source_location::current());
/// The same number on every side.
Array pad(const Array& array, std::int64_t width, const PadOptions& options = {},
          const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::PadMode;
using arrays::PadOptions;
}  // namespace weft
