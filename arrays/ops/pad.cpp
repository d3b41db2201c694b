#include <weft/ops/pad.hpp>

#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using Where = std::source_location;

/// Elements [first, first + count) of an axis.
Array part(const Array& array, std::size_t axis, std::int64_t first, std::int64_t count, const Where& where) {
  std::vector<Index> index(axis, Index(slice()));
  index.emplace_back(slice(first, first + count));
  return array.at(index, where);
}

Array beside(std::vector<Array> parts, std::size_t axis, const Where& where) {
  std::erase_if(parts, [axis](const Array& one) { return one.shape()[axis] == 0; });
  return parts.size() == 1 ? parts[0] : concatenate(parts, static_cast<int>(axis), where);
}

/// As the array, but `count` long along the axis.
Shape with_extent(const Array& array, std::size_t axis, std::int64_t count) {
  Shape shape = array.shape();
  shape[axis] = count;
  return shape;
}

Array constant(const Array& array, std::size_t axis, std::int64_t count, const Scalar& value, const Where& where) {
  std::vector<AxisChunks> chunks;
  for (const auto& sizes : array.chunks()) chunks.emplace_back(sizes);
  chunks[axis] = AxisChunks(AxisChunks::kWhole);
  return full(with_extent(array, axis, count), value, {.dtype = array.dtype(), .chunks = Chunks(chunks)}, where);
}

/// The place of the axis that is seen at `place`, which may lie outside of it.
std::int64_t seen_at(PadMode mode, std::int64_t place, std::int64_t extent) {
  const auto modulo = [](std::int64_t a, std::int64_t b) { return ((a % b) + b) % b; };
  if (mode == PadMode::Wrap) return modulo(place, extent);
  if (mode == PadMode::Edge || extent == 1) return std::clamp<std::int64_t>(place, 0, extent - 1);
  const std::int64_t period = mode == PadMode::Reflect ? 2 * (extent - 1) : 2 * extent;
  const std::int64_t at = modulo(place, period);
  if (at < extent) return at;
  return mode == PadMode::Reflect ? period - at : period - 1 - at;
}

Array moved(const Array& array, std::size_t axis, PadMode mode, std::int64_t before, std::int64_t after,
            const Where& where) {
  const std::int64_t extent = array.shape()[axis];
  std::vector<std::int64_t> left, right;
  for (std::int64_t place = -before; place < 0; ++place) left.push_back(seen_at(mode, place, extent));
  for (std::int64_t place = 0; place < after; ++place) right.push_back(seen_at(mode, extent + place, extent));
  const int along = static_cast<int>(axis);
  return beside({take(array, left, along, where), array, take(array, right, along, where)}, axis, where);
}

/// Turned around the edge's value; as long as there is something to reflect, so several times for wide margins.
Array reflected_oddly(Array array, std::size_t axis, PadMode mode, std::int64_t before, std::int64_t after,
                      const Where& where) {
  const std::int64_t skip = mode == PadMode::Reflect ? 1 : 0;
  const std::int64_t most = array.shape()[axis] - skip;
  if (most <= 0) return moved(array, axis, PadMode::Edge, before, after, where);
  while (before > 0 || after > 0) {
    const std::int64_t extent = array.shape()[axis];
    const std::int64_t left = std::min(before, most), right = std::min(after, most);
    const auto turned = [&](std::int64_t first, std::int64_t count, std::int64_t edge) {
      const Array seen = flip(part(array, axis, first, count, where), static_cast<int>(axis), where);
      return (2 * part(array, axis, edge, 1, where) - seen).astype(array.dtype(), where);
    };
    const Array head = turned(skip, left, 0);
    const Array tail = turned(extent - skip - right, right, extent - 1);
    array = beside({head, array, tail}, axis, where);
    before -= left;
    after -= right;
  }
  return array;
}

/// From `end` at the outside to the edge's value, which is not repeated.
Array ramp(const Array& array, std::size_t axis, std::int64_t edge, std::int64_t count, double end,
           const Where& where) {
  const Array line = arange(static_cast<double>(count), CreateOptions{.chunks = Chunks(AxisChunks::kWhole)}, where);
  Shape shape(std::vector<std::int64_t>(array.ndim(), 1));
  shape[axis] = count;
  const Array to = part(array, axis, edge, 1, where);
  const Array step = (to - end) / static_cast<double>(std::max<std::int64_t>(1, count));
  Array values = reshape(line, shape, where) * step + end;
  if (array.dtype().is_integer()) values = floor(values);
  return values.astype(array.dtype(), where);
}

