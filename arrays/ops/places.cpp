// What takes or makes places of elements, with kernels of their own: points, triangles, bounds.
#include <weft/ops/shaping.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cstring>

namespace weft::arrays {
namespace {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;

/// `where`, which is also how the line of a call is named here.
Array pick(const Operand& condition, const Operand& yes, const Operand& no) { return where(condition, yes, no); }

/// Points of the first axes, whole along the others.
struct Points {
  static constexpr const char* kName = "vindex";
  static constexpr bool kAssembles = false;
  std::vector<std::vector<std::int64_t>> places;
  void needs(const Box& out, std::vector<Need>& needs) const {
    for (std::int64_t i = 0; i < out.extent[0]; ++i) {
      Need need;
      for (const auto& axis : places) {
        need.box.start.push_back(axis[static_cast<std::size_t>(out.start[0] + i)]);
        need.box.extent.push_back(1);
      }
      need.box.start.insert(need.box.start.end(), out.start.begin() + 1, out.start.end());
      need.box.extent.insert(need.box.extent.end(), out.extent.begin() + 1, out.extent.end());
      needs.push_back(std::move(need));
    }
  }
  void run(const ChunkWork& work) const {
    std::vector<std::int64_t> to_strides(places.size(), 0);
    to_strides.insert(to_strides.end(), work.output.strides.begin() + 1, work.output.strides.end());
    for (std::size_t i = 0; i < work.inputs.size(); ++i) {
      const Block& from = work.inputs[i];
      if (from.data == nullptr) continue;
      kernels::copy_box(work.output.data + static_cast<std::int64_t>(i) * work.output.strides[0], to_strides.data(),
                        from.data, from.strides.data(), from.shape.data(), from.shape.size(), from.dtype.size());
    }
  }
};

/// Row or column of the i-th place of a triangle, in C order.
struct TriangleIndex {
  static constexpr const char* kName = "triangle_indices";
  static constexpr bool kAssembles = false;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t k;
  bool lower;
  bool wants_row;

  /// The columns [first, last) of a row that belong to the triangle.
  std::pair<std::int64_t, std::int64_t> of_row(std::int64_t row) const {
    if (lower) return {0, std::clamp<std::int64_t>(row + k + 1, 0, columns)};
    return {std::clamp<std::int64_t>(row + k, 0, columns), columns};
  }
  /// Places before a row: the lengths of rows grow by one between two rows where they are held at 0 and at `columns`.
  std::int64_t before(std::int64_t row) const {
    const auto held = [&](std::int64_t upto) {
      // Sum of clamp(r + k + shift, 0, columns) for r < upto.
      const std::int64_t shift = k + (lower ? 1 : 0);
      const std::int64_t begin = std::clamp<std::int64_t>(-shift, 0, upto);
      const std::int64_t full = std::clamp<std::int64_t>(columns - shift, begin, upto);
      const std::int64_t rising = full - begin;
      return rising * (begin + shift) + rising * (rising - 1) / 2 + (upto - full) * columns;
    };
    return lower ? held(row) : row * columns - held(row);
  }
  std::int64_t count() const { return before(rows); }

  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    auto* const out = reinterpret_cast<std::int64_t*>(work.output.data);
    std::int64_t place = work.out.start[0];
    const std::int64_t end = place + work.out.extent[0];
    std::int64_t low = 0, high = rows;
    while (high - low > 1) {
      const std::int64_t middle = (low + high) / 2;
      (before(middle) <= place ? low : high) = middle;
    }
    for (std::int64_t row = low; place < end; ++row) {
      const auto [first, last] = of_row(row);
      for (std::int64_t column = first + place - before(row); column < last && place < end; ++column, ++place) {
        out[place - work.out.start[0]] = wants_row ? row : column;
      }
    }
  }
};

/// Passes integers on; one that is out of [0, limit) fails.
struct Bounded {
  static constexpr const char* kName = "bounds";
  static constexpr bool kAssembles = false;
  std::int64_t low;
  std::int64_t limit;
  std::string call;
  std::string line;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, std::vector<std::int64_t>(out.ndim(), 0)});
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr) return;
    kernels::copy_box(work.output.data, work.output.strides.data(), from.data, from.strides.data(), from.shape.data(),
                      from.shape.size(), sizeof(std::int64_t));
    const auto* const values = reinterpret_cast<const std::int64_t*>(work.output.data);
    const std::int64_t count = work.out.elements();
    for (std::int64_t i = 0; i < count; ++i) {
      if (values[i] >= low && values[i] < limit) continue;
      throw Error(line + "index " + std::to_string(values[i]) + " is out of bounds: " + std::to_string(limit) +
                  " is the number of " + call);
    }
  }
};

