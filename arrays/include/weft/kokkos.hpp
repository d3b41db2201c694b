#pragma once

// Values and chunks as Kokkos' views, and back, without copying. Include it in a program that uses Kokkos.

#include <weft/chunk_view.hpp>
#include <weft/ndarray.hpp>

#include <Kokkos_Core.hpp>

#include <memory>

namespace weft {
namespace detail {

template <class T, std::size_t N>
struct ViewData {
  using type = typename ViewData<T, N - 1>::type*;
};
template <class T>
struct ViewData<T, 0> {
  using type = T;
};

template <class T, std::size_t N>
using HostView = Kokkos::View<typename ViewData<T, N>::type, Kokkos::LayoutStride, Kokkos::HostSpace,
                              Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

}  // namespace detail

/// Returns a view of a chunk's elements, for a kernel given to map_blocks; it is good as long as the chunk is.
template <class T, std::size_t N>
detail::HostView<T, N> to_view(const ChunkView<T, N>& chunk) {
  static_assert(N >= 1 && N <= 8, "weft: Kokkos' views have one to eight dimensions");
  Kokkos::LayoutStride layout;
  for (std::size_t axis = 0; axis < N; ++axis) {
    layout.dimension[axis] = static_cast<std::size_t>(chunk.extent(axis));
    layout.stride[axis] = static_cast<std::size_t>(chunk.stride(axis));
  }
  return detail::HostView<T, N>(chunk.data(), layout);
}

/// Returns a view of computed values; it is good as long as the array is. Throws Error where T or the number of
/// dimensions is another one, or where an axis runs backwards.
template <class T, std::size_t N>
detail::HostView<const T, N> to_view(const NDArray& array) {
  return to_view(array.chunk_view<T, N>());
}

/// Returns the elements of a view in the host's memory, which the array keeps alive. Copy those of a device to a mirror
/// first (`Kokkos::create_mirror_view_and_copy`).
template <class View>
NDArray from_view(const View& view) {
  using T = typename View::non_const_value_type;
  static_assert(Kokkos::is_view<View>::value, "weft: from_view takes a Kokkos::View");
  static_assert(Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename View::memory_space>::accessible,
                "weft: from_view takes a view in the host's memory; see Kokkos::create_mirror_view_and_copy");
  const auto owner = std::make_shared<View>(view);
  std::vector<std::int64_t> extents, strides;
  for (std::size_t axis = 0; axis < View::rank; ++axis) {
    extents.push_back(static_cast<std::int64_t>(view.extent(axis)));
    strides.push_back(static_cast<std::int64_t>(view.stride(static_cast<int>(axis)) * sizeof(T)));
  }
  return NDArray::view(view.data(), dtype_of<T>(), Shape(extents), strides, owner);
}

}  // namespace weft
