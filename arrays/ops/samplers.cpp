// Samplers by rejection and by inversion, from the literature that each names.
#include "arrays/ops/random_stream.hpp"

#include <algorithm>
#include <limits>

namespace weft::arrays::ops {
namespace {

constexpr double kPi = 3.14159265358979323846;

double log_gamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

}  // namespace

/// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
double sample_gamma(RandomStream& stream, double a) {
  if (a == 0) return 0;
  if (a < 1) return sample_gamma(stream, a + 1) * std::pow(stream.uniform(), 1 / a);
  const double d = a - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = stream.uniform();
    if (u < 1 - 0.0331 * x * x * x * x || std::log(u) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
  }
}

/// Joehnk's method where both are small, else two gamma numbers.
double sample_beta(RandomStream& stream, double a, double b) {
  if (a > 1 || b > 1) {
    const double x = sample_gamma(stream, a);
    return x / (x + sample_gamma(stream, b));
  }
  for (;;) {
    const double u = stream.uniform(), v = stream.uniform();
    const double x = std::pow(u, 1 / a), y = std::pow(v, 1 / b);
    if (x + y > 1) continue;
    if (x + y > 0) return x / (x + y);
    // Both underflowed: their logarithms have not.
    const double log_x = std::log(u) / a, log_y = std::log(v) / b;
    const double most = std::max(log_x, log_y);
    return std::exp(log_x - most - std::log(std::exp(log_x - most) + std::exp(log_y - most)));
  }
}

double sample_noncentral_chisquare(RandomStream& stream, double df, double nonc) {
  if (nonc == 0) return 2 * sample_gamma(stream, df / 2);
  if (df > 1) {
    const double shifted = stream.normal() + std::sqrt(nonc);
    return 2 * sample_gamma(stream, (df - 1) / 2) + shifted * shifted;
  }
  return 2 * sample_gamma(stream, df / 2 + sample_poisson(stream, nonc / 2));
}

/// Best and Fisher, "Efficient simulation of the von Mises distribution", 1979.
double sample_vonmises(RandomStream& stream, double mu, double kappa) {
  if (kappa < 1e-8) return kPi * (2 * stream.uniform() - 1);
  double angle;
  if (kappa > 1e6) {
    angle = stream.normal() / std::sqrt(kappa);
  } else {
    double s;
    if (kappa < 1e-5) {
      s = 1 / kappa + kappa;
    } else {
      const double r = 1 + std::sqrt(1 + 4 * kappa * kappa);
      const double rho = (r - std::sqrt(2 * r)) / (2 * kappa);
      s = (1 + rho * rho) / (2 * rho);
    }
    double w;
    for (;;) {
      const double z = std::cos(kPi * stream.uniform());
      w = (1 + s * z) / (s + z);
      const double y = kappa * (s - w);
      const double v = stream.uniform();
      if (y * (2 - y) - v >= 0 || std::log(y / v) + 1 - y >= 0) break;
    }
    angle = std::acos(std::clamp(w, -1.0, 1.0));
    if (stream.uniform() < 0.5) angle = -angle;
  }
  return std::remainder(angle + mu, 2 * kPi);
}

/// Michael, Schucany and Haas, "Generating random variates using transformations with multiple roots", 1976.
double sample_wald(RandomStream& stream, double mean, double scale) {
  const double normal = stream.normal();
  const double y = mean * normal * normal;
  const double x = mean + mean / (2 * scale) * (y - std::sqrt(4 * scale * y + y * y));
  return stream.uniform() <= mean / (mean + x) ? x : mean * mean / x;
}

/// Hoermann, "The transformed rejection method for generating Poisson random variables", 1993; products below 10.
double sample_poisson(RandomStream& stream, double lam) {
  if (lam == 0) return 0;
  if (lam < 10) {
    const double least = std::exp(-lam);
    double product = stream.uniform();
    double count = 0;
    for (; product > least; ++count) product *= stream.uniform();
    return count;
  }
  const double slam = std::sqrt(lam), loglam = std::log(lam);
  const double b = 0.931 + 2.53 * slam;
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = stream.uniform() - 0.5;
    const double v = stream.uniform();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + lam + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <= -lam + k * loglam - log_gamma(k + 1)) {
      return k;
    }
  }
}

