// Reductions of places that belong together: intervals, bins, all with weights; quantiles.
#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/group_reduce.hpp"
#include "arrays/labelled/intervals.hpp"
#include "arrays/labelled/operations.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace weft::labelled {
namespace {

using arrays::Array;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Without the axes that were reduced to one place each.
Array without(const Array& data, const std::vector<std::size_t>& axes, const Where& where) {
  std::vector<arrays::Index> index(data.ndim(), arrays::Index(slice()));
  for (const std::size_t axis : axes) index[axis] = arrays::Index(0);
  return data.at(index, where);
}

std::string cells_of(const std::vector<std::string>& dims) {
  std::string out;
  for (const std::string& dim : dims) out += (out.empty() ? "" : ": ") + dim;
  return out;
}

std::string interval_text(double low, double high) {
  char text[80];
  std::snprintf(text, sizeof text, "(%.10g, %.10g]", low, high);
  return text;
}

}  // namespace

LabelledArray reduced(const LabelledArray& from, const Array& kept, const std::vector<std::string>& over,
                      const std::string& operation, bool keepdims, const Where& where) {
  std::vector<std::size_t> axes;
  LabelledArray::Coordinates coordinates = from.coordinates();
  for (const std::string& dim : over) {
    axes.push_back(from.axis(dim));
    coordinates.erase(dim);
  }
  std::vector<std::string> dims;
  for (const std::string& dim : from.dims()) {
    if (keepdims || std::find(over.begin(), over.end(), dim) == over.end()) dims.push_back(dim);
  }
  return {keepdims ? kept : without(kept, axes, where), std::move(dims), std::move(coordinates), from.name(),
          reduced_attributes(from.attributes(), operation, cells_of(over))};
}

Array quantile_over(const Array& data, double q, const std::vector<int>& axes, bool skipna, const Where& where) {
  arrays::QuantileOptions options;
  options.axis = axes;
  options.keepdims = true;
  const Array values = data.dtype().is_floating() ? data : data.astype(float64, where);
  return skipna ? arrays::nanquantile(values, q, options, where) : arrays::quantile(values, q, options, where);
}

Array quantile_groups(const Array& data, double q, const std::vector<int>& axes, std::size_t axis,
                      const std::vector<std::int32_t>& group_of, std::int32_t groups, bool skipna, const Where& where) {
  std::vector<std::vector<std::int64_t>> places(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    if (group_of[i] >= 0) places[static_cast<std::size_t>(group_of[i])].push_back(static_cast<std::int64_t>(i));
  }
  std::vector<Array> parts;
  for (const std::vector<std::int64_t>& own : places) {
    // Neighbours are a view.
    const bool side_by_side = !own.empty() && own.back() - own.front() + 1 == std::ssize(own);
    std::vector<arrays::Index> index(axis, arrays::Index(slice()));
    if (side_by_side) index.emplace_back(slice(own.front(), own.back() + 1));
    if (own.empty()) index.emplace_back(slice(0, 1));
    const Array some =
        side_by_side || own.empty() ? data.at(index, where) : arrays::take(data, own, static_cast<int>(axis), where);
    const Array value = quantile_over(some, q, axes, skipna, where);
    parts.push_back(own.empty() ? arrays::full_like(value, kNan, where) : value);
  }
  return arrays::concatenate(parts, static_cast<int>(axis), where);
}

LabelledArray reduce_in_groups(const LabelledArray& array, const std::string& dim, const Coordinate& groups,
                               const std::vector<std::int32_t>& group_of, const WantedReduction& wanted,
                               const Where& where) {
  const std::size_t axis = array.axis(dim);
  const auto count = static_cast<std::int32_t>(groups.size());
  Array data;
  if (wanted.kind) {
    GroupReduction what;
    what.kinds = {*wanted.kind};
    what.axes = {axis};
    what.axis = axis;
    what.group_of = group_of;
    what.groups = count;
    what.skipna = wanted.options.skipna;
    what.ddof = wanted.options.ddof;
    data = reduce_groups(array.data(), std::move(what), where).front();
  } else {
    data = quantile_groups(array.data(), wanted.quantile, {static_cast<int>(axis)}, axis, group_of, count,
                           wanted.options.skipna, where);
  }
  std::vector<std::string> dims = array.dims();
  dims[axis] = groups.name();
  LabelledArray::Coordinates coordinates = array.coordinates();
  coordinates.erase(dim);
  coordinates[groups.name()] = groups;
  const std::string operation = wanted.kind ? reduction_name(*wanted.kind) : "quantile";
  return {std::move(data), std::move(dims), std::move(coordinates), array.name(),
          reduced_attributes(array.attributes(), operation, dim)};
}

LabelledArray reduce_intervals(const LabelledArray& array, const std::string& dim, const std::string& every,
                               const WantedReduction& wanted, const Where& where) {
  array.axis(dim);
  const auto times = array.coordinates().find(dim);
  if (times == array.coordinates().end()) throw Error("'" + array.name() + "' has no times along '" + dim + "'");
  const Intervals intervals = intervals_of(times->second, interval_in(every), true);
  LabelledArray out = reduce_in_groups(array, dim, intervals.labels, intervals.group_of, wanted, where);
  // An interval without times has no count and no sum either.
  const Reduction kind = wanted.kind.value_or(Reduction::Mean);
  if (kind != Reduction::Count && kind != Reduction::Sum && kind != Reduction::Prod) return out;
  std::vector<double> there(intervals.labels.size(), 0.0);
  for (const std::int32_t group : intervals.group_of) there[static_cast<std::size_t>(group)] = 1;
  if (std::find(there.begin(), there.end(), 0.0) == there.end()) return out;
  const Array data = floating(out.data(), where);
  return with_data(out, arrays::where(along(there, data, out.axis(dim), where) != 0, data, kNan));
}

