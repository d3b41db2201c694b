#pragma once

#include "arrays/expression/box.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/random_stream.hpp"

#include <weft/error.hpp>

#include <optional>
#include <random>

namespace weft::arrays::ops {

/// Calls visit(flat index in the array, place in the chunk) for all elements of a box, in C order.
template <class Visit>
void each_element(const std::vector<std::int64_t>& shape, const expression::Box& box, const Visit& visit) {
  const std::size_t ndim = box.ndim();
  std::vector<std::int64_t> at(ndim, 0);
  const std::int64_t count = box.elements();
  for (std::int64_t place = 0; place < count;) {
    std::int64_t flat = 0;
    for (std::size_t axis = 0; axis < ndim; ++axis) flat = flat * shape[axis] + box.start[axis] + at[axis];
    const std::int64_t run = ndim == 0 ? 1 : box.extent[ndim - 1];
    for (std::int64_t i = 0; i < run; ++i) visit(static_cast<std::uint64_t>(flat + i), at, i, place + i);
    place += run;
    if (ndim < 2) break;
    for (std::size_t axis = ndim - 1; axis-- > 0;) {
      if (++at[axis] < box.extent[axis]) break;
      at[axis] = 0;
    }
  }
}

/// Returns the seed, or one of the machine's.
inline std::uint64_t seed_of(const std::optional<std::uint64_t>& seed) {
  if (seed) return *seed;
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

inline void require_extents(const char* call, const Shape& shape, const std::source_location& where) {
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw Error(at_line(call, where) + "the shape " + shape.text() + " has a negative extent");
  }
}

inline void require(bool holds, const char* name, const char* what, const std::source_location& where) {
  if (!holds) throw Error(at_line(name, where) + what);
}
}  // namespace weft::arrays::ops
