#include <weft/ops/linear_algebra.hpp>

#include "arrays/kernels/lapack.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/contract.hpp"
#include "arrays/ops/matrix.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <complex>
#include <cstring>

namespace weft::arrays {
namespace {

using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;
using ops::at_line;

/// C = A B for the last two axes. The pieces of the inner axis are those of both factors' chunks, added in order.
struct MatrixProduct {
  static constexpr const char* kName = "matmul";
  static constexpr bool kAssembles = false;
  expression::AxisGrid inner;
  void needs(const Box& out, std::vector<Need>& needs) const {
    if (out.elements() == 0) return;
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
struct Seen {
  char transposed;
  std::int64_t leading;
};

template <class T>
void product(const ChunkWork& work, std::size_t a, std::size_t b, const std::byte* left, const std::byte* right,
             std::byte* out, bool first) {
  const std::size_t rows = work.output.shape.size() - 2;
  const expression::Block& x = work.inputs[a];
  const expression::Block& y = work.inputs[b];
  const std::int64_t m = x.shape[rows], k = x.shape[rows + 1], n = y.shape[rows + 1];
  const auto size = static_cast<std::int64_t>(sizeof(T));
  const auto seen = [&](const expression::Block& block) -> Seen {
    if (block.strides[rows + 1] == size || block.shape[rows + 1] == 1) {
      return {'N', std::max(block.strides[rows] / size, block.shape[rows + 1])};
    }
    return {'T', std::max(block.strides[rows + 1] / size, block.shape[rows])};
  };
  const Seen p = seen(x);
  const Seen q = seen(y);
  // Rows here are columns there: the transposed product of the transposed factors.
  kernels::gemm<T>(q.transposed, p.transposed, n, m, k, T(1), reinterpret_cast<const T*>(right), q.leading,
                   reinterpret_cast<const T*>(left), p.leading, first ? T(0) : T(1), reinterpret_cast<T*>(out), n);
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

/// All axes but the last two are common to both factors.
ops::Contract as_contract(const MatrixProduct& product, const ChunkWork& work) {
  ops::Contract same;
  same.out_axes = static_cast<std::int64_t>(work.output.shape.size());
  for (std::int64_t axis = 0; axis + 1 < same.out_axes; ++axis) same.a.push_back(axis);
  same.a.push_back(same.out_axes);
  for (std::int64_t axis = 0; axis + 2 < same.out_axes; ++axis) same.b.push_back(axis);
  same.b.push_back(same.out_axes);
  same.b.push_back(same.out_axes - 1);
  same.inner = {product.inner};
  return same;
}
[[maybe_unused]] const bool kOnDevices = expression::add_device_structure(
    expression::structure_type<MatrixProduct>, ops::product_on_devices<MatrixProduct, &as_contract>);

}  // namespace

Array matmul(const Array& a, const Array& b, const std::source_location& where) {
  if (a.ndim() == 0 || b.ndim() == 0) {
    throw Error(ops::at_line("matmul", where) + "an operand has no dimensions: use * for a product with a number");
  }
  const bool row = a.ndim() == 1;
  const bool column = b.ndim() == 1;
  const Dtype dtype = ops::told("matmul", where, [&] { return promote(a.dtype(), b.dtype()); });
  if (row && column && !(expression::known(a.node()->grid) && expression::known(b.node()->grid))) {
    return sum(multiply({a.astype(dtype, where), where}, {b, where}), {.dtype = dtype}, where);
  }
  ops::require_known(*a.node(), "matmul", where);
  ops::require_known(*b.node(), "matmul", where);
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
  if (a.ndim() <= 2 && b.ndim() <= 2) return matmul(a, b, where);
  const auto last = static_cast<int>(a.ndim()) - 1;
  return tensordot(a, b, {last}, {b.ndim() == 1 ? 0 : static_cast<int>(b.ndim()) - 2}, where);
}

Array vdot(const Array& a, const Array& b, const std::source_location& where) {
  if (a.size() != b.size()) {
    throw Error(at_line("vdot", where) + "the shapes " + a.shape().text() + " and " + b.shape().text() +
                " have different numbers of elements");
  }
  const Array left = a.dtype().is_complex() ? conj(Operand(a, where)) : a;
  const bool same = a.shape() == b.shape();
  const Array x = same ? left : ravel(left, where);
  const Array y = same ? b : ravel(b, where);
  return sum(Operand(x, where) * Operand(y, where), {.dtype = promote(a.dtype(), b.dtype())}, where);
}

Array outer(const Array& a, const Array& b, const std::source_location& where) {
  const Array x = a.ndim() == 1 ? a : ravel(a, where);
  const Array y = b.ndim() == 1 ? b : ravel(b, where);
  return Operand(expand_dims(x, 1, where), where) * Operand(expand_dims(y, 0, where), where);
}

Array inner(const Array& a, const Array& b, const std::source_location& where) {
  if (a.ndim() == 0 || b.ndim() == 0) return Operand(a, where) * Operand(b, where);
  return tensordot(a, b, {-1}, {-1}, where);
}

Array kron(const Array& a, const Array& b, const std::source_location& where) {
  const std::size_t ndim = std::max(a.ndim(), b.ndim());
  const auto extent = [&](const Array& one, std::size_t axis) {
    const std::size_t missing = ndim - one.ndim();
    return axis < missing ? std::int64_t{1} : one.shape()[axis - missing];
  };
  Shape left, right, joined;
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    left.push_back(extent(a, axis));
    left.push_back(1);
    right.push_back(1);
    right.push_back(extent(b, axis));
    joined.push_back(extent(a, axis) * extent(b, axis));
  }
  return reshape(Operand(reshape(a, left, where), where) * Operand(reshape(b, right, where), where), joined, where);
}

Array tensordot(const Array& a, const Array& b, int axes, const std::source_location& where) {
  if (axes < 0 || axes > static_cast<int>(std::min(a.ndim(), b.ndim()))) {
    throw Error(at_line("tensordot", where) + std::to_string(axes) + " axes cannot be summed over: the operands have " +
                std::to_string(a.ndim()) + " and " + std::to_string(b.ndim()));
  }
  std::vector<int> left, right;
  for (int i = 0; i < axes; ++i) {
    left.push_back(static_cast<int>(a.ndim()) - axes + i);
    right.push_back(i);
  }
  return tensordot(a, b, left, right, where);
}

Array tensordot(const Array& a, const Array& b, const std::vector<int>& a_axes, const std::vector<int>& b_axes,
                const std::source_location& where) {
  if (a_axes.size() != b_axes.size()) {
    throw Error(at_line("tensordot", where) + std::to_string(a_axes.size()) + " axes of the first operand and " +
                std::to_string(b_axes.size()) + " of the second were named: they go in pairs");
  }
  // Refuses what is out of range or named twice.
  ops::resolve_axes("tensordot", Axes(a_axes), a.ndim(), where);
  ops::resolve_axes("tensordot", Axes(b_axes), b.ndim(), where);
  std::vector<int> a_labels(a.ndim(), -1), b_labels(b.ndim(), -1), out;
  int next = 0;
  for (std::size_t i = 0; i < a_axes.size(); ++i, ++next) {
    const auto p = static_cast<std::size_t>(a_axes[i] < 0 ? a_axes[i] + static_cast<int>(a.ndim()) : a_axes[i]);
    const auto q = static_cast<std::size_t>(b_axes[i] < 0 ? b_axes[i] + static_cast<int>(b.ndim()) : b_axes[i]);
    if (a.shape()[p] != b.shape()[q]) {
      throw Error(at_line("tensordot", where) + "axis " + std::to_string(p) + " of the shape " + a.shape().text() +
                  " and axis " + std::to_string(q) + " of " + b.shape().text() + " have different extents");
    }
    a_labels[p] = b_labels[q] = next;
  }
  for (std::vector<int>* const labels : {&a_labels, &b_labels}) {
    for (int& label : *labels) {
      if (label >= 0) continue;
      label = next++;
      out.push_back(label);
    }
  }
  return ops::contract("tensordot", a, a_labels, b, b_labels, out, where);
}

Array trace(const Array& array, std::int64_t k, const std::source_location& where) {
  if (array.ndim() < 2) throw Error(at_line("trace", where) + "needs two dimensions at least");
  return sum(diagonal(array, k, where), {.axis = -1}, where);
}

}  // namespace weft::arrays
