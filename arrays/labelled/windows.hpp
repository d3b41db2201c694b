#pragma once

#include <weft/chunk_view.hpp>
#include <weft/ops/kernel.hpp>

#include <cstdint>
#include <vector>

namespace weft::labelled {

/// Windows along one axis: a place, so many before it, and so many after it.
struct Window {
  std::uint64_t axis = 0;
  std::int64_t before = 0;
  std::int64_t after = 0;
  std::int64_t size() const { return before + 1 + after; }
};

/// A kernel for map_overlap that reduces a window around each element of a chunk with margins. What a window gives
/// follows from its elements and their places in the whole array alone, whatever the chunks are.
struct WindowKernel {
  /// By their axes, ascending.
  std::vector<Window> windows;
  /// A Reduction, or a quantile.
  std::uint8_t kind = 0;
  bool is_quantile = false;
  double quantile = 0.5;
  double ddof = 0;
  /// Fewer elements that are numbers give NaN.
  std::int64_t min_periods = 1;

  /// float32 or float64 in, the same out.
  void run(const arrays::detail::RawView& in, const arrays::detail::RawView& out, const BlockInfo& info) const;
};

}  // namespace weft::labelled
