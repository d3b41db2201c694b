#pragma once

#include "arrays/kernels/element.hpp"

// Quotients, remainders, powers and shifts with NumPy's meaning.

namespace weft::arrays::kernels {
namespace {

template <class T>
WEFT_FUNCTION T floor_remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T(-1)) return 0;
      const T rest = static_cast<T>(a % b);
      return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
    } else {
      return static_cast<T>(a % b);
    }
  } else {
    T rest = std::fmod(a, b);
    if (b == T(0)) return rest;
    if (rest != T(0)) {
      if ((b < T(0)) != (rest < T(0))) rest += b;
    } else {
      rest = std::copysign(T(0), b);
    }
    return rest;
  }
}
template <class T>
WEFT_FUNCTION T floor_quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T(-1)) return static_cast<T>(-a);
      const T quotient = static_cast<T>(a / b);
      return (a % b != 0) && ((a < 0) != (b < 0)) ? static_cast<T>(quotient - 1) : quotient;
    } else {
      return static_cast<T>(a / b);
    }
  } else {
    if (b == T(0)) return a / b;
    const T rest = std::fmod(a, b);
    T quotient = (a - rest) / b;
    if (rest != T(0) && ((b < T(0)) != (rest < T(0)))) quotient -= T(1);
    if (quotient == T(0)) return std::copysign(T(0), a / b);
    const T below = std::floor(quotient);
    return quotient - below > T(0.5) ? below + T(1) : below;
  }
}
template <class T>
WEFT_FUNCTION T trunc_remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return 0;
    return static_cast<T>(a % b);
  } else {
    return std::fmod(a, b);
  }
}
template <class T>
WEFT_FUNCTION T raise(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    // A negative exponent of an integer was refused when the expression was built, or gives what truncation gives.
    if constexpr (std::is_signed_v<T>) {
      if (b < 0) return a == 1 ? T(1) : a == T(-1) ? (b % 2 == 0 ? T(1) : T(-1)) : T(0);
    }
    T result = 1;
    while (b != 0) {
      if ((b & 1) != 0) result = static_cast<T>(result * a);
      a = static_cast<T>(a * a);
      b = static_cast<T>(b >> 1);
    }
    return result;
  } else if constexpr (is_complex<T>) {
    return std::pow(a, b);
  } else {
    if (b == T(2)) return a * a;
    return std::pow(a, b);
  }
}
template <class T>
WEFT_FUNCTION Real<T> magnitude(T a) {
  if constexpr (is_complex<T>)
    return std::hypot(a.real(), a.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::fabs(a);
  else if constexpr (std::is_signed_v<T>)
    return a < 0 ? static_cast<T>(-a) : a;
  else
    return a;
}
template <class T>
WEFT_FUNCTION T greatest_divisor(T a, T b) {
  a = magnitude(a);
  b = magnitude(b);
  while (b != 0) {
    const T rest = static_cast<T>(a % b);
    a = b;
    b = rest;
  }
  return a;
}
template <class T>
WEFT_FUNCTION T least_multiple(T a, T b) {
  const T divisor = greatest_divisor(a, b);
  return divisor == 0 ? T(0) : static_cast<T>(magnitude(a) / divisor * magnitude(b));
}
template <class T>
WEFT_FUNCTION T complement(T a) {
  if constexpr (std::is_same_v<T, bool>)
    return !a;
  else
    return static_cast<T>(~a);
}
template <class T>
WEFT_FUNCTION T shift_left(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<U>(b) < sizeof(T) * 8 ? static_cast<T>(static_cast<U>(a) << b) : T(0);
}
template <class T>
WEFT_FUNCTION T shift_right(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (static_cast<U>(b) < sizeof(T) * 8) return static_cast<T>(a >> b);
  return std::is_signed_v<T> && a < 0 ? static_cast<T>(-1) : T(0);
}

}  // namespace
}  // namespace weft::arrays::kernels
