#pragma once

#include "arrays/expression/box.hpp"

#include <weft/ops/overlap.hpp>

#include <cstdint>
#include <vector>

// Where the elements of a chunk with margins come from.

namespace weft::arrays::ops {

/// A run of places along one axis of a chunk with margins, that comes from one run of places of the source.
struct Segment {
  /// The first place in the chunk with its margins, and how many there are.
  std::int64_t to = 0;
  std::int64_t count = 0;
  /// The lowest place of the source; its places go up (1), down (-1), or are one (0).
  std::int64_t from = 0;
  std::int32_t step = 1;
  bool constant = false;
  /// The piece of the source's axis, where the chunks are no smaller than the margins.
  std::int64_t piece = 0;

  std::int64_t source_count() const { return step == 0 ? 1 : count; }
};

/// The margins along one axis.
struct AxisMargin {
  std::int64_t before = 0;
  std::int64_t after = 0;
  Boundary boundary = Boundary::None;
};

/// Elements before and after a piece, which none boundary cuts at the ends of the axis.
Margin margin_of(const expression::AxisGrid& grid, const AxisMargin& margin, std::int64_t piece);
/// Returns what a piece with its margins is made of, in order.
std::vector<Segment> segments(const expression::AxisGrid& grid, const AxisMargin& margin, std::int64_t piece);

/// The borders of a chunk that its neighbours see, side by side: along each axis the first and the last elements.
struct Slab {
  std::int64_t offset = 0;
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> extent;
};
std::vector<Slab> slabs(const std::vector<std::int64_t>& chunk, const std::vector<AxisMargin>& margins);

}  // namespace weft::arrays::ops
