// Cases that are told by name: the C++ side builds an array, a file holds NumPy's answer (write_named_answers.py).
#pragma once

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace weft::oracle {

struct NamedAnswer {
  std::string dtype;
  Shape shape;
  std::vector<std::string> elements;
};

inline Shape read_shape(const std::string& text) {
  Shape shape;
  if (text == "-") return shape;
  std::stringstream words(text);
  for (std::string extent; std::getline(words, extent, 'x');) shape.push_back(std::stoll(extent));
  return shape;
}

/// The answers of a group: the file answers_GROUP.txt.
inline std::map<std::string, NamedAnswer> read_named(const std::string& group) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR "/tests/arrays/oracle/answers_") + group + ".txt");
  std::map<std::string, NamedAnswer> answers;
  for (std::string line; std::getline(file, line);) {
    std::stringstream words(line);
    std::string name, shape;
    NamedAnswer answer;
    words >> name >> answer.dtype >> shape;
    answer.shape = read_shape(shape);
    for (std::string element; words >> element;) answer.elements.push_back(element);
    answers.emplace(name, std::move(answer));
  }
  return answers;
}

/// The inputs of write_answers.py's operand().
inline Array operand(const std::string& dtype, const Shape& shape, int which, const Chunks& chunks) {
  const Dtype type = Dtype::parse(dtype);
  const std::int64_t count = shape.elements();
  std::vector<std::complex<double>> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t step = (i * 7 + which * 3) % 11 - 4;
    if (type.is_bool()) {
      values.emplace_back(step % 2 != 0 ? 1 : 0);
    } else if (type.is_unsigned()) {
      values.emplace_back(static_cast<double>(std::abs(step)));
    } else if (type.is_complex()) {
      values.emplace_back(static_cast<double>(step) / 2, static_cast<double>(((step * 3) % 5 + 5) % 5 - 1));
    } else if (type.is_floating()) {
      values.emplace_back(which == 1 && count > 5 && i == 5 ? std::nan("") : static_cast<double>(step) / 2);
    } else {
      values.emplace_back(static_cast<double>(step));
    }
  }
  return from_ndarray(NDArray::of(values, shape), chunks).astype(type);
}

inline bool close(double mine, double theirs, double tolerance) {
  if (std::isnan(theirs)) return std::isnan(mine);
  if (mine == theirs) return true;
  return std::isfinite(theirs) && std::fabs(mine - theirs) <= tolerance * std::max(1.0, std::fabs(theirs));
}

/// Returns what is wrong, or nothing. Integers and times are equal; reals are close, within `looser` at least.
inline std::string difference(const NamedAnswer& answer, const NDArray& values, double looser = 0) {
  if (values.dtype().name() != answer.dtype) return "the type is " + values.dtype().name() + ", not " + answer.dtype;
  if (values.shape() != answer.shape) return "the shape is " + values.shape().text() + ", not " + answer.shape.text();
  const NDArray mine = values.as_contiguous();
  const Dtype type = mine.dtype();
  const bool single = type.real() == float32;
  const double tolerance = std::max(looser, single ? 2e-6 : 1e-14);
  for (std::int64_t i = 0; i < mine.size(); ++i) {
    const std::string& text = answer.elements[static_cast<std::size_t>(i)];
    const std::byte* const at = mine.data() + static_cast<std::size_t>(i) * type.size();
    std::string shown;
    bool same;
    if (type.is_floating() || type.is_complex()) {
      const auto part = [&](std::size_t index) {
        return single ? static_cast<double>(reinterpret_cast<const float*>(at)[index])
                      : reinterpret_cast<const double*>(at)[index];
      };
      const std::size_t comma = text.find(',');
      same = close(part(0), std::strtod(text.c_str(), nullptr), tolerance);
      if (comma != std::string::npos) {
        same = same && close(part(1), std::strtod(text.c_str() + comma + 1, nullptr), tolerance);
        // A published difference: real numbers divide the parts of complex ones by themselves.
        if (text == "nan,nan") same = std::isnan(part(0)) || std::isnan(part(1));
      }
      shown = std::to_string(part(0));
    } else {
      std::int64_t value = 0;
      const std::size_t bits = 8 * type.size();
      std::memcpy(&value, at, std::min(type.size(), sizeof value));
      if (type.is_signed() && bits < 64 && ((value >> (bits - 1)) & 1) != 0) value |= -(std::int64_t{1} << bits);
      shown = type == uint64 ? std::to_string(static_cast<std::uint64_t>(value)) : std::to_string(value);
      same = shown == text;
    }
    if (!same) return "element " + std::to_string(i) + " is " + shown + ", not " + text;
  }
  return "";
}

using NamedCases = std::map<std::string, std::function<Array(const Chunks&)>>;

#define WEFT_CASE(name, expression)                                             \
  {                                                                             \
    name, [=]([[maybe_unused]] const Chunks& c) -> Array { return expression; } \
  }

/// Runs all cases of a group in these chunks. Returns what is wrong, a line each; a case without an answer, or an
/// answer without a case, is wrong too.
inline std::string run_named(const std::string& group, const NamedCases& cases, const Chunks& chunks,
                             const std::string& scheduler, double looser = 0) {
  const auto answers = read_named(group);
  const Client client({.scheduler = scheduler});
  std::string wrong;
  for (const auto& [name, build] : cases) {
    const auto answer = answers.find(name);
    std::string problem = "there is no answer in answers_" + group + ".txt";
    if (answer != answers.end()) {
      try {
        problem = difference(answer->second, client.compute(build(chunks)), looser);
      } catch (const std::exception& error) {
        problem = error.what();
      }
    }
    if (!problem.empty()) wrong += group + " " + name + ": " + problem + "\n";
  }
  for (const auto& [name, answer] : answers) {
    if (cases.count(name) == 0) wrong += group + " " + name + ": no case builds it\n";
  }
  return wrong;
}

}  // namespace weft::oracle
