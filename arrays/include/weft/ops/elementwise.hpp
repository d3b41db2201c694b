#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

#define WEFT_PARAMETERS_1 const Operand& a
#define WEFT_PARAMETERS_2 const Operand &a, const Operand &b
#define WEFT_PARAMETERS_3 const Operand &a, const Operand &b, const Operand &c
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) Array name(WEFT_PARAMETERS_##arity);
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
#undef WEFT_PARAMETERS_1
#undef WEFT_PARAMETERS_2
#undef WEFT_PARAMETERS_3

inline Array divide(const Operand& a, const Operand& b) { return true_divide(a, b); }
inline Array mod(const Operand& a, const Operand& b) { return remainder(a, b); }
inline Array abs(const Operand& a) { return absolute(a); }
inline Array conjugate(const Operand& a) { return conj(a); }
inline Array bitwise_not(const Operand& a) { return invert(a); }
inline Array degrees(const Operand& a) { return rad2deg(a); }
inline Array radians(const Operand& a) { return deg2rad(a); }
inline Array ln(const Operand& a) { return log(a); }
inline Array fix(const Operand& a) { return trunc(a); }

/// Rounds to `decimals` digits behind the point, halves to even, as NumPy does.
Array round(const Operand& a, int decimals = 0);
inline Array around(const Operand& a, int decimals = 0) { return round(a, decimals); }
/// Returns elements below `low` as `low`, those above `high` as `high`.
Array clip(const Operand& a, const Operand& low, const Operand& high);
/// Returns whether |a - b| <= atol + rtol |b|.
Array isclose(const Operand& a, const Operand& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Replaces what is not a finite number.
Array nan_to_num(const Operand& a, double nan = 0.0);
Array isposinf(const Operand& a);
Array isneginf(const Operand& a);
Array isnull(const Operand& a);
Array notnull(const Operand& a);
/// Returns from the first condition that holds the choice at the same place, else `otherwise`.
Array select(const std::vector<Array>& conditions, const std::vector<Array>& choices, const Operand& otherwise = 0);

}  // namespace weft::arrays

namespace weft {
using arrays::select;
}  // namespace weft
