// Cholesky and LU by blocks, and what follows from them. Each step is an array of its own, so that a chunk of the
// result waits for those that it needs and nothing else.
#include "arrays/ops/matrix.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/linalg.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace weft::linalg {

using namespace arrays;

namespace {

using expression::Grid;
using kernels::LapackInt;
using ops::at_line;
using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Columns;
using ops::matrix_need;
using ops::Need;
using ops::structural;
using ops::vector_need;

/// a -= x y, or x y^H.
template <class T>
void subtract_product(Columns<T>& a, const Block& x, const Block& y, bool adjoint) {
  const Columns<T> left = ops::columns_of<T>(x);
  const Columns<T> right = ops::columns_of<T>(y);
  if (a.rows == 0 || a.columns == 0 || left.columns == 0) return;
  const char how = adjoint ? (std::is_floating_point_v<T> ? 'T' : 'C') : 'N';
  kernels::gemm<T>('N', how, a.rows, a.columns, left.columns, T(-1), left.data(), left.leading(), right.data(),
                   right.leading(), T(1), a.data(), a.leading());
}

/// A tile on the diagonal of a Cholesky factor. Inputs: the matrix, then the tiles below the diagonal of each earlier
/// block column.
struct CholeskyDiagonal {
  static constexpr const char* kName = "cholesky";
  static constexpr bool kAssembles = false;
  AxisGrid tiles;
  std::int64_t k;
  void needs(const Box&, std::vector<Need>& needs) const {
    const std::int64_t start = tiles.start(k), size = tiles.size(k);
    needs.push_back(matrix_need(0, start, size, start, size));
    for (std::int64_t j = 0; j < k; ++j) {
      needs.push_back(matrix_need(static_cast<std::uint32_t>(1 + j), start - tiles.end(j), size, 0, tiles.size(j)));
    }
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> a = ops::columns_of<T>(work.inputs[0]);
      for (std::size_t j = 1; j < work.inputs.size(); ++j) subtract_product(a, work.inputs[j], work.inputs[j], true);
      const LapackInt minor = kernels::potrf<T>('L', a.rows, a.data(), a.leading());
      if (minor != 0) {
        throw Error("cholesky: the matrix is not positive definite: its leading minor of order " +
                    std::to_string(tiles.start(k) + minor) + " is not positive");
      }
      for (std::int64_t j = 0; j < a.columns; ++j) std::fill(a.at(0, j), a.at(j, j), T(0));
      ops::write_chunk(a, work.output);
    });
  }
};

/// The tiles below it. Inputs: the matrix, the tile on the diagonal, the earlier block columns.
struct CholeskyColumn {
  static constexpr const char* kName = "cholesky-column";
  static constexpr bool kAssembles = false;
  AxisGrid tiles;
  std::int64_t k;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t start = tiles.start(k), size = tiles.size(k), row = tiles.end(k) + out.start[0];
    needs.push_back(matrix_need(0, row, out.extent[0], start, size));
    needs.push_back(matrix_need(1, 0, size, 0, size));
    for (std::int64_t j = 0; j < k; ++j) {
      const auto input = static_cast<std::uint32_t>(2 + j);
      needs.push_back(matrix_need(input, row - tiles.end(j), out.extent[0], 0, tiles.size(j)));
      needs.push_back(matrix_need(input, start - tiles.end(j), size, 0, tiles.size(j)));
    }
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> a = ops::columns_of<T>(work.inputs[0]);
      for (std::size_t j = 2; j + 1 < work.inputs.size(); j += 2) {
        subtract_product(a, work.inputs[j], work.inputs[j + 1], true);
      }
      const Columns<T> diagonal = ops::columns_of<T>(work.inputs[1]);
      kernels::trsm<T>('R', 'L', std::is_floating_point_v<T> ? 'T' : 'C', 'N', a.rows, a.columns, diagonal.data(),
                       diagonal.leading(), a.data(), a.leading());
      ops::write_chunk(a, work.output);
    });
  }
};

