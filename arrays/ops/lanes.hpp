#pragma once

#include "arrays/kernels/order.hpp"
#include "arrays/ops/matrix.hpp"

#include <weft/buffer.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace weft::arrays::ops {

/// Returns the place of an axis, counted from 0, of an array of known extents; errors begin with the line of the call.
inline std::size_t one_axis(const char* operation, const Array& array, int axis, const std::source_location& where) {
  require_known(*array.node(), operation, where);
  try {
    return static_cast<std::size_t>(Axes(axis).resolve(static_cast<int>(array.ndim()))[0]);
  } catch (const Error& error) {
    throw Error(at_line(operation, where) + error.what());
  }
}

/// Returns the box, of an array with some axes (in their order) moved to the end, in the array as it was.
inline Box unmoved(const Box& moved, const std::vector<std::int64_t>& order) {
  Box box{std::vector<std::int64_t>(order.size()), std::vector<std::int64_t>(order.size())};
  for (std::size_t at = 0; at < order.size(); ++at) {
    box.start[static_cast<std::size_t>(order[at])] = moved.start[at];
    box.extent[static_cast<std::size_t>(order[at])] = moved.extent[at];
  }
  return box;
}

/// Copies a block with its axes in this order, side by side.
inline void copy_in_order(const Block& block, const std::vector<std::int64_t>& order, std::byte* to) {
  std::vector<std::int64_t> extents, strides;
  std::int64_t count = 1;
  for (const std::int64_t axis : order) {
    extents.push_back(block.shape[static_cast<std::size_t>(axis)]);
    strides.push_back(block.strides[static_cast<std::size_t>(axis)]);
    count *= extents.back();
  }
  if (count == 0) return;
  const auto packed = c_strides(Shape(extents), block.dtype.size());
  kernels::copy_box(to, packed.data(), block.data, strides.data(), extents.data(), extents.size(), block.dtype.size());
}

/// Returns the elements of a block in C order: where they lie if they lie so, else from a copy kept in `room`.
inline const std::byte* in_order(const Block& block, Buffer& room) {
  const auto packed = c_strides(Shape(block.shape), block.dtype.size());
  bool lies = true;
  std::vector<std::int64_t> order;
  for (std::size_t axis = 0; axis < packed.size(); ++axis) {
    lies = lies && (block.shape[axis] == 1 || block.strides[axis] == packed[axis]);
    order.push_back(static_cast<std::int64_t>(axis));
  }
  if (lies) return block.data;
  const auto count = static_cast<std::size_t>(Shape(block.shape).elements());
  room = Buffer::allocate(std::max<std::size_t>(1, count * block.dtype.size()));
  copy_in_order(block, order, room.data());
  return room.data();
}

/// All axes but `axis`, then it.
inline std::vector<std::int64_t> order_with_last(std::size_t ndim, std::size_t axis) {
  std::vector<std::int64_t> order;
  for (std::size_t at = 0; at < ndim; ++at) {
    if (at != axis) order.push_back(static_cast<std::int64_t>(at));
  }
  order.push_back(static_cast<std::int64_t>(axis));
  return order;
}

/// Cuts the first axes of a grid further, so that chunks that reach over the whole of the others are about as large as
/// the source's were: `times` is how many of those one would hold otherwise.
inline void cut_further(Grid& grid, std::size_t axes, std::int64_t times) {
  for (std::size_t axis = 0; axis < axes && times > 1; ++axis) {
    const std::int64_t largest = grid[axis].largest();
    const std::int64_t parts = std::min(times, std::max<std::int64_t>(1, largest));
    if (parts <= 1) continue;
    std::vector<std::int64_t> sizes;
    for (std::int64_t piece = 0; piece < grid[axis].count(); ++piece) {
      const std::int64_t size = grid[axis].size(piece);
      const std::int64_t cuts = std::max<std::int64_t>(1, std::min(parts, size));
      for (std::int64_t cut = 0; cut < cuts; ++cut) sizes.push_back(size * (cut + 1) / cuts - size * cut / cuts);
    }
    grid[axis] = AxisGrid::of(sizes);
    times = (times + parts - 1) / parts;
  }
}

}  // namespace weft::arrays::ops
