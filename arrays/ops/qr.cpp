// QR by blocks, and what follows from it: singular values and least squares.
#include "arrays/ops/matrix.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/linalg.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>
#include <weft/random.hpp>

#include <algorithm>
#include <cmath>

namespace weft::linalg {

using namespace arrays;

namespace {

using expression::Grid;
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

/// Factors blocks of rows, each by itself. A chunk of the result is one block's factors: R row by row (k x n), the k
/// scalars of the reflectors, then the block column by column with the reflectors below its diagonal.
struct QrPack {
  static constexpr const char* kName = "qr";
  static constexpr bool kAssembles = false;
  /// The blocks, counted from row0.
  AxisGrid rows;
  AxisGrid packs;
  std::int64_t row0;
  std::int64_t column0;
  std::int64_t n;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t block = packs.find(out.start[0]);
    needs.push_back(matrix_need(0, row0 + rows.start(block), rows.size(block), column0, n));
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) { factor<decltype(zero)>(work); });
  }
  template <class T>
  void factor(const ChunkWork& work) const {
    Columns<T> a = ops::columns_of<T>(work.inputs[0]);
    const std::int64_t k = std::min(a.rows, n);
    T* const r = reinterpret_cast<T*>(work.output.data);
    T* const tau = r + k * n;
    kernels::geqrf<T>(a.rows, n, a.data(), a.leading(), tau);
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j < n; ++j) r[i * n + j] = j < i ? T(0) : *a.at(i, j);
    }
    std::memcpy(tau + k, a.data(), static_cast<std::size_t>(a.rows * n) * sizeof(T));
  }
};

/// The R of each block, one below the other.
struct QrUpper {
  static constexpr const char* kName = "qr-r";
  static constexpr bool kAssembles = false;
  AxisGrid packs;
  AxisGrid kept;
  std::int64_t n;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t block = kept.find(out.start[0]);
    needs.push_back(vector_need(0, packs.start(block), out.extent[0] * n));
  }
  void run(const ChunkWork& work) const {
    const auto bytes = static_cast<std::size_t>(work.output.shape[0] * n) * work.output.dtype.size();
    if (bytes > 0) std::memcpy(work.output.data, work.inputs[0].data, bytes);
  }
};

/// A packed block in memory.
template <class T>
struct Reflectors {
  std::int64_t m, n, k;
  const T* tau;
  const T* vectors;
  Reflectors(const Block& pack, std::int64_t rows, std::int64_t columns)
      : m(rows), n(columns), k(std::min(rows, columns)) {
    tau = reinterpret_cast<const T*>(pack.data) + k * n;
    vectors = tau + k;
  }
  void apply(char transpose, Columns<T>& c) const { apply_at(transpose, c, 0); }
  /// To the rows from `row` on.
  void apply_at(char transpose, Columns<T>& c, std::int64_t row) const {
    if (k == 0 || c.columns == 0) return;
    kernels::apply_q<T>(transpose, m, c.columns, k, vectors, std::max<std::int64_t>(1, m), tau, c.at(row, 0),
                        c.leading());
  }
};

/// Q of each block times the rows of the second input that belong to it (k of each block); or, adjoint, the first k
/// rows of Q^H times the block's own rows.
struct QrApply {
  static constexpr const char* kName = "qr-q";
  static constexpr bool kAssembles = false;
  AxisGrid rows;
  AxisGrid packs;
  AxisGrid kept;
  std::int64_t n;
  bool adjoint;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t block = (adjoint ? kept : rows).find(out.start[0]);
    const AxisGrid& from = adjoint ? rows : kept;
    needs.push_back(vector_need(0, packs.start(block), packs.size(block)));
    needs.push_back(matrix_need(1, from.start(block), from.size(block), out.start[1], out.extent[1]));
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      const std::int64_t m = adjoint ? work.inputs[1].shape[0] : work.output.shape[0];
      Columns<T> c(m, work.output.shape[1]);
      ops::read_matrix(c, 0, 0, work.inputs[1]);
      Reflectors<T>(work.inputs[0], m, n).apply(adjoint ? 'C' : 'N', c);
      ops::write_chunk(c, work.output);
    });
  }
};

constexpr std::int64_t kGroup = 8;
/// A block that fits a core's own cache is factored about twice as fast.
constexpr std::int64_t kBlockBytes = 1 << 20;