LabelledArray fill_intervals(const LabelledArray& array, const std::string& dim, const std::string& every,
                             std::optional<Lookup> lookup, const Where& where) {
  array.axis(dim);
  const auto times = array.coordinates().find(dim);
  if (times == array.coordinates().end()) throw Error("'" + array.name() + "' has no times along '" + dim + "'");
  const Intervals intervals = intervals_of(times->second, interval_in(every), true);
  if (lookup) return reindex(array, dim, intervals.labels, *lookup, where);
  return interp(array, dim, intervals.labels, {}, where);
}

LabelledArray reduce_bins(const LabelledArray& array, const std::string& dim, const std::vector<double>& edges,
                          const WantedReduction& wanted, const Where& where) {
  const std::vector<double> numbers = positions(array, dim, "s");
  if (array.coordinates().at(dim).is_time())
    throw Error("'" + dim + "' holds times: resample cuts them into intervals");
  std::vector<std::string> names;
  for (std::size_t i = 1; i < edges.size(); ++i) names.push_back(interval_text(edges[i - 1], edges[i]));
  std::vector<std::int32_t> group_of;
  for (const double number : numbers) {
    // The first edge that is not below it ends its bin.
    const auto end = std::lower_bound(edges.begin(), edges.end(), number) - edges.begin();
    const bool inside = !std::isnan(number) && end > 0 && end < std::ssize(edges);
    group_of.push_back(inside ? static_cast<std::int32_t>(end) - 1 : -1);
  }
  return reduce_in_groups(array, dim, Coordinate::of_texts(dim + "_bins", std::move(names)), group_of, wanted, where);
}

void check_quantiles(const std::vector<double>& q) {
  for (const double one : q) {
    if (!(one >= 0 && one <= 1))
      throw Error("a quantile is asked for by a number from 0 to 1, not " + std::to_string(one));
  }
  if (q.empty()) throw Error("name the quantiles, as in {0.1, 0.5, 0.9}");
}

LabelledArray quantile(const LabelledArray& array, const std::vector<double>& q, const std::vector<std::string>& dims,
                       bool several, const LabelledReduceOptions& options, const Where& where) {
  const std::vector<std::string> over = dims.empty() ? array.dims() : dims;
  std::vector<int> axes;
  for (const std::string& dim : over) axes.push_back(axis_of(array, dim));
  check_quantiles(q);
  if (!several) {
    return reduced(array, quantile_over(array.data(), q[0], axes, options.skipna, where), over, "quantile",
                   options.keepdims, where);
  }
  // One pass for all of them.
  arrays::QuantileOptions how;
  how.axis = axes;
  how.keepdims = options.keepdims;
  const Array values = array.data().dtype().is_floating() ? array.data() : array.data().astype(float64, where);
  const Array all =
      options.skipna ? arrays::nanquantile(values, q, how, where) : arrays::quantile(values, q, how, where);
  const LabelledArray like = reduced(array, quantile_over(array.data(), q[0], axes, options.skipna, where), over,
                                     "quantile", options.keepdims, where);
  std::vector<std::string> names = like.dims();
  names.insert(names.begin(), "quantile");
  LabelledArray::Coordinates coordinates = like.coordinates();
  coordinates["quantile"] = Coordinate::of_numbers("quantile", q);
  return {all, std::move(names), std::move(coordinates), array.name(), like.attributes()};
}

void check_weights(const LabelledArray& array, const LabelledArray& weights) {
  for (const std::string& dim : weights.dims()) {
    if (!array.has(dim)) {
      throw Error("the weights '" + weights.name() + "' have the dimension '" + dim + "', which '" + array.name() +
                  "' lacks");
    }
    const auto own = array.coordinates().find(dim), theirs = weights.coordinates().find(dim);
    const bool labelled = own != array.coordinates().end() && theirs != weights.coordinates().end();
    if (array.extent(dim) != weights.extent(dim) || (labelled && !(own->second == theirs->second))) {
      throw Error("the weights '" + weights.name() + "' and '" + array.name() + "' have other labels along '" + dim +
                  "': choose the same of both by sel or reindex");
    }
  }
}

LabelledArray weighted(const LabelledArray& array, const LabelledArray& weights, std::optional<Reduction> kind,
                       const std::vector<std::string>& dims, const LabelledReduceOptions& options, const Where& where) {
  const std::vector<std::string> over = dims.empty() ? array.dims() : dims;
  check_weights(array, weights);
  GroupReduction what;
  for (const std::string& dim : over) what.axes.push_back(array.axis(dim));
  what.axis = what.axes.front();
  what.weights = spread(weights, array.dims());
  what.skipna = options.skipna;
  what.ddof = options.ddof;
  if (kind) {
    what.kinds = {*kind};
    const Array kept = reduce_groups(floating(array.data(), where), std::move(what), where).front();
    return reduced(array, kept, over, reduction_name(*kind), options.keepdims, where);
  }
  what.kinds = {Reduction::Sum};
  const Array there = arrays::logical_not(arrays::isnan(array.data())).astype(float64, where);
  const Array sum = reduce_groups(there, std::move(what), where).front();
  return reduced(array, arrays::where(sum == 0, kNan, sum), over, "sum", options.keepdims, where);
}

}  // namespace weft::labelled
