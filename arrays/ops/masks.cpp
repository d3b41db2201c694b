// Choosing by masks: chunks whose extents only running can tell.
#include <weft/ops/masks.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/axes.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
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

/// Keeps what a mask chooses: the axes that it covers become one, whose pieces are the mask's chunks.
struct Choose {
  static constexpr const char* kName = "mask";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  std::uint64_t axis;
  Grid mask;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const Box covered = expression::chunk_box(mask, out.start[axis] / AxisGrid::kDeferredStep);
    Need need{0, out, {}};
    const auto at = static_cast<std::ptrdiff_t>(axis);
    const auto replace = [&](std::vector<std::int64_t>& all, const std::vector<std::int64_t>& part) {
      all.erase(all.begin() + at);
      all.insert(all.begin() + at, part.begin(), part.end());
    };
    replace(need.box.start, covered.start);
    replace(need.box.extent, covered.extent);
    needs.push_back(std::move(need));
    needs.push_back({1, covered, {}});
  }
  void run(const ChunkWork& work) const;
};

/// Returns the offsets, in elements of the mask in C order, where it holds.
std::vector<std::int64_t> chosen_places(const Block& mask) {
  const std::int64_t count = Shape(mask.shape).elements();
  std::vector<std::byte> packed(static_cast<std::size_t>(count));
  std::vector<std::int64_t> chosen;
  if (count == 0) return chosen;
  kernels::copy_box(packed.data(), c_strides(Shape(mask.shape), 1).data(), mask.data, mask.strides.data(),
                    mask.shape.data(), mask.shape.size(), 1);
  for (std::int64_t i = 0; i < count; ++i) {
    if (packed[static_cast<std::size_t>(i)] != std::byte{0}) chosen.push_back(i);
  }
  return chosen;
}

void Choose::run(const ChunkWork& work) const {
  const Block& from = work.inputs[0];
  const Block& holds = work.inputs[1];
  const std::vector<std::int64_t> chosen = chosen_places(holds);
  const std::size_t covered = holds.shape.size();
  std::vector<std::int64_t> extents(from.shape.begin(), from.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  extents.push_back(static_cast<std::int64_t>(chosen.size()));
  extents.insert(extents.end(), from.shape.begin() + static_cast<std::ptrdiff_t>(axis + covered), from.shape.end());
  const Block out = work.allocate(extents);
  if (from.data == nullptr || chosen.empty()) return;
  // What lies around a chosen place, as a box of the output's axes.
  std::vector<std::int64_t> around = extents;
  around[axis] = 1;
  std::vector<std::int64_t> strides(from.strides.begin(), from.strides.begin() + static_cast<std::ptrdiff_t>(axis));
  strides.push_back(0);
  strides.insert(strides.end(), from.strides.begin() + static_cast<std::ptrdiff_t>(axis + covered), from.strides.end());
  const bool single = Shape(around).elements() == 1;
  const std::size_t bytes = from.dtype.size();
  std::byte* to = out.data;
  for (const std::int64_t place : chosen) {
    const std::byte* at = from.data;
    std::int64_t rest = place;
    for (std::size_t i = covered; i-- > 0;) {
      at += rest % holds.shape[i] * from.strides[axis + i];
      rest /= holds.shape[i];
    }
    if (single) {
      std::memcpy(to, at, bytes);
    } else {
      kernels::copy_box(to, out.strides.data(), at, strides.data(), around.data(), around.size(), bytes);
    }
    to += out.strides[axis];
  }
}

/// Elements of a chunk that covers whole rows, at most, where rows allow it.
constexpr std::int64_t kRunElements = std::int64_t{1} << 21;

/// Returns a grid whose chunks, one behind the other, hold the elements in C order.
Grid in_order(const Grid& grid) {
  std::size_t axis = 0;
  while (axis < grid.size() && grid[axis].largest() <= 1) ++axis;
  bool ordered = true;
  for (std::size_t after = axis + 1; after < grid.size(); ++after) ordered = ordered && grid[after].count() == 1;
  if (ordered) return grid;
  Grid rows = grid;
  std::int64_t behind = 1;
  for (const AxisGrid& one : grid) behind *= std::max<std::int64_t>(one.extent(), 1);
  for (axis = 0; axis < grid.size(); ++axis) {
    behind /= std::max<std::int64_t>(grid[axis].extent(), 1);
    rows[axis] = AxisGrid::regular(grid[axis].extent(), std::max<std::int64_t>(1, kRunElements / behind));
    if (behind <= kRunElements) break;
  }
  for (++axis; axis < grid.size(); ++axis) rows[axis] = AxisGrid::whole(grid[axis].extent());
  return rows;
}

}  // namespace

