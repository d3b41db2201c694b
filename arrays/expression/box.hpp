#pragma once

#include "arrays/expression/grid.hpp"

#include <cstdint>
#include <vector>

namespace weft::arrays::expression {

/// A part of an array: for each axis where it begins and how long it is.
struct Box {
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> extent;

  std::size_t ndim() const { return start.size(); }
  std::int64_t elements() const {
    std::int64_t count = 1;
    for (const std::int64_t one : extent) count *= one;
    return count;
  }
  bool operator==(const Box&) const = default;
};

/// Returns the place of a chunk in its array.
Box chunk_box(const Grid& grid, std::int64_t chunk);

}  // namespace weft::arrays::expression
