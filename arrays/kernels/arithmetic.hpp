#pragma once

#include "arrays/kernels/division.hpp"
#include "arrays/kernels/element.hpp"
#include "arrays/kernels/functions.hpp"

// What the expressions of elementwise.def are written with: NumPy's meaning where C++'s is another one.
// Included within an anonymous namespace's file only, once for each instruction set.

namespace weft::arrays::kernels {
namespace {

template <class T>
WEFT_FUNCTION T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else
    return static_cast<T>(a + b);
}
template <class T>
WEFT_FUNCTION T times(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else
    return static_cast<T>(a * b);
}

/// Converts as NumPy's astype on this machine does: floating to integer by truncation, complex by its real part.
template <class To, class From>
WEFT_FUNCTION To convert(From value) {
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
}  // namespace weft::arrays::kernels
