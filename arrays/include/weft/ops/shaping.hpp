#pragma once

#include <weft/array.hpp>
#include <weft/ops/creation.hpp>

#include <functional>
#include <string_view>
#include <utility>

namespace weft::arrays {

/// Returns the array with axes of extent 1 in front until it has one (two, three); three: the second axis is new last.
Array atleast_1d(const Array& array, const std::source_location& where = std::source_location::current());
Array atleast_2d(const Array& array, const std::source_location& where = std::source_location::current());
Array atleast_3d(const Array& array, const std::source_location& where = std::source_location::current());

/// Put arrays one below the other, side by side, one behind the other.
Array vstack(const std::vector<Array>& arrays, const std::source_location& where = std::source_location::current());
Array hstack(const std::vector<Array>& arrays, const std::source_location& where = std::source_location::current());
Array dstack(const std::vector<Array>& arrays, const std::source_location& where = std::source_location::current());

/// An array, or a list of such: what `block({{a, b}, {c, d}})` is given.
class Blocks {
 public:
  Blocks(const Array& array) : array_(array) {}                                 // NOLINT
  Blocks(std::initializer_list<Blocks> parts) : parts_(parts), list_(true) {}   // NOLINT
  Blocks(std::vector<Blocks> parts) : parts_(std::move(parts)), list_(true) {}  // NOLINT
  bool is_list() const { return list_; }
  const Array& array() const { return array_; }
  const std::vector<Blocks>& parts() const { return parts_; }

