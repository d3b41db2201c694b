// Distributions: those that are a function of one uniform number are expressions of it; the others have a structure
// that draws as many numbers for an element as it takes.
#include <weft/ops/distributions.hpp>

#include "arrays/ops/apply.hpp"
#include "arrays/ops/random_elements.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <cstring>

namespace weft::arrays {
namespace {

using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;
using Where = std::source_location;

enum class Law : std::uint8_t {
  Gamma,
  Beta,
  NoncentralChisquare,
  F,
  StudentT,
  Vonmises,
  Wald,
  Poisson,
  Binomial,
  NegativeBinomial,
  Hypergeometric,
  Logseries,
  Zipf,
};

/// What a law's parameters may be; `text` says it.
struct Rule {
  Law law;
  const char* name;
  int parameters;
  bool (*holds)(const double* p);
  const char* text;
  double (*draw)(ops::RandomStream& stream, const double* p);
};

bool whole(double value) { return value == std::floor(value); }

constexpr Rule kRules[] = {
    {Law::Gamma, "random::gamma", 2, [](const double* p) { return p[0] >= 0 && p[1] >= 0; },
     "shape and scale must not be negative",
     [](ops::RandomStream& s, const double* p) { return p[1] * ops::sample_gamma(s, p[0]); }},
    {Law::Beta, "random::beta", 2, [](const double* p) { return p[0] > 0 && p[1] > 0; },
     "both parameters must be positive",
     [](ops::RandomStream& s, const double* p) { return ops::sample_beta(s, p[0], p[1]); }},
    {Law::NoncentralChisquare, "random::noncentral_chisquare", 2, [](const double* p) { return p[0] > 0 && p[1] >= 0; },
     "the degrees of freedom must be positive, the shift not negative",
     [](ops::RandomStream& s, const double* p) { return ops::sample_noncentral_chisquare(s, p[0], p[1]); }},
    {Law::F, "random::f", 3, [](const double* p) { return p[0] > 0 && p[1] > 0 && p[2] >= 0; },
     "the degrees of freedom must be positive, the shift not negative",
     [](ops::RandomStream& s, const double* p) {
       const double above = ops::sample_noncentral_chisquare(s, p[0], p[2]) / p[0];
       return above * p[1] / (2 * ops::sample_gamma(s, p[1] / 2));
     }},
    {Law::StudentT, "random::standard_t", 1, [](const double* p) { return p[0] > 0; },
     "the degrees of freedom must be positive",
     [](ops::RandomStream& s, const double* p) {
       const double normal = s.normal();
       return normal * std::sqrt(p[0] / 2) / std::sqrt(ops::sample_gamma(s, p[0] / 2));
     }},
    {Law::Vonmises, "random::vonmises", 2, [](const double* p) { return p[1] >= 0; }, "kappa must not be negative",
     [](ops::RandomStream& s, const double* p) { return ops::sample_vonmises(s, p[0], p[1]); }},
    {Law::Wald, "random::wald", 2, [](const double* p) { return p[0] > 0 && p[1] > 0; },
     "mean and scale must be positive",
     [](ops::RandomStream& s, const double* p) { return ops::sample_wald(s, p[0], p[1]); }},
    {Law::Poisson, "random::poisson", 1, [](const double* p) { return p[0] >= 0 && p[0] < 9.2e18; },
     "the mean must not be negative, and fit in 63 bits",
     [](ops::RandomStream& s, const double* p) { return ops::sample_poisson(s, p[0]); }},
    {Law::Binomial, "random::binomial", 2,
     [](const double* p) { return p[0] >= 0 && whole(p[0]) && p[1] >= 0 && p[1] <= 1; },
     "the trials must be a number from 0 on, the probability one from 0 to 1",
     [](ops::RandomStream& s, const double* p) { return ops::sample_binomial(s, p[0], p[1]); }},
    {Law::NegativeBinomial, "random::negative_binomial", 2,
     [](const double* p) { return p[0] > 0 && p[1] > 0 && p[1] <= 1; },
     "the successes must be positive, the probability above 0 and at most 1",
     [](ops::RandomStream& s, const double* p) {
       return ops::sample_poisson(s, ops::sample_gamma(s, p[0]) * (1 - p[1]) / p[1]);
     }},
    {Law::Hypergeometric, "random::hypergeometric", 3,
     [](const double* p) {
       return p[0] >= 0 && p[1] >= 0 && p[2] >= 0 && p[2] <= p[0] + p[1] && whole(p[0]) && whole(p[1]) && whole(p[2]);
     },
     "the counts must be whole and not negative, and no more be drawn than there are",
     [](ops::RandomStream& s, const double* p) { return ops::sample_hypergeometric(s, p[0], p[1], p[2]); }},
    {Law::Logseries, "random::logseries", 1, [](const double* p) { return p[0] > 0 && p[0] < 1; },
     "the parameter must lie between 0 and 1",
     [](ops::RandomStream& s, const double* p) { return ops::sample_logseries(s, p[0]); }},
    {Law::Zipf, "random::zipf", 1, [](const double* p) { return p[0] > 1; }, "the parameter must be above 1",
     [](ops::RandomStream& s, const double* p) { return ops::sample_zipf(s, p[0]); }},
};

const Rule& rule_of(Law law) { return kRules[static_cast<std::size_t>(law)]; }

struct Sampled {
  static constexpr const char* kName = "random";
  static constexpr bool kAssembles = false;
  Law law;
  std::uint64_t seed;
  std::vector<std::int64_t> shape;
  std::vector<double> parameters;
  /// For each parameter: the input it comes from, or -1.
  std::vector<std::int64_t> inputs;
  bool counts;
  std::string line;

