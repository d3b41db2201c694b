#include <weft/ops/linear_algebra.hpp>

#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/structure.hpp>

#include <cblas.h>

#include <complex>
#include <cstring>

namespace weft::arrays {
namespace {

using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;

/// C = A B for the last two axes. The pieces of the inner axis are those of both factors' chunks, added in order.
struct MatrixProduct {
  static constexpr const char* kName = "matmul";
  static constexpr bool kAssembles = false;
  expression::AxisGrid inner;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::size_t rows = out.ndim() - 2;
    for (std::int64_t piece = 0; piece < inner.count(); ++piece) {
      Need left{0, out, {}};
      left.box.start[rows + 1] = inner.start(piece);
      left.box.extent[rows + 1] = inner.size(piece);
      needs.push_back(std::move(left));
      Need right{1, out, {}};
      right.box.start[rows] = inner.start(piece);
      right.box.extent[rows] = inner.size(piece);
      needs.push_back(std::move(right));
    }
  }
  void run(const ChunkWork& work) const;
};

/// How BLAS sees a block: as it is, or transposed.
struct Operand2 {
  CBLAS_TRANSPOSE transposed;
  blasint leading;
};

template <class T>
void product(const ChunkWork& work, std::size_t a, std::size_t b, const std::byte* left, const std::byte* right,
             std::byte* out, bool first) {
  const std::size_t rows = work.output.shape.size() - 2;
  const expression::Block& x = work.inputs[a];
  const expression::Block& y = work.inputs[b];
  const auto m = static_cast<blasint>(x.shape[rows]);
  const auto k = static_cast<blasint>(x.shape[rows + 1]);
  const auto n = static_cast<blasint>(y.shape[rows + 1]);
  const auto size = static_cast<std::int64_t>(sizeof(T));
  const auto seen = [&](const expression::Block& block) -> Operand2 {
    if (block.strides[rows + 1] == size || block.shape[rows + 1] == 1) {
      return {CblasNoTrans, static_cast<blasint>(std::max(block.strides[rows] / size, block.shape[rows + 1]))};
    }
    return {CblasTrans, static_cast<blasint>(std::max(block.strides[rows + 1] / size, block.shape[rows]))};
  };
  const Operand2 p = seen(x);
  const Operand2 q = seen(y);
  const T one = 1;
  const T keep = first ? T(0) : T(1);
  if constexpr (std::is_same_v<T, float>) {
    cblas_sgemm(CblasRowMajor, p.transposed, q.transposed, m, n, k, one, reinterpret_cast<const T*>(left), p.leading,
                reinterpret_cast<const T*>(right), q.leading, keep, reinterpret_cast<T*>(out), n);
  } else if constexpr (std::is_same_v<T, double>) {
    cblas_dgemm(CblasRowMajor, p.transposed, q.transposed, m, n, k, one, reinterpret_cast<const T*>(left), p.leading,
                reinterpret_cast<const T*>(right), q.leading, keep, reinterpret_cast<T*>(out), n);
  } else if constexpr (std::is_same_v<T, std::complex<float>>) {
    cblas_cgemm(CblasRowMajor, p.transposed, q.transposed, m, n, k, &one, left, p.leading, right, q.leading, &keep, out,
                n);
  } else {
    cblas_zgemm(CblasRowMajor, p.transposed, q.transposed, m, n, k, &one, left, p.leading, right, q.leading, &keep, out,
                n);
  }
}

/// Integers have no BLAS: rows of the right factor are added, which runs on along memory.
template <class T>
void product_of_integers(const ChunkWork& work, std::size_t a, std::size_t b, const std::byte* left,
                         const std::byte* right, std::byte* out, bool first) {
  const std::size_t rows = work.output.shape.size() - 2;
  const expression::Block& x = work.inputs[a];
  const expression::Block& y = work.inputs[b];
  const std::int64_t m = x.shape[rows], k = x.shape[rows + 1], n = y.shape[rows + 1];
  T* const result = reinterpret_cast<T*>(out);
  if (first) std::memset(out, 0, static_cast<std::size_t>(m * n) * sizeof(T));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < k; ++j) {
      const T factor = *reinterpret_cast<const T*>(left + i * x.strides[rows] + j * x.strides[rows + 1]);
      const std::byte* from = right + j * y.strides[rows];
      for (std::int64_t c = 0; c < n; ++c, from += y.strides[rows + 1]) {
        const T value = *reinterpret_cast<const T*>(from);
        if constexpr (std::is_same_v<T, bool>) {
          result[i * n + c] = result[i * n + c] || (factor && value);
        } else {
          result[i * n + c] = static_cast<T>(result[i * n + c] + factor * value);
        }
      }
    }
  }
}

using Product = void (*)(const ChunkWork&, std::size_t, std::size_t, const std::byte*, const std::byte*, std::byte*,
                         bool);

