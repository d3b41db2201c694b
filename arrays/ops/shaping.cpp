// Shapes that follow from other operations: nothing here has a kernel of its own.
#include <weft/ops/shaping.hpp>

#include "arrays/ops/apply.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <numeric>

namespace weft::arrays {
namespace {

using Where = std::source_location;

/// `where`, which is also how the line of a call is named here.
Array pick(const Operand& condition, const Operand& yes, const Operand& no) { return where(condition, yes, no); }

std::size_t axis_of(const char* call, const Array& array, int axis, const Where& where) {
  try {
    return static_cast<std::size_t>(Axes(axis).resolve(static_cast<int>(array.ndim()))[0]);
  } catch (const Error& error) {
    throw Error(ops::at_line(call, where) + error.what());
  }
}

Array part(const Array& array, std::size_t axis, slice places, const Where& where) {
  std::vector<Index> index(axis, Index(slice()));
  index.emplace_back(places);
  return array.at(index, where);
}

Array raised(const Array& array, std::size_t ndim, const Where& where) {
  Array result = array;
  while (result.ndim() < ndim) result = expand_dims(result, 0, where);
  return result;
}

void require_some(const char* call, std::size_t count, const Where& where) {
  if (count == 0) throw Error(ops::at_line(call, where) + "needs at least one array");
}

template <class Raise>
Array stacked(const char* call, const std::vector<Array>& arrays, int axis, const Raise& raise, const Where& where) {
  require_some(call, arrays.size(), where);
  std::vector<Array> parts;
  for (const Array& one : arrays) parts.push_back(raise(one));
  // Vectors side by side lie along their only axis.
  return concatenate(parts, parts[0].ndim() == 1 ? 0 : axis, where);
}

int depth_of(const Blocks& blocks) {
  if (!blocks.is_list()) return 0;
  int depth = 0;
  for (const Blocks& one : blocks.parts()) depth = std::max(depth, depth_of(one));
  return depth + 1;
}

std::size_t dimensions_of(const Blocks& blocks) {
  if (!blocks.is_list()) return blocks.array().ndim();
  std::size_t most = 0;
  for (const Blocks& one : blocks.parts()) most = std::max(most, dimensions_of(one));
  return most;
}

Array joined(const Blocks& blocks, int level, int depth, std::size_t ndim, const Where& where) {
  if (!blocks.is_list()) {
    if (level != depth) throw Error(ops::at_line("block", where) + "the lists are not nested equally deep everywhere");
    return raised(blocks.array(), ndim, where);
  }
  if (blocks.parts().empty()) throw Error(ops::at_line("block", where) + "a list is empty");
  std::vector<Array> parts;
  for (const Blocks& one : blocks.parts()) parts.push_back(joined(one, level + 1, depth, ndim, where));
  return concatenate(parts, level - depth, where);
}

/// Returns the indices along an axis as an array that broadcasts against one of `chunks`' shape.
Array line_along(const std::vector<std::int64_t>& sizes, std::size_t axis, std::size_t ndim, const Where& where) {
  const std::int64_t extent = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  Array line = arange(extent, CreateOptions{.chunks = Chunks(std::vector<AxisChunks>{AxisChunks(sizes)})}, where);
  for (std::size_t after = axis + 1; after < ndim; ++after) line = expand_dims(line, -1, where);
  return line;
}

Array triangle(const char* call, const Array& array, std::int64_t k, bool lower, const Where& where) {
  if (array.ndim() < 2) throw Error(ops::at_line(call, where) + "needs an array of two dimensions or more");
  const std::size_t ndim = array.ndim();
  const auto chunks = array.chunks();
  const Array rows = line_along(chunks[ndim - 2], ndim - 2, ndim, where);
  const Array columns = line_along(chunks[ndim - 1], ndim - 1, ndim, where);
  const Array inside = lower ? columns - rows <= k : columns - rows >= k;
  return pick(inside, array, Scalar(Scalar(0), array.dtype()));
}

}  // namespace

Array atleast_1d(const Array& array, const std::source_location& where) { return raised(array, 1, where); }
Array atleast_2d(const Array& array, const std::source_location& where) { return raised(array, 2, where); }
Array atleast_3d(const Array& array, const std::source_location& where) {
  const Array two = atleast_2d(array, where);
  return two.ndim() == 2 ? expand_dims(two, 2, where) : two;
}

Array vstack(const std::vector<Array>& arrays, const std::source_location& where) {
  return stacked(
      "vstack", arrays, 0, [&](const Array& one) { return atleast_2d(one, where); }, where);
}
Array hstack(const std::vector<Array>& arrays, const std::source_location& where) {
  return stacked(
      "hstack", arrays, 1, [&](const Array& one) { return atleast_1d(one, where); }, where);
}
Array dstack(const std::vector<Array>& arrays, const std::source_location& where) {
  return stacked(
      "dstack", arrays, 2, [&](const Array& one) { return atleast_3d(one, where); }, where);
}

Array block(const Blocks& blocks, const std::source_location& where) {
  const int depth = depth_of(blocks);
  const std::size_t ndim = std::max(static_cast<std::size_t>(depth), dimensions_of(blocks));
  return joined(blocks, 0, depth, ndim, where);
}

Array append(const Array& array, const Array& values, std::optional<int> axis, const std::source_location& where) {
  if (!axis) return concatenate({ravel(array, where), ravel(values, where)}, 0, where);
  if (array.ndim() != values.ndim()) {
    throw Error(ops::at_line("append", where) + "arrays of the shapes " + array.shape().text() + " and " +
                values.shape().text() + " have another number of dimensions");
  }
  return concatenate({array, values}, *axis, where);
}

namespace {

/// The values as an array that has the shape of the array but for `count` along the axis.
Array spread(const Array& array, const Operand& values, std::size_t axis, std::int64_t count, bool turn,
             const Where& where) {
  Array given = values.is_scalar() ? full(Shape(), values.scalar(), {.dtype = array.dtype()}, where)
                                   : values.array().astype(array.dtype(), where);
  given = raised(given, array.ndim(), where);
  if (turn) given = moveaxis(given, 0, static_cast<int>(axis), where);
  Shape shape = array.shape();
  shape[axis] = count < 0 ? given.shape()[axis] : count;
  return broadcast_to(given, shape, where);
}

std::int64_t resolved(const char* call, std::int64_t place, std::int64_t extent, std::int64_t most,
                      const Where& where) {
  const std::int64_t at = place < 0 ? place + extent : place;
  if (at < 0 || at > most) {
    throw Error(ops::at_line(call, where) + "place " + std::to_string(place) +
                " is out of bounds for an axis of extent " + std::to_string(extent));
  }
  return at;
}

}  // namespace

Array insert(const Array& array, std::int64_t place, const Operand& values, int axis,
             const std::source_location& where) {
  ops::require_known(*array.node(), "insert", where);
  const std::size_t along = axis_of("insert", array, axis, where);
  const std::int64_t extent = array.shape()[along];
  const std::int64_t at = resolved("insert", place, extent, extent, where);
  const Array between = spread(array, values, along, -1, true, where);
  return concatenate({part(array, along, slice(0, at), where), between, part(array, along, slice(at, none), where)},
                     static_cast<int>(along), where);
}

Array insert(const Array& array, const std::vector<std::int64_t>& places, const Operand& values, int axis,
             const std::source_location& where) {
  ops::require_known(*array.node(), "insert", where);
  const std::size_t along = axis_of("insert", array, axis, where);
  const std::int64_t extent = array.shape()[along];
  if (places.size() == 1) {
    // One place in a list takes as many values as there are.
    const std::int64_t at = resolved("insert", places[0], extent, extent, where);
    const Array between = spread(array, values, along, -1, false, where);
    return concatenate({part(array, along, slice(0, at), where), between, part(array, along, slice(at, none), where)},
                       static_cast<int>(along), where);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> order;
  for (std::size_t i = 0; i < places.size(); ++i) {
    order.emplace_back(resolved("insert", places[i], extent, extent, where), static_cast<std::int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const Array between = spread(array, values, along, static_cast<std::int64_t>(places.size()), false, where);
  std::vector<Array> parts;
  std::int64_t at = 0;
  for (const auto& [place, which] : order) {
    if (place > at) parts.push_back(part(array, along, slice(at, place), where));
    parts.push_back(part(between, along, slice(which, which + 1), where));
    at = place;
  }
  if (at < extent || parts.empty()) parts.push_back(part(array, along, slice(at, none), where));
  return concatenate(parts, static_cast<int>(along), where);
}

Array delete_(const Array& array, const std::vector<std::int64_t>& places, int axis,
              const std::source_location& where) {
  ops::require_known(*array.node(), "delete_", where);
  const std::size_t along = axis_of("delete_", array, axis, where);
  const std::int64_t extent = array.shape()[along];
  std::vector<std::int64_t> gone;
  for (const std::int64_t place : places) gone.push_back(resolved("delete_", place, extent, extent - 1, where));
  std::sort(gone.begin(), gone.end());
  gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
  std::vector<Array> kept;
  std::int64_t at = 0;
  for (const std::int64_t place : gone) {
    if (place > at) kept.push_back(part(array, along, slice(at, place), where));
    at = place + 1;
  }
  if (at < extent || kept.empty()) kept.push_back(part(array, along, slice(at, none), where));
  return kept.size() == 1 ? kept[0] : concatenate(kept, static_cast<int>(along), where);
}

Array delete_(const Array& array, slice places, int axis, const std::source_location& where) {
  ops::require_known(*array.node(), "delete_", where);
  const std::size_t along = axis_of("delete_", array, axis, where);
  const slice::Places on = ops::told("delete_", where, [&] { return places.on(array.shape()[along]); });
  std::vector<std::int64_t> gone;
  for (std::int64_t i = 0; i < on.count; ++i) gone.push_back(on.first + i * on.step);
  return delete_(array, gone, axis, where);
}

Array rot90(const Array& array, int turns, std::pair<int, int> axes, const std::source_location& where) {
  const auto first = static_cast<int>(axis_of("rot90", array, axes.first, where));
  const auto second = static_cast<int>(axis_of("rot90", array, axes.second, where));
  if (first == second) throw Error(ops::at_line("rot90", where) + "the two axes are the same");
  switch (((turns % 4) + 4) % 4) {
    case 1:
      return swapaxes(flip(array, second, where), first, second, where);
    case 2:
      return flip(array, {first, second}, where);
    case 3:
      return flip(swapaxes(array, first, second, where), second, where);
    default:
      return array;
  }
}

Array flipud(const Array& array, const std::source_location& where) {
  axis_of("flipud", array, 0, where);
  return flip(array, 0, where);
}
Array fliplr(const Array& array, const std::source_location& where) {
  axis_of("fliplr", array, 1, where);
  return flip(array, 1, where);
}

Array rollaxis(const Array& array, int axis, int start, const std::source_location& where) {
  const auto ndim = static_cast<int>(array.ndim());
  const auto from = static_cast<int>(axis_of("rollaxis", array, axis, where));
  int to = start < 0 ? start + ndim : start;
  if (to < 0 || to > ndim) {
    throw Error(ops::at_line("rollaxis", where) + "start " + std::to_string(start) +
                " is out of range for an array of " + std::to_string(ndim) + " dimensions");
  }
  if (from < to) --to;
  return from == to ? array : moveaxis(array, from, to, where);
}

Array roll(const Array& array, std::int64_t shift, const std::source_location& where) {
  return reshape(roll(ravel(array, where), shift, 0, where), array.shape(), where);
}
Array roll(const Array& array, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes,
           const std::source_location& where) {
  if (shifts.size() != axes.size()) {
    throw Error(ops::at_line("roll", where) + std::to_string(shifts.size()) + " shifts were given for " +
                std::to_string(axes.size()) + " axes");
  }
  Array rolled = array;
  for (std::size_t i = 0; i < axes.size(); ++i) rolled = roll(rolled, shifts[i], axes[i], where);
  return rolled;
}

Array repeat(const Array& array, const std::vector<std::int64_t>& counts, int axis, const std::source_location& where) {
  const std::size_t along = axis_of("repeat", array, axis, where);
  if (static_cast<std::int64_t>(counts.size()) != array.shape()[along]) {
    throw Error(ops::at_line("repeat", where) + std::to_string(counts.size()) +
                " counts were given for an axis of extent " + std::to_string(array.shape()[along]));
  }
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) throw Error(ops::at_line("repeat", where) + "a count is negative");
    places.insert(places.end(), static_cast<std::size_t>(counts[i]), static_cast<std::int64_t>(i));
  }
  return take(array, places, axis, where);
}

Array shuffle(const Array& array, const std::vector<std::vector<std::int64_t>>& chunks, int axis,
              const std::source_location& where) {
  const std::size_t along = axis_of("shuffle", array, axis, where);
  std::vector<std::int64_t> places, sizes;
  for (const auto& one : chunks) {
    places.insert(places.end(), one.begin(), one.end());
    sizes.push_back(static_cast<std::int64_t>(one.size()));
  }
  const Array taken = take(array, places, axis, where);
  std::vector<AxisChunks> cut;
  for (const auto& axis_sizes : taken.chunks()) cut.emplace_back(axis_sizes);
  cut[along] = AxisChunks(sizes);
  return rechunk(taken, Chunks(cut), where);
}

Array compress(const std::vector<bool>& condition, const Array& array, int axis, const std::source_location& where) {
  const std::size_t along = axis_of("compress", array, axis, where);
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < condition.size(); ++i) {
    if (!condition[i]) continue;
    places.push_back(
        resolved("compress", static_cast<std::int64_t>(i), array.shape()[along], array.shape()[along] - 1, where));
  }
  return take(array, places, axis, where);
}

std::vector<Array> broadcast_arrays(const std::vector<Array>& arrays, const std::source_location& where) {
  std::vector<ops::NodePointer> nodes;
  for (const Array& one : arrays) nodes.push_back(one.node());
  const ops::Grid grid = nodes.empty() ? ops::Grid() : ops::broadcast_grid(nodes, "broadcast_arrays");
  std::vector<Array> result;
  for (const ops::NodePointer& node : nodes) result.emplace_back(expression::broadcast_to_grid(node, grid, where));
  return result;
}

std::vector<Array> unify_chunks(const std::vector<Array>& arrays, const std::source_location& where) {
  std::vector<ops::NodePointer> nodes;
  for (const Array& one : arrays) nodes.push_back(one.node());
  const ops::Grid grid = nodes.empty() ? ops::Grid() : ops::broadcast_grid(nodes, "unify_chunks");
  std::vector<Array> result;
  for (const Array& one : arrays) {
    std::vector<AxisChunks> cut;
    const std::size_t shift = grid.size() - one.ndim();
    for (std::size_t axis = 0; axis < one.ndim(); ++axis) {
      const bool follows = one.shape()[axis] == grid[axis + shift].extent();
      cut.emplace_back(follows ? grid[axis + shift].sizes() : one.chunks()[axis]);
    }
    result.push_back(one.ndim() == 0 ? one : rechunk(one, Chunks(cut), where));
  }
  return result;
}

std::vector<std::vector<std::int64_t>> normalize_chunks(const Chunks& chunks, const Shape& shape, Dtype dtype) {
  std::vector<std::vector<std::int64_t>> sizes;
  for (const auto& axis : expression::make_grid(shape, chunks, dtype.size())) sizes.push_back(axis.sizes());
  return sizes;
}

std::vector<Array> meshgrid(const std::vector<Array>& vectors, Indexing indexing, bool sparse,
                            const std::source_location& where) {
  const std::size_t ndim = vectors.size();
  std::vector<Array> lines;
  for (std::size_t i = 0; i < ndim; ++i) {
    const Array flat = vectors[i].ndim() == 1 ? vectors[i] : ravel(vectors[i], where);
    // With xy indexing the first two axes change places.
    const std::size_t axis = indexing == Indexing::xy && ndim > 1 && i < 2 ? 1 - i : i;
    std::vector<Index> index(ndim, Index(newaxis));
    index[axis] = slice();
    lines.push_back(flat.at(index, where));
  }
  return sparse ? lines : broadcast_arrays(lines, where);
}

Array indices(const Shape& shape, const CreateOptions& options, const std::source_location& where) {
  std::vector<Array> each;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    each.push_back(indices(shape, static_cast<int>(axis), options, where));
  }
  if (each.empty()) return full(Shape(0), Scalar(0), {.dtype = options.dtype.value_or(int64)}, where);
  return stack(each, 0, where);
}

