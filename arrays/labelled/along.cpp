// Operations along one dimension: moving, differences, running sums, slopes, integrals.
#include "arrays/labelled/calendar.hpp"
#include "arrays/labelled/operations.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::labelled {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A part of an axis.
arrays::Array part(const arrays::Array& data, std::size_t axis, slice places, const Where& where) {
  std::vector<arrays::Index> index(axis, arrays::Index(slice()));
  index.emplace_back(places);
  return data.at(index, where);
}

Shape with_extent(const arrays::Array& data, std::size_t axis, std::int64_t extent) {
  Shape shape = data.shape();
  shape[axis] = extent;
  return shape;
}

/// The second array in the chunks of the first, which has its shape.
arrays::Array in_chunks_of(const arrays::Array& like, const arrays::Array& data, const Where& where) {
  return arrays::Array(arrays::ops::rechunk_to(data.node(), like.node()->grid, where));
}

/// Half of what each place stands for along the axis, in all: the weights of the trapezoidal rule.
std::vector<double> trapezoids(const std::vector<double>& x) {
  std::vector<double> weights(x.size(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    weights[i] += (x[i + 1] - x[i]) / 2;
    weights[i + 1] += (x[i + 1] - x[i]) / 2;
  }
  return weights;
}

}  // namespace

LabelledArray with_labels(const LabelledArray& of, arrays::Array data, const std::string& dim,
                          std::optional<Coordinate> labels) {
  LabelledArray::Coordinates coordinates = of.coordinates();
  coordinates.erase(dim);
  if (labels) coordinates[dim] = *std::move(labels);
  return {std::move(data), of.dims(), std::move(coordinates), of.name(), of.attributes()};
}

arrays::Array floating(const arrays::Array& data, const Where& where) {
  const Dtype type = data.dtype();
  if (type.is_floating() || type.is_complex()) return data;
  if (type.is_time()) throw Error("times have no NaN");
  return data.astype(type.is_bool() || type.size() > 2 ? float64 : float32, where);
}

arrays::Array along(const std::vector<double>& values, const arrays::Array& like, std::size_t axis,
                    const Where& where) {
  Shape shape(std::vector<std::int64_t>(like.ndim(), 1));
  shape[axis] = static_cast<std::int64_t>(values.size());
  return arrays::from_ndarray(NDArray::of(values, shape), AxisChunks::kWhole, where);
}

std::vector<double> positions(const LabelledArray& array, const std::string& dim, const std::string& unit) {
  array.axis(dim);
  const auto found = array.coordinates().find(dim);
  if (found == array.coordinates().end() || (found->second.size() > 0 && found->second.numbers().empty())) {
    throw Error("'" + array.name() + "' has no numbers or times as labels along '" + dim + "'");
  }
  if (!found->second.is_time()) return found->second.numbers();
  static const std::pair<const char*, double> kUnits[] = {{"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"D", 8.64e7}};
  for (const auto& [name, milliseconds] : kUnits) {
    if (unit != name) continue;
    std::vector<double> out;
    for (const std::int64_t instant : found->second.instants()) {
      out.push_back(static_cast<double>(instant - found->second.instants()[0]) / milliseconds);
    }
    return out;
  }
  throw Error("'" + unit + "' is no unit of times here; there are s, m, h, D");
}

LabelledArray shift(const LabelledArray& array, const std::string& dim, std::int64_t by, const ShiftOptions& options,
                    const Where& where) {
  const std::size_t axis = array.axis(dim);
  const std::int64_t extent = array.extent(dim);
  const arrays::Array data = options.fill ? array.data() : floating(array.data(), where);
  const std::int64_t moved = std::clamp(by, -extent, extent);
  if (moved == 0) return with_data(array, data);
  const arrays::Array come = arrays::full(with_extent(data, axis, std::abs(moved)), options.fill.value_or(Scalar(kNan)),
                                          {.dtype = data.dtype(), .chunks = AxisChunks::kWhole}, where);
  const arrays::Array stay =
      moved > 0 ? part(data, axis, slice(0, extent - moved), where) : part(data, axis, slice(-moved, extent), where);
  const arrays::Array both =
      arrays::concatenate(moved > 0 ? std::vector<arrays::Array>{come, stay} : std::vector<arrays::Array>{stay, come},
                          static_cast<int>(axis), where);
  return with_data(array, in_chunks_of(data, both, where));
}

LabelledArray roll(const LabelledArray& array, const std::string& dim, std::int64_t by, bool labels_too,
                   const Where& where) {
  const arrays::Array data = arrays::roll(array.data(), by, axis_of(array, dim), where);
  const auto labels = array.coordinates().find(dim);
  if (!labels_too || labels == array.coordinates().end()) return with_data(array, data);
  const auto extent = static_cast<std::int64_t>(labels->second.size());
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < extent; ++i) places.push_back((((i - by) % extent) + extent) % extent);
  return with_labels(array, data, dim, labels->second.at(places));
}

LabelledArray diff(const LabelledArray& array, const std::string& dim, const DiffLabelsOptions& options,
                   const Where& where) {
  if (options.times < 0) throw Error("differences cannot be taken " + std::to_string(options.times) + " times");
  const arrays::Array data = arrays::diff(array.data(), options.times, axis_of(array, dim), {}, where);
  const auto labels = array.coordinates().find(dim);
  if (labels == array.coordinates().end()) return with_data(array, data);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < data.shape()[array.axis(dim)]; ++i) {
    // As in xarray, each difference but the first has the label of its later place.
    places.push_back(i + (options.upper_label ? options.times : std::max(0, options.times - 1)));
  }
  return with_labels(array, data, dim, labels->second.at(places));
}

