// Norms and eigenvalues.
#include "arrays/ops/matrix.hpp"

#include <weft/ops/elementwise.hpp>
#include <weft/ops/linalg.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <cmath>
#include <cstring>

namespace weft::linalg {

using namespace arrays;

namespace {

using ops::at_line;
using ops::AxisGrid;
using ops::Box;
using ops::ChunkWork;
using ops::Columns;
using ops::Need;

/// The eigenvalues, then the vectors row by row.
struct EighPack {
  static constexpr const char* kName = "eigh";
  static constexpr bool kAssembles = false;
  std::int64_t n;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back(ops::matrix_need(0, 0, n, 0, n)); }
  void run(const ChunkWork& work) const {
    if (n == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> a = ops::columns_of<T>(work.inputs[0]);
      std::vector<kernels::RealOf<T>> values(static_cast<std::size_t>(n));
      if (kernels::heevd<T>('L', n, a.data(), a.leading(), values.data()) != 0) {
        throw Error("eigh: the eigenvalues did not converge (does the matrix hold NaN?)");
      }
      T* const out = reinterpret_cast<T*>(work.output.data);
      for (std::int64_t i = 0; i < n; ++i) out[i] = values[static_cast<std::size_t>(i)];
      const auto size = static_cast<std::int64_t>(sizeof(T));
      const std::int64_t strides[2] = {n * size, size};
      ops::write_matrix(a, 0, 0, n, n, reinterpret_cast<std::byte*>(out + n), strides);
    });
  }
};

Array vector_norm(const Array& x, double p, const ReduceOptions& options, const std::source_location& where) {
  const Array size = absolute(Operand(x, where));
  if (std::isinf(p)) return p > 0 ? max(size, options, where) : min(size, options, where);
  if (p == 0) {
    const Array other = (Operand(x, where) != Operand(0, where)).astype(size.dtype(), where);
    return sum(other, options, where);
  }
  if (p == 1) return sum(size, options, where);
  if (p == 2) return sqrt(sum(square(size), options, where));
  const Array powers = power(Operand(size, where), Operand(p, where));
  return power(Operand(sum(powers, options, where), where), Operand(1 / p, where));
}

}  // namespace

Order::Order(const char* name) {
  if (std::strcmp(name, "fro") == 0) {
    kind_ = Frobenius;
  } else if (std::strcmp(name, "nuc") == 0) {
    kind_ = Nuclear;
  } else {
    throw Error("'" + std::string(name) + "' is no norm: they are \"fro\", \"nuc\" and numbers");
  }
}

Array norm(const Array& given, const Order& order, const NormOptions& options, const std::source_location& where) {
  const Array x = ops::field_array("norm", given, given.ndim(), where);
  std::vector<int> axes;
  try {
    axes = options.axis.resolve(static_cast<int>(x.ndim()));
  } catch (const Error& error) {
    throw Error(at_line("norm", where) + error.what());
  }
  const ReduceOptions all{.axis = Axes(axes), .keepdims = options.keepdims};
  if (!options.axis.given() && order.kind() == Order::Default) return vector_norm(x, 2, all, where);
  if (axes.size() == 1) {
    if (order.kind() == Order::Nuclear || order.kind() == Order::Frobenius) {
      throw Error(at_line("norm", where) + "\"fro\" and \"nuc\" are norms of matrices: name two axes, or the order 2");
    }
    return vector_norm(x, order.p(), all, where);
  }
  if (axes.size() != 2) {
    throw Error(at_line("norm", where) + "an array of " + std::to_string(x.ndim()) +
                " dimensions has no norm of this order: name one axis (vectors) or two (matrices)");
  }
  if (order.kind() == Order::Default || order.kind() == Order::Frobenius) return vector_norm(x, 2, all, where);
  const auto refuse_many = [&] {
    if (x.ndim() == 2) return;
    throw Error(at_line("norm", where) +
                "norms by singular values are there for one matrix (two dimensions) at a time");
  };
  Array value;
  if (order.kind() == Order::Nuclear) {
    refuse_many();
    value = sum(svd(x, where).s, {}, where);
  } else if (std::fabs(order.p()) == 2) {
    refuse_many();
    const Array s = svd(x, where).s;
    value = order.p() > 0 ? max(s, {}, where) : min(s, {}, where);
  } else if (std::fabs(order.p()) == 1 || std::isinf(order.p())) {
    // Sums over rows for 1, over columns for infinity. The order of the named axes tells which is which.
    int first = options.axis.given() ? options.axis.list()[0] : axes[0];
    if (first < 0) first += static_cast<int>(x.ndim());
    const int rows = first;
    const int columns = axes[0] == first ? axes[1] : axes[0];
    const Array sums =
        sum(absolute(Operand(x, where)), {.axis = std::isinf(order.p()) ? columns : rows, .keepdims = true}, where);
    const ReduceOptions rest{.axis = Axes(axes), .keepdims = options.keepdims};
    return order.p() > 0 ? max(sums, rest, where) : min(sums, rest, where);
  } else {
    throw Error(at_line("norm", where) + "matrices have norms of the orders 1, -1, 2, -2, infinity, \"fro\", \"nuc\"");
  }
  return options.keepdims ? reshape(value, {1, 1}, where) : value;
}

EighResult eigh(const Array& x, const std::source_location& where) {
  const Array a = ops::square_matrix("eigh", x, where);
  const std::int64_t n = a.shape()[0];
  const Array pack = ops::structural(EighPack{n}, {a}, a.dtype(), {AxisGrid::whole(n + n * n)}, where);
  const Array values = pack.at({slice(0, n)}, where);
  return {a.dtype().is_complex() ? real(Operand(values, where)) : values,
          reshape(pack.at({slice(n, n + n * n)}, where), {n, n}, where)};
}

}  // namespace weft::linalg
