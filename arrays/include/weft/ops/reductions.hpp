#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

// Each takes options, or an axis alone: `mean(x, 0)`.
#define WEFT_REDUCTION(name)                                                                                    \
  Array name(const Array& array, const ReduceOptions& options = {},                                             \
             const std::source_location& where = std::source_location::current());                              \
  template <std::integral I>                                                                                    \
  Array name(const Array& array, I axis, const std::source_location& where = std::source_location::current()) { \
    return name(array, ReduceOptions{.axis = static_cast<int>(axis)}, where);                                   \
  }
WEFT_REDUCTION(sum)
WEFT_REDUCTION(prod)
WEFT_REDUCTION(min)
WEFT_REDUCTION(max)
WEFT_REDUCTION(any)
WEFT_REDUCTION(all)
WEFT_REDUCTION(count_nonzero)
WEFT_REDUCTION(mean)
WEFT_REDUCTION(var)
/// NumPy calls it std, which is a namespace here; `x.std()` is the same.
WEFT_REDUCTION(stddev)
WEFT_REDUCTION(argmin)
WEFT_REDUCTION(argmax)
WEFT_REDUCTION(nansum)
WEFT_REDUCTION(nanprod)
WEFT_REDUCTION(nanmin)
WEFT_REDUCTION(nanmax)
WEFT_REDUCTION(nanmean)
WEFT_REDUCTION(nanvar)
WEFT_REDUCTION(nanstd)
WEFT_REDUCTION(nanargmin)
WEFT_REDUCTION(nanargmax)
/// Largest minus smallest.
WEFT_REDUCTION(ptp)
#undef WEFT_REDUCTION

}  // namespace weft::arrays
