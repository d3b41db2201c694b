#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

/// Sum of the elements up to each place along an axis, as long as the array; without an axis, of the array as one line.
/// Chunks of the axis are summed up at the same time, then moved by what came before them.
Array cumsum(const Array& array, const ReduceOptions& options = {},
             const std::source_location& where = std::source_location::current());
Array cumprod(const Array& array, const ReduceOptions& options = {},
              const std::source_location& where = std::source_location::current());
/// As above; what is not a number counts as 0 (1).
Array nancumsum(const Array& array, const ReduceOptions& options = {},
                const std::source_location& where = std::source_location::current());
Array nancumprod(const Array& array, const ReduceOptions& options = {},
                 const std::source_location& where = std::source_location::current());

/// The greatest (least) element up to each place, NaN from the first NaN on: `np.maximum.accumulate`.
Array cummax(const Array& array, const ReduceOptions& options = {},
             const std::source_location& where = std::source_location::current());
Array cummin(const Array& array, const ReduceOptions& options = {},
             const std::source_location& where = std::source_location::current());
// An axis alone does as well: `cumsum(x, 0)`.
#define WEFT_AXIS_ALONE(name)                                                                                   \
  template <std::integral I>                                                                                    \
  Array name(const Array& array, I axis, const std::source_location& where = std::source_location::current()) { \
    return name(array, ReduceOptions{.axis = static_cast<int>(axis)}, where);                                   \
  }
WEFT_AXIS_ALONE(cumsum)
WEFT_AXIS_ALONE(cumprod)
WEFT_AXIS_ALONE(nancumsum)
WEFT_AXIS_ALONE(nancumprod)
WEFT_AXIS_ALONE(cummax)
WEFT_AXIS_ALONE(cummin)
#undef WEFT_AXIS_ALONE

/// Fills each NaN with the last number before it along an axis, at most `limit` places away (-1: however far).
Array push(const Array& array, std::int64_t limit = -1, int axis = -1,
           const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays
