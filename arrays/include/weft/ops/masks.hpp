#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

// Choosing by a mask. How many elements a mask chooses, only running can tell: such arrays have unknown extents, -1 in
// `shape()`. Elementwise operations on what one mask chose, reductions, concatenations, further masks, `compute` and
// `persist` work all the same; what needs a known extent throws, and names compute_chunk_sizes.
//
//     Array big = x(x > 100);                      // all elements above 100, in C order
//     Array rows = table(mask, slice(0, 3));       // the rows that the mask chooses

/// Returns the elements of `array` along `axis` where the mask holds; without an axis, of the array as one line. A mask
/// that is too short chooses from the first ones.
Array compress(const Array& mask, const Array& array, std::optional<int> axis = {},
               const std::source_location& where = std::source_location::current());
/// Returns the elements where the condition, of the array's shape, holds.
Array extract(const Array& condition, const Array& array,
              const std::source_location& where = std::source_location::current());
/// Returns for each axis the places of the elements that are not zero.
std::vector<Array> nonzero(const Array& array, const std::source_location& where = std::source_location::current());
/// Returns the places of the elements that are not zero in the array as one line.
Array flatnonzero(const Array& array, const std::source_location& where = std::source_location::current());
/// Returns the places of the elements that are not zero, one a row.
Array argwhere(const Array& array, const std::source_location& where = std::source_location::current());

/// Runs the array and returns it with known extents; its chunks stay while it or a copy of it exists.
Array compute_chunk_sizes(const Client& client, const Array& array);

}  // namespace weft::arrays

namespace weft {
using arrays::compute_chunk_sizes;
}  // namespace weft