/// Puts pieces of an axis together until each has `least` places, and cuts those of more than `most`.
AxisGrid regroup(const AxisGrid& axis, std::int64_t least, std::int64_t most) {
  if (axis.extent() == 0) return AxisGrid::whole(0);
  std::vector<std::int64_t> sizes;
  std::int64_t open = 0;
  const auto close = [&] {
    const std::int64_t parts =
        std::max<std::int64_t>(1, std::min(open / std::max<std::int64_t>(1, least), (open + most - 1) / most));
    for (std::int64_t part = 0; part < parts; ++part) sizes.push_back(open * (part + 1) / parts - open * part / parts);
    open = 0;
  };
  for (std::int64_t piece = 0; piece < axis.count(); ++piece) {
    open += axis.size(piece);
    if (open >= least && open > 0) close();
  }
  if (open > 0) {
    // What is left over is too small for itself.
    if (sizes.empty()) {
      sizes.push_back(open);
    } else {
      sizes.back() += open;
    }
  }
  return AxisGrid::of(sizes);
}

/// A tree of factored blocks: the R of a level are the rows of the next. Constant once it is made.
class QrTree {
 public:
  QrTree(const Array& a, const std::source_location& where) : dtype_(a.dtype()), where_(where) {
    const std::int64_t n = a.shape()[1];
    const auto row_bytes = std::max<std::int64_t>(1, n * static_cast<std::int64_t>(dtype_.size()));
    Array rows = a;
    for (;;) {
      Level level;
      const AxisGrid& axis = rows.node()->grid[0];
      if (n == 0 || levels_.size() > 60) {
        level.rows = AxisGrid::whole(rows.shape()[0]);
      } else if (levels_.empty()) {
        level.rows = regroup(axis, 2 * n, std::max(4 * n, kBlockBytes / row_bytes));
      } else {
        level.rows = regroup(axis, kGroup * n, rows.shape()[0]);
      }
      std::vector<std::int64_t> packs, kept;
      for (std::int64_t block = 0; block < level.rows.count(); ++block) {
        const std::int64_t m = level.rows.size(block);
        const std::int64_t k = std::min(m, n);
        kept.push_back(k);
        packs.push_back(k * n + k + m * n);
      }
      level.packs = AxisGrid::of(packs);
      level.kept = AxisGrid::of(kept);
      level.pack = structural(QrPack{level.rows, level.packs, 0, 0, n}, {rows}, dtype_, {level.packs}, where);
      rows = structural(QrUpper{level.packs, level.kept, n}, {level.pack}, dtype_, {level.kept, AxisGrid::whole(n)},
                        where);
      levels_.push_back(level);
      if (level.rows.count() == 1) break;
    }
    r_ = rows;
  }

  const Array& r() const { return r_; }
  /// Q times a matrix with as many rows as R.
  Array times(Array c) const {
    for (std::size_t at = levels_.size(); at-- > 0;) c = apply(levels_[at], c, false);
    return c;
  }
  /// Q^H times a matrix with as many rows as the factored one.
  Array adjoint_times(Array b) const {
    for (const Level& level : levels_) b = apply(level, b, true);
    return b;
  }
  Array q() const {
    const std::int64_t k = r_.shape()[0];
    return times(eye(k, k, 0, {.dtype = dtype_, .chunks = -1}, where_));
  }

 private:
  struct Level {
    AxisGrid rows, packs, kept;
    Array pack;
  };
  Array apply(const Level& level, const Array& c, bool adjoint) const {
    Grid grid{adjoint ? level.kept : level.rows, c.node()->grid[1]};
    return structural(QrApply{level.rows, level.packs, level.kept, r_.shape()[1], adjoint}, {level.pack, c}, dtype_,
                      std::move(grid), where_);
  }

  Dtype dtype_;
  std::source_location where_;
  std::vector<Level> levels_;
  Array r_;
};

/// Q^H of one factored block column, applied to the columns behind it.
struct QrUpdate {
  static constexpr const char* kName = "qr-update";
  static constexpr bool kAssembles = false;
  std::int64_t row0;
  std::int64_t column0;
  std::int64_t m;
  std::int64_t n;
  std::int64_t pack;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back(vector_need(0, 0, pack));
    needs.push_back(matrix_need(1, row0, m, column0 + out.start[1], out.extent[1]));
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> c = ops::columns_of<T>(work.inputs[1]);
      Reflectors<T>(work.inputs[0], m, n).apply('C', c);
      ops::write_chunk(c, work.output);
    });
  }
};