Array statistic(const Array& array, std::size_t axis, const PadOptions& options, bool front, std::int64_t count,
                const Where& where) {
  const std::int64_t extent = array.shape()[axis];
  const std::int64_t length = options.stat_length > 0 ? std::min(options.stat_length, extent) : extent;
  const Array seen = part(array, axis, front ? 0 : extent - length, length, where);
  const ReduceOptions along{.axis = static_cast<int>(axis), .keepdims = true};
  Array value;
  if (options.mode == PadMode::Maximum) {
    value = max(seen, along, where);
  } else if (options.mode == PadMode::Minimum) {
    value = min(seen, along, where);
  } else {
    value = mean(seen, along, where);
    if (array.dtype().is_integer()) value = rint(value);
  }
  return broadcast_to(value.astype(array.dtype(), where), with_extent(array, axis, count), where);
}

Array padded(const Array& array, std::size_t axis, std::pair<std::int64_t, std::int64_t> width,
             const PadOptions& options, const Where& where) {
  const auto [before, after] = width;
  const std::int64_t extent = array.shape()[axis];
  switch (options.mode) {
    case PadMode::Constant:
    case PadMode::Empty: {
      const bool each = axis < options.values.size();
      const Scalar left = each ? options.values[axis].first : options.value;
      const Scalar right = each ? options.values[axis].second : options.value;
      return beside({constant(array, axis, before, left, where), array, constant(array, axis, after, right, where)},
                    axis, where);
    }
    case PadMode::Reflect:
    case PadMode::Symmetric:
      if (options.odd) return reflected_oddly(array, axis, options.mode, before, after, where);
      return moved(array, axis, options.mode, before, after, where);
    case PadMode::Edge:
    case PadMode::Wrap:
      return moved(array, axis, options.mode, before, after, where);
    case PadMode::LinearRamp: {
      const auto [left, right] = axis < options.end_values.size() ? options.end_values[axis] : std::pair(0.0, 0.0);
      const Array tail = flip(ramp(array, axis, extent - 1, after, right, where), static_cast<int>(axis), where);
      return beside({ramp(array, axis, 0, before, left, where), array, tail}, axis, where);
    }
    case PadMode::Maximum:
    case PadMode::Minimum:
    case PadMode::Mean:
      return beside({statistic(array, axis, options, true, before, where), array,
                     statistic(array, axis, options, false, after, where)},
                    axis, where);
  }
  return array;
}

}  // namespace

Array pad(const Array& array, const std::vector<std::pair<std::int64_t, std::int64_t>>& width,
          const PadOptions& options, const std::source_location& where) {
  if (width.size() != array.ndim()) {
    throw Error(ops::at_line("pad", where) + "widths for " + std::to_string(width.size()) +
                " axes were given for an array of shape " + array.shape().text());
  }
  Array result = array;
  for (std::size_t axis = 0; axis < width.size(); ++axis) {
    if (width[axis].first < 0 || width[axis].second < 0) {
      throw Error(ops::at_line("pad", where) + "the width of axis " + std::to_string(axis) + " is negative");
    }
    if (width[axis].first == 0 && width[axis].second == 0) continue;
    const bool moves = options.mode != PadMode::Constant && options.mode != PadMode::Empty;
    if (moves && array.shape()[axis] == 0) {
      throw Error(ops::at_line("pad", where) + "axis " + std::to_string(axis) + " of shape " + array.shape().text() +
                  " is empty: only the modes Constant and Empty can make it longer");
    }
    result = padded(result, axis, width[axis], options, where);
  }
  return result;
}

Array pad(const Array& array, std::int64_t width, const PadOptions& options, const std::source_location& where) {
  return pad(array, std::vector<std::pair<std::int64_t, std::int64_t>>(array.ndim(), {width, width}), options, where);
}

}  // namespace weft::arrays
