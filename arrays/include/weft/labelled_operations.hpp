#pragma once

#include <weft/array.hpp>
#include <weft/labels.hpp>
#include <weft/latlon.hpp>
#include <weft/ops/pad.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

/// Operations along named dimensions, which arrays with labels and sets of them have alike. They mean what xarray's of
/// the same names mean; all are lazy.
namespace weft {

class LabelledArray;
class Dataset;

enum class Reduction : std::uint8_t { Mean, Std, Var, Min, Max, Sum, Count, Prod };
/// Returns the reduction of that name ("mean"). Throws Error that lists them.
Reduction reduction_named(const std::string& name);
std::string reduction_name(Reduction kind);

struct LabelledReduceOptions {
  bool keepdims = false;
  /// Leave missing values (NaN) out.
  bool skipna = true;
  double ddof = 0;
};

/// Extents of windows along dimensions: `{{"lat", 3}, {"lon", 5}}`.
using Extents = std::vector<std::pair<std::string, std::int64_t>>;

struct RollingOptions {
  /// A window ends at its label, or lies around it.
  bool center = false;
  /// With fewer values a window gives NaN; 0: all its places must have one.
  std::int64_t min_periods = 0;
};
/// What becomes of places that fill no window.
enum class Excess : std::uint8_t { Refuse, Trim, Pad };
struct CoarsenLabelsOptions {
  Excess excess = Excess::Refuse;
  /// The first window begins at the first place; otherwise the last one ends at the last place.
  bool from_left = true;
};
struct ShiftOptions {
  /// What comes in at the end; NaN where it is not given, for which integers become floating.
  std::optional<Scalar> fill = {};
};
struct DiffLabelsOptions {
  int times = 1;
  /// A difference has the label of the later place; otherwise the first one taken has that of the earlier place.
  bool upper_label = true;
};
/// As arrays::pad has it; constants are NaN where none is given.
struct PadLabelsOptions {
  PadMode mode = PadMode::Constant;
  std::optional<Scalar> value = {};
};
struct SlopeOptions {
  /// Of times: what a second labels' difference is counted in, "s", "m", "h" or "D".
  std::string unit = "s";
  /// differentiate: 1 or 2, the order of what is taken at both ends.
  int edge_order = 1;
};

/// How values between labels are found.
enum class Interpolation : std::uint8_t { Linear, Nearest };
struct InterpOptions {
  Interpolation method = Interpolation::Linear;
  /// Beyond the first and the last label the nearest two go on; otherwise there is NaN.
  bool extrapolate = false;
};
/// Which label's value stands for one that is not there: none (NaN), the last before it, the next behind it, the
/// nearest.
enum class Lookup : std::uint8_t { Exact, Forward, Backward, Nearest };

#define WEFT_HERE const std::source_location& where = std::source_location::current()

/// A reduction that was asked for: one of the kinds, or a quantile.
struct WantedReduction {
  std::optional<Reduction> kind = {};
  double quantile = 0.5;
  LabelledReduceOptions options = {};
};

/// What `rolling`, `coarsen` and their like give: dimensions were cut into parts, each of which is reduced.
/// Owns: a share of the arrays.  Threading: a value.
template <class Self>
class Reducible {
 public:
  using Step = std::function<LabelledArray(const LabelledArray&, const WantedReduction&, const std::source_location&)>;
  /// Arrays of a set that lack all of the dimensions stay as they are.
  Reducible(const char* call, Self of, std::vector<std::string> dims, Step step)
      : call_(call), of_(std::move(of)), dims_(std::move(dims)), step_(std::move(step)) {}

  Self reduce(const WantedReduction& wanted, WEFT_HERE) const;
  Self reduce(Reduction kind, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return reduce({kind, 0, o}, where);
  }
  Self mean(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Mean, o, where); }
  Self std(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Std, o, where); }
  Self var(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Var, o, where); }
  Self min(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Min, o, where); }
  Self max(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Max, o, where); }
  Self sum(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Sum, o, where); }
  Self prod(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce(Reduction::Prod, o, where); }
  Self count(WEFT_HERE) const { return reduce(Reduction::Count, {}, where); }
  /// Whether one of the values is not zero, or all of them; NaN is not zero.
  Self any(WEFT_HERE) const { return truth(false, where); }
  Self all(WEFT_HERE) const { return truth(true, where); }
  Self median(const LabelledReduceOptions& o = {}, WEFT_HERE) const { return quantile(0.5, o, where); }
  Self quantile(double q, const LabelledReduceOptions& o = {}, WEFT_HERE) const { return reduce({{}, q, o}, where); }

 private:
  Self truth(bool all, const std::source_location& where) const;
  const char* call_;
  Self of_;
  std::vector<std::string> dims_;
  Step step_;
};

