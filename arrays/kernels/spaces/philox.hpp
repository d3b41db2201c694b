#pragma once

#include "arrays/kernels/element.hpp"

// Philox 4x32 with ten rounds for one counter: the bits that random_kernels.inc makes for many side by side.

namespace weft::arrays::kernels {
namespace {

/// Returns the 64 random bits of an index: half of the block of index / 2.
WEFT_FUNCTION std::uint64_t philox_bits(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t counter = index / 2;
  std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32), c2 = 0,
                c3 = 0;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return index % 2 == 0 ? std::uint64_t{c1} << 32 | c0 : std::uint64_t{c3} << 32 | c2;
}

/// Returns a number in [0, 1): the upper 52 bits as the fraction of a number in [1, 2), less 1.
WEFT_FUNCTION double uniform_of(std::uint64_t bits) {
  union {
    std::uint64_t word;
    double number;
  } one;
  one.word = 0x3FF0000000000000u | bits >> 12;
  return one.number - 1.0;
}

}  // namespace
}  // namespace weft::arrays::kernels
