#pragma once

#include <cmath>
#include <limits>

namespace weft::arrays::kernels {

// Tails of distributions, by the continued fractions and series of Abramowitz and Stegun (6.5.29, 6.5.31, 26.5.8).

inline double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

/// Evaluates b0 + a1/(b1 + a2/(b2 + ...)) from the front (Lentz): step(i) gives {a, b}.
template <class Step>
double continued_fraction(double first, const Step& step) {
  constexpr double kTiny = 1e-300;
  double f = first == 0 ? kTiny : first;
  double c = f, d = 0;
  for (int i = 1; i < 20'000; ++i) {
    const auto [a, b] = step(i);
    d = b + a * d;
    c = b + a / c;
    d = 1 / (d == 0 ? kTiny : d);
    c = c == 0 ? kTiny : c;
    f *= c * d;
    if (std::fabs(c * d - 1) < 1e-16) break;
  }
  return f;
}

struct Fraction {
  double a, b;
};

/// The regularised incomplete beta function.
inline double incomplete_beta(double x, double a, double b) {
  if (!(x >= 0 && x <= 1) || !(a > 0) || !(b > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0 || x == 1) return x;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(1 - x, b, a);
  const double front =
      std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
  const double f = continued_fraction(1, [&](int i) {
    const double m = i / 2;
    if (i % 2 == 0) return Fraction{m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1};
    return Fraction{-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1};
  });
  return front / f;
}

/// The regularised upper incomplete gamma function.
inline double upper_gamma(double a, double x) {
  if (!(a > 0) || !(x >= 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return 1;
  const double front = std::exp(a * std::log(x) - x - log_gamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double n = a + 1; term > sum * 1e-17; ++n) {
      term *= x / n;
      sum += term;
    }
    return 1 - front * sum;
  }
  return front / continued_fraction(x + 1 - a, [&](int i) { return Fraction{-i * (i - a), x + 2 * i + 1 - a}; });
}

}  // namespace weft::arrays::kernels
