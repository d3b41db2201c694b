#pragma once

#include <weft/array.hpp>

/// Linear algebra on chunked matrices, by blocks: one task a tile, BLAS and LAPACK within it on one thread. Matrices of
/// integers are computed in float64. Results are the same bits on any number of threads.
namespace weft::linalg {

struct QrResult {
  Array q, r;
};
struct SvdResult {
  Array u, s, vt;
};
struct LuResult {
  Array p, l, u;
};
struct LstsqResult {
  Array x, residuals, rank, singular_values;
};
struct EighResult {
  Array values, vectors;
};
struct SlogdetResult {
  Array sign, logabsdet;
};

/// Which norm: "fro" (for vectors the 2-norm), "nuc", or a number: of a vector sum(|x|^p)^(1/p), +-infinity the largest
/// or smallest, 0 the count of what is not zero; of a matrix +-1 columns, +-2 singular values, +-infinity rows.
class Order {
 public:
  Order() = default;
  template <class T>
  requires(std::is_arithmetic_v<T>) Order(T p) : p_(static_cast<double>(p)), kind_(Number) {}  // NOLINT
  Order(const char* name);                                                                     // NOLINT
  enum Kind : std::uint8_t { Default, Number, Frobenius, Nuclear };
  Kind kind() const { return kind_; }
  double p() const { return p_; }

 private:
  double p_ = 2;
  Kind kind_ = Default;
};
struct NormOptions {
  /// One axis: of vectors; two: of matrices; none: of the whole array.
  Axes axis = {};
  bool keepdims = false;
};

Array norm(const Array& x, const Order& order = {}, const NormOptions& options = {},
           const std::source_location& where = std::source_location::current());

/// QR of a tall and narrow matrix: rows in blocks, each factored by itself, their R together in a tree. As LAPACK has
/// it, r's diagonal may be negative; q has orthonormal columns.
QrResult tsqr(const Array& x, const std::source_location& where = std::source_location::current());
/// QR of a short and wide matrix.
QrResult sfqr(const Array& x, const std::source_location& where = std::source_location::current());
/// Reduced QR of any matrix: tsqr where the columns lie in one chunk, otherwise block column by block column.
QrResult qr(const Array& x, const std::source_location& where = std::source_location::current());
/// Thin singular value decomposition, values descending. Of each row of a real `vt` the element of largest magnitude is
/// positive. The shorter side lies in one task.
SvdResult svd(const Array& x, const std::source_location& where = std::source_location::current());
struct CompressedOptions {
  /// Passes that sharpen the subspace: more for values that fall off slowly.
  int power_iterations = 1;
  /// Columns drawn besides the k wanted ones.
  std::int64_t oversampling = 10;
  std::uint64_t seed = 0;
};
/// The k largest singular values and vectors, by a random subspace.
SvdResult svd_compressed(const Array& x, std::int64_t k, const CompressedOptions& options = {},
                         const std::source_location& where = std::source_location::current());
/// Least squares of least norm. `residuals` are sums of squares, of every column of `b` (NumPy gives none where the
/// rank is not full). Singular values below rcond times the largest count as zero; -1: eps times the longer side.
LstsqResult lstsq(const Array& a, const Array& b, double rcond = -1,
                  const std::source_location& where = std::source_location::current());

/// Cholesky factor; of `x` one triangle (the lower) is read. `lower` false: its conjugate transpose. A matrix that is
/// not positive definite is an error when it runs.
Array cholesky(const Array& x, bool lower = true, const std::source_location& where = std::source_location::current());
/// x = p l u with row exchanges, the pivots being those of LAPACK: largest of the whole column.
LuResult lu(const Array& x, const std::source_location& where = std::source_location::current());
/// Solves a x = b by LU. A singular matrix is an error when it runs.
Array solve(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Solves a x = b for a triangular matrix, of which only the triangle is read.
Array solve_triangular(const Array& a, const Array& b, bool lower = false,
                       const std::source_location& where = std::source_location::current());
Array inv(const Array& x, const std::source_location& where = std::source_location::current());
Array det(const Array& x, const std::source_location& where = std::source_location::current());
SlogdetResult slogdet(const Array& x, const std::source_location& where = std::source_location::current());
/// Eigenvalues, ascending, and eigenvectors (columns) of a symmetric or Hermitian matrix, of which the lower triangle
/// is read. One task holds the whole matrix.
EighResult eigh(const Array& x, const std::source_location& where = std::source_location::current());
/// Multiplies a square matrix by itself; a negative power inverts it first.
Array matrix_power(const Array& x, std::int64_t power,
                   const std::source_location& where = std::source_location::current());

}  // namespace weft::linalg
