#pragma once

#include <weft/array.hpp>

/// Functions of statistics and physics, with SciPy's names and meaning: elementwise, in double precision.
namespace weft::special {

using arrays::Array;
using arrays::Operand;

/// The error function, and one less it.
Array erf(const Operand& x);
Array erfc(const Operand& x);
/// The logarithm of the absolute value of the gamma function, and the function itself.
Array gammaln(const Operand& x);
Array gamma(const Operand& x);
/// The regularised incomplete gamma function: the distribution function of a gamma variable of shape `a`; one less it.
Array gammainc(const Operand& a, const Operand& x);
Array gammaincc(const Operand& a, const Operand& x);
/// The regularised incomplete beta function: the distribution function of a beta variable.
Array betainc(const Operand& a, const Operand& b, const Operand& x);
/// The distribution function of a normal variable, and its inverse.
Array ndtr(const Operand& x);
Array ndtri(const Operand& p);

}  // namespace weft::special