Array fromfunction(const std::function<Array(const std::vector<Array>&)>& function, const Shape& shape,
                   const CreateOptions& options, const std::source_location& where) {
  CreateOptions places = options;
  places.dtype = options.dtype.value_or(float64);
  std::vector<Array> each;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    each.push_back(indices(shape, static_cast<int>(axis), places, where));
  }
  return function(each);
}

Array tril(const Array& array, std::int64_t k, const std::source_location& where) {
  return triangle("tril", array, k, true, where);
}
Array triu(const Array& array, std::int64_t k, const std::source_location& where) {
  return triangle("triu", array, k, false, where);
}

Array diag(const Array& array, std::int64_t k, const std::source_location& where) {
  if (array.ndim() == 2) return diagonal(array, k, where);
  if (array.ndim() != 1) {
    throw Error(ops::at_line("diag", where) + "needs a vector or a matrix, not an array of shape " +
                array.shape().text());
  }
  const std::int64_t margin = std::abs(k);
  Array line = array;
  if (margin > 0)
    line = concatenate({array, full(Shape(margin), Scalar(0), {.dtype = array.dtype()}, where)}, 0, where);
  const auto sizes = line.chunks()[0];
  const Array rows = line_along(sizes, 0, 2, where);
  const Array columns = line_along(sizes, 1, 2, where);
  // Above the diagonal the row tells the element, below it the column.
  const Array values = k >= 0 ? expand_dims(line, 1, where) : line;
  return pick(columns - rows == k, values, Scalar(Scalar(0), array.dtype()));
}

Array piecewise(const Array& x, const std::vector<Array>& conditions,
                const std::vector<std::function<Array(const Array&)>>& functions, const std::source_location& where) {
  if (functions.size() != conditions.size() && functions.size() != conditions.size() + 1) {
    throw Error(ops::at_line("piecewise", where) + std::to_string(functions.size()) + " functions were given for " +
                std::to_string(conditions.size()) + " conditions: there must be as many, or one more");
  }
  const Dtype type = x.dtype();
  Array result = functions.size() > conditions.size() ? functions.back()(x).astype(type, where) : zeros_like(x, where);
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    result = pick(conditions[i], functions[i](x).astype(type, where), result);
  }
  return result;
}

}  // namespace weft::arrays
