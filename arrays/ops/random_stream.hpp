#pragma once

#include <cmath>
#include <cstdint>

namespace weft::arrays::ops {

/// The random numbers of one element, as many as a sampler asks for: Philox 4x32-10 of (index, how many were taken).
/// The blocks of `uniform` have zeros in the upper half of the counter; these do not, so that the two never meet.
/// Threading: one thread.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t index, std::uint32_t lane = 0)
      : seed_(seed), index_(index), lane_(lane) {}

  std::uint64_t bits() {
    if (left_) {
      left_ = false;
      return second_;
    }
    fill();
    left_ = true;
    return first_;
  }
  /// In (0, 1), both ends excluded.
  double uniform() { return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52; }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586477 * uniform());
  }

 private:
  void fill() {
    std::uint32_t c0 = static_cast<std::uint32_t>(index_), c1 = static_cast<std::uint32_t>(index_ >> 32);
    std::uint32_t c2 = ++block_, c3 = lane_;
    std::uint32_t k0 = static_cast<std::uint32_t>(seed_), k1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
      const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<std::uint32_t>(p1);
      c3 = static_cast<std::uint32_t>(p0);
      c0 = n0;
      c2 = n2;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    first_ = std::uint64_t{c1} << 32 | c0;
    second_ = std::uint64_t{c3} << 32 | c2;
  }

  std::uint64_t seed_;
  std::uint64_t index_;
  std::uint32_t lane_;
  std::uint32_t block_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t second_ = 0;
  bool left_ = false;
};

// Samplers: each draws one number. Parameters have been checked.
double sample_gamma(RandomStream& stream, double a);
double sample_beta(RandomStream& stream, double a, double b);
double sample_noncentral_chisquare(RandomStream& stream, double df, double nonc);
double sample_vonmises(RandomStream& stream, double mu, double kappa);
double sample_wald(RandomStream& stream, double mean, double scale);
double sample_poisson(RandomStream& stream, double lam);
double sample_binomial(RandomStream& stream, double n, double p);
double sample_hypergeometric(RandomStream& stream, double good, double bad, double sample);
double sample_logseries(RandomStream& stream, double p);
double sample_zipf(RandomStream& stream, double a);

}  // namespace weft::arrays::ops
