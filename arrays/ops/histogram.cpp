// Counting: each chunk by itself, then the sum of the counts.
#include <weft/ops/statistics.hpp>

#include "arrays/ops/lanes.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cmath>

namespace weft::arrays {
namespace {

using ops::at_line;
using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Grid;
using ops::Need;
using ops::structural;

/// The elements of a block in C order, as T.
template <class T>
std::vector<T> elements_as(const Block& block) {
  std::vector<std::int64_t> order;
  for (std::size_t axis = 0; axis < block.shape.size(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  const auto count = static_cast<std::size_t>(Shape(block.shape).elements());
  std::vector<T> elements(count);
  if (count == 0) return elements;
  if (block.dtype == dtype_of<T>()) {
    ops::copy_in_order(block, order, reinterpret_cast<std::byte*>(elements.data()));
    return elements;
  }
  std::vector<std::byte> values(count * block.dtype.size());
  ops::copy_in_order(block, order, values.data());
  kernels::visit_type(block.dtype.code(), [&](auto zero) {
    using From = decltype(zero);
    if constexpr (std::is_arithmetic_v<From>) {
      const auto* const from = reinterpret_cast<const From*>(values.data());
      for (std::size_t i = 0; i < count; ++i) elements[i] = static_cast<T>(from[i]);
    }
  });
  return elements;
}

/// The edges of equal bins. Inputs, where the range is not given: the least and the largest element.
struct BinEdges {
  static constexpr const char* kName = "histogram-edges";
  static constexpr bool kAssembles = false;
  std::int64_t bins;
  double first;
  double last;
  bool given;
  void needs(const Box&, std::vector<Need>& needs) const {
    if (given) return;
    needs.push_back({0, Box{}, {}});
    needs.push_back({1, Box{}, {}});
  }
  void run(const ChunkWork& work) const {
    double low = given ? first : elements_as<double>(work.inputs[0])[0];
    double high = given ? last : elements_as<double>(work.inputs[1])[0];
    if (!std::isfinite(low) || !std::isfinite(high)) {
      throw Error("histogram: the elements reach from " + std::to_string(low) + " to " + std::to_string(high) +
                  ": leave out what is not finite, or give {.range = {low, high}}");
    }
    if (low == high) {
      low -= 0.5;
      high += 0.5;
    }
    const double step = (high - low) / static_cast<double>(bins);
    const auto edge = [&](std::int64_t i) { return i == bins ? high : low + static_cast<double>(i) * step; };
    // The task makes a piece of the edges, or all.
    const std::int64_t begin = work.out.start[0];
    for (std::int64_t i = 0; i < work.out.extent[0]; ++i) {
      if (work.output.dtype == float32) {
        reinterpret_cast<float*>(work.output.data)[i] = static_cast<float>(edge(begin + i));
      } else {
        reinterpret_cast<double*>(work.output.data)[i] = edge(begin + i);
      }
    }
  }
};

/// The edges of one dimension, and how a number's bin is found.
struct Edges {
  std::vector<double> values;
  bool equal;
  double scale;

  Edges(const Block& block, bool equal_bins) : values(elements_as<double>(block)), equal(equal_bins) {
    if (!std::is_sorted(values.begin(), values.end())) throw Error("histogram: the edges of the bins do not ascend");
    scale = static_cast<double>(count()) / (values.back() - values.front());
  }
  std::int64_t count() const { return static_cast<std::int64_t>(values.size()) - 1; }
  /// Returns the bin, or -1.
  std::int64_t find(double value) const {
    if (!(value >= values.front() && value <= values.back())) return -1;
    if (!equal) {
      const auto above = std::upper_bound(values.begin(), values.end(), value) - values.begin();
      return std::min(static_cast<std::int64_t>(above) - 1, count() - 1);
    }
    // The quotient is off by rounding at most; the edges decide.
    auto bin = std::min(static_cast<std::int64_t>((value - values.front()) * scale), count() - 1);
    while (bin > 0 && value < values[static_cast<std::size_t>(bin)]) --bin;
    while (bin + 1 < count() && value >= values[static_cast<std::size_t>(bin + 1)]) ++bin;
    return bin;
  }
};

/// The counts of one chunk. Inputs: the coordinates, the weights if there are any, the edges.
struct CountInBins {
  static constexpr const char* kName = "histogram";
  static constexpr bool kAssembles = false;
  static constexpr bool kTakesDeferred = true;
  Grid grid;
  /// For each dimension the number of bins, and whether they are equal.
  std::vector<std::int64_t> bins;
  std::vector<std::uint8_t> equal;
  bool weighted;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const Box box = expression::chunk_box(grid, out.start[0]);
    std::uint32_t input = 0;
    for (; input < bins.size() + (weighted ? 1 : 0); ++input) needs.push_back({input, box, {}});
    for (const std::int64_t count : bins) needs.push_back(ops::vector_need(input++, 0, count + 1));
  }
  void run(const ChunkWork& work) const {
    if (work.output.dtype == int64) {
      count<std::int64_t>(work);
    } else {
      count<double>(work);
    }
  }
  template <class W>
  void count(const ChunkWork& work) const {
    const std::size_t dimensions = bins.size();
    std::int64_t all = 1;
    for (const std::int64_t one : bins) all *= one;
    W* const counts = reinterpret_cast<W*>(work.output.data);
    std::fill(counts, counts + all, W{0});
    std::vector<std::int64_t> places;
    for (std::size_t d = 0; d < dimensions; ++d) {
      const Edges edges(work.inputs[dimensions + (weighted ? 1 : 0) + d], equal[d] != 0);
      const std::vector<double> values = elements_as<double>(work.inputs[d]);
      places.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::int64_t bin = edges.find(values[i]);
        places[i] = bin < 0 || places[i] < 0 ? -1 : places[i] * bins[d] + bin;
      }
    }
    if (weighted) {
      const std::vector<W> weights = elements_as<W>(work.inputs[dimensions]);
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i] >= 0) counts[places[i]] += weights[i];
      }
    } else {
      for (const std::int64_t place : places) {
        if (place >= 0) counts[place] += 1;
      }
    }
  }
};