/// A block of rows of the solution of a triangular system. Inputs: the matrix, the right side, the blocks of rows that
/// were solved before.
struct TriangularRows {
  static constexpr const char* kName = "solve_triangular";
  static constexpr bool kAssembles = false;
  AxisGrid tiles;
  std::int64_t k;
  bool lower;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t start = tiles.start(k), size = tiles.size(k);
    needs.push_back(matrix_need(0, start, size, start, size));
    needs.push_back(matrix_need(1, start, size, out.start[1], out.extent[1]));
    const std::int64_t before = lower ? k : tiles.count() - 1 - k;
    for (std::int64_t i = 0; i < before; ++i) {
      const std::int64_t j = lower ? i : tiles.count() - 1 - i;
      needs.push_back(matrix_need(0, start, size, tiles.start(j), tiles.size(j)));
      needs.push_back(matrix_need(static_cast<std::uint32_t>(2 + i), 0, tiles.size(j), out.start[1], out.extent[1]));
    }
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> x = ops::columns_of<T>(work.inputs[1]);
      for (std::size_t j = 2; j + 1 < work.inputs.size(); j += 2) {
        subtract_product(x, work.inputs[j], work.inputs[j + 1], false);
      }
      const Columns<T> diagonal = ops::columns_of<T>(work.inputs[0]);
      for (std::int64_t i = 0; i < diagonal.rows; ++i) {
        if (*diagonal.at(i, i) == T(0)) {
          throw Error("solve: the matrix is singular: the pivot of row " + std::to_string(tiles.start(k) + i) +
                      " is zero; lstsq gives the solution of least norm");
        }
      }
      kernels::trsm<T>('L', lower ? 'L' : 'U', 'N', 'N', x.rows, x.columns, diagonal.data(), diagonal.leading(),
                       x.data(), x.leading());
      ops::write_chunk(x, work.output);
    });
  }
};

/// Places in a packed block column: m x n factors column by column, then the pivots' bits.
struct Panel {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k() const { return std::min(m, n); }
  std::int64_t pack() const { return m * n + k(); }
};

template <class T>
LapackInt pivot(const T* pivots, std::int64_t i) {
  LapackInt value;
  std::memcpy(&value, pivots + i, sizeof value);
  return value - 1;
}

/// Factors a block column of the whole height.
struct LuPanel {
  static constexpr const char* kName = "lu";
  static constexpr bool kAssembles = false;
  Panel panel;
  std::int64_t row0;
  std::int64_t column0;
  void needs(const Box&, std::vector<Need>& needs) const {
    needs.push_back(matrix_need(0, row0, panel.m, column0, panel.n));
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> a = ops::columns_of<T>(work.inputs[0]);
      std::vector<LapackInt> pivots(static_cast<std::size_t>(panel.k()));
      kernels::getrf<T>(panel.m, panel.n, a.data(), a.leading(), pivots.data());
      T* const out = reinterpret_cast<T*>(work.output.data);
      std::memcpy(out, a.data(), static_cast<std::size_t>(panel.m * panel.n) * sizeof(T));
      std::fill(out + panel.m * panel.n, out + panel.pack(), T(0));
      for (std::int64_t i = 0; i < panel.k(); ++i) {
        std::memcpy(static_cast<void*>(out + panel.m * panel.n + i), &pivots[static_cast<std::size_t>(i)],
                    sizeof(LapackInt));
      }
    });
  }
};

/// Columns behind a factored block column: rows exchanged, the first k rows those of U, the others what is left.
struct LuUpdate {
  static constexpr const char* kName = "lu-update";
  static constexpr bool kAssembles = false;
  Panel panel;
  std::int64_t row0;
  std::int64_t column0;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back(vector_need(0, 0, panel.pack()));
    needs.push_back(matrix_need(1, row0, panel.m, column0 + out.start[1], out.extent[1]));
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> a = ops::columns_of<T>(work.inputs[1]);
      const T* const factors = reinterpret_cast<const T*>(work.inputs[0].data);
      const std::int64_t k = panel.k();
      for (std::int64_t j = 0; j < a.columns; ++j) {
        for (std::int64_t i = 0; i < k; ++i) std::swap(*a.at(i, j), *a.at(pivot(factors + panel.m * panel.n, i), j));
      }
      const std::int64_t leading = std::max<std::int64_t>(1, panel.m);
      kernels::trsm<T>('L', 'L', 'N', 'U', k, a.columns, factors, leading, a.data(), a.leading());
      if (panel.m > k) {
        kernels::gemm<T>('N', 'N', panel.m - k, a.columns, k, T(-1), factors + k, leading, a.data(), a.leading(), T(1),
                         a.at(k, 0), a.leading());
      }
      ops::write_chunk(a, work.output);
    });
  }
};