/// What `resample` gives: intervals of times, to be reduced, or to be filled where they are shorter than the times'.
/// Owns: a share of the arrays.  Threading: a value.
template <class Self>
class Resampled : public Reducible<Self> {
 public:
  Resampled(Self of, std::string dim, std::string every);
  /// The value of the last time before the interval's begin, of the next one, of the nearest; or between both.
  Self ffill(WEFT_HERE) const { return fill(Lookup::Forward, where); }
  Self bfill(WEFT_HERE) const { return fill(Lookup::Backward, where); }
  Self nearest(WEFT_HERE) const { return fill(Lookup::Nearest, where); }
  Self interpolate(WEFT_HERE) const { return fill({}, where); }

 private:
  Self fill(std::optional<Lookup> lookup, const std::source_location& where) const;
  Self of_;
  std::string dim_, every_;
};

/// What `weighted` gives: reductions in which each value counts as much as its weight.
/// Owns: a share of the arrays.  Threading: a value.
template <class Self>
class Weighted {
 public:
  using Dims = std::vector<std::string>;
  Weighted(Self of, std::shared_ptr<const LabelledArray> weights) : of_(std::move(of)), weights_(std::move(weights)) {}
  Self mean(const Dims& dims = {}, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return reduce(Reduction::Mean, dims, o, where);
  }
  Self sum(const Dims& dims = {}, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return reduce(Reduction::Sum, dims, o, where);
  }
  Self var(const Dims& dims = {}, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return reduce(Reduction::Var, dims, o, where);
  }
  Self std(const Dims& dims = {}, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return reduce(Reduction::Std, dims, o, where);
  }
  /// Of those places that have a value; NaN where it is 0.
  Self sum_of_weights(const Dims& dims = {}, WEFT_HERE) const { return reduce({}, dims, {}, where); }
  /// As many places as weigh as much are meant (Kish's effective number); several become the first dimension.
  Self quantile(double q, const Dims& dims = {}, const LabelledReduceOptions& o = {}, WEFT_HERE) const {
    return quantiles({q}, false, dims, o, where);
  }
  Self quantile(const std::vector<double>& q, const Dims& dims = {}, const LabelledReduceOptions& o = {},
                WEFT_HERE) const {
    return quantiles(q, true, dims, o, where);
  }

 private:
  Self reduce(std::optional<Reduction> kind, const Dims& dims, const LabelledReduceOptions& options,
              const std::source_location& where) const;
  Self quantiles(const std::vector<double>& q, bool several, const Dims& dims, const LabelledReduceOptions& options,
                 const std::source_location& where) const;
  Self of_;
  std::shared_ptr<const LabelledArray> weights_;
};

/// The operations of LabelledArray and Dataset. Of a set, variables that lack the dimension stay as they are.
template <class Self>
class LabelledOperations {
 public:
  // Windows.
  /// Each place and those before (and behind) it: `tas.rolling("time", 30, {.center = true}).mean()`. Each value
  /// follows from its window alone, so chunks do not change it.
  Reducible<Self> rolling(const std::string& dim, std::int64_t extent, const RollingOptions& options = {},
                          WEFT_HERE) const {
    return rolling(Extents{{dim, extent}}, options, where);
  }
  Reducible<Self> rolling(const Extents& windows, const RollingOptions& options = {}, WEFT_HERE) const;
  /// Windows side by side become one place each, whose label is the mean of theirs.
  Reducible<Self> coarsen(const Extents& windows, const CoarsenLabelsOptions& options = {}, WEFT_HERE) const;
  /// Intervals of rising times, from the first to the last one: "6H", "1D", "1M", "QS-DEC", "1Y". A label is the begin
  /// of its interval; one without times has NaN.
  Resampled<Self> resample(const std::string& dim, const std::string& every, WEFT_HERE) const;
  /// Groups by intervals of a dimension's labels: (0, 10] and (10, 20] for {0, 10, 20}.
  Reducible<Self> groupby_bins(const std::string& dim, const std::vector<double>& edges, WEFT_HERE) const;
  Weighted<Self> weighted(const LabelledArray& weights) const;
  /// Exact quantiles over dimensions, all where none is named; several become the first dimension, "quantile".
  Self quantile(double q, const std::vector<std::string>& dims = {}, const LabelledReduceOptions& options = {},
                WEFT_HERE) const;
  Self quantile(const std::vector<double>& q, const std::vector<std::string>& dims = {},
                const LabelledReduceOptions& options = {}, WEFT_HERE) const;
  Self median(const std::vector<std::string>& dims = {}, const LabelledReduceOptions& options = {}, WEFT_HERE) const {
    return quantile(0.5, dims, options, where);
  }