/// Q of one factored block column, applied to the rows from `row` on.
struct QrRestore {
  static constexpr const char* kName = "qr-restore";
  static constexpr bool kAssembles = false;
  std::int64_t row;
  std::int64_t m;
  std::int64_t n;
  std::int64_t pack;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back(vector_need(0, 0, pack));
    needs.push_back({1, out, {}});
  }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0 || work.output.shape[1] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      Columns<T> c = ops::columns_of<T>(work.inputs[1]);
      Reflectors<T>(work.inputs[0], m, n).apply_at('N', c, row);
      ops::write_chunk(c, work.output);
    });
  }
};

/// Block column by block column: the whole height of one is factored in one task, the others follow it side by side.
QrResult blocked(const Array& a, const std::source_location& where) {
  const std::int64_t m = a.shape()[0], n = a.shape()[1], kk = std::min(m, n);
  const Dtype dtype = a.dtype();
  const AxisGrid columns = regroup(a.node()->grid[1], 1, n);
  struct Panel {
    std::int64_t row, rows, width, pack;
    Array packed;
  };
  std::vector<Panel> panels;
  std::vector<Array> r_rows;
  Array rest = a;
  std::int64_t row0 = 0, column0 = 0;
  for (std::int64_t piece = 0, row = 0; piece < columns.count() && row < kk; ++piece) {
    const std::int64_t width = columns.size(piece), height = m - row, k = std::min(height, width);
    const std::int64_t pack = k * width + k + height * width;
    const AxisGrid packs = AxisGrid::whole(pack);
    const AxisGrid rows = AxisGrid::whole(height);
    const Array packed = structural(QrPack{rows, packs, row0, column0, width}, {rest}, dtype, {packs}, where);
    const std::int64_t behind = n - columns.end(piece);
    std::vector<Array> r_row;
    if (columns.start(piece) > 0) {
      r_row.push_back(zeros({k, columns.start(piece)}, {.dtype = dtype, .chunks = {-1, -1}}, where));
    }
    r_row.push_back(structural(QrUpper{packs, AxisGrid::whole(k), width}, {packed}, dtype,
                               {AxisGrid::whole(k), AxisGrid::whole(width)}, where));
    if (behind > 0) {
      std::vector<std::int64_t> sizes;
      for (std::int64_t next = piece + 1; next < columns.count(); ++next) sizes.push_back(columns.size(next));
      rest = structural(QrUpdate{row0, column0 + width, height, width, pack}, {packed, rest}, dtype,
                        {AxisGrid::whole(height), AxisGrid::of(sizes)}, where);
      r_row.push_back(rest(slice(0, k)));
      row0 = k;
      column0 = 0;
    }
    r_rows.push_back(concatenate(r_row, 1, where));
    panels.push_back({row, height, width, pack, packed});
    row += k;
  }
  Array q = eye(m, kk, 0, {.dtype = dtype, .chunks = {-1, std::max<std::int64_t>(1, columns.largest())}}, where);
  for (std::size_t at = panels.size(); at-- > 0;) {
    const Panel& panel = panels[at];
    q = structural(QrRestore{panel.row, panel.rows, panel.width, panel.pack}, {panel.packed, q}, dtype, q.node()->grid,
                   where);
  }
  return {q, concatenate(r_rows, 0, where)};
}

