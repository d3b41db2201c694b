#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::arrays::kernels {

// BLAS and LAPACK of the machine (OpenBLAS). The library is loaded when it is first needed, so that programs that do no
// algebra neither need it nor start its threads. Matrices are column by column, as Fortran has them; `T` is float,
// double, or std::complex of one. Threading: any thread; each call runs on the caller's thread alone.

using LapackInt = std::int32_t;

template <class T>
struct RealPart {
  using type = T;
};
template <class T>
struct RealPart<std::complex<T>> {
  using type = T;
};
template <class T>
using RealOf = typename RealPart<T>::type;

/// Returns whether the library can be loaded.
bool has_lapack();
/// Throws Error, which names the package to install, where the library cannot be loaded.
void require_lapack(const char* operation);
/// Returns which of its kernels the library uses ("SkylakeX"), or nothing where it cannot tell.
std::string lapack_kernels();

/// c = alpha a b + beta c.
template <class T>
void gemm(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);
/// Solves op(a) x = b (side 'L') or x op(a) = b ('R') for a triangular a; x replaces b.
template <class T>
void trsm(char side, char uplo, char transpose, char diagonal, std::int64_t m, std::int64_t n, const T* a,
          std::int64_t lda, T* b, std::int64_t ldb);
/// Cholesky factor of one triangle. Returns 0, or the order of the leading minor that is not positive.
template <class T>
LapackInt potrf(char uplo, std::int64_t n, T* a, std::int64_t lda);
/// LU with row exchanges: row i was exchanged with row pivots[i] - 1.
template <class T>
void getrf(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, LapackInt* pivots);
/// Householder QR; `tau` has min(m, n) elements.
template <class T>
void geqrf(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, T* tau);
/// Applies Q of `k` reflectors (transpose 'N'), or its conjugate transpose ('C'), from the left to c (m x n).
template <class T>
void apply_q(char transpose, std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* tau,
             T* c, std::int64_t ldc);
/// Thin singular value decomposition; a is lost. Returns 0 where it converged.
template <class T>
LapackInt gesdd(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, RealOf<T>* s, T* u, std::int64_t ldu, T* vt,
                std::int64_t ldvt);
/// Eigenvalues, ascending, and vectors, which replace a, of a symmetric or Hermitian matrix. Returns 0 on success.
template <class T>
LapackInt heevd(char uplo, std::int64_t n, T* a, std::int64_t lda, RealOf<T>* w);
/// Least squares of least norm by singular values; x replaces b, which has max(m, n) rows. Returns 0 on success.
template <class T>
LapackInt gelsd(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, std::int64_t lda, T* b, std::int64_t ldb,
                RealOf<T>* s, RealOf<T> rcond, LapackInt& rank);

}  // namespace weft::arrays::kernels