/// Hoermann, "The generation of binomial random variates", 1993 (BTRS); inversion where the mean is small.
double sample_binomial(RandomStream& stream, double n, double p) {
  if (p > 0.5) return n - sample_binomial(stream, n, 1 - p);
  if (n == 0 || p == 0) return 0;
  const double q = 1 - p;
  if (n * p < 10) {
    const double first = std::exp(n * std::log1p(-p));
    for (;;) {
      double u = stream.uniform();
      double probability = first;
      double k = 0;
      for (; u > probability && k < n; ++k) {
        u -= probability;
        probability *= (n - k) * p / ((k + 1) * q);
      }
      if (u <= probability || k < n) return k;
    }
  }
  const double spread = std::sqrt(n * p * q);
  const double b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double vr = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * spread;
  const double log_odds = std::log(p / q);
  const double m = std::floor((n + 1) * p);
  const double h = log_gamma(m + 1) + log_gamma(n - m + 1);
  for (;;) {
    const double u = stream.uniform() - 0.5;
    const double v = stream.uniform();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || k > n) continue;
    const double height = std::log(v * alpha / (a / (us * us) + b));
    if (height <= h - log_gamma(k + 1) - log_gamma(n - k + 1) + (k - m) * log_odds) return k;
  }
}

/// Inversion from the mode outward: as many steps as the number is away from it.
double sample_hypergeometric(RandomStream& stream, double good, double bad, double sample) {
  const double low = std::max(0.0, sample - bad), high = std::min(good, sample);
  if (low == high) return low;
  const double total = good + bad;
  const double mode = std::clamp(std::floor((sample + 1) * (good + 1) / (total + 2)), low, high);
  const auto log_choose = [](double n, double k) { return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1); };
  const double at_mode = std::exp(log_choose(good, mode) + log_choose(bad, sample - mode) - log_choose(total, sample));
  double u = stream.uniform() - at_mode;
  double below = mode, above = mode, p_below = at_mode, p_above = at_mode;
  while (u > 0 && (below > low || above < high)) {
    if (above < high) {
      p_above *= (good - above) * (sample - above) / ((above + 1) * (bad - sample + above + 1));
      ++above;
      u -= p_above;
      if (u <= 0) return above;
    }
    if (below > low) {
      p_below *= below * (bad - sample + below) / ((good - below + 1) * (sample - below + 1));
      --below;
      u -= p_below;
      if (u <= 0) return below;
    }
  }
  return mode;
}

/// Kemp, "Efficient generation of logarithmically distributed pseudo-random variables", 1981.
double sample_logseries(RandomStream& stream, double p) {
  const double r = std::log1p(-p);
  for (;;) {
    const double v = stream.uniform();
    if (v >= p) return 1;
    const double q = -std::expm1(r * stream.uniform());
    if (v <= q * q) {
      const double k = std::floor(1 + std::log(v) / std::log(q));
      if (k < 1) continue;
      return k;
    }
    return v >= q ? 1 : 2;
  }
}

/// Devroye, "Non-uniform random variate generation", 1986, chapter X.6.
double sample_zipf(RandomStream& stream, double a) {
  const double less = a - 1;
  const double b = std::pow(2.0, less);
  for (;;) {
    const double u = stream.uniform(), v = stream.uniform();
    const double x = std::floor(std::pow(u, -1 / less));
    if (x < 1 || x > 9.2e18) continue;
    const double t = std::pow(1 + 1 / x, less);
    if (v * x * (t - 1) / (b - 1) <= t / b) return x;
  }
}

}  // namespace weft::arrays::ops
