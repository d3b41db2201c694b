// Functions of statistics and physics.
#include <weft/ops/special.hpp>

#include <weft/ops/blocks.hpp>

#include "arrays/kernels/tails.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace weft::special {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A guess (Abramowitz and Stegun, 26.2.23), made exact by Halley's steps: each triples the digits.
double quantile_of_normal(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p > 0.5) return -quantile_of_normal(1 - p);
  if (p == 0.5) return 0;
  if (p == 0) return -std::numeric_limits<double>::infinity();
  const double t = std::sqrt(-2 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (int i = 0; i < 3; ++i) {
    const double step =
        (0.5 * std::erfc(-x / std::numbers::sqrt2) - p) * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    if (!std::isfinite(step)) break;  // The least numbers of all: their density is none.
    x -= step / (1 + x * step / 2);
  }
  return x;
}

double upper(double a, double x) {
  if (std::isnan(a) || std::isnan(x)) return kNan;
  return std::isinf(x) && x > 0 ? 0 : arrays::kernels::upper_gamma(a, x);
}

/// Its own series where one less the other would lose digits.
double lower(double a, double x) {
  if (!(a > 0) || !(x >= 0) || x >= a + 1) return 1 - upper(a, x);
  if (x == 0) return 0;
  double term = 1 / a, sum = term;
  for (double n = a + 1; term > sum * 1e-17; ++n) {
    term *= x / n;
    sum += term;
  }
  return sum * std::exp(a * std::log(x) - x - arrays::kernels::log_gamma(a));
}

/// A function of numbers, of one or more operands.
template <class F, class... O>
Array each(F function, const Operand& first, const O&... more) {
  auto made = arrays::detail::element_function<1 + sizeof...(O)>(std::move(function), first.where());
  return arrays::detail::elementwise(std::move(made), {first, more...});
}

}  // namespace

Array erf(const Operand& x) {
  return each([](double v) { return std::erf(v); }, x);
}
Array erfc(const Operand& x) {
  return each([](double v) { return std::erfc(v); }, x);
}
Array gammaln(const Operand& x) {
  return each([](double v) { return arrays::kernels::log_gamma(v); }, x);
}
Array gamma(const Operand& x) {
  return each([](double v) { return std::tgamma(v); }, x);
}
Array gammainc(const Operand& a, const Operand& x) {
  return each([](double shape, double v) { return lower(shape, v); }, a, x);
}
Array gammaincc(const Operand& a, const Operand& x) {
  return each([](double shape, double v) { return upper(shape, v); }, a, x);
}
Array betainc(const Operand& a, const Operand& b, const Operand& x) {
  return each([](double first, double second, double v) { return arrays::kernels::incomplete_beta(v, first, second); },
              a, b, x);
}
Array ndtr(const Operand& x) {
  return each([](double v) { return 0.5 * std::erfc(-v / std::numbers::sqrt2); }, x);
}
Array ndtri(const Operand& p) {
  return each([](double v) { return quantile_of_normal(v); }, p);
}

}  // namespace weft::special
