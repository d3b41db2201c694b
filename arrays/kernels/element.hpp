#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

/// Marks a function of one element, which a device may call as well.
#ifdef __CUDACC__
#define WEFT_FUNCTION __host__ __device__ inline
#else
#define WEFT_FUNCTION inline
#endif

namespace weft::arrays::kernels {
namespace {

namespace m = std;

template <class T>
inline constexpr bool is_complex = false;
template <class T>
inline constexpr bool is_complex<std::complex<T>> = true;

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

template <class T>
WEFT_FUNCTION bool not_a_number(T a) {
  if constexpr (is_complex<T>)
    return a.real() != a.real() || a.imag() != a.imag();
  else
    return a != a;
}
template <class T>
WEFT_FUNCTION bool finite(T a) {
  if constexpr (is_complex<T>)
    return std::isfinite(a.real()) && std::isfinite(a.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(a);
  else
    return true;
}
template <class T>
WEFT_FUNCTION bool infinite(T a) {
  if constexpr (is_complex<T>)
    return std::isinf(a.real()) || std::isinf(a.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::isinf(a);
  else
    return false;
}
template <class T>
WEFT_FUNCTION bool minus_sign(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::signbit(a);
  else
    return a < T(0);
}

// Complex numbers are ordered by their real part, then by their imaginary one.
template <class T>
WEFT_FUNCTION bool before(T a, T b) {
  if constexpr (is_complex<T>) {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
  } else {
    return a < b;
  }
}
template <class T>
WEFT_FUNCTION bool before_or_same(T a, T b) {
  if constexpr (is_complex<T>) {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() <= b.imag());
  } else {
    return a <= b;
  }
}

// Not a number wins; fmax and fmin prefer numbers.
template <class T>
WEFT_FUNCTION T larger(T a, T b) {
  if constexpr (is_complex<T>)
    return not_a_number(a) || (!not_a_number(b) && before_or_same(b, a)) ? a : b;
  else if constexpr (std::is_floating_point_v<T>)
    return (a >= b || a != a) ? a : b;
  else
    return a >= b ? a : b;
}
template <class T>
WEFT_FUNCTION T smaller(T a, T b) {
  if constexpr (is_complex<T>)
    return not_a_number(a) || (!not_a_number(b) && before_or_same(a, b)) ? a : b;
  else if constexpr (std::is_floating_point_v<T>)
    return (a <= b || a != a) ? a : b;
  else
    return a <= b ? a : b;
}
template <class T>
WEFT_FUNCTION T larger_number(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return (a >= b || b != b) ? a : b;
  else if constexpr (is_complex<T>)
    return not_a_number(b) || (!not_a_number(a) && before_or_same(b, a)) ? a : b;
  else
    return a >= b ? a : b;
}
template <class T>
WEFT_FUNCTION T smaller_number(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return (a <= b || b != b) ? a : b;
  else if constexpr (is_complex<T>)
    return not_a_number(b) || (!not_a_number(a) && before_or_same(a, b)) ? a : b;
  else
    return a <= b ? a : b;
}

}  // namespace
}  // namespace weft::arrays::kernels
