// What looks at all values along dimensions at once: ranks, weighted quantiles. And dimensions made one, and several of
// one.
#include "arrays/ops/lanes.hpp"
#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/operations.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace weft::labelled {
namespace {

using arrays::Array;
using arrays::expression::AxisGrid;
using arrays::expression::Box;
using arrays::expression::ChunkWork;
using arrays::expression::Grid;
using arrays::expression::Need;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The grid of an array whose last axis lies in one chunk; the others are cut so that chunks stay as large.
Grid whole_last(const Array& array) {
  Grid grid = array.node()->grid;
  const std::int64_t pieces = grid.back().count();
  grid.back() = AxisGrid::whole(grid.back().extent());
  arrays::ops::cut_further(grid, grid.size() - 1, pieces);
  return grid;
}

/// Ranks along the last axis of doubles.
struct Rank {
  static constexpr const char* kName = "rank";
  static constexpr bool kAssembles = false;
  bool percent;
  void needs(const Box& out, std::vector<Need>& needs) const { needs.push_back({0, out, {}}); }
  void run(const ChunkWork& work) const {
    Buffer room;
    const auto* in = reinterpret_cast<const double*>(arrays::ops::in_order(work.inputs[0], room));
    auto* out = reinterpret_cast<double*>(work.output.data);
    const std::int64_t extent = work.output.shape.back();
    const std::int64_t all = Shape(work.output.shape).elements();
    std::vector<std::int64_t> order;
    for (std::int64_t lane = 0; extent > 0 && lane < all / extent; ++lane, in += extent, out += extent) {
      order.clear();
      for (std::int64_t i = 0; i < extent; ++i) {
        out[i] = kNan;
        if (!std::isnan(in[i])) order.push_back(i);
      }
      std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return in[a] < in[b]; });
      const double count = percent ? static_cast<double>(order.size()) : 1;
      for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        while (last < order.size() && in[order[last]] == in[order[first]]) ++last;
        const double mean = static_cast<double>(first + last + 1) / 2;
        for (std::size_t i = first; i < last; ++i) out[order[i]] = mean / count;
      }
    }
  }
};

/// Quantiles along the last axis of doubles, with weights of the same shape.
struct WeightedQuantiles {
  static constexpr const char* kName = "weighted_quantile";
  static constexpr bool kAssembles = false;
  std::vector<double> q;
  std::int64_t extent;
  bool skipna;
  void needs(const Box& out, std::vector<Need>& needs) const {
    Need need{0, out, {}};
    need.box.start.back() = 0;
    need.box.extent.back() = extent;
    needs.push_back(need);
    need.input = 1;
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    Buffer room, weight_room;
    const auto* in = reinterpret_cast<const double*>(arrays::ops::in_order(work.inputs[0], room));
    const auto* weights = reinterpret_cast<const double*>(arrays::ops::in_order(work.inputs[1], weight_room));
    auto* out = reinterpret_cast<double*>(work.output.data);
    const std::int64_t lanes = Shape(work.output.shape).elements() / static_cast<std::int64_t>(q.size());
    for (std::int64_t lane = 0; lane < lanes; ++lane, in += extent, weights += extent) {
      out = write_lane(in, weights, out);
    }
  }

 private:
  /// The values stand side by side, each as wide as it weighs; a quantile is the mean over a stretch as wide as one of
  /// so many equal values as weigh as much.
  double* write_lane(const double* in, const double* weights, double* out) const {
    thread_local std::vector<std::pair<double, double>> values;
    values.clear();
    bool missing = false;
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < extent; ++i) {
      missing = missing || std::isnan(in[i]);
      if (std::isnan(in[i]) || weights[i] == 0) continue;
      values.emplace_back(in[i], weights[i]);
      sum += weights[i];
      squares += weights[i] * weights[i];
    }
    if (values.empty() || (missing && !skipna)) return std::fill_n(out, q.size(), kNan);
    std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const double count = sum * sum / squares;
    for (const double one : q) {
      const double h = (count - 1) * one + 1;
      double before = 0, covered = std::max((h - 1) / count, std::min(h / count, 0.0)), result = 0;
      for (const auto& [value, weight] : values) {
        before += weight / sum;
        const double upto = std::max((h - 1) / count, std::min(h / count, before));
        result += value * (upto - covered) * count;
        covered = upto;
      }
      *out++ = result;
    }
    return out;
  }
};

/// The dimensions but for some, and then those.
std::vector<std::string> moved_last(const LabelledArray& array, const std::vector<std::string>& last) {
  std::vector<std::string> dims;
  for (const std::string& dim : array.dims()) {
    if (std::find(last.begin(), last.end(), dim) == last.end()) dims.push_back(dim);
  }
  dims.insert(dims.end(), last.begin(), last.end());
  return dims;
}

/// The array with its last `axes` axes as one.
Array joined(const Array& array, std::size_t axes, const Where& where) {
  if (axes == 1) return array;
  std::vector<std::int64_t> shape;
  std::int64_t extent = 1;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) {
    if (axis + axes < array.ndim()) {
      shape.push_back(array.shape()[axis]);
    } else {
      extent *= array.shape()[axis];
    }
  }
  shape.push_back(extent);
  return arrays::reshape(array, Shape(shape), where);
}

