#include <weft/ops/numbers.hpp>

#include "arrays/ops/telling.hpp"

#include "arrays/expression/node.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>

#include <limits>
#include <optional>

namespace weft::arrays {
namespace {

Dtype type_of(const Operand& operand) {
  return operand.is_scalar() ? operand.scalar().dtype() : operand.array().dtype();
}

/// The operand as an array of a floating type.
Array floating(const Operand& operand) {
  const Dtype type = type_of(operand);
  const bool small = !operand.is_scalar() && (type.is_bool() || type.is_integer()) && type.size() <= 2;
  return small ? operand.array().astype(float32, operand.where()) : true_divide(operand, 1);
}

/// Returns x * 2**e for whole numbers e, in two steps so that neither power is out of range.
Array scaled(const Array& x, const Array& e) {
  const Array exponent = clip(e, -2200.0, 2200.0).astype(x.dtype());
  const Array half = floor(exponent / 2.0);
  return x * exp2(half) * exp2(exponent - half);
}

}  // namespace

std::pair<Array, Array> divmod(const Operand& a, const Operand& b) { return {floor_divide(a, b), remainder(a, b)}; }

std::pair<Array, Array> modf(const Operand& a) {
  const Array x = floating(a);
  const Array whole = trunc(x);
  const Array part = where(isinf(x), Scalar(0.0, x.dtype()), x - whole);
  return {copysign(part, x), whole};
}

std::pair<Array, Array> frexp(const Operand& a) {
  const Array x = floating(a);
  const Array plain = logical_and(isfinite(x), x != 0.0);
  // The exponent to within one, then the mantissa says by how much it is off. Powers of two lose no bits.
  const Array guess =
      where(plain, floor(log2(fabs(where(plain, x, Scalar(1.0, x.dtype()))))) + 1.0, Scalar(0.0, x.dtype()));
  const Array rough = scaled(x, -guess);
  const Array low = logical_and(plain, fabs(rough) < 0.5);
  const Array high = logical_and(plain, fabs(rough) >= 1.0);
  const Array mantissa = where(low, rough * 2.0, where(high, rough * 0.5, rough));
  const Array exponent = where(low, guess - 1.0, where(high, guess + 1.0, guess));
  return {where(plain, mantissa, x), exponent.astype(int32)};
}

Array ldexp(const Operand& a, const Operand& b) {
  const Dtype type = type_of(b);
  if (!type.is_integer() && !type.is_bool()) {
    throw Error(expression::at_line("ldexp", a.where()) + "the exponents are " + type.name() +
                ": they must be integers; use a * exp2(b) for others");
  }
  const Array x = floating(a);
  return where(isfinite(x), scaled(x, true_divide(b, 1)), x);
}

Array spacing(const Operand& a) {
  const Array x = floating(a);
  return nextafter(x, copysign(Operand(std::numeric_limits<double>::infinity()), x)) - x;
}

Array i0(const Operand& a) {
  // Chebyshev series on [0, 8] and beyond, as in Cephes.
  static constexpr double kNear[] = {
      -4.41534164647933937950E-18, 3.33079451882223809783E-17, -2.43127984654795469359E-16, 1.71539128555513303061E-15,
      -1.16853328779934516808E-14, 7.67618549860493561688E-14, -4.85644678311192946090E-13, 2.95505266312963983461E-12,
      -1.72682629144155570723E-11, 9.67580903537323691224E-11, -5.18979560163526290666E-10, 2.65982372468238665035E-9,
      -1.30002500998624804212E-8,  6.04699502254191894932E-8,  -2.67079385394061173391E-7,  1.11738753912010371815E-6,
      -4.41673835845875056359E-6,  1.64484480707288970893E-5,  -5.75419501008210370398E-5,  1.88502885095841655729E-4,
      -5.76375574538582365885E-4,  1.63947561694133579842E-3,  -4.32430999505057594430E-3,  1.05464603945949983183E-2,
      -2.37374148058994688156E-2,  4.93052842396707084878E-2,  -9.49010970480476444210E-2,  1.71620901522208775349E-1,
      -3.04682672343198398683E-1,  6.76795274409476084995E-1};
  static constexpr double kFar[] = {
      -7.23318048787475395456E-18, -4.83050448594418207126E-18, 4.46562142029675999901E-17,
      3.46122286769746109310E-17,  -2.82762398051658348494E-16, -3.42548561967721913462E-16,
      1.77256013305652638360E-15,  3.81168066935262242075E-15,  -9.55484669882830764870E-15,
      -4.15056934728722208663E-14, 1.54008621752140982691E-14,  3.85277838274214270114E-13,
      7.18012445138366623367E-13,  -1.79417853150680611778E-12, -1.32158118404477131188E-11,
      -3.14991652796324136454E-11, 1.18891471078464383424E-11,  4.94060238822496958910E-10,
      3.39623202570838634515E-9,   2.26666899049817806459E-8,   2.04891858946906374183E-7,
      2.89137052083475648297E-6,   6.88975834691682398426E-5,   3.36911647825569408990E-3,
      8.04490411014108831608E-1};
  const auto series = [](const Array& x, const auto& coefficients) {
    Array b0 = x * 0.0 + coefficients[0], b1 = x * 0.0, b2 = b1;
    for (std::size_t i = 1; i < std::size(coefficients); ++i) {
      b2 = b1;
      b1 = b0;
      b0 = x * b1 - b2 + coefficients[i];
    }
    return (b0 - b2) * 0.5;
  };
  const Array x = fabs(a).astype(float64);
  const Array near = exp(x) * series(x / 2.0 - 2.0, kNear);
  const Array beyond = maximum(x, 8.0);
  const Array far = exp(x) * series(32.0 / beyond - 2.0, kFar) / sqrt(beyond);
  const Dtype type = type_of(a);
  return where(x <= 8.0, near, far).astype(type == float32 ? float32 : float64);
}

Array isreal(const Operand& a) { return equal(imag(a), 0); }
Array iscomplex(const Operand& a) { return not_equal(imag(a), 0); }

Array allclose(const Operand& a, const Operand& b, double rtol, double atol, bool equal_nan) {
  return all(isclose(a, b, rtol, atol, equal_nan));
}

Dtype result_type(const std::vector<Operand>& operands) {
  if (operands.empty()) throw Error("result_type: needs at least one operand");
  std::optional<Dtype> type;
  for (const Operand& one : operands) {
    if (one.is_scalar()) continue;
    type = type ? promote(*type, one.array().dtype()) : one.array().dtype();
  }
  for (const Operand& one : operands) {
    if (one.is_scalar()) type = type ? promote(*type, one.scalar()) : one.scalar().dtype();
  }
  return *type;
}

}  // namespace weft::arrays