Array ops::choose_by_mask(const Array& array, const expression::NodePointer& mask, std::size_t axis,
                          const std::source_location& where) {
  const Grid covered = expression::known(mask->grid) ? in_order(mask->grid) : mask->grid;
  if (covered.size() > 1) require_known(*mask, "mask", where);
  const expression::NodePointer holds = rechunk_to(mask, covered, where);
  Grid wanted = array.node()->grid;
  std::copy(covered.begin(), covered.end(), wanted.begin() + static_cast<std::ptrdiff_t>(axis));
  const expression::NodePointer input = rechunk_to(array.node(), wanted, where);
  const expression::Key origin = expression::Fingerprint("mask").add(mask->key).add(covered).key();
  Grid grid(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(axis));
  grid.push_back(AxisGrid::deferred(expression::chunk_count(covered), origin.high, origin.low));
  grid.insert(grid.end(), wanted.begin() + static_cast<std::ptrdiff_t>(axis + covered.size()), wanted.end());
  return Array(expression::make_structural(expression::make_structure(Choose{axis, covered}), {input, holds},
                                           input->dtype, std::move(grid), where));
}

Array compress(const Array& mask, const Array& array, std::optional<int> axis, const std::source_location& where) {
  if (!axis) return compress(mask, ravel(array, where), 0, where);
  if (mask.ndim() != 1) {
    throw Error(ops::at_line("compress", where) + "the mask has the shape " + mask.shape().text() +
                "; it must have one axis");
  }
  const auto along = ops::resolve_axis("compress", *axis, array.ndim(), where);
  std::vector<Index> index(along, Index(slice()));
  if (mask.shape()[0] > array.shape()[along]) {
    throw Error(ops::at_line("compress", where) + "a mask of " + std::to_string(mask.shape()[0]) +
                " is longer than axis " + std::to_string(along) + " of an array of shape " + array.shape().text());
  }
  Array part = array;
  if (mask.shape()[0] < array.shape()[along] && mask.shape()[0] >= 0) {
    std::vector<Index> first = index;
    first.push_back(slice(mask.shape()[0]));
    part = array.at(first, where);
  }
  index.push_back(mask.astype(bool_, where));
  return part.at(index, where);
}

Array extract(const Array& condition, const Array& array, const std::source_location& where) {
  if (condition.shape() != array.shape()) {
    throw Error(ops::at_line("extract", where) + "the condition has the shape " + condition.shape().text() +
                ", the array " + array.shape().text());
  }
  return array.at({condition.astype(bool_, where)}, where);
}

std::vector<Array> nonzero(const Array& array, const std::source_location& where) {
  if (array.ndim() == 0) throw Error(ops::at_line("nonzero", where) + "an array without dimensions has no places");
  ops::require_known(*array.node(), "nonzero", where);
  const Array mask = array.astype(bool_, where);
  const Grid grid = in_order(mask.node()->grid);
  std::vector<AxisChunks> chunks;
  for (const AxisGrid& axis : grid) chunks.emplace_back(axis.sizes());
  std::vector<Array> places;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    places.push_back(
        indices(array.shape(), static_cast<int>(axis), {.chunks = Chunks(chunks)}, where).at({mask}, where));
  }
  return places;
}

Array flatnonzero(const Array& array, const std::source_location& where) {
  return nonzero(ravel(array, where), where)[0];
}

Array argwhere(const Array& array, const std::source_location& where) { return stack(nonzero(array, where), 1, where); }

}  // namespace weft::arrays