Array bounded(const Array& index, std::int64_t low, std::int64_t limit, const char* what, const std::string& line,
              const std::source_location& where) {
  const Array whole = index.astype(int64, where);
  return Array(expression::make_structural(expression::make_structure(Bounded{low, limit, what, line}), {whole.node()},
                                           int64, whole.node()->grid, where));
}

void require_whole(const char* call, const Array& index, const std::source_location& where) {
  if (index.dtype().is_integer() || index.dtype().is_bool()) return;
  throw Error(ops::at_line(call, where) + "indices are " + index.dtype().name() + ": they must be integers");
}

std::pair<Array, Array> triangle_indices(const char* call, std::int64_t rows, std::int64_t columns, std::int64_t k,
                                         bool lower, const Chunks& chunks, const std::source_location& where) {
  if (columns < 0) columns = rows;
  if (rows < 0) throw Error(ops::at_line(call, where) + "the number of rows is negative");
  const auto make = [&](bool wants_row) {
    const TriangleIndex places{rows, columns, k, lower, wants_row};
    return Array(expression::make_structural(expression::make_structure(places), {}, int64,
                                             ops::grid_for(call, where, Shape(places.count()), chunks, 8), where));
  };
  return {make(true), make(false)};
}

}  // namespace

Array vindex(const Array& array, const std::vector<std::vector<std::int64_t>>& places,
             const std::source_location& where) {
  const auto& node = array.node();
  if (places.empty() || places.size() > node->grid.size()) {
    throw Error(ops::at_line("vindex", where) + "places along " + std::to_string(places.size()) +
                " axes were given for an array of shape " + node->shape.text());
  }
  auto resolved = places;
  for (std::size_t axis = 0; axis < places.size(); ++axis) {
    if (places[axis].size() != places[0].size()) {
      throw Error(ops::at_line("vindex", where) + std::to_string(places[0].size()) + " and " +
                  std::to_string(places[axis].size()) + " places were given along two axes: there must be as many");
    }
    const std::int64_t extent = node->shape[axis];
    for (std::int64_t& place : resolved[axis]) {
      if (place < -extent || place >= extent) {
        throw Error(ops::at_line("vindex", where) + "place " + std::to_string(place) + " is out of bounds for axis " +
                    std::to_string(axis) + " of extent " + std::to_string(extent));
      }
      if (place < 0) place += extent;
    }
  }
  constexpr std::int64_t kPoints = 4096;
  Grid grid{AxisGrid::regular(static_cast<std::int64_t>(places[0].size()), kPoints)};
  grid.insert(grid.end(), node->grid.begin() + static_cast<std::ptrdiff_t>(places.size()), node->grid.end());
  return Array(expression::make_structural(expression::make_structure(Points{std::move(resolved)}), {node}, node->dtype,
                                           std::move(grid), where));
}

std::pair<Array, Array> tril_indices(std::int64_t rows, std::int64_t k, std::int64_t columns, const Chunks& chunks,
                                     const std::source_location& where) {
  return triangle_indices("tril_indices", rows, columns, k, true, chunks, where);
}
std::pair<Array, Array> triu_indices(std::int64_t rows, std::int64_t k, std::int64_t columns, const Chunks& chunks,
                                     const std::source_location& where) {
  return triangle_indices("triu_indices", rows, columns, k, false, chunks, where);
}
namespace {
std::pair<Array, Array> triangle_of(const char* call, const Array& array, std::int64_t k, bool lower,
                                    const std::source_location& where) {
  if (array.ndim() != 2) throw Error(ops::at_line(call, where) + "needs a matrix, not shape " + array.shape().text());
  return triangle_indices(call, array.shape()[0], array.shape()[1], k, lower, {}, where);
}
}  // namespace
std::pair<Array, Array> tril_indices_from(const Array& array, std::int64_t k, const std::source_location& where) {
  return triangle_of("tril_indices_from", array, k, true, where);
}
std::pair<Array, Array> triu_indices_from(const Array& array, std::int64_t k, const std::source_location& where) {
  return triangle_of("triu_indices_from", array, k, false, where);
}

Array choose(const Array& index, const std::vector<Array>& choices, Bounds bounds, const std::source_location& where) {
  require_whole("choose", index, where);
  const auto count = static_cast<std::int64_t>(choices.size());
  if (count == 0) throw Error(ops::at_line("choose", where) + "needs at least one choice");
  Array place = index.astype(int64, where);
  if (bounds == Bounds::Raise) place = bounded(place, 0, count, "choices", ops::at_line("choose", where), where);
  if (bounds == Bounds::Wrap) place = remainder(place, count);
  if (bounds == Bounds::Clip) place = clip(place, 0, count - 1);
  Array chosen = choices.back();
  for (std::size_t i = choices.size() - 1; i-- > 0;) {
    chosen = pick({place == static_cast<std::int64_t>(i), where}, choices[i], chosen);
  }
  // The index takes part in broadcasting even where one choice is all there is.
  return choices.size() == 1 ? pick({place == 0, where}, chosen, chosen) : chosen;
}