  void needs(const Box& out, std::vector<Need>& needs) const {
    for (const std::int64_t input : inputs) {
      if (input >= 0) needs.push_back({static_cast<std::uint32_t>(input), out, {}});
    }
  }
  void run(const ChunkWork& work) const {
    const Rule& rule = rule_of(law);
    double values[3] = {};
    for (std::size_t i = 0; i < parameters.size(); ++i) values[i] = parameters[i];
    auto* const reals = reinterpret_cast<double*>(work.output.data);
    auto* const whole_numbers = reinterpret_cast<std::int64_t*>(work.output.data);
    ops::each_element(
        shape, work.out,
        [&](std::uint64_t flat, const std::vector<std::int64_t>& row, std::int64_t column, std::int64_t place) {
          bool varies = false;
          for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i] < 0) continue;
            const Block& block = work.inputs[static_cast<std::size_t>(inputs[i])];
            const std::byte* from = block.data;
            for (std::size_t axis = 0; axis < row.size(); ++axis) from += row[axis] * block.strides[axis];
            if (!row.empty()) from += column * block.strides.back();
            std::memcpy(&values[i], from, sizeof(double));
            varies = true;
          }
          if (varies && !rule.holds(values)) throw Error(line + rule.text);
          ops::RandomStream stream(seed, flat);
          const double value = rule.draw(stream, values);
          if (counts) {
            whole_numbers[place] = static_cast<std::int64_t>(value);
          } else {
            reals[place] = value;
          }
        });
  }
};

Array sampled(Law law, const std::vector<Operand>& parameters, const Shape& shape, const random::RandomOptions& options,
              bool counts, const Where& where) {
  const Rule& rule = rule_of(law);
  const std::string line = ops::at_line(rule.name, where);
  ops::require_extents(rule.name, shape, where);
  const Dtype made = counts ? int64 : float64;
  const Dtype dtype = options.dtype.value_or(made);
  if (counts ? !dtype.is_integer() : !dtype.is_floating()) {
    throw Error(line + (counts ? "gives integers, not " : "gives floating numbers, not ") + dtype.name() +
                ": use astype");
  }
  Sampled sample{law, ops::seed_of(options.seed), shape.vector(), {}, {}, counts, line};
  const auto grid = ops::grid_for(rule.name, where, shape, options.chunks, made.size());
  std::vector<expression::NodePointer> inputs;
  for (const Operand& one : parameters) {
    sample.parameters.push_back(one.is_scalar() ? one.scalar().real() : 0);
    sample.inputs.push_back(one.is_scalar() ? -1 : static_cast<std::int64_t>(inputs.size()));
    if (one.is_scalar()) continue;
    const Array wide = broadcast_to(one.array().astype(float64, where), shape, where);
    inputs.push_back(expression::broadcast_to_grid(wide.node(), grid, where));
  }
  // Numbers are looked at now; in arrays of parameters only those that are used, when they are.
  if (inputs.empty() && !rule.holds(sample.parameters.data())) throw Error(line + rule.text);
  const Array result(
      expression::make_structural(expression::make_structure(std::move(sample)), std::move(inputs), made, grid, where));
  return result.astype(dtype, where);
}

}  // namespace
}  // namespace weft::arrays

