// The functions every measured task calls.
//
// They live in a translation unit of their own (kernel.cpp, built without link-time optimisation), so that no system
// can inline a task away, and every system runs the same machine code.

#pragma once

#include <cstdint>

namespace weft::bench {

/// Returns the value of a task without inputs, the `index`-th of its graph.
[[gnu::noinline]] std::uint64_t source_value(std::uint64_t index);

/// Returns the value of a task with one input.
[[gnu::noinline]] std::uint64_t extend_value(std::uint64_t input);

/// Returns the value of a task with two inputs. Not symmetric: exchanged inputs give another value.
[[gnu::noinline]] std::uint64_t combine_values(std::uint64_t left, std::uint64_t right);

/// Runs the compute_bound kernel: `iterations` times one multiply-add on each of 64 doubles that stay in cache.
/// Returns a value that depends on all of them.
[[gnu::noinline]] double compute_bound(std::int64_t iterations);

/// Floating point operations of one iteration of compute_bound.
inline constexpr std::int64_t kFlopsPerIteration = 128;

/// What travels along an edge of the Task Bench patterns: who made it, and how many of its inputs were right.
struct Payload {
  std::int32_t step = -1;
  std::int32_t point = -1;
  std::int32_t valid_inputs = 0;
  std::int32_t digest = 0;
};
static_assert(sizeof(Payload) == 16);

class Pattern;

/// Runs task (step, point) of `pattern`: checks that `inputs[0..count)` are its dependencies' payloads, in their order,
/// runs the kernel, and stamps the output. A wrong or missing input is seen as a too small `valid_inputs` (never
/// negative).
[[gnu::noinline]] Payload execute_point(const Pattern& pattern, std::int64_t step, std::int64_t point,
                                        const Payload* inputs, int count, std::int64_t iterations);

}  // namespace weft::bench
