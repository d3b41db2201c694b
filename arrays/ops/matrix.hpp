#pragma once

#include "arrays/expression/structure.hpp"
#include "arrays/kernels/copy.hpp"
#include "arrays/kernels/lapack.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ndarray.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace weft::arrays::ops {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;

/// A matrix column by column, as LAPACK has it. Owns: its elements.  Threading: one thread.
template <class T>
struct Columns {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<T> values;

  Columns(std::int64_t m, std::int64_t n)
      : rows(m), columns(n), values(static_cast<std::size_t>(std::max<std::int64_t>(1, m * n))) {}
  T* at(std::int64_t row, std::int64_t column) { return values.data() + row + column * rows; }
  const T* at(std::int64_t row, std::int64_t column) const { return values.data() + row + column * rows; }
  T* data() { return values.data(); }
  const T* data() const { return values.data(); }
  /// The distance of columns, which LAPACK wants to be 1 at least.
  std::int64_t leading() const { return std::max<std::int64_t>(1, rows); }
};

/// Copies the rows x columns elements of a matrix with strides in bytes into `to`, from its element (row, column) on.
template <class T>
void read_matrix(Columns<T>& to, std::int64_t row, std::int64_t column, const Block& from) {
  const std::int64_t strides[2] = {sizeof(T), static_cast<std::int64_t>(sizeof(T)) * to.rows};
  if (from.shape[0] == 0 || from.shape[1] == 0) return;
  kernels::copy_box(reinterpret_cast<std::byte*>(to.at(row, column)), strides, from.data, from.strides.data(),
                    from.shape.data(), 2, sizeof(T));
}

template <class T>
Columns<T> columns_of(const Block& block) {
  Columns<T> columns(block.shape[0], block.shape[1]);
  read_matrix(columns, 0, 0, block);
  return columns;
}

/// Writes rows x columns elements from (row, column) on to memory with strides in bytes.
template <class T>
void write_matrix(const Columns<T>& from, std::int64_t row, std::int64_t column, std::int64_t rows,
                  std::int64_t columns, std::byte* to, const std::int64_t* strides) {
  if (rows == 0 || columns == 0) return;
  const std::int64_t from_strides[2] = {sizeof(T), static_cast<std::int64_t>(sizeof(T)) * from.rows};
  const std::int64_t extents[2] = {rows, columns};
  kernels::copy_box(to, strides, reinterpret_cast<const std::byte*>(from.at(row, column)), from_strides, extents, 2,
                    sizeof(T));
}

/// Writes the first rows of a matrix as the chunk.
template <class T>
void write_chunk(const Columns<T>& from, const Block& output) {
  write_matrix(from, 0, 0, output.shape[0], output.shape[1], output.data, output.strides.data());
}

/// Calls visit(zero) with a zero of the type of the elements: float, double or a complex of one.
template <class Visit>
void visit_field(Dtype dtype, const Visit& visit) {
  if (dtype == float32) return visit(float{});
  if (dtype == float64) return visit(double{});
  if (dtype == complex64) return visit(std::complex<float>{});
  if (dtype == complex128) return visit(std::complex<double>{});
  throw Error("linear algebra: elements of type " + dtype.name() + " are not floating numbers");
}

template <class T>
T conjugate(T value) {
  if constexpr (std::is_same_v<T, kernels::RealOf<T>>) {
    return value;
  } else {
    return std::conj(value);
  }
}

/// Returns the array in the type that algebra computes in: integers become float64. Throws Error for times, and where
/// it has not `ndim` dimensions.
Array field_array(const char* operation, const Array& array, std::size_t ndim, const std::source_location& where);
/// As above, for a square matrix.
Array square_matrix(const char* operation, const Array& array, const std::source_location& where);

/// A node of a structure's own kind.
template <class P>
Array structural(P parameters, const std::vector<Array>& inputs, Dtype dtype, Grid grid,
                 const std::source_location& where) {
  std::vector<NodePointer> nodes;
  for (const Array& input : inputs) nodes.push_back(input.node());
  return Array(expression::make_structural(expression::make_structure(std::move(parameters)), std::move(nodes), dtype,
                                           std::move(grid), where));
}

/// Returns the need of a whole box of a two-dimensional input.
inline Need matrix_need(std::uint32_t input, std::int64_t row, std::int64_t rows, std::int64_t column,
                        std::int64_t columns) {
  return {input, Box{{row, column}, {rows, columns}}, {}};
}
inline Need vector_need(std::uint32_t input, std::int64_t first, std::int64_t count) {
  return {input, Box{{first}, {count}}, {}};
}

/// Contracts two arrays. Each axis has a label; labels of both that are not in `out` are summed over.
Array contract(const char* operation, const Array& a, const std::vector<int>& a_labels, const Array& b,
               const std::vector<int>& b_labels, const std::vector<int>& out, const std::source_location& where);
/// Returns the array with its axes (labelled) in the order of `out`; labels that repeat are diagonals, those that `out`
/// has not are summed over, those that only `out` has become axes of extent 1.
Array arrange(const Array& array, const std::vector<int>& labels, const std::vector<int>& out,
              const std::source_location& where);

}  // namespace weft::arrays::ops