/// The upper triangle of a factored block column.
struct LuUpper {
  static constexpr const char* kName = "lu-u";
  static constexpr bool kAssembles = false;
  Panel panel;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back(vector_need(0, 0, panel.m * panel.n)); }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      const T* const factors = reinterpret_cast<const T*>(work.inputs[0].data);
      T* out = reinterpret_cast<T*>(work.output.data);
      for (std::int64_t i = 0; i < panel.k(); ++i) {
        for (std::int64_t j = 0; j < panel.n; ++j) *out++ = j < i ? T(0) : factors[i + j * panel.m];
      }
    });
  }
};

/// A block column of L: the factored one with the row exchanges of the later ones. Inputs: it and they.
struct LuLower {
  static constexpr const char* kName = "lu-l";
  static constexpr bool kAssembles = false;
  std::vector<Panel> panels;
  std::int64_t rows;
  void needs(const Box&, std::vector<Need>& needs) const {
    for (std::size_t i = 0; i < panels.size(); ++i) {
      const Panel& panel = panels[i];
      const std::int64_t factors = panel.m * panel.n;
      needs.push_back(i == 0 ? vector_need(0, 0, factors)
                             : vector_need(static_cast<std::uint32_t>(i), factors, panel.k()));
    }
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      const T* const factors = reinterpret_cast<const T*>(work.inputs[0].data);
      const std::int64_t k = panels[0].k(), row = rows - panels[0].m;
      Columns<T> a(rows, k);
      for (std::int64_t j = 0; j < k; ++j) {
        for (std::int64_t i = j + 1; i < panels[0].m; ++i) *a.at(row + i, j) = factors[i + j * panels[0].m];
        *a.at(row + j, j) = T(1);
      }
      for (std::size_t later = 1; later < panels.size(); ++later) {
        const T* const pivots = reinterpret_cast<const T*>(work.inputs[later].data);
        const std::int64_t from = rows - panels[later].m;
        for (std::int64_t i = 0; i < panels[later].k(); ++i) {
          const std::int64_t other = from + pivot(pivots, i);
          if (other == from + i) continue;
          for (std::int64_t j = 0; j < k; ++j) std::swap(*a.at(from + i, j), *a.at(other, j));
        }
      }
      ops::write_chunk(a, work.output);
    });
  }
};

/// Which row of the matrix each row of l u is. Inputs: the block columns.
struct LuOrder {
  static constexpr const char* kName = "lu-p";
  static constexpr bool kAssembles = false;
  std::vector<Panel> panels;
  std::int64_t rows;
  void needs(const Box&, std::vector<Need>& needs) const {
    for (std::size_t i = 0; i < panels.size(); ++i) {
      const std::int64_t factors = panels[i].m * panels[i].n;
      needs.push_back(vector_need(static_cast<std::uint32_t>(i), factors, panels[i].k()));
    }
  }
  void run(const ChunkWork& work) const {
    auto* const order = reinterpret_cast<std::int64_t*>(work.output.data);
    std::iota(order, order + rows, std::int64_t{0});
    for (std::size_t at = 0; at < panels.size(); ++at) {
      const std::int64_t from = rows - panels[at].m;
      for (std::int64_t i = 0; i < panels[at].k(); ++i) {
        const std::byte* const bits = work.inputs[at].data + static_cast<std::size_t>(i) * work.inputs[at].dtype.size();
        LapackInt row;
        std::memcpy(&row, bits, sizeof row);
        std::swap(order[from + i], order[from + row - 1]);
      }
    }
  }
};

