#pragma once

#include <weft/array.hpp>

#include <utility>

namespace weft::arrays {

/// Returns a // b and a % b.
std::pair<Array, Array> divmod(const Operand& a, const Operand& b);
/// Returns the part behind the point and the part before it; both have the sign of the number.
std::pair<Array, Array> modf(const Operand& a);
/// Returns m in [0.5, 1) and the int32 e with a = m * 2**e.
std::pair<Array, Array> frexp(const Operand& a);
/// Returns a * 2**b.
Array ldexp(const Operand& a, const Operand& b);
/// Returns the distance to the next larger number of the type.
Array spacing(const Operand& a);
/// Returns the modified Bessel function of the first kind, order 0.
Array i0(const Operand& a);
/// Returns whether the imaginary part is zero (is not).
Array isreal(const Operand& a);
Array iscomplex(const Operand& a);
/// Returns one bool: whether all elements are close, see isclose.
Array allclose(const Operand& a, const Operand& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Returns the type of an operation of all these together.
Dtype result_type(const std::vector<Operand>& operands);

}  // namespace weft::arrays

namespace weft {
using arrays::result_type;
}  // namespace weft
