// The generator and the kernels for Python's systems, loaded by python_kernel.py through ctypes.

#include <cstdint>

#include "bench/patterns.hpp"
#include "bench/shapes.hpp"

extern "C" {

std::uint64_t weft_source_value(std::uint64_t index) { return weft::bench::source_value(index); }
std::uint64_t weft_extend_value(std::uint64_t input) { return weft::bench::extend_value(input); }
std::uint64_t weft_combine_values(std::uint64_t left, std::uint64_t right) {
  return weft::bench::combine_values(left, right);
}
double weft_compute_bound(std::int64_t iterations) { return weft::bench::compute_bound(iterations); }

/// Writes the inputs of task `index` to `inputs[0..2)` and returns their number; -1 for an unknown shape.
int weft_shape_inputs(const char* shape, std::uint64_t tasks, std::uint64_t index, std::uint64_t* inputs) {
  try {
    const auto in = weft::bench::Shape(weft::bench::shape_kind(shape), tasks).inputs(index);
    inputs[0] = in.left;
    inputs[1] = in.right;
    return in.count;
  } catch (...) {
    return -1;
  }
}

/// Writes the points task (step, point) takes to `points` and returns their number; -1 for an unknown pattern.
int weft_pattern_dependencies(const char* pattern, std::int64_t width, std::int64_t steps, std::int64_t radix,
                              std::int64_t step, std::int64_t point, std::int64_t* points) {
  try {
    int count = 0;
    weft::bench::Pattern(weft::bench::pattern_kind(pattern), width, steps, radix)
        .for_each_dependency(step, point, [&](std::int64_t dependency) { points[count++] = dependency; });
    return count;
  } catch (...) {
    return -1;
  }
}

/// Returns how many points `step` has; -1 for an unknown pattern.
std::int64_t weft_pattern_width(const char* pattern, std::int64_t width, std::int64_t steps, std::int64_t radix,
                                std::int64_t step) {
  try {
    return weft::bench::Pattern(weft::bench::pattern_kind(pattern), width, steps, radix).width_at(step);
  } catch (...) {
    return -1;
  }
}
}