Array of_doubles(const LabelledArray& array, const char* what, const Where& where) {
  const Dtype type = array.data().dtype();
  if (type.is_complex() || type.is_time()) throw Error("values of type " + type.name() + " have no " + what);
  return array.data().astype(float64, where);
}

}  // namespace

LabelledArray rank(const LabelledArray& array, const std::string& dim, bool percent, const Where& where) {
  const LabelledArray turned = with_data(array, of_doubles(array, "ranks", where)).transpose(moved_last(array, {dim}));
  const Array data(arrays::expression::make_structural(arrays::expression::make_structure(Rank{percent}),
                                                       {turned.data().node()}, float64, whole_last(turned.data()),
                                                       where));
  return with_data(turned, data).transpose(array.dims());
}

LabelledArray stack(const LabelledArray& array, const std::string& name, const std::vector<std::string>& dims,
                    const Where& where) {
  if (dims.empty()) throw Error(R"(name the dimensions that become one, as in {"lat", "lon"})");
  std::vector<std::string> own = moved_last(array, dims);
  if (own.size() != array.dims().size()) throw Error("a dimension is named twice");
  const Array data = joined(array.transpose(own).data(), dims.size(), where);
  own.resize(own.size() - dims.size());
  if (std::find(own.begin(), own.end(), name) != own.end()) throw Error("there is a dimension '" + name + "' already");
  own.push_back(name);
  LabelledArray::Coordinates coordinates = array.coordinates();
  for (const std::string& dim : dims) coordinates.erase(dim);
  return {data, std::move(own), std::move(coordinates), array.name(), array.attributes()};
}

LabelledArray unstack(const LabelledArray& array, const std::string& name, const std::vector<Coordinate>& labels,
                      const Where& where) {
  std::vector<std::string> dims = moved_last(array, {name});
  const LabelledArray turned = array.transpose(dims);
  std::vector<std::int64_t> shape(turned.data().shape().begin(), turned.data().shape().end());
  const std::int64_t extent = shape.back();
  dims.pop_back();
  shape.pop_back();
  LabelledArray::Coordinates coordinates = array.coordinates();
  std::int64_t places = 1;
  std::string text;
  for (const Coordinate& one : labels) {
    shape.push_back(static_cast<std::int64_t>(one.size()));
    dims.push_back(one.name());
    coordinates[one.name()] = one;
    places *= shape.back();
    text += (text.empty() ? "" : " x ") + std::to_string(one.size());
  }
  if (labels.empty() || places != extent) {
    throw Error("'" + name + "' has " + std::to_string(extent) + " places, but the labels make " +
                (labels.empty() ? "none" : text));
  }
  return {arrays::reshape(turned.data(), Shape(shape), where), std::move(dims), std::move(coordinates), array.name(),
          array.attributes()};
}

LabelledArray weighted_quantile(const LabelledArray& array, const LabelledArray& weights, const std::vector<double>& q,
                                bool several, const std::vector<std::string>& dims,
                                const LabelledReduceOptions& options, const Where& where) {
  check_quantiles(q);
  check_weights(array, weights);
  const std::vector<std::string> over = dims.empty() ? array.dims() : dims;
  const std::vector<std::string> order = moved_last(array, over);
  const LabelledArray turned = with_data(array, of_doubles(array, "quantiles", where)).transpose(order);
  const Array spread_weights =
      arrays::broadcast_to(spread(weights, order).astype(float64, where), turned.data().shape(), where);
  const Array values = joined(turned.data(), over.size(), where);
  Grid grid = whole_last(values);
  WeightedQuantiles kernel{q, grid.back().extent(), options.skipna};
  grid.back() = AxisGrid::whole(static_cast<std::int64_t>(q.size()));
  const Array all(arrays::expression::make_structural(
      arrays::expression::make_structure(std::move(kernel)),
      {values.node(), joined(spread_weights, over.size(), where).node()}, float64, std::move(grid), where));
  // One quantile, with the dimensions that were reduced as places; then the others in front.
  std::vector<arrays::Index> index(all.ndim() - 1, arrays::Index(slice()));
  index.emplace_back(0);
  Array one = all.at(index, where);
  for (std::size_t i = 0; i < over.size(); ++i) one = arrays::expand_dims(one, static_cast<int>(one.ndim()), where);
  const LabelledArray kept(one, order, {}, array.name());
  const LabelledArray like =
      reduced(array, kept.transpose(array.dims()).data(), over, "quantile", options.keepdims, where);
  if (!several) return like;
  if (options.keepdims) throw Error("several weighted quantiles cannot keep the dimensions");
  std::vector<std::string> names = like.dims();
  names.insert(names.begin(), "quantile");
  LabelledArray::Coordinates coordinates = like.coordinates();
  coordinates["quantile"] = Coordinate::of_numbers("quantile", q);
  return {arrays::moveaxis(all, static_cast<int>(all.ndim()) - 1, 0, where), std::move(names), std::move(coordinates),
          array.name(), like.attributes()};
}

}  // namespace weft::labelled
