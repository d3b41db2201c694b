#include "arrays/ops/margins.hpp"

#include <algorithm>

namespace weft::arrays::ops {

Margin margin_of(const expression::AxisGrid& grid, const AxisMargin& margin, std::int64_t piece) {
  if (margin.boundary != Boundary::None) return {margin.before, margin.after};
  return {std::min(margin.before, grid.start(piece)), std::min(margin.after, grid.extent() - grid.end(piece))};
}

std::vector<Segment> segments(const expression::AxisGrid& grid, const AxisMargin& axis, std::int64_t piece) {
  const Margin margin = margin_of(grid, axis, piece);
  const std::int64_t extent = grid.extent();
  const std::int64_t start = grid.start(piece), end = grid.end(piece);
  const std::int64_t first = start - margin.before, last = end + margin.after;
  std::vector<Segment> list;
  const auto add = [&](std::int64_t begin, std::int64_t stop, std::int64_t from, std::int32_t step, bool constant) {
    if (begin >= stop) return;
    list.push_back({begin - first, stop - begin, from, step, constant, constant ? piece : grid.find(from)});
  };
  const auto outside = [&](std::int64_t begin, std::int64_t stop) {
    switch (axis.boundary) {
      case Boundary::None:
        return;
      case Boundary::Reflect:
        add(begin, stop, begin < 0 ? -stop : 2 * extent - stop, -1, false);
        return;
      case Boundary::Periodic:
        add(begin, stop, begin < 0 ? begin + extent : begin - extent, 1, false);
        return;
      case Boundary::Nearest:
        add(begin, stop, begin < 0 ? 0 : extent - 1, 0, false);
        return;
      case Boundary::Constant:
        add(begin, stop, 0, 0, true);
        return;
    }
  };
  outside(first, std::min<std::int64_t>(0, last));
  add(std::max<std::int64_t>(first, 0), start, std::max<std::int64_t>(first, 0), 1, false);
  add(start, end, start, 1, false);
  add(end, std::min(last, extent), end, 1, false);
  outside(std::max(extent, first), last);
  return list;
}

std::vector<Slab> slabs(const std::vector<std::int64_t>& chunk, const std::vector<AxisMargin>& margins) {
  std::vector<Slab> list;
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < chunk.size(); ++axis) {
    // What comes first here is what the chunk before has after it.
    for (const std::int64_t thick : {margins[axis].after, -margins[axis].before}) {
      if (thick == 0) continue;
      Slab slab{offset, std::vector<std::int64_t>(chunk.size(), 0), chunk};
      const std::int64_t count = std::min(thick < 0 ? -thick : thick, chunk[axis]);
      slab.start[axis] = thick < 0 ? chunk[axis] - count : 0;
      slab.extent[axis] = count;
      std::int64_t elements = 1;
      for (const std::int64_t one : slab.extent) elements *= one;
      offset += elements;
      list.push_back(std::move(slab));
    }
  }
  return list;
}

}  // namespace weft::arrays::ops
