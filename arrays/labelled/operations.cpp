// The operations that arrays with labels and sets of them have alike: each is made for one array elsewhere.
#include "arrays/labelled/operations.hpp"

#include "arrays/labelled/intervals.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <functional>

namespace weft {
namespace {

using labelled::Where;
using One = std::function<LabelledArray(const LabelledArray&)>;

/// Where no dimension is named, every array is meant.
bool has_one_of(const LabelledArray& array, const std::vector<std::string>& dims) {
  return dims.empty() || std::any_of(dims.begin(), dims.end(), [&](const std::string& dim) { return array.has(dim); });
}

LabelledArray each(const char* call, const LabelledArray& array, const std::vector<std::string>& dims,
                   const Where& where, const One& one) {
  return arrays::ops::told(call, where, [&] {
    for (const std::string& dim : dims) array.axis(dim);
    return one(array);
  });
}

Dataset each(const char* call, const Dataset& set, const std::vector<std::string>& dims, const Where& where,
             const One& one) {
  return arrays::ops::told(call, where, [&] {
    const auto known = set.dims();
    for (const std::string& dim : dims) {
      if (known.count(dim) != 0) continue;
      std::string names;
      for (const auto& [name, extent] : known) names += (names.empty() ? "" : ", ") + name;
      throw Error("there is no dimension '" + dim + "'; there are " + (names.empty() ? "none" : names));
    }
    std::vector<LabelledArray> out;
    for (const LabelledArray& array : set.variables()) {
      out.push_back(has_one_of(array, dims) ? one(array) : array);
    }
    return Dataset(std::move(out), set.attributes());
  });
}

template <class Self>
const Self& self(const LabelledOperations<Self>& operations) {
  return static_cast<const Self&>(operations);
}

template <class Lists>
std::vector<std::string> dims_of(const Lists& lists) {
  std::vector<std::string> dims;
  for (const auto& one : lists) dims.push_back(one.first);
  return dims;
}

/// Those of the lists, or windows, whose dimensions the array has.
template <class Lists>
Lists on(const LabelledArray& array, const Lists& lists) {
  Lists own;
  for (const auto& one : lists) {
    if (array.has(one.first)) own.push_back(one);
  }
  return own;
}

std::vector<std::string> on(const LabelledArray& array, const std::vector<std::string>& dims) {
  std::vector<std::string> own;
  for (const std::string& dim : dims) {
    if (array.has(dim)) own.push_back(dim);
  }
  return own;
}

void check_windows(const char* call, const Extents& windows, const Where& where) {
  arrays::ops::told(call, where, [&] {
    if (windows.empty()) throw Error(R"(name a dimension and the extent of its windows, as in {{"time", 30}})");
    for (const auto& [dim, extent] : windows) {
      if (extent < 1) {
        throw Error("a window of " + std::to_string(extent) + " places along '" + dim +
                    "' holds nothing: give 1 or more");
      }
      if (std::count_if(windows.begin(), windows.end(), [&](const auto& other) { return other.first == dim; }) > 1) {
        throw Error("'" + dim + "' is named twice");
      }
    }
  });
}

}  // namespace

template <class Self>
Self Reducible<Self>::reduce(const WantedReduction& wanted, const Where& where) const {
  return each(call_, of_, dims_, where, [&](const LabelledArray& one) {
    if (one.data().dtype().is_time() || one.data().dtype().is_complex()) {
      throw Error("'" + one.name() + "' of type " + one.data().dtype().name() + " cannot be reduced in parts");
    }
    if (!wanted.kind && !(wanted.quantile >= 0 && wanted.quantile <= 1)) {
      throw Error("a quantile is asked for by a number from 0 to 1, not " + std::to_string(wanted.quantile));
    }
    return step_(one, wanted, where);
  });
}

template <class Self>
Self Reducible<Self>::truth(bool all, const Where& where) const {
  return each(call_, of_, dims_, where, [&](const LabelledArray& one) {
    const arrays::Array true_or_not = (arrays::Operand(one.data(), where) != 0).astype(float32, where);
    const WantedReduction wanted{all ? Reduction::Min : Reduction::Max, 0, {}};
    const LabelledArray out = step_(labelled::with_data(one, true_or_not), wanted, where);
    return labelled::with_data(out, arrays::Operand(out.data(), where) > 0);
  });
}

template <class Self>
Reducible<Self> LabelledOperations<Self>::rolling(const Extents& windows, const RollingOptions& options,
                                                  const Where& where) const {
  check_windows("rolling", windows, where);
  return {"rolling", self(*this), dims_of(windows),
          [windows, options](const LabelledArray& one, const WantedReduction& wanted, const Where& line) {
            return labelled::rolling(one, on(one, windows), options, wanted, line);
          }};
}

template <class Self>
Reducible<Self> LabelledOperations<Self>::coarsen(const Extents& windows, const CoarsenLabelsOptions& options,
                                                  const Where& where) const {
  check_windows("coarsen", windows, where);
  return {"coarsen", self(*this), dims_of(windows),
          [windows, options](const LabelledArray& one, const WantedReduction& wanted, const Where& line) {
            return labelled::coarsen(one, on(one, windows), options, wanted, line);
          }};
}

// An operation along one dimension, with what the function of its name takes behind it.
#define WEFT_ALONG(name, parameters, function, ...)                                                          \
  template <class Self>                                                                                      \
  Self LabelledOperations<Self>::name parameters const {                                                     \
    return each(#name, self(*this), {dim}, where,                                                            \
                [&](const LabelledArray& one) { return labelled::function(one, dim, __VA_ARGS__, where); }); \
  }
WEFT_ALONG(shift, (const std::string& dim, std::int64_t by, const ShiftOptions& options, const Where& where), shift, by,
           options)
WEFT_ALONG(roll, (const std::string& dim, std::int64_t by, bool labels_too, const Where& where), roll, by, labels_too)
WEFT_ALONG(diff, (const std::string& dim, const DiffLabelsOptions& options, const Where& where), diff, options)
WEFT_ALONG(pad,
           (const std::string& dim, std::int64_t before, std::int64_t after, const PadLabelsOptions& options,
            const Where& where),
           pad, before, after, options)
WEFT_ALONG(cumsum, (const std::string& dim, bool skipna, const Where& where), cumulate, false, skipna)
WEFT_ALONG(cumprod, (const std::string& dim, bool skipna, const Where& where), cumulate, true, skipna)
WEFT_ALONG(differentiate, (const std::string& dim, const SlopeOptions& options, const Where& where), differentiate,
           options)
WEFT_ALONG(integrate, (const std::string& dim, const SlopeOptions& options, const Where& where), integrate, options,
           false)
WEFT_ALONG(cumulative_integrate, (const std::string& dim, const SlopeOptions& options, const Where& where), integrate,
           options, true)
WEFT_ALONG(rank, (const std::string& dim, bool percent, const Where& where), rank, percent)
WEFT_ALONG(sortby, (const std::string& dim, bool ascending, const Where& where), sortby, ascending)
WEFT_ALONG(interp,
           (const std::string& dim, const std::vector<double>& labels, const InterpOptions& options,
            const Where& where),
           interp, labels, options)
WEFT_ALONG(interp, (const std::string& dim, const Coordinate& labels, const InterpOptions& options, const Where& where),
           interp, labels, options)
WEFT_ALONG(reindex, (const std::string& dim, const std::vector<double>& labels, Lookup lookup, const Where& where),
           reindex, labels, lookup)
WEFT_ALONG(reindex, (const std::string& dim, const Coordinate& labels, Lookup lookup, const Where& where), reindex,
           labels, lookup)
WEFT_ALONG(ffill, (const std::string& dim, std::int64_t limit, const Where& where), fill_along, limit, true)
WEFT_ALONG(bfill, (const std::string& dim, std::int64_t limit, const Where& where), fill_along, limit, false)
#undef WEFT_ALONG

// An operation on every array.
#define WEFT_EVERY(name, parameters, ...)                                                             \
  template <class Self>                                                                               \
  Self LabelledOperations<Self>::name parameters const {                                              \
    return each(#name, self(*this), {}, line, [&](const LabelledArray& one) { return __VA_ARGS__; }); \
  }
WEFT_EVERY(where, (const LabelledArray& condition, std::optional<double> other, const Where& line),
           labelled::where(one, condition, other, line))
WEFT_EVERY(fillna, (double value, const Where& line), labelled::fillna(one, value, line))
WEFT_EVERY(fillna, (const LabelledArray& values, const Where& line), labelled::fillna(one, values, line))
WEFT_EVERY(isnull, (const Where& line), labelled::with_data(one, arrays::isnan(arrays::Operand(one.data(), line))))
WEFT_EVERY(notnull, (const Where& line),
           labelled::with_data(one, arrays::logical_not(arrays::isnan(arrays::Operand(one.data(), line)))))
WEFT_EVERY(apply, (const std::function<arrays::Array(const arrays::Array&)>& function, const Where& line),
           labelled::with_data(one, function(one.data())))
#undef WEFT_EVERY

template <class Self>
Self LabelledOperations<Self>::stack(const std::string& name, const std::vector<std::string>& dims,
                                     const Where& where) const {
  return each("stack", self(*this), dims, where,
              [&](const LabelledArray& one) { return labelled::stack(one, name, dims, where); });
}

template <class Self>
Self LabelledOperations<Self>::unstack(const std::string& name, const std::vector<Coordinate>& labels,
                                       const Where& where) const {
  return each("unstack", self(*this), {name}, where,
              [&](const LabelledArray& one) { return labelled::unstack(one, name, labels, where); });
}

template <class Self>
Self LabelledOperations<Self>::isel_points(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& places,
                                           const std::string& name, const Where& where) const {
  return each("isel_points", self(*this), dims_of(places), where,
              [&](const LabelledArray& one) { return labelled::isel_points(one, on(one, places), name, where); });
}

template <class Self>
Self LabelledOperations<Self>::sel_points(const std::vector<std::pair<std::string, std::vector<double>>>& labels,
                                          const std::string& name, const Where& where) const {
  return each("sel_points", self(*this), dims_of(labels), where,
              [&](const LabelledArray& one) { return labelled::sel_points(one, on(one, labels), name, where); });
}

template <class Self>
Self LabelledOperations<Self>::regrid(const LatLonGrid& target, const RegridOptions& options,
                                      const Where& where) const {
  return arrays::ops::told("regrid", where, [&] { return labelled::regrid(self(*this), target, options, where); });
}
template <class Self>
Self LabelledOperations<Self>::regrid(const CellGrid& target, const RegridOptions& options, const Where& where) const {
  return arrays::ops::told("regrid", where, [&] { return labelled::regrid(self(*this), target, options, where); });
}

template <class Self>
Self LabelledOperations<Self>::regrid_points(const std::vector<std::string>& dims, const NDArray& lat,
                                             const NDArray& lon, const LatLonGrid& target, const PointsOptions& options,
                                             const Where& where) const {
  return arrays::ops::told("regrid_points", where, [&] {
    return labelled::regrid_points(self(*this), CellGrid(dims, lat, lon), target, options, where);
  });
}
template <class Self>
Self LabelledOperations<Self>::regrid_points(const CellGrid& source, const LatLonGrid& target,
                                             const PointsOptions& options, const Where& where) const {
  return arrays::ops::told("regrid_points", where,
                           [&] { return labelled::regrid_points(self(*this), source, target, options, where); });
}
template <class Self>
Self LabelledOperations<Self>::regrid_points(const CellGrid& source, const CellGrid& target,
                                             const PointsOptions& options, const Where& where) const {
  return arrays::ops::told("regrid_points", where,
                           [&] { return labelled::regrid_points(self(*this), source, target, options, where); });
}

template <class Self>
Self LabelledOperations<Self>::quantile(double q, const std::vector<std::string>& dims,
                                        const LabelledReduceOptions& options, const Where& where) const {
  return each("quantile", self(*this), dims, where, [&](const LabelledArray& one) {
    return labelled::quantile(one, {q}, on(one, dims), false, options, where);
  });
}

template <class Self>
Self LabelledOperations<Self>::quantile(const std::vector<double>& q, const std::vector<std::string>& dims,
                                        const LabelledReduceOptions& options, const Where& where) const {
  return each("quantile", self(*this), dims, where, [&](const LabelledArray& one) {
    return labelled::quantile(one, q, on(one, dims), true, options, where);
  });
}

template <class Self>
Reducible<Self> LabelledOperations<Self>::groupby_bins(const std::string& dim, const std::vector<double>& edges,
                                                       const Where& where) const {
  arrays::ops::told("groupby_bins", where, [&] {
    if (edges.size() < 2 || std::adjacent_find(edges.begin(), edges.end(), std::greater_equal<>()) != edges.end()) {
      throw Error("bins have two rising edges at least, as in {0, 10, 20}");
    }
  });
  return {"groupby_bins",
          self(*this),
          {dim},
          [dim, edges](const LabelledArray& one, const WantedReduction& wanted, const Where& line) {
            return labelled::reduce_bins(one, dim, edges, wanted, line);
          }};
}

template <class Self>
Resampled<Self> LabelledOperations<Self>::resample(const std::string& dim, const std::string& every,
                                                   const Where& where) const {
  arrays::ops::told("resample", where, [&] { labelled::interval_in(every); });
  return {self(*this), dim, every};
}

template <class Self>
Resampled<Self>::Resampled(Self of, std::string dim, std::string every)
    : Reducible<Self>("resample", of, {dim},
                      [dim, every](const LabelledArray& one, const WantedReduction& wanted, const Where& line) {
                        return labelled::reduce_intervals(one, dim, every, wanted, line);
                      }),
      of_(std::move(of)),
      dim_(std::move(dim)),
      every_(std::move(every)) {}

template <class Self>
Self Resampled<Self>::fill(std::optional<Lookup> lookup, const Where& where) const {
  return each("resample", of_, {dim_}, where,
              [&](const LabelledArray& one) { return labelled::fill_intervals(one, dim_, every_, lookup, where); });
}

template <class Self>
Weighted<Self> LabelledOperations<Self>::weighted(const LabelledArray& weights) const {
  return {self(*this), std::make_shared<const LabelledArray>(weights)};
}

template <class Self>
Self Weighted<Self>::reduce(std::optional<Reduction> kind, const Dims& dims, const LabelledReduceOptions& options,
                            const Where& where) const {
  return each("weighted", of_, dims, where, [&](const LabelledArray& one) {
    return labelled::weighted(one, *weights_, kind, on(one, dims), options, where);
  });
}

template <class Self>
Self Weighted<Self>::quantiles(const std::vector<double>& q, bool several, const Dims& dims,
                               const LabelledReduceOptions& options, const Where& where) const {
  return each("weighted", of_, dims, where, [&](const LabelledArray& one) {
    return labelled::weighted_quantile(one, *weights_, q, several, on(one, dims), options, where);
  });
}

template class Reducible<LabelledArray>;
template class Reducible<Dataset>;
template class Resampled<LabelledArray>;
template class Resampled<Dataset>;
template class Weighted<LabelledArray>;
template class Weighted<Dataset>;
template class LabelledOperations<LabelledArray>;
template class LabelledOperations<Dataset>;

}  // namespace weft