struct Axis {
  Array edges;
  bool equal;
};

/// The edges of one dimension, given or to be found.
Axis edges_of(const char* operation, const Array& values, const Bins& bins, const std::optional<Range>& range,
              const std::source_location& where) {
  const auto fail = [&](const std::string& text) -> Axis { throw Error(at_line(operation, where) + text); };
  if (const auto* const given = std::get_if<Array>(&bins.value())) {
    if (given->ndim() != 1 || (given->shape()[0] >= 0 && given->shape()[0] < 2)) {
      return fail("the edges have the shape " + given->shape().text() + "; they are two or more numbers");
    }
    ops::require_known(*given->node(), operation, where);
    return {*given, false};
  }
  if (const auto* const given = std::get_if<std::vector<double>>(&bins.value())) {
    if (given->size() < 2) return fail("a bin has two edges: " + std::to_string(given->size()) + " are given");
    if (!std::is_sorted(given->begin(), given->end())) return fail("the edges of the bins do not ascend");
    return {from_ndarray(NDArray::of(*given), -1, where), false};
  }
  const std::int64_t count = std::get<std::int64_t>(bins.value());
  if (count < 1) return fail(std::to_string(count) + " bins: there is one at least");
  BinEdges edges{count, 0, 1, true};
  std::vector<Array> inputs;
  if (range) {
    std::tie(edges.first, edges.last) = *range;
    if (!std::isfinite(edges.first) || !std::isfinite(edges.last) || edges.first > edges.last) {
      return fail("the range reaches from " + std::to_string(edges.first) + " to " + std::to_string(edges.last));
    }
  } else if (!expression::known(values.node()->grid) || values.size() != 0) {
    edges.given = false;
    inputs = {min(values, {}, where), max(values, {}, where)};
  }
  const Dtype type = values.dtype() == float32 ? float32 : float64;
  return {structural(edges, inputs, type, {AxisGrid::whole(count + 1)}, where), true};
}

/// The counts as a vector, all dimensions in one.
Array count_all(const std::vector<Array>& coordinates, const std::vector<Axis>& axes,
                const std::optional<Array>& weights, Dtype type, const std::source_location& where) {
  const Grid& grid = coordinates[0].node()->grid;
  CountInBins counting{grid, {}, {}, weights.has_value()};
  std::vector<Array> inputs;
  for (const Array& one : coordinates) {
    inputs.push_back(Array(ops::rechunk_to(one.node(), grid, where)));
  }
  if (weights) inputs.push_back(Array(ops::rechunk_to(weights->astype(type, where).node(), grid, where)));
  std::int64_t all = 1;
  for (const Axis& axis : axes) {
    inputs.push_back(axis.edges);
    counting.bins.push_back(axis.edges.shape()[0] - 1);
    counting.equal.push_back(axis.equal ? 1 : 0);
    all *= counting.bins.back();
  }
  const Grid counts{AxisGrid::regular(expression::chunk_count(grid), 1), AxisGrid::whole(all)};
  return sum(structural(std::move(counting), inputs, type, counts, where), {.axis = 0}, where);
}

