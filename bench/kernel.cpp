#include "bench/kernel.hpp"

#include "bench/patterns.hpp"

namespace weft::bench {
namespace {

// Four doubles; 16 of them fill the vector registers of a machine with AVX2.
using Lane [[gnu::vector_size(32)]] = double;
constexpr int kLanes = 16;
static_assert(kFlopsPerIteration == 2 * 4 * kLanes);

[[gnu::always_inline]] inline double multiply_add(std::int64_t iterations) {
  // x -> x*x + x started in (-1, 0) creeps towards 0 without overflow or subnormal numbers, however long it runs.
  Lane lanes[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) lanes[i] = Lane{-0.5, -0.4, -0.3, -0.2} + 0.001 * i;
  for (std::int64_t n = 0; n < iterations; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) lanes[i] = lanes[i] * lanes[i] + lanes[i];
  }
  Lane sum = lanes[0];
#pragma GCC unroll 16
  for (int i = 1; i < kLanes; ++i) sum += lanes[i];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

#if defined(__x86_64__)
// The same source for the vector width of current machines; a build for the oldest x86-64 has neither AVX2 nor FMA.
[[gnu::target("avx2,fma")]] double multiply_add_avx2(std::int64_t iterations) { return multiply_add(iterations); }
const bool kHasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

}  // namespace

std::uint64_t source_value(std::uint64_t index) { return mix(index); }

std::uint64_t extend_value(std::uint64_t input) { return input * 0x9E3779B97F4A7C15ULL + 1; }

std::uint64_t combine_values(std::uint64_t left, std::uint64_t right) {
  return left * 0x9E3779B97F4A7C15ULL + (right ^ (right >> 29));
}

double compute_bound(std::int64_t iterations) {
#if defined(__x86_64__)
  if (kHasAvx2) return multiply_add_avx2(iterations);
#endif
  return multiply_add(iterations);
}

Payload execute_point(const Pattern& pattern, std::int64_t step, std::int64_t point, const Payload* inputs, int count,
                      std::int64_t iterations) {
  Payload out;
  out.step = static_cast<std::int32_t>(step);
  out.point = static_cast<std::int32_t>(point);
  int position = 0;
  pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
    if (position < count && inputs[position].step == step - 1 && inputs[position].point == dependency)
      ++out.valid_inputs;
    ++position;
  });
  if (position != count) out.valid_inputs = 0;
  if (iterations > 0) out.digest = static_cast<std::int32_t>(compute_bound(iterations));
  return out;
}

}  // namespace weft::bench
