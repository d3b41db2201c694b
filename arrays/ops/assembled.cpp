// Operations whose chunks are put together from boxes of other arrays' chunks: what moves, and nothing else.
#include <weft/ops/structure.hpp>

#include "arrays/ops/assembled.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using expression::AxisGrid;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;

struct Rechunk {
  static constexpr const char* kName = "rechunk";
  static constexpr bool kAssembles = true;
  std::int64_t ndim;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, std::vector<std::int64_t>(static_cast<std::size_t>(ndim), 0)});
  }
  void run(const ChunkWork&) const {}
};

struct Concatenate {
  static constexpr const char* kName = "concatenate";
  static constexpr bool kAssembles = true;
  static constexpr bool kTakesDeferred = true;
  std::uint64_t axis;
  /// Where each input ends along the axis.
  std::vector<std::int64_t> ends;
  void needs(const Box& out, std::vector<Need>& needs) const {
    std::int64_t start = 0;
    for (std::size_t input = 0; input < ends.size(); start = ends[input++]) {
      const std::int64_t begin = std::max(start, out.start[axis]);
      const std::int64_t end = std::min(ends[input], out.start[axis] + out.extent[axis]);
      if (begin >= end) continue;
      Need need{static_cast<std::uint32_t>(input), out, std::vector<std::int64_t>(out.ndim(), 0)};
      need.box.start[axis] = begin - start;
      need.box.extent[axis] = end - begin;
      need.out_start[axis] = begin - out.start[axis];
      needs.push_back(std::move(need));
    }
  }
  void run(const ChunkWork&) const {}
};

/// Concatenates along an axis whose extents only running can tell: each chunk is one of an input's.
struct ConcatenateDeferred {
  static constexpr const char* kName = "concatenate";
  static constexpr bool kAssembles = true;
  static constexpr bool kTakesDeferred = true;
  std::uint64_t axis;
  /// The pieces of each input along the axis.
  std::vector<AxisGrid> pieces;
  void needs(const Box& out, std::vector<Need>& needs) const {
    std::int64_t piece = out.start[axis] / AxisGrid::kDeferredStep;
    std::size_t input = 0;
    while (piece >= pieces[input].count()) piece -= pieces[input++].count();
    Need need{static_cast<std::uint32_t>(input), out, std::vector<std::int64_t>(out.ndim(), 0)};
    need.box.start[axis] = pieces[input].start(piece);
    need.box.extent[axis] = pieces[input].size(piece);
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork&) const {}
};

}  // namespace

expression::NodePointer ops::rechunk_to(const expression::NodePointer& node, const Grid& grid,
                                        const std::source_location& where) {
  if (node->grid == grid) return node;
  return expression::make_structural(expression::make_structure(Rechunk{static_cast<std::int64_t>(grid.size())}),
                                     {node}, node->dtype, grid, where);
}

Array rechunk(const Array& array, const Chunks& chunks, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  return Array(ops::rechunk_to(
      node, ops::grid_for("rechunk", where, node->shape, chunks, node->dtype.size(), node->grid), where));
}

Array concatenate(const std::vector<Array>& arrays, int axis, const std::source_location& where) {
  if (arrays.empty()) throw Error(ops::at_line("concatenate", where) + "needs at least one array");
  const std::size_t ndim = arrays[0].ndim();
  if (ndim == 0)
    throw Error(ops::at_line("concatenate", where) + "arrays without dimensions cannot be put side by side");
  const auto along = ops::resolve_axis("concatenate", axis, ndim, where);
  Dtype dtype = arrays[0].dtype();
  ops::told("concatenate", where, [&] {
    for (const Array& one : arrays) dtype = promote(dtype, one.dtype());
  });
  Grid grid = arrays[0].node()->grid;
  std::vector<std::int64_t> sizes, ends;
  std::vector<expression::NodePointer> inputs;
  std::vector<AxisGrid> pieces;
  bool deferred = false;
  std::int64_t end = 0;
  for (const Array& one : arrays) {
    const expression::NodePointer& node = one.node();
    bool fits = node->grid.size() == grid.size();
    for (std::size_t at = 0; fits && at < grid.size(); ++at) {
      if (at == along) continue;
      fits = node->shape[at] == grid[at].extent();
      if (fits && !grid[at].known()) fits = grid[at] == node->grid[at];
      if (fits) grid[at] = expression::common_refinement(grid[at], node->grid[at]);
    }
    if (!fits) {
      throw Error(ops::at_line("concatenate", where) + "the shapes " + arrays[0].shape().text() + " and " +
                  one.shape().text() + " differ besides axis " + std::to_string(along));
    }
    for (const std::int64_t size : node->grid[along].sizes()) {
      if (size > 0) sizes.push_back(size);
    }
    deferred = deferred || !node->grid[along].known();
    pieces.push_back(node->grid[along]);
    end += node->shape[along];
    ends.push_back(end);
    inputs.push_back(expression::make_cast(node, dtype, where));
  }
  if (deferred) {
    expression::Fingerprint origin("concatenate");
    std::int64_t count = 0;
    for (const AxisGrid& axis_pieces : pieces) {
      origin.add(Grid{axis_pieces});
      count += axis_pieces.count();
    }
    grid[along] = AxisGrid::deferred(count, origin.key().high, origin.key().low);
    return Array(expression::make_structural(expression::make_structure(ConcatenateDeferred{along, std::move(pieces)}),
                                             std::move(inputs), dtype, std::move(grid), where));
  }
  grid[along] = AxisGrid::of(sizes);
  return Array(expression::make_structural(expression::make_structure(Concatenate{along, std::move(ends)}),
                                           std::move(inputs), dtype, std::move(grid), where));
}

