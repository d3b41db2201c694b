#pragma once

#include <weft/array.hpp>

#include <utility>
#include <variant>

namespace weft::arrays {

// Which values there are. How many they are, only running can tell: the results have unknown extents, and are in one
// chunk. The NaNs are one value, both zeros another.

/// Returns the different values of an array, in ascending order.
Array unique(const Array& array, const std::source_location& where = std::source_location::current());

struct UniqueCounts {
  Array values, counts;
};
struct UniqueInverse {
  Array values, inverse;
};
struct UniqueAll {
  Array values, indices, inverse, counts;
};
/// The values, and how often each occurs.
UniqueCounts unique_counts(const Array& array, const std::source_location& where = std::source_location::current());
/// The values, and for each element of the array, in its shape, which of them it is.
UniqueInverse unique_inverse(const Array& array, const std::source_location& where = std::source_location::current());
/// All of these, and where in the flattened array each value is first.
UniqueAll unique_all(const Array& array, const std::source_location& where = std::source_location::current());
/// Returns the different values of both arrays.
Array union1d(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());

/// The bins of a histogram: how many equal ones, or their edges, ascending. Each bin holds its left edge, the last one
/// its right edge too.
class Bins {
 public:
  using Value = std::variant<std::int64_t, std::vector<double>, Array>;
  template <std::integral I>
  Bins(I count) : value_(static_cast<std::int64_t>(count)) {}                // NOLINT
  Bins(std::vector<double> edges) : value_(std::move(edges)) {}              // NOLINT
  Bins(std::initializer_list<double> edges) : value_(std::vector(edges)) {}  // NOLINT
  Bins(const Array& edges) : value_(edges) {}                                // NOLINT
  const Value& value() const { return value_; }

 private:
  Value value_;
};
/// From where to where equal bins reach.
using Range = std::pair<double, double>;

struct HistogramOptions {
  /// Where none is given, the least and the largest element are looked for first.
  std::optional<Range> range = {};
  /// What each element counts, in the shape of the array.
  std::optional<Array> weights = {};
  /// The integral over all bins is 1.
  bool density = false;
};
struct Histogram {
  Array counts, edges;
};
/// Counts the elements in each bin; those outside of all, and NaN, are not counted.
Histogram histogram(const Array& array, const Bins& bins = 10, const HistogramOptions& options = {},
                    const std::source_location& where = std::source_location::current());

struct HistogramddOptions {
  /// One for each dimension, or none.
  std::vector<Range> range = {};
  std::optional<Array> weights = {};
  bool density = false;
};
struct Histogramdd {
  Array counts;
  std::vector<Array> edges;
};
/// Counts points, whose coordinates are one array each. Counts are float64, as NumPy has them.
Histogramdd histogramdd(const std::vector<Array>& coordinates, const std::vector<Bins>& bins = {10},
                        const HistogramddOptions& options = {},
                        const std::source_location& where = std::source_location::current());
struct Histogram2d {
  Array counts, x_edges, y_edges;
};
Histogram2d histogram2d(const Array& x, const Array& y, const Bins& bins = 10, const HistogramddOptions& options = {},
                        const std::source_location& where = std::source_location::current());
Histogram2d histogram2d(const Array& x, const Array& y, const Bins& x_bins, const Bins& y_bins,
                        const HistogramddOptions& options = {},
                        const std::source_location& where = std::source_location::current());

struct BincountOptions {
  std::optional<Array> weights = {};
  /// Zeros are appended until there are so many counts.
  std::int64_t minlength = 0;
  /// The number of counts, where it is known: the result then has a known extent. A larger value is an error.
  std::optional<std::int64_t> length = {};
};
/// Counts how often each of 0, 1, 2, ... occurs in an array of integers; a negative one is an error when it runs.
Array bincount(const Array& array, const BincountOptions& options = {},
               const std::source_location& where = std::source_location::current());

struct CovOptions {
  /// Where none is given: 1, or 0 with `bias`.
  std::optional<double> ddof = {};
  std::optional<Dtype> dtype = {};
  /// Each row is a variable, each column an observation; otherwise the other way round.
  bool rowvar = true;
  bool bias = false;
  /// Further variables.
  std::optional<Array> y = {};
  /// How often each observation counts, and how much.
  std::optional<Array> fweights = {};
  std::optional<Array> aweights = {};
};
/// Returns the covariances of variables.
Array cov(const Array& array, const CovOptions& options = {},
          const std::source_location& where = std::source_location::current());
/// Returns the correlation coefficients of variables.
Array corrcoef(const Array& array, const CovOptions& options = {},
               const std::source_location& where = std::source_location::current());

struct WeightedMean {
  Array mean, sum_of_weights;
};
/// Returns the mean, weighted: by an array of the same shape, or of one axis, which is then named.
Array average(const Array& array, const std::optional<Array>& weights = {}, const ReduceOptions& options = {},
              const std::source_location& where = std::source_location::current());
/// The same, and by what it was divided.
WeightedMean average_returned(const Array& array, const std::optional<Array>& weights = {},
                              const ReduceOptions& options = {},
                              const std::source_location& where = std::source_location::current());
/// Returns the mean of (x - mean(x))^order; `ddof` is taken off the number that the sum is divided by.
Array moment(const Array& array, int order, const ReduceOptions& options = {},
             const std::source_location& where = std::source_location::current());

struct DiffOptions {
  std::optional<Array> prepend = {};
  std::optional<Array> append = {};
};
/// Returns the differences of neighbours along an axis, `times` over; of bools whether they differ.
Array diff(const Array& array, int times = 1, int axis = -1, const DiffOptions& options = {},
           const std::source_location& where = std::source_location::current());
/// Returns the differences of neighbours in the flattened array, with something before and behind them.
Array ediff1d(const Array& array, const std::optional<Array>& to_end = {}, const std::optional<Array>& to_begin = {},
              const std::source_location& where = std::source_location::current());

/// How far neighbours are apart: everywhere the same, or their coordinates.
using Spacing = std::variant<double, std::vector<double>>;
struct GradientOptions {
  Axes axis = {};
  /// One for all axes, or one for each.
  std::vector<Spacing> spacing = {1.0};
  /// 1 or 2: the order of what is taken at both ends.
  int edge_order = 1;
};
/// Returns the derivative along each axis, by central differences of second order.
std::vector<Array> gradient(const Array& array, const GradientOptions& options = {},
                            const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::Bins;
using arrays::histogramdd;
}  // namespace weft
