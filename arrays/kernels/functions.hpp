#pragma once

#include "arrays/kernels/division.hpp"

// Functions of real and complex numbers.

namespace weft::arrays::kernels {
namespace {

template <class T>
WEFT_FUNCTION T signum(T a) {
  if constexpr (is_complex<T>) {
    if (not_a_number(a)) return T(std::numeric_limits<Real<T>>::quiet_NaN(), 0);
    const Real<T> size = magnitude(a);
    return size == 0 ? T(0) : a / size;
  } else if constexpr (std::is_floating_point_v<T>) {
    return a != a ? a : T((a > T(0)) - (a < T(0)));
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<T>((a > 0) - (a < 0));
  } else {
    return a > 0 ? T(1) : T(0);
  }
}
template <class T>
WEFT_FUNCTION T inverse(T a) {
  if constexpr (std::is_integral_v<T>)
    return a == 0 ? T(0) : static_cast<T>(T(1) / a);
  else
    return T(1) / a;
}
template <class T>
WEFT_FUNCTION T conjugate(T a) {
  if constexpr (is_complex<T>)
    return std::conj(a);
  else
    return a;
}
template <class T>
WEFT_FUNCTION Real<T> real_part(T a) {
  if constexpr (is_complex<T>)
    return a.real();
  else
    return a;
}
template <class T>
WEFT_FUNCTION Real<T> imaginary_part(T a) {
  if constexpr (is_complex<T>)
    return a.imag();
  else
    return T(0);
}
template <class T>
WEFT_FUNCTION Real<T> argument(T a) {
  if constexpr (is_complex<T>)
    return std::atan2(a.imag(), a.real());
  else
    return a != a ? a : std::signbit(a) ? T(3.14159265358979323846) : T(0);
}
template <class T>
WEFT_FUNCTION T log_add_exp(T a, T b) {
  if (a == b) return a + T(0.693147180559945309417);
  const T d = a - b;
  if (d > 0) return a + std::log1p(std::exp(-d));
  if (d <= 0) return b + std::log1p(std::exp(d));
  return d;
}
template <class T>
WEFT_FUNCTION T log_add_exp2(T a, T b) {
  constexpr T log2e = T(1.44269504088896340736);
  if (a == b) return a + T(1);
  const T d = a - b;
  if (d > 0) return a + log2e * std::log1p(std::exp2(-d));
  if (d <= 0) return b + log2e * std::log1p(std::exp2(d));
  return d;
}
template <class T>
WEFT_FUNCTION T power_of_two(T a) {
  if constexpr (is_complex<T>)
    return std::exp(a * Real<T>(0.693147180559945309417));
  else
    return std::exp2(a);
}
template <class T>
WEFT_FUNCTION T exp_less_one(T a) {
  if constexpr (is_complex<T>) {
    // exp(x) cos(y) - 1 without cancellation near zero.
    const Real<T> half = std::sin(a.imag() / 2);
    return T(std::expm1(a.real()) * std::cos(a.imag()) - 2 * half * half, std::exp(a.real()) * std::sin(a.imag()));
  } else {
    return std::expm1(a);
  }
}
template <class T>
WEFT_FUNCTION T binary_log(T a) {
  if constexpr (is_complex<T>)
    return std::log(a) * Real<T>(1.44269504088896340736);
  else
    return std::log2(a);
}
template <class T>
WEFT_FUNCTION T log_one_more(T a) {
  if constexpr (is_complex<T>) {
    const Real<T> size = std::hypot(a.real() + 1, a.imag());
    return T(std::log(size), std::atan2(a.imag(), a.real() + 1));
  } else {
    return std::log1p(a);
  }
}
template <class T>
WEFT_FUNCTION T normalized_sinc(T a) {
  const T x = Real<T>(3.14159265358979323846) * (a == T(0) ? T(Real<T>(1.0e-20)) : a);
  return std::sin(x) / x;
}
template <class T>
WEFT_FUNCTION T to_even(T a) {
  if constexpr (is_complex<T>)
    return T(std::nearbyint(a.real()), std::nearbyint(a.imag()));
  else
    return std::nearbyint(a);
}
template <class T>
WEFT_FUNCTION T down(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::floor(a);
  else
    return a;
}
template <class T>
WEFT_FUNCTION T up(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::ceil(a);
  else
    return a;
}
template <class T>
WEFT_FUNCTION T toward_zero(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::trunc(a);
  else
    return a;
}

}  // namespace
}  // namespace weft::arrays::kernels