Array stack(const std::vector<Array>& arrays, int axis, const std::source_location& where) {
  if (arrays.empty()) throw Error(ops::at_line("stack", where) + "needs at least one array");
  std::vector<Array> raised;
  for (const Array& one : arrays) {
    if (one.shape() != arrays[0].shape()) {
      throw Error(ops::at_line("stack", where) + "the shapes " + arrays[0].shape().text() + " and " +
                  one.shape().text() + " differ");
    }
    ops::resolve_axis("stack", axis, one.ndim() + 1, where);
    raised.push_back(expand_dims(one, axis, where));
  }
  return concatenate(raised, static_cast<int>(ops::resolve_axis("stack", axis, raised[0].ndim(), where)), where);
}

Array take(const Array& array, const std::vector<std::int64_t>& places, int axis, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "take", where);
  const auto along = ops::resolve_axis("take", axis, node->grid.size(), where);
  const std::int64_t extent = node->shape[along];
  std::vector<std::int64_t> resolved;
  for (const std::int64_t place : places) {
    if (place < -extent || place >= extent) {
      throw Error(ops::at_line("take", where) + "place " + std::to_string(place) + " is out of bounds for axis " +
                  std::to_string(along) + " of extent " + std::to_string(extent));
    }
    resolved.push_back(place < 0 ? place + extent : place);
  }
  Grid grid = node->grid;
  // Places in order are cut where neighbours come from other chunks, so that a chunk of the result mostly reads one.
  std::vector<std::int64_t> sizes;
  const std::int64_t most = std::max<std::int64_t>(1, node->grid[along].largest());
  const bool sorted = std::is_sorted(resolved.begin(), resolved.end());
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    const bool moves =
        sorted && i > 0 && node->grid[along].find(resolved[i]) != node->grid[along].find(resolved[i - 1]);
    if (sizes.empty() || sizes.back() >= most || moves) sizes.push_back(0);
    ++sizes.back();
  }
  grid[along] = sizes.empty() ? AxisGrid::whole(0) : AxisGrid::of(sizes);
  return Array(
      expression::make_structural(expression::make_structure(ops::Take{along, std::move(resolved), node->grid[along]}),
                                  {node}, node->dtype, std::move(grid), where));
}

Array roll(const Array& array, std::int64_t shift, int axis, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "roll", where);
  const auto along = ops::resolve_axis("roll", axis, node->grid.size(), where);
  const std::int64_t extent = node->shape[along];
  if (extent == 0) return array;
  const std::int64_t forward = ((-shift % extent) + extent) % extent;
  if (forward == 0) return array;
  return Array(expression::make_structural(expression::make_structure(ops::Roll{along, forward, extent}), {node},
                                           node->dtype, node->grid, where));
}

Array repeat(const Array& array, std::int64_t count, int axis, const std::source_location& where) {
  if (count < 0) throw Error(ops::at_line("repeat", where) + "the count is negative");
  const auto along = static_cast<int>(ops::resolve_axis("repeat", axis, array.ndim(), where));
  // Each element along an axis of its own, which is then joined with the one before.
  const Array apart = expand_dims(array, along + 1, where);
  Shape wide = apart.shape();
  wide[static_cast<std::size_t>(along + 1)] = count;
  Shape joined = array.shape();
  joined[static_cast<std::size_t>(along)] *= count;
  return reshape(broadcast_to(apart, wide, where), joined, where);
}

Array tile(const Array& array, const std::vector<std::int64_t>& counts, const std::source_location& where) {
  Array tiled = array;
  while (tiled.ndim() < counts.size()) tiled = expand_dims(tiled, 0, where);
  const std::size_t shift = tiled.ndim() - counts.size();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) throw Error(ops::at_line("tile", where) + "a count is negative");
    if (counts[i] == 1) continue;
    if (counts[i] == 0) {
      std::vector<Index> none_of_it(shift + i, Index(slice()));
      none_of_it.push_back(slice(0, 0));
      tiled = tiled.at(none_of_it, where);
      continue;
    }
    tiled =
        concatenate(std::vector<Array>(static_cast<std::size_t>(counts[i]), tiled), static_cast<int>(shift + i), where);
  }
  return tiled;
}

Array reshape(const Array& array, const Shape& wanted, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "reshape", where);
  Shape shape = wanted;
  const std::int64_t elements = node->shape.elements();
  std::int64_t known = 1;
  int open = -1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == -1 && open < 0) {
      open = static_cast<int>(axis);
    } else {
      known *= shape[axis];
    }
  }
  if (open >= 0 && known > 0 && elements % known == 0) shape[static_cast<std::size_t>(open)] = elements / known;
  bool fits = true;
  for (const std::int64_t extent : shape) fits = fits && extent >= 0;
  if (!fits || shape.elements() != elements) {
    throw Error(ops::at_line("reshape", where) + "an array of shape " + node->shape.text() + " with " +
                std::to_string(elements) + " elements cannot have the shape " + ops::numbers_text(wanted) +
                ": one extent may be -1, for what is left");
  }
  if (shape == node->shape) return array;
  // Runs about as large as the source's chunks.
  std::int64_t run = 1;
  for (const AxisGrid& axis : node->grid) run *= std::max<std::int64_t>(1, axis.largest());
  return Array(
      expression::make_structural(expression::make_structure(ops::Reshape{node->shape.vector(), shape.vector()}),
                                  {node}, node->dtype, ops::reshaped_grid(shape, run), where));
}

Array ravel(const Array& array, const std::source_location& where) { return reshape(array, Shape(-1), where); }

}  // namespace weft::arrays
