#include <weft/random.hpp>

#include "arrays/ops/apply.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <bit>
#include <random>

namespace weft::random {
namespace {

namespace expression = arrays::expression;
namespace ops = arrays::ops;
using expression::Generator;

std::uint64_t draw_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

Array generated(Generator::Kind kind, std::uint64_t first, std::uint64_t second, Dtype dtype, const Shape& shape,
                const RandomOptions& options, const char* name, const std::source_location& where) {
  for (const std::int64_t extent : shape) {
    if (extent < 0)
      throw Error(ops::at_line(name, where) + "the shape " + ops::numbers_text(shape) + " has a negative extent");
  }
  ops::told(name, where, [&] { return shape.elements(); });
  Generator generator;
  generator.kind = kind;
  generator.words[0] = first;
  generator.words[1] = second;
  generator.seed = options.seed ? *options.seed : draw_seed();
  return Array(expression::make_generated(generator, dtype,
                                          ops::grid_for(name, where, shape, options.chunks, dtype.size()),
                                          options.name.empty() ? name : options.name, where));
}

Array real(Generator::Kind kind, double first, double second, const Shape& shape, const RandomOptions& options,
           const char* name, const std::source_location& where) {
  const Dtype dtype = options.dtype.value_or(float64);
  if (!dtype.is_floating()) {
    throw Error(ops::at_line(name, where) + "gives floating numbers, not " + dtype.name() +
                ": use random::integers, or astype");
  }
  return generated(kind, std::bit_cast<std::uint64_t>(first), std::bit_cast<std::uint64_t>(second), dtype, shape,
                   options, name, where);
}

}  // namespace

Array uniform(const Shape& shape, const RandomOptions& options, const std::source_location& where) {
  return real(Generator::Uniform, 0, 1, shape, options, "random::uniform", where);
}
Array uniform(double low, double high, const Shape& shape, const RandomOptions& options,
              const std::source_location& where) {
  return real(Generator::Uniform, low, high, shape, options, "random::uniform", where);
}
Array normal(double mean, double deviation, const Shape& shape, const RandomOptions& options,
             const std::source_location& where) {
  if (deviation < 0) throw Error(ops::at_line("random::normal", where) + "the deviation is negative");
  return real(Generator::Normal, mean, deviation, shape, options, "random::normal", where);
}
Array exponential(double scale, const Shape& shape, const RandomOptions& options, const std::source_location& where) {
  if (scale < 0) throw Error(ops::at_line("random::exponential", where) + "the scale is negative");
  return real(Generator::Exponential, scale, 0, shape, options, "random::exponential", where);
}
Array integers(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options,
               const std::source_location& where) {
  if (low >= high) {
    throw Error(ops::at_line("random::integers", where) + "there is no integer from " + std::to_string(low) +
                " to before " + std::to_string(high));
  }
  const Dtype dtype = options.dtype.value_or(int64);
  if (!dtype.is_integer()) throw Error(ops::at_line("random::integers", where) + "gives integers, not " + dtype.name());
  return generated(Generator::Integers, static_cast<std::uint64_t>(low),
                   static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low), dtype, shape, options,
                   "random::integers", where);
}

}  // namespace weft::random
