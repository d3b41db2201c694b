// The cases of weft_bench that measure arrays, and what they share.

#pragma once

#include <weft/arrays.hpp>

#include <functional>
#include <vector>

#include "bench/cases.hpp"

namespace weft::bench {

std::vector<Case> array_flow_cases();
std::vector<Case> array_algebra_cases();
std::vector<Case> array_climate_cases();
std::vector<Case> array_floor_cases();

/// Options that most array cases have; the sizes differ by case.
std::vector<Option> array_options(const char* n, const char* chunk, const std::vector<Option>& more = {});

/// Runs an expression several times, the first as the cold one, and prints the line.
/// Owns: the client and the times.  Threading: main thread.
class ArrayRun {
 public:
  ArrayRun(const Case& self, const Arguments& arguments);

  const Client& client() const { return client_; }
  const Arguments& arguments() const { return arguments_; }
  std::int64_t n() const { return n_; }
  std::int64_t chunk() const { return chunk_; }
  /// Returns uniform numbers; kept in memory already where `--input persisted` was asked for.
  Array input(const Shape& shape, const Chunks& chunks, std::uint64_t seed);
  /// Computes all chunks, keeps them until the returned array is let go, and copies none of them.
  Array materialise(const Array& array) const;

  /// Calls `once` repeat + 1 times; the first is the cold one. What it returns is checked against `expected`.
  void measure(const std::function<double()>& once, double expected, double relative_error);
  /// The least of the warm times.
  double seconds() const { return samples_.min(); }
  /// Prints seconds, and the rate at which `bytes` that must move did so.
  void print(const Output& output, double bytes, const std::function<void(Line&)>& more = {}) const;

 private:
  const Case& self_;
  const Arguments& arguments_;
  const std::int64_t n_;
  const std::int64_t chunk_;
  const Client client_;
  Samples samples_;
  double cold_ = 0;
};

}  // namespace weft::bench