  // Along a dimension.
  /// Moves values `by` places toward the end; labels stay.
  Self shift(const std::string& dim, std::int64_t by, const ShiftOptions& options = {}, WEFT_HERE) const;
  /// The same, and what leaves at one end comes in at the other.
  Self roll(const std::string& dim, std::int64_t by, bool labels_too = false, WEFT_HERE) const;
  Self diff(const std::string& dim, const DiffLabelsOptions& options = {}, WEFT_HERE) const;
  /// Adds places at both ends. Modes that repeat elements repeat labels, others have no label there; times need one, so
  /// that their coordinate is left out then.
  Self pad(const std::string& dim, std::int64_t before, std::int64_t after, const PadLabelsOptions& options = {},
           WEFT_HERE) const;
  /// Missing values count nothing, unless `skipna` is false.
  Self cumsum(const std::string& dim, bool skipna = true, WEFT_HERE) const;
  Self cumprod(const std::string& dim, bool skipna = true, WEFT_HERE) const;
  /// The slope by the labels: central differences of second order.
  Self differentiate(const std::string& dim, const SlopeOptions& options = {}, WEFT_HERE) const;
  /// The integral over the labels by the trapezoidal rule.
  Self integrate(const std::string& dim, const SlopeOptions& options = {}, WEFT_HERE) const;
  Self cumulative_integrate(const std::string& dim, const SlopeOptions& options = {}, WEFT_HERE) const;
  /// The place of each value among those along the dimension, from 1; equal ones share their mean. What is missing
  /// stays so, and counts nothing. `percent`: as a share of how many there are.
  Self rank(const std::string& dim, bool percent = false, WEFT_HERE) const;
  /// By ascending labels; equal ones stay in their order.
  Self sortby(const std::string& dim, bool ascending = true, WEFT_HERE) const;

  // Other dimensions.
  /// Makes one dimension, the last, of several; it has no labels.
  Self stack(const std::string& name, const std::vector<std::string>& dims, WEFT_HERE) const;
  /// The reverse: dimensions of these names and labels, in the order of stack's, become the last ones.
  Self unstack(const std::string& name, const std::vector<Coordinate>& labels, WEFT_HERE) const;

  // Other labels.
  /// Values at labels between those that there are; a place that has its label is not mixed with others.
  Self interp(const std::string& dim, const std::vector<double>& labels, const InterpOptions& options = {},
              WEFT_HERE) const;
  /// Times are compared as times, whatever their units.
  Self interp(const std::string& dim, const Coordinate& labels, const InterpOptions& options = {}, WEFT_HERE) const;
  Self reindex(const std::string& dim, const std::vector<double>& labels, Lookup lookup = Lookup::Exact,
               WEFT_HERE) const;
  Self reindex(const std::string& dim, const Coordinate& labels, Lookup lookup = Lookup::Exact, WEFT_HERE) const;
  /// Points: the i-th lies at the i-th place of each list. `name` takes the place of the dimensions.
  Self isel_points(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& places,
                   const std::string& name = "points", WEFT_HERE) const;
  /// Points at the nearest labels.
  Self sel_points(const std::vector<std::pair<std::string, std::vector<double>>>& labels,
                  const std::string& name = "points", WEFT_HERE) const;

  // Other grids.
  /// Values on another grid of latitudes and longitudes: `tas.regrid({-45, 0, 45}, {0, 90, 180, 270}, {.method =
  /// "conservative"})`. Latitudes run either way, longitudes go round. Each chunk reads what it needs of the array's.
  /// Of a set, variables with one of the two dimensions only, such as bounds, are left out; bounds of the new cells
  /// come instead.
  Self regrid(const LatLonGrid& target, const RegridOptions& options = {}, WEFT_HERE) const;
  Self regrid(const std::vector<double>& lat, const std::vector<double>& lon, const RegridOptions& options = {},
              WEFT_HERE) const {
    return regrid(LatLonGrid(lat, lon), options, where);
  }
  /// To cells that are told one by one. A set has their latitudes and longitudes as variables, `lat` and `lon`.
  Self regrid(const CellGrid& target, const RegridOptions& options = {}, WEFT_HERE) const;
  /// From points whose places are told one by one, as a satellite's swath or a curvilinear grid has them: `lat` and
  /// `lon` have the extents of `dims`, in their order; points with NaN there count nothing. The nearest are found by a
  /// k-d tree on the sphere.
  Self regrid_points(const std::vector<std::string>& dims, const NDArray& lat, const NDArray& lon,
                     const LatLonGrid& target, const PointsOptions& options = {}, WEFT_HERE) const;
  Self regrid_points(const CellGrid& source, const LatLonGrid& target, const PointsOptions& options = {},
                     WEFT_HERE) const;
  Self regrid_points(const CellGrid& source, const CellGrid& target, const PointsOptions& options = {},
                     WEFT_HERE) const;

  // Missing values.
  /// Keeps values where the condition, by names, holds; others become `other`, or NaN.
  Self where(const LabelledArray& condition, std::optional<double> other = {}, WEFT_HERE) const;
  Self fillna(double value, WEFT_HERE) const;
  Self fillna(const LabelledArray& values, WEFT_HERE) const;
  /// The last number before it (the next one behind it), at most `limit` places away; -1: however far.
  Self ffill(const std::string& dim, std::int64_t limit = -1, WEFT_HERE) const;
  Self bfill(const std::string& dim, std::int64_t limit = -1, WEFT_HERE) const;
  Self isnull(WEFT_HERE) const;
  Self notnull(WEFT_HERE) const;
  /// Any function that keeps the shape: `tas.apply([](const Array& x) { return log(x); })`.
  Self apply(const std::function<arrays::Array(const arrays::Array&)>& function, WEFT_HERE) const;
};

#undef WEFT_HERE

}  // namespace weft
