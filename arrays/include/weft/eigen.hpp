#pragma once

// Values and chunks as Eigen's matrices, and back. Include it in a program that uses Eigen.

#include <weft/chunk_view.hpp>
#include <weft/ndarray.hpp>

#include <Eigen/Core>

#include <memory>
#include <type_traits>
#include <utility>

namespace weft {
namespace detail {

template <class T>
using EigenMatrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using EigenMap = Eigen::Map<std::conditional_t<std::is_const_v<T>, const EigenMatrix<T>, EigenMatrix<T>>,
                            Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

}  // namespace detail

/// Returns a chunk of two dimensions as a matrix, or of one as a column, without copying; good as long as the chunk is.
template <class T, std::size_t N>
detail::EigenMap<T> to_eigen(const ChunkView<T, N>& chunk) {
  static_assert(N == 1 || N == 2, "weft: Eigen's matrices have two dimensions, its vectors one");
  const Eigen::Index columns = N == 2 ? chunk.extent(N - 1) : 1;
  const Eigen::Index inner = N == 2 ? chunk.stride(N - 1) : 1;
  return detail::EigenMap<T>(chunk.data(), chunk.extent(0), columns, {chunk.stride(0), inner});
}
/// Returns computed values as a matrix, good as long as the array is. Throws Error where T is another type, or where
/// there are neither one nor two dimensions.
template <class T>
detail::EigenMap<const T> to_eigen(const NDArray& array) {
  if (array.ndim() == 1) return to_eigen(array.chunk_view<T, 1>());
  return to_eigen(array.chunk_view<T, 2>());
}

/// Returns the elements of a matrix, or of an expression, which the array owns. A vector gives one dimension.
template <class Derived>
NDArray from_eigen(const Eigen::DenseBase<Derived>& values) {
  using T = typename Derived::Scalar;
  auto owner = std::make_shared<detail::EigenMatrix<T>>(values);
  const T* const data = owner->data();
  if (Derived::IsVectorAtCompileTime) {
    return NDArray::view(data, dtype_of<T>(), Shape(values.size()), {static_cast<std::int64_t>(sizeof(T))},
                         std::move(owner));
  }
  const Shape shape{values.rows(), values.cols()};
  return NDArray::view(data, dtype_of<T>(), shape, c_strides(shape, sizeof(T)), std::move(owner));
}

}  // namespace weft