namespace weft::random {

namespace expression = arrays::expression;
namespace ops = arrays::ops;
using arrays::Law;
using arrays::sampled;
using ops::require;
using std::source_location;

namespace {

/// In (0, 1), both ends excluded. The dtype is applied to the result.
Array open_uniform(const Shape& shape, const RandomOptions& options, const source_location& where) {
  RandomOptions plain = options;
  plain.dtype = float64;
  return uniform(shape, plain, where) + 0x1p-53;
}

Array as_asked(const Array& values, const Shape& shape, const RandomOptions& options, const char* name,
               const source_location& where) {
  if (values.shape() != shape) {
    throw Error(ops::at_line(name, where) + "the parameters broadcast to " + values.shape().text() +
                ", which is not the shape " + shape.text() + " that was asked for");
  }
  const Dtype dtype = options.dtype.value_or(float64);
  if (!dtype.is_floating()) {
    throw Error(ops::at_line(name, where) + "gives floating numbers, not " + dtype.name() + ": use astype");
  }
  return values.astype(dtype, where);
}

bool not_negative(const Operand& value) { return !value.is_scalar() || value.scalar().real() >= 0; }
bool positive_number(const Operand& value) { return !value.is_scalar() || value.scalar().real() > 0; }

}  // namespace

Array standard_exponential(const Shape& shape, const RandomOptions& options, const source_location& where) {
  return exponential(1, shape, options, where);
}
Array gumbel(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options,
             const source_location& where) {
  require(not_negative(scale), "random::gumbel", "the scale is negative", where);
  const Array u = open_uniform(shape, options, where);
  return as_asked(location - scale * ln(-ln(u)), shape, options, "random::gumbel", where);
}
Array laplace(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options,
              const source_location& where) {
  require(not_negative(scale), "random::laplace", "the scale is negative", where);
  const Array u = open_uniform(shape, options, where) - 0.5;
  return as_asked(location - scale * sign(u) * log1p(-2.0 * fabs(u)), shape, options, "random::laplace", where);
}
Array logistic(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options,
               const source_location& where) {
  require(not_negative(scale), "random::logistic", "the scale is negative", where);
  const Array u = open_uniform(shape, options, where);
  return as_asked(location + scale * (ln(u) - log1p(-u)), shape, options, "random::logistic", where);
}
Array lognormal(const Operand& mean, const Operand& sigma, const Shape& shape, const RandomOptions& options,
                const source_location& where) {
  require(not_negative(sigma), "random::lognormal", "the deviation is negative", where);
  RandomOptions plain = options;
  plain.dtype = float64;
  return as_asked(exp(mean + sigma * standard_normal(shape, plain, where)), shape, options, "random::lognormal", where);
}
Array rayleigh(const Operand& scale, const Shape& shape, const RandomOptions& options, const source_location& where) {
  require(not_negative(scale), "random::rayleigh", "the scale is negative", where);
  return as_asked(scale * sqrt(-2.0 * ln(open_uniform(shape, options, where))), shape, options, "random::rayleigh",
                  where);
}
Array weibull(const Operand& a, const Shape& shape, const RandomOptions& options, const source_location& where) {
  require(positive_number(a), "random::weibull", "the parameter must be positive", where);
  const Array e = -ln(open_uniform(shape, options, where));
  return as_asked(arrays::power(e, 1.0 / arrays::positive(a.is_scalar() ? Operand(a.scalar().real()) : a)), shape,
                  options, "random::weibull", where);
}
Array pareto(const Operand& a, const Shape& shape, const RandomOptions& options, const source_location& where) {
  require(positive_number(a), "random::pareto", "the parameter must be positive", where);
  return as_asked(expm1(-ln(open_uniform(shape, options, where)) / a), shape, options, "random::pareto", where);
}
Array power(const Operand& a, const Shape& shape, const RandomOptions& options, const source_location& where) {
  require(positive_number(a), "random::power", "the parameter must be positive", where);
  return as_asked(exp(ln(open_uniform(shape, options, where)) / a), shape, options, "random::power", where);
}
Array triangular(const Operand& left, const Operand& mode, const Operand& right, const Shape& shape,
                 const RandomOptions& options, const source_location& where) {
  if (left.is_scalar() && mode.is_scalar() && right.is_scalar()) {
    const double l = left.scalar().real(), m = mode.scalar().real(), r = right.scalar().real();
    require(l <= m && m <= r && l < r, "random::triangular", "left <= mode <= right must hold, and left < right",
            where);
  }
  const Array u = open_uniform(shape, options, where);
  const Array zero = zeros_like(u);
  const Array l = zero + left, m = zero + mode, r = zero + right;
  const Array below = l + sqrt(u * (r - l) * (m - l));
  const Array above = r - sqrt((1.0 - u) * (r - l) * (r - m));
  return as_asked(arrays::where(u * (r - l) <= m - l, below, above), shape, options, "random::triangular", where);
}
Array standard_cauchy(const Shape& shape, const RandomOptions& options, const source_location& where) {
  const Array u = open_uniform(shape, options, where) - 0.5;
  return as_asked(tan(u * 3.14159265358979323846), shape, options, "random::standard_cauchy", where);
}
Array geometric(const Operand& p, const Shape& shape, const RandomOptions& options, const source_location& where) {
  require(!p.is_scalar() || (p.scalar().real() > 0 && p.scalar().real() <= 1), "random::geometric",
          "the probability must be above 0 and at most 1", where);
  const Dtype dtype = options.dtype.value_or(int64);
  require(dtype.is_integer(), "random::geometric", "gives integers: use astype for others", where);
  const Array u = open_uniform(shape, options, where);
  const Array trials = ceil(ln(u) / log1p(-(zeros_like(u) + p)));
  const Array result = arrays::maximum(trials, 1.0).astype(dtype, where);
  require(result.shape() == shape, "random::geometric", "the parameter does not broadcast to the shape", where);
  return result;
}

#define WEFT_SAMPLED(name, law, counts, parameters, ...)                                                               \
  Array name(WEFT_UNPACK parameters, const Shape& shape, const RandomOptions& options, const source_location& where) { \
    return sampled(Law::law, {__VA_ARGS__}, shape, options, counts, where);                                            \
  }
#define WEFT_UNPACK(...) __VA_ARGS__
WEFT_SAMPLED(gamma, Gamma, false, (const Operand& a, const Operand& scale), a, scale)
WEFT_SAMPLED(standard_gamma, Gamma, false, (const Operand& a), a, 1.0)
WEFT_SAMPLED(beta, Beta, false, (const Operand& a, const Operand& b), a, b)
WEFT_SAMPLED(chisquare, NoncentralChisquare, false, (const Operand& df), df, 0.0)
WEFT_SAMPLED(noncentral_chisquare, NoncentralChisquare, false, (const Operand& df, const Operand& nonc), df, nonc)
WEFT_SAMPLED(f, F, false, (const Operand& dfnum, const Operand& dfden), dfnum, dfden, 0.0)
WEFT_SAMPLED(noncentral_f, F, false, (const Operand& dfnum, const Operand& dfden, const Operand& nonc), dfnum, dfden,
             nonc)
WEFT_SAMPLED(standard_t, StudentT, false, (const Operand& df), df)
WEFT_SAMPLED(vonmises, Vonmises, false, (const Operand& mu, const Operand& kappa), mu, kappa)
WEFT_SAMPLED(wald, Wald, false, (const Operand& mean, const Operand& scale), mean, scale)
WEFT_SAMPLED(poisson, Poisson, true, (const Operand& lam), lam)
WEFT_SAMPLED(binomial, Binomial, true, (const Operand& n, const Operand& p), n, p)
WEFT_SAMPLED(negative_binomial, NegativeBinomial, true, (const Operand& n, const Operand& p), n, p)
WEFT_SAMPLED(hypergeometric, Hypergeometric, true, (const Operand& good, const Operand& bad, const Operand& sample),
             good, bad, sample)
WEFT_SAMPLED(logseries, Logseries, true, (const Operand& p), p)
WEFT_SAMPLED(zipf, Zipf, true, (const Operand& a), a)
#undef WEFT_SAMPLED
#undef WEFT_UNPACK

Array randint(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options,
              const source_location& where) {
  return integers(low, high, shape, options, where);
}
Array random_integers(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options,
                      const source_location& where) {
  require(high < std::numeric_limits<std::int64_t>::max(), "random::random_integers", "the upper end is too large",
          where);
  return integers(low, high + 1, shape, options, where);
}
Array random_sample(const Shape& shape, const RandomOptions& options, const source_location& where) {
  return uniform(shape, options, where);
}

}  // namespace weft::random
