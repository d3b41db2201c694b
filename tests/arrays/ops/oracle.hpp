#pragma once

// Cases of numeric_answers.txt (written by write_numeric_answers.py): a section, a name, then NumPy's or SciPy's
// answer.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace weft::oracle {

struct Case {
  std::string name, dtype;
  Shape shape;
  std::vector<std::string> elements;
};

inline std::vector<Case> read_cases(const std::string& section) {
  std::ifstream file(WEFT_SOURCE_DIR "/tests/arrays/oracle/numeric_answers.txt");
  std::vector<Case> cases;
  for (std::string text; std::getline(file, text);) {
    std::stringstream words(text);
    std::string of, shape;
    Case one;
    words >> of >> one.name >> one.dtype >> shape;
    if (of != section) continue;
    if (shape != "-") {
      std::stringstream extents(shape);
      for (std::string extent; std::getline(extents, extent, 'x');) one.shape.push_back(std::stoll(extent));
    }
    for (std::string element; words >> element;) one.elements.push_back(element);
    cases.push_back(std::move(one));
  }
  return cases;
}

/// Element i is ((31 i^2 + 17 i + 101 seed) mod 1009) / 1009 - 1/2: write_numeric_answers.py has the same.
inline NDArray numbers(const Shape& shape, int seed) {
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>((31 * i * i + 17 * i + 101 * static_cast<std::size_t>(seed)) % 1009) / 1009 - 0.5;
  }
  return NDArray::of(values, shape);
}
inline Array real_array(const Shape& shape, int seed, const Chunks& chunks) {
  return from_ndarray(numbers(shape, seed), chunks);
}
inline Array complex_array(const Shape& shape, int seed, const Chunks& chunks) {
  const NDArray a = numbers(shape, seed), b = numbers(shape, seed + 50);
  std::vector<std::complex<double>> values;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    values.emplace_back(a.span<double>()[static_cast<std::size_t>(i)], b.span<double>()[static_cast<std::size_t>(i)]);
  }
  return from_ndarray(NDArray::of(values, shape), chunks);
}
/// Integers from -10 to 10.
inline Array whole_array(const Shape& shape, int seed, const Chunks& chunks) {
  return rint(real_array(shape, seed, chunks) * 20).astype(int64);
}

/// Returns the elements as complex numbers, which hold those of every type here.
inline std::vector<std::complex<double>> wide(const NDArray& array) {
  std::vector<std::complex<double>> values;
  const NDArray packed = array.as_contiguous();
  const std::byte* const data = packed.data();
  for (std::int64_t i = 0; i < packed.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    switch (packed.dtype().code()) {
#define WEFT_ONE(code, type)                                                           \
  case TypeCode::code:                                                                 \
    values.emplace_back(static_cast<double>(reinterpret_cast<const type*>(data)[at])); \
    break;
      WEFT_ONE(Bool, bool)
      WEFT_ONE(Int8, std::int8_t)
      WEFT_ONE(Int16, std::int16_t)
      WEFT_ONE(Int32, std::int32_t)
      WEFT_ONE(Int64, std::int64_t)
      WEFT_ONE(UInt8, std::uint8_t)
      WEFT_ONE(UInt16, std::uint16_t)
      WEFT_ONE(UInt32, std::uint32_t)
      WEFT_ONE(UInt64, std::uint64_t)
      WEFT_ONE(Float32, float)
      WEFT_ONE(Float64, double)
      WEFT_ONE(Datetime64, std::int64_t)
      WEFT_ONE(Timedelta64, std::int64_t)
#undef WEFT_ONE
      case TypeCode::Complex64:
        values.emplace_back(reinterpret_cast<const std::complex<float>*>(data)[at]);
        break;
      case TypeCode::Complex128:
        values.push_back(reinterpret_cast<const std::complex<double>*>(data)[at]);
        break;
    }
  }
  return values;
}

inline double read_number(const char* text) {
  return std::string(text).starts_with("nan") ? std::nan("") : std::strtod(text, nullptr);
}

/// Returns what is wrong, or nothing. `tolerance` is relative to the largest element; integers and bools are equal.
inline std::string compare(const Case& one, const NDArray& mine, double tolerance) {
  if (mine.dtype().name() != one.dtype) return "the type is " + mine.dtype().name() + ", not " + one.dtype;
  if (mine.shape() != one.shape) return "the shape is " + mine.shape().text() + ", not " + one.shape.text();
  std::vector<std::complex<double>> theirs;
  double largest = 1;
  for (const std::string& element : one.elements) {
    const std::size_t comma = element.find(',');
    theirs.emplace_back(read_number(element.c_str()),
                        comma == std::string::npos ? 0.0 : read_number(element.c_str() + comma + 1));
    if (std::isfinite(std::abs(theirs.back()))) largest = std::max(largest, std::abs(theirs.back()));
  }
  const bool exact = mine.dtype().is_integer() || mine.dtype().is_bool();
  const double allowed = exact ? 0 : tolerance * largest * (mine.dtype().real() == float32 ? 2e7 : 1);
  const auto same = [&](double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || a == b || std::fabs(a - b) <= allowed;
  };
  const auto values = wide(mine);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (same(values[i].real(), theirs[i].real()) && same(values[i].imag(), theirs[i].imag())) continue;
    std::ostringstream text;
    text.precision(17);
    text << "element " << i << " is " << values[i] << ", not " << theirs[i];
    return text.str();
  }
  return "";
}

using Table = std::map<std::string, std::function<Array(const Chunks&)>>;

/// Runs every case of a section with chunks of 1, 2, 3 and one for all, on threads and in the caller's thread.
inline void check_section(const std::string& section, const Table& table, double tolerance) {
  const std::vector<Case> cases = read_cases(section);
  EXPECT_EQ(cases.size(), table.size()) << "every case of " << section
                                        << " has its expression, and the other way round";
  for (const int size : {1, 2, 3, 100}) {
    const Client client({.scheduler = size == 2 ? "sync" : "threads"});
    for (const Case& one : cases) {
      const auto found = table.find(one.name);
      if (found == table.end()) {
        ADD_FAILURE() << section << " " << one.name << " has no expression";
        continue;
      }
      std::string problem;
      try {
        problem = compare(one, client.compute(found->second(Chunks(size))), tolerance);
      } catch (const Error& error) {
        problem = error.what();
      }
      EXPECT_EQ(problem, "") << section << " " << one.name << ", chunks of " << size;
    }
  }
}

}  // namespace weft::oracle
