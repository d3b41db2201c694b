#include "arrays/plan/generate.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace weft::arrays::lowering {
namespace {

using expression::Generator;

/// Returns the quantile of the standard normal distribution to about 1e-16 (Wichura, algorithm AS 241, 1988).
double normal_quantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
                45921.953931549871457) *
                   r +
               13731.693765509461125) *
                  r +
              1971.5909503065514427) *
                 r +
             133.14166789178437745) *
                r +
            3.387132872796366608) /
           (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r +
                21213.794301586595867) *
                   r +
               5394.1960214247511077) *
                  r +
              687.1870074920579083) *
                 r +
             42.313330701600911252) *
                r +
            1.0);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  double value;
  if (r <= 5) {
    r -= 1.6;
    value = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
                 1.27045825245236838258) *
                    r +
                3.64784832476320460504) *
                   r +
               5.7694972214606914055) *
                  r +
              4.6303378461565452959) *
                 r +
             1.42343711074968357734) /
            (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
                 0.14810397642748007459) *
                    r +
                0.68976733498510000455) *
                   r +
               1.6763848301838038494) *
                  r +
              2.05319162663775882187) *
                 r +
             1.0);
  } else {
    r -= 5;
    value = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r +
                 0.026532189526576123093) *
                    r +
                0.29656057182850489123) *
                   r +
               1.7848265399172913358) *
                  r +
              5.4637849111641143699) *
                 r +
             6.6579046435011037772) /
            (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r +
                 7.868691311456132591e-4) *
                    r +
                0.0148753612908506148525) *
                   r +
               0.13692988092273580531) *
                  r +
              0.59983220655588793769) *
                 r +
             1.0);
  }
  return q < 0 ? -value : value;
}

void write_reals(TypeCode type, const double* values, std::size_t n, void* out) {
  if (type == TypeCode::Float64) {
    if (out != values) std::memcpy(out, values, n * sizeof(double));
  } else {
    kernels::cast_kernel(type, TypeCode::Float64)(out, values, n);
  }
}

void ramp(const Generator& generator, std::int64_t first, std::int64_t step, std::size_t n, void* out,
          double* scratch) {
  const bool real = generator.type == TypeCode::Float32 || generator.type == TypeCode::Float64 ||
                    generator.type == TypeCode::Complex64 || generator.type == TypeCode::Complex128;
  if (real) {
    const double start = std::bit_cast<double>(generator.words[0]);
    const double delta = std::bit_cast<double>(generator.words[1]);
    for (std::size_t i = 0; i < n; ++i) {
      scratch[i] = start + static_cast<double>(first + static_cast<std::int64_t>(i) * step) * delta;
    }
    return write_reals(generator.type, scratch, n, out);
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
  switch (static_cast<Generator::Kind>(generator.kind)) {
    case Generator::Constant:
      return;
    case Generator::Ramp:
      return ramp(generator, first, step, n, out, scratch);
    case Generator::Uniform:
      kernels::kernels().uniform(scratch, generator.seed, first, step, n);
      if (a != 0 || b != 1) {
        for (std::size_t i = 0; i < n; ++i) scratch[i] = a + (b - a) * scratch[i];
      }
      return write_reals(generator.type, scratch, n, out);
    case Generator::Normal:
      kernels::kernels().uniform(scratch, generator.seed, first, step, n);
      // Half a step up, so that 0 does not occur.
      for (std::size_t i = 0; i < n; ++i) scratch[i] = a + b * normal_quantile(scratch[i] + 0x1p-53);
      return write_reals(generator.type, scratch, n, out);
    case Generator::Exponential:
      kernels::kernels().uniform(scratch, generator.seed, first, step, n);
      for (std::size_t i = 0; i < n; ++i) scratch[i] = -a * std::log1p(-scratch[i]);
      return write_reals(generator.type, scratch, n, out);
    case Generator::Integers: {
      std::uint64_t* const bits = reinterpret_cast<std::uint64_t*>(scratch);
      kernels::kernels().random_bits(bits, generator.seed, first, step, n);
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
