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

/// A floating number without its fraction; the least integer for what is out of range or no number, as x86 has it. C++
/// leaves that open, and other machines say otherwise.
template <class Whole, class From>
WEFT_FUNCTION Whole truncated(From value) {
  constexpr From kEnd = static_cast<From>(std::uint64_t{1} << (8 * sizeof(Whole) - 1));
  const bool in_range = value >= -kEnd && value < kEnd;
  const Whole whole = static_cast<Whole>(in_range ? value : From(0));
  return in_range ? whole : std::numeric_limits<Whole>::lowest();
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
    // Narrow types are the last digits of 32; of unsigned types, the upper half is moved down and back.
    using Whole = std::conditional_t<(sizeof(To) > 4), std::int64_t, std::int32_t>;
    if constexpr (std::is_unsigned_v<To> && sizeof(To) >= 4) {
      constexpr To kHalf = To{1} << (8 * sizeof(To) - 1);
      const bool upper = value >= static_cast<From>(kHalf);
      const Whole whole = truncated<Whole>(upper ? value - static_cast<From>(kHalf) : value);
      return static_cast<To>(whole) ^ (upper ? kHalf : To{0});
    } else {
      return static_cast<To>(truncated<Whole>(value));
    }
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace
}  // namespace weft::arrays::kernels
