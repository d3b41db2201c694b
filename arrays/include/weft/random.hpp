#pragma once

#include <weft/array.hpp>

namespace weft::random {

/// Options of random arrays. The numbers are functions of seed and index alone: neither the chunks nor the number of
/// workers change them. Without a seed, one is drawn when the array is described.
struct RandomOptions {
  std::optional<Dtype> dtype = {};
  Chunks chunks = {};
  std::optional<std::uint64_t> seed = {};
  std::string name = {};
};

/// Uniform in [low, high).
Array uniform(const Shape& shape, const RandomOptions& options = {},
              const std::source_location& where = std::source_location::current());
Array uniform(double low, double high, const Shape& shape, const RandomOptions& options = {},
              const std::source_location& where = std::source_location::current());
inline Array random(const Shape& shape, const RandomOptions& options = {},
                    const std::source_location& where = std::source_location::current()) {
  return uniform(shape, options, where);
}
Array normal(double mean, double deviation, const Shape& shape, const RandomOptions& options = {},
             const std::source_location& where = std::source_location::current());
inline Array standard_normal(const Shape& shape, const RandomOptions& options = {},
                             const std::source_location& where = std::source_location::current()) {
  return normal(0, 1, shape, options, where);
}
Array exponential(double scale, const Shape& shape, const RandomOptions& options = {},
                  const std::source_location& where = std::source_location::current());
/// Integers in [low, high).
Array integers(std::int64_t low, std::int64_t high, const Shape& shape, const RandomOptions& options = {},
               const std::source_location& where = std::source_location::current());

}  // namespace weft::random