/// The decomposition of a matrix in one task: U row by row, the values, V^H row by row.
struct SvdPack {
  static constexpr const char* kName = "svd";
  static constexpr bool kAssembles = false;
  std::int64_t m;
  std::int64_t n;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back(matrix_need(0, 0, m, 0, n)); }
  void run(const ChunkWork& work) const {
    if (work.output.shape[0] == 0) return;
    ops::visit_field(work.output.dtype, [&](auto zero) { decompose<decltype(zero)>(work); });
  }
  template <class T>
  void decompose(const ChunkWork& work) const {
    const std::int64_t k = std::min(m, n);
    Columns<T> a = ops::columns_of<T>(work.inputs[0]), u(m, k), vt(k, n);
    for (const T& value : a.values) {
      if (!std::isfinite(std::abs(value))) {
        throw Error("svd: the matrix holds NaN or infinity, which have no singular values");
      }
    }
    std::vector<kernels::RealOf<T>> s(static_cast<std::size_t>(k));
    if (kernels::gesdd<T>(m, n, a.data(), a.leading(), s.data(), u.data(), u.leading(), vt.data(), vt.leading()) != 0) {
      throw Error("svd: the singular values did not converge");
    }
    if constexpr (std::is_floating_point_v<T>) {
      for (std::int64_t i = 0; i < k; ++i) {
        std::int64_t largest = 0;
        for (std::int64_t j = 1; j < n; ++j) {
          if (std::fabs(*vt.at(i, j)) > std::fabs(*vt.at(i, largest))) largest = j;
        }
        if (*vt.at(i, largest) >= 0) continue;
        for (std::int64_t j = 0; j < n; ++j) *vt.at(i, j) = -*vt.at(i, j);
        for (std::int64_t j = 0; j < m; ++j) *u.at(j, i) = -*u.at(j, i);
      }
    }
    T* const out = reinterpret_cast<T*>(work.output.data);
    const auto size = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t u_strides[2] = {k * size, size}, v_strides[2] = {n * size, size};
    ops::write_matrix(u, 0, 0, m, k, reinterpret_cast<std::byte*>(out), u_strides);
    for (std::int64_t i = 0; i < k; ++i) out[m * k + i] = s[static_cast<std::size_t>(i)];
    ops::write_matrix(vt, 0, 0, k, n, reinterpret_cast<std::byte*>(out + m * k + k), v_strides);
  }
};

Array real_of(const Array& array, const std::source_location& where) {
  return array.dtype().is_complex() ? real(Operand(array, where)) : array;
}

/// The part of a packed vector that is a matrix row by row.
Array unpacked(const Array& pack, std::int64_t first, std::int64_t rows, std::int64_t columns,
               const std::source_location& where) {
  return reshape(pack.at({slice(first, first + rows * columns)}, where), {rows, columns}, where);
}

SvdResult small_svd(const Array& a, const std::source_location& where) {
  const std::int64_t m = a.shape()[0], n = a.shape()[1], k = std::min(m, n);
  const AxisGrid packs = AxisGrid::whole(m * k + k + k * n);
  const Array pack = structural(SvdPack{m, n}, {a}, a.dtype(), {packs}, where);
  return {unpacked(pack, 0, m, k, where), real_of(pack.at({slice(m * k, m * k + k)}, where), where),
          unpacked(pack, m * k + k, k, n, where)};
}

Array adjoint(const Array& a, const std::source_location& where) {
  const Array turned = transpose(a, {}, where);
  return a.dtype().is_complex() ? conj(Operand(turned, where)) : turned;
}

/// Solves the small problem that is left of least squares: x row by row, singular values, rank.
struct LstsqPack {
  static constexpr const char* kName = "lstsq";
  static constexpr bool kAssembles = false;
  std::int64_t k;
  std::int64_t n;
  std::int64_t columns;
  double rcond;
  void needs(const Box&, std::vector<Need>& needs) const {
    needs.push_back(matrix_need(0, 0, k, 0, n));
    needs.push_back(matrix_need(1, 0, k, 0, columns));
  }
  void run(const ChunkWork& work) const {
    ops::visit_field(work.output.dtype, [&](auto zero) {
      using T = decltype(zero);
      T* out = reinterpret_cast<T*>(work.output.data);
      const std::int64_t least = std::min(k, n);
      std::fill(out, out + work.output.shape[0], T(0));
      if (least == 0) return;
      Columns<T> a = ops::columns_of<T>(work.inputs[0]), b(std::max(k, n), std::max<std::int64_t>(1, columns));
      ops::read_matrix(b, 0, 0, work.inputs[1]);
      std::vector<kernels::RealOf<T>> s(static_cast<std::size_t>(least));
      kernels::LapackInt rank = 0;
      if (kernels::gelsd<T>(k, n, columns, a.data(), a.leading(), b.data(), b.leading(), s.data(),
                            static_cast<kernels::RealOf<T>>(rcond), rank) != 0) {
        throw Error("lstsq: the singular values of the matrix did not converge (does it hold NaN?)");
      }
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) *out++ = *b.at(i, j);
      }
      for (const auto value : s) *out++ = value;
      *out = static_cast<kernels::RealOf<T>>(rank);
    });
  }
};

}  // namespace

QrResult tsqr(const Array& x, const std::source_location& where) {
  const QrTree tree(ops::field_array("tsqr", x, 2, where), where);
  return {tree.q(), tree.r()};
}

