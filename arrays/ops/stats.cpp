// Tests of hypotheses: expressions, and the tails of distributions.
#include <weft/ops/stats.hpp>

#include "arrays/kernels/tails.hpp"
#include "arrays/ops/lanes.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/statistics.hpp>
#include <weft/ops/structure.hpp>

#include <cmath>
#include <limits>

namespace weft::stats {

using namespace arrays;

namespace {

using arrays::ops::at_line;
using arrays::ops::Box;
using arrays::ops::ChunkWork;
using arrays::ops::Need;
using Where = std::source_location;

/// How likely a statistic is, or one further out. Inputs: the statistic, degrees of freedom (two for F).
struct Tail {
  static constexpr const char* kName = "tail";
  static constexpr bool kAssembles = false;
  enum Kind : std::uint8_t { Student, ChiSquared, F };
  std::uint8_t kind;
  void needs(const Box& out, std::vector<Need>& needs) const {
    for (std::uint32_t input = 0; input < (kind == F ? 3u : 2u); ++input) needs.push_back({input, out, {}});
  }
  void run(const ChunkWork& work) const {
    std::vector<std::int64_t> order;
    for (std::size_t axis = 0; axis < work.output.shape.size(); ++axis)
      order.push_back(static_cast<std::int64_t>(axis));
    const auto count = static_cast<std::size_t>(Shape(work.output.shape).elements());
    std::vector<std::vector<double>> in(work.inputs.size(), std::vector<double>(count));
    for (std::size_t i = 0; i < in.size(); ++i) {
      arrays::ops::copy_in_order(work.inputs[i], order, reinterpret_cast<std::byte*>(in[i].data()));
    }
    auto* const out = reinterpret_cast<double*>(work.output.data);
    for (std::size_t i = 0; i < count; ++i) out[i] = probability(in[0][i], in[1][i], kind == F ? in[2][i] : 0);
  }
  double probability(double x, double df, double df2) const {
    if (std::isnan(x)) return x;
    if (kind == Student) return kernels::incomplete_beta(df / (df + x * x), df / 2, 0.5);
    if (kind == ChiSquared) return kernels::upper_gamma(df / 2, std::max(x, 0.0) / 2);
    return kernels::incomplete_beta(df2 / (df2 + df * std::max(x, 0.0)), df2 / 2, df / 2);
  }
};

Array tail(Tail::Kind kind, const Array& statistic, const std::vector<Array>& degrees, const Where& where) {
  const Array x = statistic.astype(float64, where);
  std::vector<Array> inputs{x};
  for (const Array& one : degrees) {
    const Array wide = broadcast_to(one.astype(float64, where), x.shape(), where);
    inputs.push_back(Array(arrays::ops::rechunk_to(wide.node(), x.node()->grid, where)));
  }
  return arrays::ops::structural(Tail{kind}, inputs, float64, x.node()->grid, where);
}

Array number(double value) { return full({}, Scalar(value), {.dtype = float64}); }

double length(const char* name, const Array& array, int axis, const Where& where) {
  arrays::ops::require_known(*array.node(), name, where);
  return static_cast<double>(array.shape()[arrays::ops::one_axis(name, array, axis, where)]);
}

TestResult student(const Array& t, const Array& df, const Where& where) {
  return {t, tail(Tail::Student, t, {df}, where)};
}

TestResult normal(const Array& z, const Where& where) {
  // Two tails of a normal distribution are one of chi squared of its square.
  return {z, tail(Tail::ChiSquared, square(z), {number(1)}, where)};
}

void require_many(const char* name, double n, double least, const Where& where) {
  if (n >= least) return;
  throw Error(at_line(name, where) + "takes " + std::to_string(static_cast<int>(least)) +
              " observations or more; there are " + std::to_string(static_cast<int>(n)));
}

}  // namespace

TestResult ttest_1samp(const Array& a, double popmean, int axis, const Where& where) {
  const double n = length("ttest_1samp", a, axis, where);
  const ReduceOptions along{.axis = axis, .ddof = 1};
  const Array t = (mean(a, {.axis = axis}, where) - popmean) / sqrt(var(a, along, where) / n);
  return student(t, number(n - 1), where);
}

TestResult ttest_ind(const Array& a, const Array& b, int axis, bool equal_var, const Where& where) {
  const double n1 = length("ttest_ind", a, axis, where), n2 = length("ttest_ind", b, axis, where);
  const ReduceOptions along{.axis = axis, .ddof = 1};
  const Array v1 = var(a, along, where), v2 = var(b, along, where);
  const Array difference = mean(a, {.axis = axis}, where) - mean(b, {.axis = axis}, where);
  if (equal_var) {
    const double df = n1 + n2 - 2;
    const Array pooled = (v1 * (n1 - 1) + v2 * (n2 - 1)) / df;
    return student(difference / sqrt(pooled * (1 / n1 + 1 / n2)), number(df), where);
  }
  const Array e1 = v1 / n1, e2 = v2 / n2;
  const Array df = square(e1 + e2) / (square(e1) / (n1 - 1) + square(e2) / (n2 - 1));
  return student(difference / sqrt(e1 + e2), df, where);
}

TestResult ttest_rel(const Array& a, const Array& b, int axis, const Where& where) {
  if (a.shape() != b.shape()) {
    throw Error(at_line("ttest_rel", where) + "pairs are of the same shape, not " + a.shape().text() + " and " +
                b.shape().text());
  }
  return ttest_1samp(Operand(a, where) - Operand(b, where), 0, axis, where);
}

TestResult power_divergence(const Array& observed, const std::optional<Array>& expected, double ddof, int axis,
                            double lambda, const Where& where) {
  const double n = length("power_divergence", observed, axis, where);
  const Array f = observed.astype(float64, where);
  const Array e = expected ? expected->astype(float64, where) : mean(f, {.axis = axis, .keepdims = true}, where);
  // x log(y), which is 0 where x is.
  const auto x_log = [](const Array& x, const Array& y) { return arrays::where(x == 0.0, 0.0, x * log(y)); };
  Array terms;
  if (lambda == 1) {
    terms = square(f - e) / e;
  } else if (lambda == 0) {
    terms = 2.0 * x_log(f, f / e);
  } else if (lambda == -1) {
    terms = 2.0 * x_log(e, e / f);
  } else {
    terms = f * (power(f / e, lambda) - 1.0) * (2 / (lambda * (lambda + 1)));
  }
  const Array statistic = sum(terms, {.axis = axis}, where);
  return {statistic, tail(Tail::ChiSquared, statistic, {number(n - 1 - ddof)}, where)};
}

TestResult chisquare(const Array& observed, const std::optional<Array>& expected, double ddof, int axis,
                     const Where& where) {
  return power_divergence(observed, expected, ddof, axis, 1, where);
}

TestResult f_oneway(const std::vector<Array>& samples, const Where& where) {
  if (samples.size() < 2) throw Error(at_line("f_oneway", where) + "takes two samples or more");
  for (const Array& one : samples) {
    if (one.ndim() != 1) {
      throw Error(at_line("f_oneway", where) + "samples are vectors, not of shape " + one.shape().text());
    }
  }
  const Array all = concatenate(samples, 0, where).astype(float64, where);
  const double n = length("f_oneway", all, 0, where), groups = static_cast<double>(samples.size());
  const Array offset = mean(all, {}, where);
  const Array centred = all - offset;
  Array between = number(0) - square(sum(centred, {}, where)) / n;
  const Array total = sum(square(centred), {}, where) + between;
  for (const Array& one : samples) {
    between = between + square(sum(one - offset, {}, where)) / static_cast<double>(one.size());
  }
  const Array f = (between / (groups - 1)) / ((total - between) / (n - groups));
  return {f, tail(Tail::F, f, {number(groups - 1), number(n - groups)}, where)};
}

Array moment(const Array& a, int order, int axis, const Where& where) {
  return arrays::moment(a, order, {.axis = axis}, where);
}

Array skew(const Array& a, int axis, bool bias, const Where& where) {
  const double n = length("skew", a, axis, where);
  const Array ratio = moment(a, 3, axis, where) / power(moment(a, 2, axis, where), 1.5);
  if (bias || n <= 2) return ratio;
  return ratio * (std::sqrt((n - 1) * n) / (n - 2));
}

Array kurtosis(const Array& a, int axis, bool fisher, bool bias, const Where& where) {
  const double n = length("kurtosis", a, axis, where);
  Array ratio = moment(a, 4, axis, where) / square(moment(a, 2, axis, where));
  if (!bias && n > 3) {
    ratio = (ratio * (n * n - 1) - 3 * (n - 1) * (n - 1)) / ((n - 2) * (n - 3)) + 3.0;
  }
  return fisher ? ratio - 3.0 : ratio;
}

TestResult skewtest(const Array& a, int axis, const Where& where) {
  const double n = length("skewtest", a, axis, where);
  require_many("skewtest", n, 8, where);
  const Array y = skew(a, axis, true, where) * std::sqrt((n + 1) * (n + 3) / (6 * (n - 2)));
  const double beta = 3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9));
  const double w2 = -1 + std::sqrt(2 * (beta - 1));
  const double delta = 1 / std::sqrt(0.5 * std::log(w2)), alpha = std::sqrt(2 / (w2 - 1));
  return normal(delta * arcsinh(arrays::where(y == 0.0, 1.0, y) / alpha), where);
}

TestResult kurtosistest(const Array& a, int axis, const Where& where) {
  const double n = length("kurtosistest", a, axis, where);
  require_many("kurtosistest", n, 5, where);
  const double expected = 3 * (n - 1) / (n + 1);
  const double variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) * (n + 1) * (n + 3) * (n + 5));
  const Array x = (kurtosis(a, axis, false, true, where) - expected) / std::sqrt(variance);
  const double root =
      6 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * std::sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)));
  const double shape = 6 + 8 / root * (2 / root + std::sqrt(1 + 4 / (root * root)));
  const Array below = 1.0 + x * std::sqrt(2 / (shape - 4));
  const Array turned = sign(below) * cbrt((1 - 2 / shape) / arrays::where(below == 0.0, std::nan(""), abs(below)));
  return normal((1 - 2 / (9 * shape) - turned) / std::sqrt(2 / (9 * shape)), where);
}

TestResult normaltest(const Array& a, int axis, const Where& where) {
  const Array both = square(skewtest(a, axis, where).statistic) + square(kurtosistest(a, axis, where).statistic);
  return {both, tail(Tail::ChiSquared, both, {number(2)}, where)};
}

}  // namespace weft::stats
