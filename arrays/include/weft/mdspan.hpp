#pragma once

// Values and chunks as mdspan, and back, without copying: std::mdspan, or its reference implementation. The type of the
// mdspan is the caller's, so this header needs neither.

#include <weft/chunk_view.hpp>
#include <weft/ndarray.hpp>

#include <array>
#include <memory>
#include <vector>

namespace weft {

/// Returns a chunk's elements as an Mdspan with a strided layout (`layout_stride`), for a kernel given to map_blocks.
template <class Mdspan, class T, std::size_t N>
Mdspan to_mdspan(const ChunkView<T, N>& chunk) {
  using Extents = typename Mdspan::extents_type;
  static_assert(Mdspan::rank() == N, "weft: to_mdspan is asked for another number of dimensions than the chunk has");
  static_assert(std::is_convertible_v<T(*)[], typename Mdspan::element_type(*)[]>,
                "weft: to_mdspan is asked for another type than the elements'");
  return Mdspan(chunk.data(), typename Mdspan::mapping_type(Extents(chunk.extents()), chunk.strides()));
}
/// Returns computed values as an Mdspan of constant elements, good as long as the array is. Throws Error where the type
/// or the number of dimensions is another one.
template <class Mdspan>
Mdspan to_mdspan(const NDArray& array) {
  static_assert(std::is_const_v<typename Mdspan::element_type>,
                "weft: computed values are constant: mdspan<const T, ...>");
  return to_mdspan<Mdspan>(array.chunk_view<typename Mdspan::value_type, Mdspan::rank()>());
}

/// Returns an array that sees an mdspan's elements; `owner` keeps them alive.
template <class Mdspan>
NDArray from_mdspan(const Mdspan& values, std::shared_ptr<const void> owner) {
  using T = typename Mdspan::value_type;
  std::vector<std::int64_t> extents, strides;
  for (std::size_t axis = 0; axis < Mdspan::rank(); ++axis) {
    extents.push_back(static_cast<std::int64_t>(values.extent(axis)));
    strides.push_back(static_cast<std::int64_t>(values.stride(axis)) * static_cast<std::int64_t>(sizeof(T)));
  }
  return NDArray::view(values.data_handle(), dtype_of<T>(), Shape(extents), strides, std::move(owner));
}

}  // namespace weft