void require_same_shape(const char* operation, const char* what, const Array& one, const Array& other,
                        const std::source_location& where) {
  if (one.shape() == other.shape()) return;
  throw Error(at_line(operation, where) + what + " have the shape " + other.shape().text() + ", the elements " +
              one.shape().text());
}

void require_real(const char* operation, const Array& array, const std::source_location& where) {
  if (!array.dtype().is_complex() && !array.dtype().is_time()) return;
  throw Error(at_line(operation, where) + "is not defined for " + array.dtype().name());
}

Array widths_of(const Array& edges) { return edges(slice(1, none)) - edges(slice(none, -1)); }

}  // namespace

Histogram histogram(const Array& array, const Bins& bins, const HistogramOptions& options,
                    const std::source_location& where) {
  require_real("histogram", array, where);
  const Axis axis = edges_of("histogram", array, bins, options.range, where);
  Dtype type = int64;
  if (options.weights) {
    require_same_shape("histogram", "the weights", array, *options.weights, where);
    require_real("histogram", *options.weights, where);
    if (options.weights->dtype().is_floating()) type = float64;
  }
  Array counts = count_all({array}, {axis}, options.weights, type, where);
  if (options.density) {
    counts = counts / widths_of(axis.edges).astype(float64, where) / sum(counts, {}, where);
  } else if (options.weights && !options.weights->dtype().is_bool()) {
    counts = counts.astype(options.weights->dtype(), where);
  }
  return {counts, axis.edges};
}

Histogramdd histogramdd(const std::vector<Array>& coordinates, const std::vector<Bins>& bins,
                        const HistogramddOptions& options, const std::source_location& where) {
  const std::size_t dimensions = coordinates.size();
  if (dimensions == 0) throw Error(at_line("histogramdd", where) + "there are no coordinates");
  if (bins.size() != 1 && bins.size() != dimensions) {
    throw Error(at_line("histogramdd", where) + "there are " + std::to_string(dimensions) + " dimensions and " +
                std::to_string(bins.size()) + " bins: give one for all, or one for each");
  }
  if (!options.range.empty() && options.range.size() != dimensions) {
    throw Error(at_line("histogramdd", where) + "there are " + std::to_string(dimensions) + " dimensions and " +
                std::to_string(options.range.size()) + " ranges: give one for each");
  }
  std::vector<Axis> axes;
  Histogramdd result;
  Shape shape;
  for (std::size_t d = 0; d < dimensions; ++d) {
    require_real("histogramdd", coordinates[d], where);
    require_same_shape("histogramdd", "further coordinates", coordinates[0], coordinates[d], where);
    std::optional<Range> range;
    if (!options.range.empty()) range = options.range[d];
    axes.push_back(edges_of("histogramdd", coordinates[d], bins[bins.size() == 1 ? 0 : d], range, where));
    result.edges.push_back(axes.back().edges);
    shape.push_back(axes.back().edges.shape()[0] - 1);
  }
  if (options.weights) {
    require_same_shape("histogramdd", "the weights", coordinates[0], *options.weights, where);
    require_real("histogramdd", *options.weights, where);
  }
  result.counts = reshape(count_all(coordinates, axes, options.weights, float64, where), shape, where);
  if (options.density) {
    Array density = result.counts / sum(result.counts, {}, where);
    for (std::size_t d = 0; d < dimensions; ++d) {
      Shape along;
      for (std::size_t axis = 0; axis < dimensions; ++axis) along.push_back(axis == d ? shape[d] : 1);
      density = density / reshape(widths_of(axes[d].edges).astype(float64, where), along, where);
    }
    result.counts = density;
  }
  return result;
}

Histogram2d histogram2d(const Array& x, const Array& y, const Bins& x_bins, const Bins& y_bins,
                        const HistogramddOptions& options, const std::source_location& where) {
  const Histogramdd both = histogramdd({x, y}, {x_bins, y_bins}, options, where);
  return {both.counts, both.edges[0], both.edges[1]};
}

Histogram2d histogram2d(const Array& x, const Array& y, const Bins& bins, const HistogramddOptions& options,
                        const std::source_location& where) {
  return histogram2d(x, y, bins, bins, options, where);
}

}  // namespace weft::arrays