QrResult sfqr(const Array& x, const std::source_location& where) {
  const Array a = ops::field_array("sfqr", x, 2, where);
  return a.size() == 0 ? tsqr(a, where) : blocked(a, where);
}

QrResult qr(const Array& x, const std::source_location& where) {
  const Array a = ops::field_array("qr", x, 2, where);
  return a.node()->grid[1].count() == 1 || a.size() == 0 ? tsqr(a, where) : blocked(a, where);
}

SvdResult svd(const Array& x, const std::source_location& where) {
  const Array a = ops::field_array("svd", x, 2, where);
  if (a.shape()[0] < a.shape()[1]) {
    const SvdResult turned = svd(adjoint(a, where), where);
    return {adjoint(turned.vt, where), turned.s, adjoint(turned.u, where)};
  }
  const QrTree tree(a, where);
  const SvdResult small = small_svd(tree.r(), where);
  return {tree.times(small.u), small.s, small.vt};
}

SvdResult svd_compressed(const Array& x, std::int64_t k, const CompressedOptions& options,
                         const std::source_location& where) {
  const Array a = ops::field_array("svd_compressed", x, 2, where);
  const std::int64_t m = a.shape()[0], n = a.shape()[1];
  if (k < 1 || k > std::min(m, n)) {
    throw Error(at_line("svd_compressed", where) + "a matrix of shape " + a.shape().text() + " has no " +
                std::to_string(k) + " singular values");
  }
  const std::int64_t drawn = std::min(std::min(m, n), k + std::max<std::int64_t>(0, options.oversampling));
  Array start =
      random::normal(
          0, 1, {n, drawn},
          {.dtype = float64, .chunks = {AxisChunks(a.node()->grid[1].sizes()), AxisChunks(-1)}, .seed = options.seed},
          where)
          .astype(a.dtype(), where);
  // Each pass starts from orthonormal columns, so that small values are not lost among the large.
  const Array turned = adjoint(a, where);
  Array basis = tsqr(matmul(a, start, where), where).q;
  for (int pass = 0; pass < options.power_iterations; ++pass) {
    const Array back = tsqr(matmul(turned, basis, where), where).q;
    basis = tsqr(matmul(a, back, where), where).q;
  }
  const SvdResult small = svd(matmul(adjoint(basis, where), a, where), where);
  return {matmul(basis, small.u.at({slice(), slice(0, k)}, where), where), small.s.at({slice(0, k)}, where),
          small.vt.at({slice(0, k)}, where)};
}

LstsqResult lstsq(const Array& a_given, const Array& b_given, double rcond, const std::source_location& where) {
  Array a = ops::field_array("lstsq", a_given, 2, where);
  const bool vector = b_given.ndim() == 1;
  Array b = ops::field_array("lstsq", vector ? expand_dims(b_given, 1, where) : b_given, 2, where);
  if (a.shape()[0] != b.shape()[0]) {
    throw Error(at_line("lstsq", where) + "the matrix has " + std::to_string(a.shape()[0]) + " rows, the right side " +
                std::to_string(b.shape()[0]));
  }
  const Dtype dtype = promote(a.dtype(), b.dtype());
  a = a.astype(dtype, where);
  b = b.astype(dtype, where);
  const std::int64_t n = a.shape()[1], columns = b.shape()[1];
  const QrTree tree(a, where);
  const std::int64_t k = tree.r().shape()[0], least = std::min(k, n);
  const double eps = dtype.real() == float32 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
  if (rcond < 0) rcond = eps * static_cast<double>(std::max(a.shape()[0], n));
  const AxisGrid packs = AxisGrid::whole(n * columns + least + 1);
  const Array pack =
      structural(LstsqPack{k, n, columns, rcond}, {tree.r(), tree.adjoint_times(b)}, dtype, {packs}, where);
  Array x = unpacked(pack, 0, n, columns, where);
  const Array left = absolute(Operand(b, where) - Operand(matmul(a, x, where), where));
  LstsqResult result;
  result.residuals = sum(square(left), {.axis = 0}, where);
  result.singular_values = real_of(pack.at({slice(n * columns, n * columns + least)}, where), where);
  result.rank = real_of(pack.at({n * columns + least}, where), where).astype(int64, where);
  result.x = vector ? squeeze(x, 1, where) : x;
  return result;
}

}  // namespace weft::linalg