/// Sign and logarithm of the determinant's share of one block column.
struct LuDeterminant {
  static constexpr const char* kName = "lu-det";
  static constexpr bool kAssembles = false;
  Panel panel;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back(vector_need(0, 0, panel.pack())); }
  void run(const ChunkWork& work) const {
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      const T* const factors = reinterpret_cast<const T*>(work.inputs[0].data);
      T sign = 1;
      kernels::RealOf<T> logarithm = 0;
      for (std::int64_t i = 0; i < panel.k(); ++i) {
        const T value = factors[i + i * panel.m];
        const kernels::RealOf<T> size = std::abs(value);
        sign *= size == 0 ? T(0) : value / size;
        if (pivot(factors + panel.m * panel.n, i) != i) sign = -sign;
        logarithm += std::log(size);
      }
      T* const out = reinterpret_cast<T*>(work.output.data);
      out[0] = sign;
      out[1] = logarithm;
    });
  }
};

/// A matrix factored block column by block column, and right sides that went along with it.
struct LuSteps {
  std::vector<Panel> panels;
  std::vector<Array> packed;
  /// For each step the rows of U, and the rows of L^-1 P b.
  std::vector<Array> upper;
  std::vector<Array> sides;
};

AxisGrid without_empty(const AxisGrid& axis) {
  std::vector<std::int64_t> sizes = axis.sizes();
  std::erase(sizes, 0);
  return sizes.empty() ? AxisGrid::whole(0) : AxisGrid::of(sizes);
}

LuSteps factor(const Array& a, const Array* b, const std::source_location& where) {
  const std::int64_t m = a.shape()[0], n = a.shape()[1];
  const Dtype dtype = a.dtype();
  const AxisGrid columns = without_empty(a.node()->grid[1]);
  LuSteps steps;
  Array rest = a;
  Array side = b != nullptr ? *b : Array();
  std::int64_t row0 = 0, column0 = 0, side_row0 = 0;
  for (std::int64_t piece = 0, row = 0; piece < columns.count() && row < m; ++piece) {
    const Panel panel{m - row, columns.size(piece)};
    const std::int64_t k = panel.k(), behind = n - columns.end(piece);
    const Array packed =
        structural(LuPanel{panel, row0, column0}, {rest}, dtype, {AxisGrid::whole(panel.pack())}, where);
    std::vector<Array> u_row;
    if (columns.start(piece) > 0) {
      u_row.push_back(zeros({k, columns.start(piece)}, {.dtype = dtype, .chunks = {-1, columns.largest()}}, where));
    }
    u_row.push_back(structural(LuUpper{panel}, {packed}, dtype, {AxisGrid::whole(k), AxisGrid::whole(panel.n)}, where));
    if (behind > 0) {
      std::vector<std::int64_t> sizes;
      for (std::int64_t next = piece + 1; next < columns.count(); ++next) sizes.push_back(columns.size(next));
      rest = structural(LuUpdate{panel, row0, column0 + panel.n}, {packed, rest}, dtype,
                        {AxisGrid::whole(panel.m), AxisGrid::of(sizes)}, where);
      u_row.push_back(rest(slice(0, k)));
      row0 = k;
      column0 = 0;
    }
    if (b != nullptr) {
      side = structural(LuUpdate{panel, side_row0, 0}, {packed, side}, dtype,
                        {AxisGrid::whole(panel.m), b->node()->grid[1]}, where);
      steps.sides.push_back(side(slice(0, k)));
      side_row0 = k;
    }
    steps.upper.push_back(concatenate(u_row, 1, where));
    steps.panels.push_back(panel);
    steps.packed.push_back(packed);
    row += k;
  }
  return steps;
}

Array triangular(const Array& a, const Array& b, const AxisGrid& tiles, bool lower, const std::source_location& where) {
  std::vector<Array> inputs{a, b};
  for (std::int64_t i = 0; i < tiles.count(); ++i) {
    const std::int64_t k = lower ? i : tiles.count() - 1 - i;
    inputs.push_back(structural(TriangularRows{tiles, k, lower}, inputs, a.dtype(),
                                {AxisGrid::whole(tiles.size(k)), b.node()->grid[1]}, where));
  }
  std::vector<Array> rows(inputs.begin() + 2, inputs.end());
  if (!lower) std::reverse(rows.begin(), rows.end());
  return concatenate(rows, 0, where);
}

