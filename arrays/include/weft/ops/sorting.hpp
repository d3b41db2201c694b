#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

// Order. NaN and NaT are last. An axis in several chunks is sorted by merging chunks in pairs, so that no task holds
// more than three of them.

/// Returns the elements in ascending order along an axis.
Array sort(const Array& array, int axis = -1, const std::source_location& where = std::source_location::current());
/// Returns the places of the elements in ascending order; equal ones stay in their order.
Array argsort(const Array& array, int axis = -1, const std::source_location& where = std::source_location::current());
/// Returns the elements such that the one at `kth` is where sorting would put it, none after it is smaller. They are
/// sorted altogether.
Array partition(const Array& array, std::int64_t kth, int axis = -1,
                const std::source_location& where = std::source_location::current());
/// Returns the k largest elements in descending order; for a negative k the -k smallest in ascending order.
Array topk(const Array& array, std::int64_t k, int axis = -1,
           const std::source_location& where = std::source_location::current());
/// Returns the places of what topk returns.
Array argtopk(const Array& array, std::int64_t k, int axis = -1,
              const std::source_location& where = std::source_location::current());

/// How a quantile between two elements is found, as NumPy names them.
enum class QuantileMethod : std::uint8_t {
  Linear,
  Lower,
  Higher,
  Nearest,
  Midpoint,
  Hazen,
  Weibull,
  MedianUnbiased,
  NormalUnbiased,
  InvertedCdf,
  AveragedInvertedCdf,
  ClosestObservation,
  InterpolatedInvertedCdf,
};
struct QuantileOptions {
  Axes axis = {};
  bool keepdims = false;
  QuantileMethod method = QuantileMethod::Linear;
};

/// Quantiles are exact. Over all axes of a large array they are found by counting leading digits, some passes over the
/// chunks; along other axes each task holds whole lanes. Several `q` become the first axis.
Array quantile(const Array& array, double q, const QuantileOptions& options = {},
               const std::source_location& where = std::source_location::current());
Array quantile(const Array& array, const std::vector<double>& q, const QuantileOptions& options = {},
               const std::source_location& where = std::source_location::current());
/// As quantile, in percent.
Array percentile(const Array& array, double q, const QuantileOptions& options = {},
                 const std::source_location& where = std::source_location::current());
Array percentile(const Array& array, const std::vector<double>& q, const QuantileOptions& options = {},
                 const std::source_location& where = std::source_location::current());
Array median(const Array& array, const ReduceOptions& options = {},
             const std::source_location& where = std::source_location::current());
/// The same without the elements that are NaN.
Array nanquantile(const Array& array, double q, const QuantileOptions& options = {},
                  const std::source_location& where = std::source_location::current());
Array nanquantile(const Array& array, const std::vector<double>& q, const QuantileOptions& options = {},
                  const std::source_location& where = std::source_location::current());
Array nanpercentile(const Array& array, double q, const QuantileOptions& options = {},
                    const std::source_location& where = std::source_location::current());
Array nanpercentile(const Array& array, const std::vector<double>& q, const QuantileOptions& options = {},
                    const std::source_location& where = std::source_location::current());
Array nanmedian(const Array& array, const ReduceOptions& options = {},
                const std::source_location& where = std::source_location::current());

// An axis alone does as well: `median(x, 0)`.
#define WEFT_AXIS_ALONE(name)                                                                                   \
  template <std::integral I>                                                                                    \
  Array name(const Array& array, I axis, const std::source_location& where = std::source_location::current()) { \
    return name(array, ReduceOptions{.axis = static_cast<int>(axis)}, where);                                   \
  }
WEFT_AXIS_ALONE(median)
WEFT_AXIS_ALONE(nanmedian)
#undef WEFT_AXIS_ALONE

enum class Side : std::uint8_t { Left, Right };
/// Returns where in a sorted vector each value would be put: before (left) or after (right) those that equal it.
Array searchsorted(const Array& sorted, const Array& values, Side side = Side::Left,
                   const std::source_location& where = std::source_location::current());
/// Returns in which of the intervals between `bins` (ascending or descending) each element is.
Array digitize(const Array& array, const std::vector<double>& bins, bool right = false,
               const std::source_location& where = std::source_location::current());
/// Returns for each element whether `wanted` has it.
Array isin(const Array& array, const Array& wanted, bool invert = false,
           const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays
