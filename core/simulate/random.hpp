#pragma once

#include <cmath>
#include <cstdint>

namespace weft::sim {

/// Mixes the bits of a word (splitmix64): equal words give equal mixes, neighbours give unrelated ones.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t word) {
  word += 0x9e37'79b9'7f4a'7c15ull;
  word = (word ^ (word >> 30)) * 0xbf58'476d'1ce4'e5b9ull;
  word = (word ^ (word >> 27)) * 0x94d0'49bb'1331'11ebull;
  return word ^ (word >> 31);
}

/// Random numbers that are the same for a seed on every machine and with every standard library.
/// Owns: one word.  Threading: none.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}

  std::uint64_t word() { return mix(state_ += 0x9e37'79b9'7f4a'7c15ull); }
  /// Returns a number in [0, bound); 0 if `bound` is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : word() % bound; }
  /// Returns a number in [least, most].
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  /// Returns a number in [0, 1).
  double unit() { return static_cast<double>(word() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }

  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - unit()));
    return radius * std::cos(2 * 3.14159265358979323846 * unit());
  }
  /// Returns a lognormal number of mean 1; `sigma` is that of its logarithm.
  double lognormal(double sigma) { return std::exp(sigma * normal() - sigma * sigma / 2); }

 private:
  std::uint64_t state_;
};

}  // namespace weft::sim