/// The two sides of a system in one type; `b` as a matrix.
struct System {
  Array a, b;
  bool vector;
};
System make_system(const char* operation, const Array& a, const Array& b, const std::source_location& where) {
  System system{ops::square_matrix(operation, a, where), b, b.ndim() == 1};
  if (system.vector) system.b = expand_dims(b, 1, where);
  system.b = ops::field_array(operation, system.b, 2, where);
  if (system.a.shape()[0] != system.b.shape()[0]) {
    throw Error(at_line(operation, where) + "the shapes " + a.shape().text() + " and " + b.shape().text() +
                " do not fit: the right side must have as many rows as the matrix");
  }
  const Dtype dtype = ops::told(operation, where, [&] { return promote(system.a.dtype(), system.b.dtype()); });
  system.a = system.a.astype(dtype, where);
  system.b = system.b.astype(dtype, where);
  return system;
}

}  // namespace

Array cholesky(const Array& x, bool lower, const std::source_location& where) {
  const Array a = ops::square_matrix("cholesky", x, where);
  const std::int64_t n = a.shape()[0];
  const AxisGrid tiles = without_empty(a.node()->grid[0]);
  std::vector<Array> columns, below;
  for (std::int64_t k = 0; k < tiles.count(); ++k) {
    const std::int64_t size = tiles.size(k);
    std::vector<Array> inputs{a};
    inputs.insert(inputs.end(), below.begin(), below.end());
    const Array diagonal = structural(CholeskyDiagonal{tiles, k}, inputs, a.dtype(),
                                      {AxisGrid::whole(size), AxisGrid::whole(size)}, where);
    std::vector<Array> column;
    if (k > 0) {
      std::vector<std::int64_t> above;
      for (std::int64_t tile = 0; tile < k; ++tile) above.push_back(tiles.size(tile));
      column.push_back(
          zeros({tiles.start(k), size}, {.dtype = a.dtype(), .chunks = {AxisChunks(above), AxisChunks(-1)}}, where));
    }
    column.push_back(diagonal);
    if (tiles.end(k) < n) {
      std::vector<std::int64_t> sizes;
      for (std::int64_t next = k + 1; next < tiles.count(); ++next) sizes.push_back(tiles.size(next));
      inputs.insert(inputs.begin() + 1, diagonal);
      below.push_back(
          structural(CholeskyColumn{tiles, k}, inputs, a.dtype(), {AxisGrid::of(sizes), AxisGrid::whole(size)}, where));
      column.push_back(below.back());
    }
    columns.push_back(concatenate(column, 0, where));
  }
  const Array factor = concatenate(columns, 1, where);
  if (lower) return factor;
  const Array turned = transpose(factor, {}, where);
  return a.dtype().is_complex() ? conj(Operand(turned, where)) : turned;
}

LuResult lu(const Array& x, const std::source_location& where) {
  const Array a = ops::field_array("lu", x, 2, where);
  const std::int64_t m = a.shape()[0], n = a.shape()[1];
  if (a.size() == 0) {
    const CreateOptions options{.dtype = a.dtype()};
    return {eye(m, m, 0, options, where), eye(m, 0, 0, options, where), zeros({0, n}, options, where)};
  }
  const LuSteps steps = factor(a, nullptr, where);
  std::vector<Array> columns;
  for (std::size_t k = 0; k < steps.panels.size(); ++k) {
    const auto from = static_cast<std::ptrdiff_t>(k);
    LuLower part{{steps.panels.begin() + from, steps.panels.end()}, m};
    columns.push_back(structural(std::move(part), {steps.packed.begin() + from, steps.packed.end()}, a.dtype(),
                                 {AxisGrid::whole(m), AxisGrid::whole(steps.panels[k].k())}, where));
  }
  const Array order = structural(LuOrder{steps.panels, m}, steps.packed, int64, {AxisGrid::whole(m)}, where);
  const Array places =
      arange(Scalar(m), CreateOptions{.dtype = int64, .chunks = {AxisChunks(a.node()->grid[0].sizes())}}, where);
  const Array p = (Operand(expand_dims(order, 0, where), where) == Operand(expand_dims(places, 1, where), where))
                      .astype(a.dtype().real(), where);
  return {p, concatenate(columns, 1, where), concatenate(steps.upper, 0, where)};
}