std::vector<Array> unravel_index(const Array& index, const Shape& shape, const std::source_location& where) {
  require_whole("unravel_index", index, where);
  const std::int64_t count = shape.elements();
  const std::string line = ops::at_line("unravel_index", where);
  Array rest = bounded(index, 0, count, ("elements of the shape " + shape.text()).c_str(), line, where);
  std::vector<Array> places(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    places[axis] = remainder(rest, shape[axis]);
    rest = floor_divide(rest, shape[axis]);
  }
  return places;
}

Array ravel_multi_index(const std::vector<Array>& places, const Shape& shape, Bounds bounds,
                        const std::source_location& where) {
  if (places.size() != shape.size() || places.empty()) {
    throw Error(ops::at_line("ravel_multi_index", where) + "places along " + std::to_string(places.size()) +
                " axes were given for the shape " + shape.text());
  }
  Array flat;
  for (std::size_t axis = 0; axis < places.size(); ++axis) {
    require_whole("ravel_multi_index", places[axis], where);
    const std::int64_t extent = shape[axis];
    Array place = places[axis].astype(int64, where);
    if (bounds == Bounds::Raise) {
      place = bounded(place, 0, extent, ("places along axis " + std::to_string(axis)).c_str(),
                      ops::at_line("ravel_multi_index", where), where);
    } else {
      place = bounds == Bounds::Wrap ? remainder(place, extent) : clip(place, 0, extent - 1);
    }
    flat = axis == 0 ? place : flat * extent + place;
  }
  return flat;
}

namespace {

/// Chunks as they are, with axes joined.
struct JoinAxes {
  static constexpr const char* kName = "reshape_blockwise";
  static constexpr bool kAssembles = false;
  Grid from;
  /// For each axis of the result: how many of the input's it joins.
  std::vector<std::uint64_t> joined;
  Grid to;
  void needs(const Box& out, std::vector<Need>& needs) const {
    // The chunk's coordinates, spread over the axes it was joined from.
    std::vector<std::int64_t> coordinates(from.size());
    std::size_t axis = from.size();
    for (std::size_t group = joined.size(); group-- > 0;) {
      std::int64_t piece = out.extent[group] == 0 ? 0 : to[group].find(out.start[group]);
      for (std::uint64_t i = 0; i < joined[group]; ++i) {
        --axis;
        coordinates[axis] = piece % from[axis].count();
        piece /= from[axis].count();
      }
    }
    Need need;
    for (std::size_t one = 0; one < from.size(); ++one) {
      need.box.start.push_back(from[one].start(coordinates[one]));
      need.box.extent.push_back(from[one].size(coordinates[one]));
    }
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    const Block& block = work.inputs[0];
    if (block.data == nullptr) return;
    const auto packed = c_strides(Shape(block.shape), block.dtype.size());
    kernels::copy_box(work.output.data, packed.data(), block.data, block.strides.data(), block.shape.data(),
                      block.shape.size(), block.dtype.size());
  }
};

}  // namespace

Array reshape_blockwise(const Array& array, const Shape& shape, const std::source_location& where) {
  const auto& node = array.node();
  std::vector<std::uint64_t> joined;
  Grid to;
  std::size_t axis = 0;
  const auto refuse = [&] {
    throw Error(ops::at_line("reshape_blockwise", where) + "an array of shape " + node->shape.text() +
                " has not the shape " + shape.text() + " by joining neighbouring axes");
  };
  for (std::size_t out = 0; out < shape.size(); ++out) {
    if (axis >= node->grid.size()) refuse();
    std::int64_t extent = node->shape[axis];
    std::vector<std::int64_t> sizes = node->grid[axis++].sizes();
    joined.push_back(1);
    const bool last = out + 1 == shape.size();
    while (axis < node->grid.size() && (last || extent < shape[out])) {
      extent *= node->shape[axis];
      std::vector<std::int64_t> products;
      for (const std::int64_t outer : sizes) {
        for (const std::int64_t inner : node->grid[axis].sizes()) products.push_back(outer * inner);
      }
      sizes.swap(products);
      ++joined.back();
      ++axis;
    }
    if (extent != shape[out]) refuse();
    to.push_back(AxisGrid::of(sizes));
  }
  if (axis != node->grid.size()) refuse();
  return Array(expression::make_structural(expression::make_structure(JoinAxes{node->grid, std::move(joined), to}),
                                           {node}, node->dtype, to, where));
}

}  // namespace weft::arrays