Product product_for(TypeCode type) {
  switch (type) {
    case TypeCode::Float32:
      return &product<float>;
    case TypeCode::Float64:
      return &product<double>;
    case TypeCode::Complex64:
      return &product<std::complex<float>>;
    case TypeCode::Complex128:
      return &product<std::complex<double>>;
    case TypeCode::Bool:
      return &product_of_integers<bool>;
    case TypeCode::Int8:
      return &product_of_integers<std::int8_t>;
    case TypeCode::Int16:
      return &product_of_integers<std::int16_t>;
    case TypeCode::Int32:
      return &product_of_integers<std::int32_t>;
    case TypeCode::UInt8:
      return &product_of_integers<std::uint8_t>;
    case TypeCode::UInt16:
      return &product_of_integers<std::uint16_t>;
    case TypeCode::UInt32:
      return &product_of_integers<std::uint32_t>;
    case TypeCode::UInt64:
      return &product_of_integers<std::uint64_t>;
    case TypeCode::Int64:
    case TypeCode::Datetime64:
    case TypeCode::Timedelta64:
      return &product_of_integers<std::int64_t>;
  }
  return nullptr;
}

void MatrixProduct::run(const ChunkWork& work) const {
  // One thread a slot: the slots are the parallelism.
  static const bool single = (openblas_set_num_threads(1), true);
  static_cast<void>(single);
  const Product multiply_add = product_for(work.output.dtype.code());
  const std::size_t rows = work.output.shape.size() - 2;
  std::int64_t matrices = 1;
  for (std::size_t axis = 0; axis < rows; ++axis) matrices *= work.output.shape[axis];
  if (work.output.shape[rows] == 0 || work.output.shape[rows + 1] == 0) return;
  const std::size_t bytes = work.output.dtype.size();
  const auto matrix_bytes = static_cast<std::size_t>(work.output.shape[rows] * work.output.shape[rows + 1]) * bytes;
  for (std::int64_t matrix = 0; matrix < matrices; ++matrix) {
    std::byte* const out = work.output.data + static_cast<std::size_t>(matrix) * matrix_bytes;
    bool first = true;
    for (std::size_t pair = 0; pair + 1 < work.inputs.size(); pair += 2) {
      const expression::Block& x = work.inputs[pair];
      const expression::Block& y = work.inputs[pair + 1];
      if (x.data == nullptr || y.data == nullptr) continue;
      std::int64_t rest = matrix;
      std::int64_t left = 0, right = 0;
      for (std::size_t axis = rows; axis-- > 0;) {
        const std::int64_t at = rest % work.output.shape[axis];
        rest /= work.output.shape[axis];
        left += at * x.strides[axis];
        right += at * y.strides[axis];
      }
      multiply_add(work, pair, pair + 1, x.data + left, y.data + right, out, first);
      first = false;
    }
    if (first) std::memset(out, 0, matrix_bytes);
  }
}

}  // namespace

Array matmul(const Array& a, const Array& b, const std::source_location& where) {
  if (a.ndim() == 0 || b.ndim() == 0) {
    throw Error(ops::at_line("matmul", where) + "an operand has no dimensions: use * for a product with a number");
  }
  const bool row = a.ndim() == 1;
  const bool column = b.ndim() == 1;
  const Dtype dtype = promote(a.dtype(), b.dtype());
  Array left = row ? expand_dims(a, 0, where) : a;
  Array right = column ? expand_dims(b, 1, where) : b;
  const std::size_t ndim = std::max(left.ndim(), right.ndim());
  const std::int64_t inner = left.shape()[left.ndim() - 1];
  if (inner != right.shape()[right.ndim() - 2]) {
    throw Error(ops::at_line("matmul", where) + "the shapes " + a.shape().text() + " and " + b.shape().text() +
                " do not fit: the last axis of the first and the last but one of the second must be equally long");
  }
  while (left.ndim() < ndim) left = expand_dims(left, 0, where);
  while (right.ndim() < ndim) right = expand_dims(right, 0, where);
  Shape left_shape = left.shape();
  Shape right_shape = right.shape();
  for (std::size_t axis = 0; axis + 2 < ndim; ++axis) {
    const std::int64_t extent = std::max(left_shape[axis], right_shape[axis]);
    left_shape[axis] = right_shape[axis] = extent;
  }
  left = broadcast_to(left, left_shape, where).astype(dtype, where);
  right = broadcast_to(right, right_shape, where).astype(dtype, where);
  Grid grid = left.node()->grid;
  for (std::size_t axis = 0; axis + 2 < ndim; ++axis) {
    grid[axis] = expression::common_refinement(grid[axis], right.node()->grid[axis]);
  }
  const expression::AxisGrid middle =
      expression::common_refinement(left.node()->grid[ndim - 1], right.node()->grid[ndim - 2]);
  grid[ndim - 1] = right.node()->grid[ndim - 1];
  Array result(expression::make_structural(expression::make_structure(MatrixProduct{middle}),
                                           {left.node(), right.node()}, dtype, std::move(grid), where));
  std::vector<int> drop;
  if (row) drop.push_back(-2);
  if (column) drop.push_back(-1);
  return drop.empty() ? result : squeeze(result, Axes(drop), where);
}

Array dot(const Array& a, const Array& b, const std::source_location& where) {
  if (a.ndim() == 0 || b.ndim() == 0) return Operand(a, where) * Operand(b, where);
  if (a.ndim() > 2 || b.ndim() > 2) {
    throw Error(ops::at_line("dot", where) + "arrays of more than two dimensions: use matmul or tensordot");
  }
  return matmul(a, b, where);
}

}  // namespace weft::arrays