Array solve(const Array& a_given, const Array& b_given, const std::source_location& where) {
  const System system = make_system("solve", a_given, b_given, where);
  if (system.a.size() == 0) return system.vector ? squeeze(system.b, 1, where) : system.b;
  const LuSteps steps = factor(system.a, &system.b, where);
  const AxisGrid tiles = without_empty(system.a.node()->grid[1]);
  const Array x =
      triangular(concatenate(steps.upper, 0, where), concatenate(steps.sides, 0, where), tiles, false, where);
  return system.vector ? squeeze(x, 1, where) : x;
}

Array solve_triangular(const Array& a_given, const Array& b_given, bool lower, const std::source_location& where) {
  const System system = make_system("solve_triangular", a_given, b_given, where);
  if (system.a.size() == 0) return system.vector ? squeeze(system.b, 1, where) : system.b;
  const AxisGrid tiles = without_empty(system.a.node()->grid[0]);
  const Array x = triangular(system.a, system.b, tiles, lower, where);
  return system.vector ? squeeze(x, 1, where) : x;
}

Array inv(const Array& x, const std::source_location& where) {
  const Array a = ops::square_matrix("inv", x, where);
  const std::int64_t n = a.shape()[0];
  const AxisChunks chunks(a.node()->grid[1].sizes());
  return solve(a, eye(n, n, 0, {.dtype = a.dtype(), .chunks = {chunks, chunks}}, where), where);
}

SlogdetResult slogdet(const Array& x, const std::source_location& where) {
  const Array a = ops::square_matrix("slogdet", x, where);
  const Dtype dtype = a.dtype();
  if (a.size() == 0) return {full({}, 1.0, {.dtype = dtype}, where), full({}, 0.0, {.dtype = dtype.real()}, where)};
  const LuSteps steps = factor(a, nullptr, where);
  std::vector<Array> parts;
  for (std::size_t k = 0; k < steps.panels.size(); ++k) {
    parts.push_back(structural(LuDeterminant{steps.panels[k]}, {steps.packed[k]}, dtype, {AxisGrid::whole(2)}, where));
  }
  const Array both = stack(parts, 0, where);
  const Array logarithms = both.at({slice(), 1}, where);
  return {prod(both.at({slice(), 0}, where), {}, where),
          sum(dtype.is_complex() ? real(Operand(logarithms, where)) : logarithms, {}, where)};
}

Array det(const Array& x, const std::source_location& where) {
  const SlogdetResult parts = slogdet(ops::square_matrix("det", x, where), where);
  return Operand(parts.sign, where) * Operand(exp(Operand(parts.logabsdet, where)), where);
}

Array matrix_power(const Array& x, std::int64_t power, const std::source_location& where) {
  if (x.ndim() != 2 || x.shape()[0] != x.shape()[1]) ops::square_matrix("matrix_power", x, where);
  if (power == 0) {
    return eye(
        x.shape()[0], x.shape()[0], 0,
        {.dtype = x.dtype(), .chunks = {AxisChunks(x.node()->grid[0].sizes()), AxisChunks(x.node()->grid[1].sizes())}},
        where);
  }
  Array factor = power < 0 ? inv(x, where) : x;
  Array result;
  for (std::uint64_t rest = power < 0 ? -static_cast<std::uint64_t>(power) : static_cast<std::uint64_t>(power);;) {
    if (rest % 2 == 1) result = result.valid() ? matmul(result, factor, where) : factor;
    rest /= 2;
    if (rest == 0) return result;
    factor = matmul(factor, factor, where);
  }
}

}  // namespace weft::linalg
