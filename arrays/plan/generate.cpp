#include "arrays/plan/generate.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace weft::arrays::lowering {
namespace {

using expression::Generator;

/// Where numbers of double precision are made: at once where they go, or beside it where they are converted.
double* place_for(TypeCode type, void* out, double* scratch) {
  return type == TypeCode::Float64 ? static_cast<double*>(out) : scratch;
}

void write_reals(TypeCode type, const double* values, std::size_t n, void* out) {
  if (out != values) kernels::cast_kernel(type, TypeCode::Float64)(out, values, n);
}

void ramp(const Generator& generator, std::int64_t first, std::int64_t step, std::size_t n, void* out,
          double* scratch) {
  const bool real = generator.type == TypeCode::Float32 || generator.type == TypeCode::Float64 ||
                    generator.type == TypeCode::Complex64 || generator.type == TypeCode::Complex128;
  if (real) {
    const double start = std::bit_cast<double>(generator.words[0]);
    const double delta = std::bit_cast<double>(generator.words[1]);
    double* const reals = place_for(generator.type, out, scratch);
    for (std::size_t i = 0; i < n; ++i) {
      reals[i] = start + static_cast<double>(first + static_cast<std::int64_t>(i) * step) * delta;
    }
    return write_reals(generator.type, reals, n, out);
  }
  std::int64_t* const whole = reinterpret_cast<std::int64_t*>(scratch);
  const auto start = static_cast<std::int64_t>(generator.words[0]);
  const auto delta = static_cast<std::int64_t>(generator.words[1]);
  for (std::size_t i = 0; i < n; ++i) {
    whole[i] = start + (first + static_cast<std::int64_t>(i) * step) * delta;
  }
  kernels::cast_kernel(generator.type, TypeCode::Int64)(out, whole, n);
}

}  // namespace

void generate_tile(const Generator& generator, std::int64_t first, std::int64_t step, std::size_t n, void* out,
                   double* scratch) {
  const double a = std::bit_cast<double>(generator.words[0]);
  const double b = std::bit_cast<double>(generator.words[1]);
  double* const reals = place_for(generator.type, out, scratch);
  const kernels::KernelTable& table = kernels::kernels();
  switch (static_cast<Generator::Kind>(generator.kind)) {
    case Generator::Constant:
      return;
    case Generator::Ramp:
      return ramp(generator, first, step, n, out, scratch);
    case Generator::Uniform:
      table.uniform(reals, generator.seed, first, step, n);
      if (a != 0 || b != 1) {
        for (std::size_t i = 0; i < n; ++i) reals[i] = a + (b - a) * reals[i];
      }
      return write_reals(generator.type, reals, n, out);
    case Generator::Normal:
      table.uniform(reals, generator.seed, first, step, n);
      table.normal(reals, n, a, b);
      return write_reals(generator.type, reals, n, out);
    case Generator::Exponential:
      table.uniform(reals, generator.seed, first, step, n);
      table.exponential(reals, n, a);
      return write_reals(generator.type, reals, n, out);
    case Generator::Integers: {
      std::uint64_t* const bits = reinterpret_cast<std::uint64_t*>(scratch);
      table.random_bits(bits, generator.seed, first, step, n);
      const auto low = static_cast<std::uint64_t>(generator.words[0]);
      const std::uint64_t range = generator.words[1];
      for (std::size_t i = 0; i < n; ++i) {
        bits[i] = low + static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits[i]) * range) >> 64);
      }
      kernels::cast_kernel(generator.type, TypeCode::Int64)(out, bits, n);
      return;
    }
  }
}

}  // namespace weft::arrays::lowering
