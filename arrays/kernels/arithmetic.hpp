#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

// What the expressions of elementwise.def are written with: NumPy's meaning where C++'s is another one.
// Included within an anonymous namespace's file only, once for each instruction set.

namespace weft::kernels {
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
inline T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else
    return static_cast<T>(a + b);
}
template <class T>
inline T times(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else
    return static_cast<T>(a * b);
}

template <class T>
inline bool not_a_number(T a) {
  if constexpr (is_complex<T>)
    return a.real() != a.real() || a.imag() != a.imag();
  else
    return a != a;
}
template <class T>
inline bool finite(T a) {
  if constexpr (is_complex<T>)
    return std::isfinite(a.real()) && std::isfinite(a.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(a);
  else
    return true;
}
template <class T>
inline bool infinite(T a) {
  if constexpr (is_complex<T>)
    return std::isinf(a.real()) || std::isinf(a.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::isinf(a);
  else
    return false;
}
template <class T>
inline bool minus_sign(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::signbit(a);
  else
    return a < T(0);
}

// Complex numbers are ordered by their real part, then by their imaginary one.
template <class T>
inline bool before(T a, T b) {
  if constexpr (is_complex<T>) {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
  } else {
    return a < b;
  }
}
template <class T>
inline bool before_or_same(T a, T b) {
  if constexpr (is_complex<T>) {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() <= b.imag());
  } else {
    return a <= b;
  }
}

// Not a number wins; fmax and fmin prefer numbers.
template <class T>
inline T larger(T a, T b) {
  if constexpr (is_complex<T>)
    return not_a_number(a) || (!not_a_number(b) && before_or_same(b, a)) ? a : b;
  else if constexpr (std::is_floating_point_v<T>)
    return (a >= b || a != a) ? a : b;
  else
    return a >= b ? a : b;
}
template <class T>
inline T smaller(T a, T b) {
  if constexpr (is_complex<T>)
    return not_a_number(a) || (!not_a_number(b) && before_or_same(a, b)) ? a : b;
  else if constexpr (std::is_floating_point_v<T>)
    return (a <= b || a != a) ? a : b;
  else
    return a <= b ? a : b;
}
template <class T>
inline T larger_number(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return (a >= b || b != b) ? a : b;
  else if constexpr (is_complex<T>)
    return not_a_number(b) || (!not_a_number(a) && before_or_same(b, a)) ? a : b;
  else
    return a >= b ? a : b;
}
template <class T>
inline T smaller_number(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return (a <= b || b != b) ? a : b;
  else if constexpr (is_complex<T>)
    return not_a_number(b) || (!not_a_number(a) && before_or_same(a, b)) ? a : b;
  else
    return a <= b ? a : b;
}

template <class T>
inline T floor_remainder(T a, T b) {
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
inline T floor_quotient(T a, T b) {
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
inline T trunc_remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return 0;
    return static_cast<T>(a % b);
  } else {
    return std::fmod(a, b);
  }
}
template <class T>
inline T raise(T a, T b) {
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
inline Real<T> magnitude(T a) {
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
inline T signum(T a) {
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
inline T inverse(T a) {
  if constexpr (std::is_integral_v<T>)
    return a == 0 ? T(0) : static_cast<T>(T(1) / a);
  else
    return T(1) / a;
}
template <class T>
inline T conjugate(T a) {
  if constexpr (is_complex<T>)
    return std::conj(a);
  else
    return a;
}
template <class T>
inline Real<T> real_part(T a) {
  if constexpr (is_complex<T>)
    return a.real();
  else
    return a;
}
template <class T>
inline Real<T> imaginary_part(T a) {
  if constexpr (is_complex<T>)
    return a.imag();
  else
    return T(0);
}
template <class T>
inline Real<T> argument(T a) {
  if constexpr (is_complex<T>)
    return std::atan2(a.imag(), a.real());
  else
    return a != a ? a : std::signbit(a) ? T(3.14159265358979323846) : T(0);
}
template <class T>
inline T log_add_exp(T a, T b) {
  if (a == b) return a + T(0.693147180559945309417);
  const T d = a - b;
  if (d > 0) return a + std::log1p(std::exp(-d));
  if (d <= 0) return b + std::log1p(std::exp(d));
  return d;
}
template <class T>
inline T log_add_exp2(T a, T b) {
  constexpr T log2e = T(1.44269504088896340736);
  if (a == b) return a + T(1);
  const T d = a - b;
  if (d > 0) return a + log2e * std::log1p(std::exp2(-d));
  if (d <= 0) return b + log2e * std::log1p(std::exp2(d));
  return d;
}
template <class T>
inline T power_of_two(T a) {
  if constexpr (is_complex<T>)
    return std::exp(a * Real<T>(0.693147180559945309417));
  else
    return std::exp2(a);
}
template <class T>
inline T exp_less_one(T a) {
  if constexpr (is_complex<T>) {
    // exp(x) cos(y) - 1 without cancellation near zero.
    const Real<T> half = std::sin(a.imag() / 2);
    return T(std::expm1(a.real()) * std::cos(a.imag()) - 2 * half * half, std::exp(a.real()) * std::sin(a.imag()));
  } else {
    return std::expm1(a);
  }
}
template <class T>
inline T binary_log(T a) {
  if constexpr (is_complex<T>)
    return std::log(a) * Real<T>(1.44269504088896340736);
  else
    return std::log2(a);
}
template <class T>
inline T log_one_more(T a) {
  if constexpr (is_complex<T>) {
    const Real<T> size = std::hypot(a.real() + 1, a.imag());
    return T(std::log(size), std::atan2(a.imag(), a.real() + 1));
  } else {
    return std::log1p(a);
  }
}
template <class T>
inline T normalized_sinc(T a) {
  const T x = Real<T>(3.14159265358979323846) * (a == T(0) ? T(Real<T>(1.0e-20)) : a);
  return std::sin(x) / x;
}
template <class T>
inline T to_even(T a) {
  if constexpr (is_complex<T>)
    return T(std::nearbyint(a.real()), std::nearbyint(a.imag()));
  else
    return std::nearbyint(a);
}
template <class T>
inline T down(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::floor(a);
  else
    return a;
}
template <class T>
inline T up(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::ceil(a);
  else
    return a;
}
template <class T>
inline T toward_zero(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return std::trunc(a);
  else
    return a;
}
template <class T>
inline T greatest_divisor(T a, T b) {
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
inline T least_multiple(T a, T b) {
  const T divisor = greatest_divisor(a, b);
  return divisor == 0 ? T(0) : static_cast<T>(magnitude(a) / divisor * magnitude(b));
}
template <class T>
inline T complement(T a) {
  if constexpr (std::is_same_v<T, bool>)
    return !a;
  else
    return static_cast<T>(~a);
}
template <class T>
inline T shift_left(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<U>(b) < sizeof(T) * 8 ? static_cast<T>(static_cast<U>(a) << b) : T(0);
}
template <class T>
inline T shift_right(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (static_cast<U>(b) < sizeof(T) * 8) return static_cast<T>(a >> b);
  return std::is_signed_v<T> && a < 0 ? static_cast<T>(-1) : T(0);
}

/// Converts as NumPy's astype on this machine does: floating to integer by truncation, complex by its real part.
template <class To, class From>
inline To convert(From value) {
  if constexpr (is_complex<To>) {
    if constexpr (is_complex<From>)
      return To(static_cast<Real<To>>(value.real()), static_cast<Real<To>>(value.imag()));
    else
      return To(static_cast<Real<To>>(value), 0);
  } else if constexpr (is_complex<From>) {
    if constexpr (std::is_same_v<To, bool>)
      return value.real() != 0 || value.imag() != 0;
    else
      return convert<To>(value.real());
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Out of range values are undefined in C++; go through the widest integer, which the machine converts.
    if constexpr (std::is_same_v<To, std::uint64_t>) {
      return value >= From(9223372036854775808.0)
                 ? static_cast<To>(static_cast<std::int64_t>(value - From(9223372036854775808.0))) ^
                       (std::uint64_t{1} << 63)
                 : static_cast<To>(static_cast<std::int64_t>(value));
    } else {
      return static_cast<To>(static_cast<std::int64_t>(value));
    }
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace
}  // namespace weft::kernels
