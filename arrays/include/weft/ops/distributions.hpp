#pragma once

#include <weft/random.hpp>

namespace weft::random {

using arrays::Operand;

// Parameters are numbers, or arrays that broadcast to the shape. As with uniform and normal, a number depends on the
// seed and its index alone: neither chunks nor workers change it. Real distributions give float64 (float32 by dtype),
// counting ones int64. A parameter out of range is refused when the array is described, or, within an array of
// parameters, when it runs.

#define WEFT_HERE const std::source_location& where = std::source_location::current()

Array standard_exponential(const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array gumbel(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options = {},
             WEFT_HERE);
Array laplace(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options = {},
              WEFT_HERE);
Array logistic(const Operand& location, const Operand& scale, const Shape& shape, const RandomOptions& options = {},
               WEFT_HERE);
/// exp of a normal number with this mean and deviation.
Array lognormal(const Operand& mean, const Operand& sigma, const Shape& shape, const RandomOptions& options = {},
                WEFT_HERE);
Array rayleigh(const Operand& scale, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array weibull(const Operand& a, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
/// Lomax: Pareto's from 0 on, as NumPy has it.
Array pareto(const Operand& a, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array power(const Operand& a, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array triangular(const Operand& left, const Operand& mode, const Operand& right, const Shape& shape,
                 const RandomOptions& options = {}, WEFT_HERE);
Array standard_cauchy(const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);

Array gamma(const Operand& a, const Operand& scale, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array standard_gamma(const Operand& a, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array beta(const Operand& a, const Operand& b, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array chisquare(const Operand& df, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array noncentral_chisquare(const Operand& df, const Operand& nonc, const Shape& shape,
                           const RandomOptions& options = {}, WEFT_HERE);
Array f(const Operand& dfnum, const Operand& dfden, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array noncentral_f(const Operand& dfnum, const Operand& dfden, const Operand& nonc, const Shape& shape,
                   const RandomOptions& options = {}, WEFT_HERE);
Array standard_t(const Operand& df, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array vonmises(const Operand& mu, const Operand& kappa, const Shape& shape, const RandomOptions& options = {},
               WEFT_HERE);
/// The inverse Gaussian distribution.
Array wald(const Operand& mean, const Operand& scale, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);

Array poisson(const Operand& lam, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array binomial(const Operand& n, const Operand& p, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array negative_binomial(const Operand& n, const Operand& p, const Shape& shape, const RandomOptions& options = {},
                        WEFT_HERE);
Array hypergeometric(const Operand& good, const Operand& bad, const Operand& sample, const Shape& shape,
                     const RandomOptions& options = {}, WEFT_HERE);
Array geometric(const Operand& p, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array logseries(const Operand& p, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
Array zipf(const Operand& a, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
/// How often each of the outcomes came in `n` trials; they lie along a new last axis.
Array multinomial(std::int64_t n, const std::vector<double>& probabilities, const Shape& shape,
                  const RandomOptions& options = {}, WEFT_HERE);

/// Integers in [low, high): another name of `integers`.
Array randint(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);
/// Integers in [low, high], both included.
Array random_integers(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options = {},
                      WEFT_HERE);
Array random_sample(const Shape& shape, const RandomOptions& options = {}, WEFT_HERE);

/// The numbers from 0 to before `n`, in random order.
Array permutation(std::int64_t n, const RandomOptions& options = {}, WEFT_HERE);
/// The array with its rows in random order.
Array permutation(const Array& array, const RandomOptions& options = {}, WEFT_HERE);

/// Options of choice.
struct ChoiceOptions {
  Chunks chunks = {};
  std::optional<std::uint64_t> seed = {};
  bool replace = true;
  /// The probability of each; empty: the same for all.
  std::vector<double> p = {};
};
/// Draws from the numbers 0 to before `n`, or from the values of an array of one dimension.
Array choice(std::int64_t n, const Shape& shape, const ChoiceOptions& options = {}, WEFT_HERE);
Array choice(const NDArray& values, const Shape& shape, const ChoiceOptions& options = {}, WEFT_HERE);

/// A source of random arrays with one seed: each call takes the next of its streams, so that arrays of one generator
/// are independent of each other, and a program gives the same numbers every time.
/// Owns: the seed and the number of streams taken.  Threading: one thread.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : seed_(seed) {}
  /// Returns the options with the seed of the next stream.
  RandomOptions next(RandomOptions options = {});
  Array random(const Shape& shape, const RandomOptions& options = {}, WEFT_HERE) {
    return weft::random::uniform(shape, next(options), where);
  }
  Array standard_normal(const Shape& shape, const RandomOptions& options = {}, WEFT_HERE) {
    return weft::random::standard_normal(shape, next(options), where);
  }
  Array integers(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options = {},
                 WEFT_HERE) {
    return weft::random::integers(low, high, shape, next(options), where);
  }

 private:
  std::uint64_t seed_;
  std::uint64_t streams_ = 0;
};
inline Generator default_rng(std::uint64_t seed) { return Generator(seed); }

#undef WEFT_HERE

}  // namespace weft::random