LabelledArray pad(const LabelledArray& array, const std::string& dim, std::int64_t before, std::int64_t after,
                  const PadLabelsOptions& options, const Where& where) {
  const bool missing = options.mode == PadMode::Constant && !options.value;
  const arrays::Array data = missing ? floating(array.data(), where) : array.data();
  std::vector<std::pair<std::int64_t, std::int64_t>> width(data.ndim(), {0, 0});
  width[array.axis(dim)] = {before, after};
  arrays::PadOptions how;
  how.mode = options.mode;
  how.value = options.value.value_or(Scalar(missing ? kNan : 0.0));
  const arrays::Array wide = arrays::pad(data, width, how, where);
  const auto labels = array.coordinates().find(dim);
  if (labels == array.coordinates().end()) return with_data(array, wide);
  const bool repeats = options.mode == PadMode::Edge || options.mode == PadMode::Reflect ||
                       options.mode == PadMode::Symmetric || options.mode == PadMode::Wrap;
  if (!repeats) {
    if (labels->second.is_time() || labels->second.numbers().empty()) return with_labels(array, wide, dim, {});
    std::vector<double> numbers(static_cast<std::size_t>(before), kNan);
    numbers.insert(numbers.end(), labels->second.numbers().begin(), labels->second.numbers().end());
    numbers.resize(numbers.size() + static_cast<std::size_t>(after), kNan);
    return with_labels(array, wide, dim, Coordinate::of_numbers(dim, std::move(numbers), labels->second.attributes()));
  }
  // Places go the way of the values.
  std::vector<std::int64_t> places;
  const auto extent = static_cast<std::int64_t>(labels->second.size());
  for (std::int64_t i = -before; i < extent + after; ++i) {
    const auto wrapped = [](std::int64_t at, std::int64_t period) { return ((at % period) + period) % period; };
    if (options.mode == PadMode::Edge) {
      places.push_back(std::clamp<std::int64_t>(i, 0, extent - 1));
    } else if (options.mode == PadMode::Wrap) {
      places.push_back(wrapped(i, extent));
    } else if (options.mode == PadMode::Symmetric) {
      const std::int64_t at = wrapped(i, 2 * extent);
      places.push_back(at < extent ? at : 2 * extent - 1 - at);
    } else {
      const std::int64_t at = wrapped(i, std::max<std::int64_t>(1, 2 * extent - 2));
      places.push_back(at < extent ? at : 2 * extent - 2 - at);
    }
  }
  return with_labels(array, wide, dim, labels->second.at(places));
}

LabelledArray cumulate(const LabelledArray& array, const std::string& dim, bool product, bool skipna,
                       const Where& where) {
  const arrays::ReduceOptions options{.axis = axis_of(array, dim)};
  const arrays::Array& data = array.data();
  const bool skip = skipna && (data.dtype().is_floating() || data.dtype().is_complex());
  if (product) {
    return with_data(array, skip ? arrays::nancumprod(data, options, where) : arrays::cumprod(data, options, where));
  }
  return with_data(array, skip ? arrays::nancumsum(data, options, where) : arrays::cumsum(data, options, where));
}

LabelledArray differentiate(const LabelledArray& array, const std::string& dim, const SlopeOptions& options,
                            const Where& where) {
  arrays::GradientOptions how;
  how.axis = axis_of(array, dim);
  how.spacing = {positions(array, dim, options.unit)};
  how.edge_order = options.edge_order;
  return with_data(array, arrays::gradient(array.data(), how, where).front());
}

LabelledArray integrate(const LabelledArray& array, const std::string& dim, const SlopeOptions& options, bool running,
                        const Where& where) {
  const std::vector<double> x = positions(array, dim, options.unit);
  const std::size_t axis = array.axis(dim);
  const arrays::Array data = floating(array.data(), where);
  if (!running) {
    const arrays::Array sum =
        arrays::sum(data * along(trapezoids(x), data, axis, where), static_cast<int>(axis), where);
    std::vector<std::string> dims = array.dims();
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    return {sum, std::move(dims), array.coordinates(), array.name(), array.attributes()};
  }
  // Zero, and then the trapezoid that ends at each place.
  std::vector<double> half(x.size(), 0.0);
  for (std::size_t i = 1; i < x.size(); ++i) half[i] = (x[i] - x[i - 1]) / 2;
  const LabelledArray before = shift(with_data(array, data), dim, 1, {.fill = Scalar(0.0)}, where);
  const arrays::Array pieces = (data + before.data()) * along(half, data, axis, where);
  const arrays::Array begin = part(data, axis, slice(0, 1), where);
  // The first trapezoid is nothing, whatever the first value is.
  const arrays::Array from_zero = arrays::concatenate(
      {arrays::zeros_like(begin, where), part(pieces, axis, slice(1, none), where)}, static_cast<int>(axis), where);
  return with_data(array, arrays::cumsum(in_chunks_of(data, from_zero, where),
                                         arrays::ReduceOptions{.axis = static_cast<int>(axis)}, where));
}

}  // namespace weft::labelled
