#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

/// Views: nothing is moved, whoever reads the result reads the source at other places.
Array transpose(const Array& array, const std::vector<int>& axes = {},
                const std::source_location& where = std::source_location::current());
Array swapaxes(const Array& array, int first, int second,
               const std::source_location& where = std::source_location::current());
Array moveaxis(const Array& array, int from, int to,
               const std::source_location& where = std::source_location::current());
Array expand_dims(const Array& array, int axis, const std::source_location& where = std::source_location::current());
Array squeeze(const Array& array, const Axes& axis = {},
              const std::source_location& where = std::source_location::current());
Array broadcast_to(const Array& array, const Shape& shape,
                   const std::source_location& where = std::source_location::current());
Array flip(const Array& array, const Axes& axis = {},
           const std::source_location& where = std::source_location::current());
/// Returns the k-th diagonal of the first two axes, as the last axis.
Array diagonal(const Array& array, std::int64_t k = 0,
               const std::source_location& where = std::source_location::current());

/// Draws the array and its chunks, as a browser shows them: the last two or three axes, and how long each is.
std::string to_svg(const Array& array, double pixels = 200);

/// Returns the same elements in other chunks.
Array rechunk(const Array& array, const Chunks& chunks,
              const std::source_location& where = std::source_location::current());
/// Returns the same elements, in C order, in another shape; one extent may be -1.
Array reshape(const Array& array, const Shape& shape,
              const std::source_location& where = std::source_location::current());
Array ravel(const Array& array, const std::source_location& where = std::source_location::current());
inline Array flatten(const Array& array, const std::source_location& where = std::source_location::current()) {
  return ravel(array, where);
}
Array concatenate(const std::vector<Array>& arrays, int axis = 0,
                  const std::source_location& where = std::source_location::current());
Array stack(const std::vector<Array>& arrays, int axis = 0,
            const std::source_location& where = std::source_location::current());
/// Returns the elements at these places of an axis; negative places count from the end.
Array take(const Array& array, const std::vector<std::int64_t>& places, int axis = 0,
           const std::source_location& where = std::source_location::current());
Array roll(const Array& array, std::int64_t shift, int axis,
           const std::source_location& where = std::source_location::current());
Array repeat(const Array& array, std::int64_t count, int axis,
             const std::source_location& where = std::source_location::current());
Array tile(const Array& array, const std::vector<std::int64_t>& counts,
           const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::concatenate;
using arrays::stack;
}  // namespace weft