 private:
  Array array_;
  std::vector<Blocks> parts_;
  bool list_ = false;
};
/// Puts nested lists of arrays together: the innermost lists along the last axis, those around along the one before.
Array block(const Blocks& blocks, const std::source_location& where = std::source_location::current());

/// Returns `values` behind the array; without an axis both are flattened.
Array append(const Array& array, const Array& values, std::optional<int> axis = {},
             const std::source_location& where = std::source_location::current());
/// Returns the array with `values` before the place(s) of an axis, all of them before the one place, or one before
/// each.
Array insert(const Array& array, std::int64_t place, const Operand& values, int axis,
             const std::source_location& where = std::source_location::current());
Array insert(const Array& array, const std::vector<std::int64_t>& places, const Operand& values, int axis,
             const std::source_location& where = std::source_location::current());
/// Leaves out places of an axis. NumPy calls it delete, which is a word of C++.
Array delete_(const Array& array, const std::vector<std::int64_t>& places, int axis,
              const std::source_location& where = std::source_location::current());
Array delete_(const Array& array, slice places, int axis,
              const std::source_location& where = std::source_location::current());
inline Array delete_(const Array& array, std::initializer_list<std::int64_t> places, int axis,
                     const std::source_location& where = std::source_location::current()) {
  return delete_(array, std::vector<std::int64_t>(places), axis, where);
}
template <std::integral I>
Array delete_(const Array& array, I place, int axis,
              const std::source_location& where = std::source_location::current()) {
  return delete_(array, std::vector<std::int64_t>{static_cast<std::int64_t>(place)}, axis, where);
}

/// Turns the array `turns` times by 90 degrees, from the first axis toward the second.
Array rot90(const Array& array, int turns = 1, std::pair<int, int> axes = {0, 1},
            const std::source_location& where = std::source_location::current());
Array flipud(const Array& array, const std::source_location& where = std::source_location::current());
Array fliplr(const Array& array, const std::source_location& where = std::source_location::current());
/// Moves an axis before the one at `start`.
Array rollaxis(const Array& array, int axis, int start = 0,
               const std::source_location& where = std::source_location::current());
/// Rolls the flattened array, or along several axes at once.
Array roll(const Array& array, std::int64_t shift, const std::source_location& where = std::source_location::current());
Array roll(const Array& array, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes,
           const std::source_location& where = std::source_location::current());
/// Returns element i of the axis counts[i] times.
Array repeat(const Array& array, const std::vector<std::int64_t>& counts, int axis,
             const std::source_location& where = std::source_location::current());
/// Returns the elements at points: point i is (places[0][i], places[1][i], ...); axes without places follow.
Array vindex(const Array& array, const std::vector<std::vector<std::int64_t>>& places,
             const std::source_location& where = std::source_location::current());
/// Returns the elements at listed places of an axis in chunks of their own: each list is one.
Array shuffle(const Array& array, const std::vector<std::vector<std::int64_t>>& chunks, int axis,
              const std::source_location& where = std::source_location::current());
/// Joins neighbouring axes within each chunk, so that nothing moves: elements are in the order of the chunks.
Array reshape_blockwise(const Array& array, const Shape& shape,
                        const std::source_location& where = std::source_location::current());
/// Returns where condition[i] is true along the axis.
Array compress(const std::vector<bool>& condition, const Array& array, int axis,
               const std::source_location& where = std::source_location::current());

/// Returns the arrays, broadcast to the shape they have in common.
std::vector<Array> broadcast_arrays(const std::vector<Array>& arrays,
                                    const std::source_location& where = std::source_location::current());
/// Returns the arrays cut where one of them is, along the axes they have in common when they are broadcast.
std::vector<Array> unify_chunks(const std::vector<Array>& arrays,
                                const std::source_location& where = std::source_location::current());
/// Returns the sizes of the chunks along each axis that an array of this shape and type would have.
std::vector<std::vector<std::int64_t>> normalize_chunks(const Chunks& chunks, const Shape& shape,
                                                        Dtype dtype = float64);

enum class Indexing { xy, ij };
/// Returns for each vector an array of the grid they span; `sparse`: with extent 1 along the other axes.
std::vector<Array> meshgrid(const std::vector<Array>& vectors, Indexing indexing = Indexing::xy, bool sparse = false,
                            const std::source_location& where = std::source_location::current());
/// Returns the indices of a shape, stacked: element [a, ...] is the index along axis a.
Array indices(const Shape& shape, const CreateOptions& options = {},
              const std::source_location& where = std::source_location::current());
/// Returns f(indices along axis 0, along axis 1, ...).
Array fromfunction(const std::function<Array(const std::vector<Array>&)>& function, const Shape& shape,
                   const CreateOptions& options = {},
                   const std::source_location& where = std::source_location::current());

/// Returns the lower (upper) triangle of the last two axes, zeros elsewhere.
Array tril(const Array& array, std::int64_t k = 0, const std::source_location& where = std::source_location::current());
Array triu(const Array& array, std::int64_t k = 0, const std::source_location& where = std::source_location::current());
/// Returns rows and columns of a triangle of a matrix; `columns` -1: as many as rows.
std::pair<Array, Array> tril_indices(std::int64_t rows, std::int64_t k = 0, std::int64_t columns = -1,
                                     const Chunks& chunks = {},
                                     const std::source_location& where = std::source_location::current());
std::pair<Array, Array> triu_indices(std::int64_t rows, std::int64_t k = 0, std::int64_t columns = -1,
                                     const Chunks& chunks = {},
                                     const std::source_location& where = std::source_location::current());
std::pair<Array, Array> tril_indices_from(const Array& array, std::int64_t k = 0,
                                          const std::source_location& where = std::source_location::current());
std::pair<Array, Array> triu_indices_from(const Array& array, std::int64_t k = 0,
                                          const std::source_location& where = std::source_location::current());
/// Returns a matrix with the vector on its k-th diagonal, or the k-th diagonal of a matrix.
Array diag(const Array& array, std::int64_t k = 0, const std::source_location& where = std::source_location::current());

/// What becomes of indices that are out of bounds.
enum class Bounds { Raise, Wrap, Clip };
/// Returns at each place the element of the choice that `index` names.
Array choose(const Array& index, const std::vector<Array>& choices, Bounds bounds = Bounds::Raise,
             const std::source_location& where = std::source_location::current());
/// Returns functions[i](x) where conditions[i] holds (the last that does), and the last function's value, if there is
/// one more than conditions, elsewhere; else 0.
Array piecewise(const Array& x, const std::vector<Array>& conditions,
                const std::vector<std::function<Array(const Array&)>>& functions,
                const std::source_location& where = std::source_location::current());
/// Returns for flat indices of a shape their places along each axis. Indices out of bounds fail when they run.
std::vector<Array> unravel_index(const Array& index, const Shape& shape,
                                 const std::source_location& where = std::source_location::current());
/// Returns the flat indices of places.
Array ravel_multi_index(const std::vector<Array>& places, const Shape& shape, Bounds bounds = Bounds::Raise,
                        const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::block;
using arrays::Bounds;
using arrays::broadcast_arrays;
using arrays::dstack;
using arrays::fromfunction;
using arrays::hstack;
using arrays::Indexing;
using arrays::indices;
using arrays::meshgrid;
using arrays::normalize_chunks;
using arrays::ravel_multi_index;
using arrays::tril_indices;
using arrays::triu_indices;
using arrays::unify_chunks;
using arrays::vstack;
}  // namespace weft
