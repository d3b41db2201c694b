// Compares arrays with NumPy's answers (answers.txt, written by write_answers.py), in several chunkings.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace weft {
namespace {

struct Case {
  int line = 0;
  std::string name, dtype, arguments, answer_dtype;
  Shape shape, answer_shape;
  std::vector<std::string> elements;
};

Shape read_shape(const std::string& text) {
  Shape shape;
  if (text == "-") return shape;
  std::stringstream words(text);
  for (std::string extent; std::getline(words, extent, 'x');) shape.push_back(std::stoll(extent));
  return shape;
}

std::vector<Case> read_cases() {
  std::ifstream file(WEFT_SOURCE_DIR "/tests/arrays/oracle/answers.txt");
  std::vector<Case> cases;
  int number = 0;
  for (std::string text; std::getline(file, text);) {
    std::stringstream words(text);
    Case one;
    one.line = ++number;
    std::string shape, answer_shape;
    words >> one.name >> one.dtype >> shape >> one.arguments >> one.answer_dtype >> answer_shape;
    one.shape = read_shape(shape);
    one.answer_shape = read_shape(answer_shape);
    for (std::string element; words >> element;) one.elements.push_back(element);
    cases.push_back(std::move(one));
  }
  return cases;
}

/// The inputs of write_answers.py's operand().
Array operand(const std::string& dtype, const Shape& shape, int which, const Chunks& chunks) {
  const Dtype type = Dtype::parse(dtype);
  const std::int64_t count = shape.elements();
  std::vector<std::complex<double>> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t step = (i * 7 + which * 3) % 11 - 4;
    if (type.is_bool()) {
      values.emplace_back(step % 2 != 0 ? 1 : 0);
    } else if (type.is_unsigned()) {
      values.emplace_back(static_cast<double>(std::abs(step)));
    } else if (type.is_signed()) {
      values.emplace_back(static_cast<double>(step));
    } else if (type.is_complex()) {
      values.emplace_back(static_cast<double>(step) / 2, static_cast<double>(((step * 3) % 5 + 5) % 5 - 1));
    } else {
      values.emplace_back(which == 1 && count > 5 && i == 5 ? std::nan("") : static_cast<double>(step) / 2);
    }
  }
  return from_ndarray(NDArray::of(values, shape), chunks).astype(type);
}

using Function = std::function<Array(const Array&, const Array&)>;

const std::map<std::string, Function>& unary_functions() {
#define ONE(name)                                               \
  {                                                             \
#name, [](const Array& a, const Array&) { return name(a); } \
  }
  static const std::map<std::string, Function> table{
      ONE(negative), ONE(positive), ONE(absolute), ONE(fabs),    ONE(sign),        ONE(square),  ONE(reciprocal),
      ONE(conj),     ONE(real),     ONE(imag),     ONE(angle),   ONE(sqrt),        ONE(cbrt),    ONE(exp),
      ONE(exp2),     ONE(expm1),    ONE(log),      ONE(log2),    ONE(log10),       ONE(log1p),   ONE(sin),
      ONE(cos),      ONE(tan),      ONE(arcsin),   ONE(arccos),  ONE(arctan),      ONE(sinh),    ONE(cosh),
      ONE(tanh),     ONE(arcsinh),  ONE(arccosh),  ONE(arctanh), ONE(deg2rad),     ONE(rad2deg), ONE(sinc),
      ONE(rint),     ONE(floor),    ONE(ceil),     ONE(trunc),   ONE(logical_not), ONE(invert),  ONE(isfinite),
      ONE(isinf),    ONE(isnan),    ONE(signbit),  ONE(round),   ONE(nan_to_num)};
#undef ONE
  return table;
}

const std::map<std::string, Function>& binary_functions() {
#define TWO(name)                                                    \
  {                                                                  \
#name, [](const Array& a, const Array& b) { return name(a, b); } \
  }
  static const std::map<std::string, Function> table{
      TWO(add),         TWO(subtract),   TWO(multiply),      TWO(true_divide), TWO(floor_divide), TWO(remainder),
      TWO(fmod),        TWO(power),      TWO(float_power),   TWO(arctan2),     TWO(hypot),        TWO(logaddexp),
      TWO(logaddexp2),  TWO(copysign),   TWO(nextafter),     TWO(maximum),     TWO(minimum),      TWO(fmax),
      TWO(fmin),        TWO(gcd),        TWO(lcm),           TWO(equal),       TWO(not_equal),    TWO(less),
      TWO(less_equal),  TWO(greater),    TWO(greater_equal), TWO(logical_and), TWO(logical_or),   TWO(logical_xor),
      TWO(bitwise_and), TWO(bitwise_or), TWO(bitwise_xor),   TWO(left_shift),  TWO(right_shift)};
#undef TWO
  return table;
}

using Reduction = Array (*)(const Array&, const ReduceOptions&, const std::source_location&);

const std::map<std::string, Reduction>& reductions() {
#define ONE(name) \
  { #name, static_cast < Reduction>(&arrays::name) }
  static const std::map<std::string, Reduction> table{
      ONE(sum),    ONE(prod),   ONE(min),     ONE(max),    ONE(any),    ONE(all),    ONE(count_nonzero),
      ONE(mean),   ONE(var),    ONE(stddev),  ONE(argmin), ONE(argmax), ONE(nansum), ONE(nanprod),
      ONE(nanmin), ONE(nanmax), ONE(nanmean), ONE(nanvar), ONE(nanstd), ONE(ptp)};
#undef ONE
  return table;
}

Array structure(const std::string& name, const Chunks& c) {
  const Array x = operand("int64", {5, 6}, 0, c);
  const Array y = operand("int64", {5, 6}, 1, c);
  const Array cube = operand("float64", {2, 3, 5}, 0, c);
  const Array f = operand("float64", {5, 6}, 0, c);
  const CreateOptions made{.chunks = c};
  using Places = std::vector<std::int64_t>;
  const std::map<std::string, std::function<Array()>> table{
      {"slice_rows", [&] { return x(slice(1, 4)); }},
      {"slice_steps", [&] { return x(slice(none, none, 2), slice(1, none, 3)); }},
      {"slice_back", [&] { return x(slice(none, none, -1), slice(none, none, -2)); }},
      {"slice_negative", [&] { return x(slice(-3, -1), slice(-2, none)); }},
      {"slice_none", [&] { return x(slice(3, 1)); }},
      {"index_row", [&] { return x(2); }},
      {"index_both", [&] { return x(-1, 3); }},
      {"newaxis", [&] { return x(slice(), newaxis, slice(2, 4)); }},
      {"ellipsis", [&] { return cube(ellipsis, 1); }},
      {"take_rows",
       [&] {
         return x(Places{3, 0, 3, -1});
       }},
      {"take_columns",
       [&] {
         return take(x, {5, 1, 1}, 1);
       }},
      {"transpose", [&] { return transpose(x); }},
      {"transpose_plus", [&] { return x(slice(), slice(5)) + transpose(x(slice(), slice(5))); }},
      {"swapaxes", [&] { return swapaxes(cube, 0, 2); }},
      {"moveaxis", [&] { return moveaxis(cube, 0, 2); }},
      {"flip", [&] { return flip(x, 1); }},
      {"diagonal", [&] { return diagonal(x, 1); }},
      {"reshape",
       [&] {
         return reshape(x, {3, 10});
       }},
      {"reshape_open",
       [&] {
         return reshape(x, {2, -1, 3});
       }},
      {"ravel", [&] { return ravel(cube); }},
      {"concatenate_0",
       [&] {
         return concatenate({x, y, x});
       }},
      {"concatenate_1",
       [&] {
         return concatenate({x, y}, 1);
       }},
      {"stack_0",
       [&] {
         return stack({x, y});
       }},
      {"stack_last",
       [&] {
         return stack({x, y}, 2);
       }},
      {"roll", [&] { return roll(x, 2, 1); }},
      {"roll_back", [&] { return roll(x, -7, 0); }},
      {"repeat", [&] { return repeat(x, 3, 1); }},
      {"tile",
       [&] {
         return tile(x, {2, 1, 2});
       }},
      {"broadcast",
       [&] {
         return broadcast_to(x(slice(1)), {4, 6});
       }},
      {"rechunk",
       [&] {
         return rechunk(x, {3, 4});
       }},
      {"clip", [&] { return clip(x, -2, 3); }},
      {"where", [&] { return where(x > 1, x, y); }},
      {"arange", [&] { return arange(3, 20, 4, made); }},
      {"arange_float", [&] { return arange(0.5, 3.0, 0.3, made); }},
      {"linspace", [&] { return linspace(1, 2, 7, made); }},
      {"eye", [&] { return eye(4, 5, 1, made); }},
      {"tri", [&] { return tri(4, 5, -1, made); }},
      {"indices",
       [&] {
         return indices({3, 4}, 1, made);
       }},
      {"matmul", [&] { return matmul(f, transpose(f)); }},
      {"matmul_vector", [&] { return matmul(f, f(0)); }},
      {"matmul_cube", [&] { return matmul(cube, transpose(cube(0))); }},
      {"matmul_integers", [&] { return matmul(x, transpose(x)); }},
      {"round_digits", [&] { return round(f / 7, 2); }},
      {"chain", [&] { return sqrt(f * f + 1) / (abs(f) + 2) - mean(f, {.axis = 0}); }},
      {"isclose", [&] { return isclose(f, f + 1e-9); }},
      {"select",
       [&] {
         return select({x > 3, x > 0}, {x, y}, -7);
       }},
      {"astype", [&] { return (f * 100).astype(int8); }},
      {"weak_float", [&] { return operand("float32", {7}, 0, 3) * 1.5; }},
      {"weak_int", [&] { return x + 3; }},
  };
  const auto found = table.find(name);
  if (found == table.end()) throw Error("no such case: " + name);
  return found->second();
}

Array build(const Case& one, const Chunks& chunks) {
  if (one.name == "structure") return structure(one.arguments, chunks);
  const bool second = one.name.starts_with("nan") || unary_functions().count(one.name) != 0;
  const Array a = operand(one.dtype, one.shape, second ? 1 : 0, chunks);
  const Array b = operand(one.dtype, one.shape, 1, chunks);
  if (const auto unary = unary_functions().find(one.name); unary != unary_functions().end()) return unary->second(a, b);
  if (const auto function = binary_functions().find(one.name); function != binary_functions().end()) {
    const bool shifts = one.name == "power" || one.name.ends_with("_shift");
    return function->second(a, shifts && b.dtype().is_signed() ? abs(b) : b);
  }
  ReduceOptions options;
  if (one.arguments != "all") {
    std::vector<int> axes;
    std::stringstream words(one.arguments);
    for (std::string axis; std::getline(words, axis, ',');) axes.push_back(std::stoi(axis));
    options.axis = Axes(axes);
  }
  return reductions().at(one.name)(a, options, std::source_location::current());
}

bool close(double mine, double theirs, bool single, bool exact) {
  if (std::isnan(theirs)) return std::isnan(mine);
  if (mine == theirs) return true;
  if (exact || std::isinf(theirs)) return false;
  const double size = std::max(1.0, std::fabs(theirs));
  return std::fabs(mine - theirs) <= (single ? 2e-6 : 1e-14) * size;
}

/// Returns what is wrong, or nothing.
std::string compare(const Case& one, const NDArray& mine) {
  if (mine.dtype().name() != one.answer_dtype)
    return "the type is " + mine.dtype().name() + ", not " + one.answer_dtype;
  if (mine.shape() != one.answer_shape)
    return "the shape is " + mine.shape().text() + ", not " + one.answer_shape.text();
  // As complex numbers, which hold the values of every type here exactly.
  const bool integers = mine.dtype().is_integer();
  const bool single = mine.dtype().real() == float32;
  for (std::int64_t i = 0; i < mine.size(); ++i) {
    const std::string& text = one.elements[static_cast<std::size_t>(i)];
    const std::byte* const at = mine.data() + static_cast<std::size_t>(i) * mine.dtype().size();
    std::string shown;
    bool same = true;
    if (integers || mine.dtype().is_bool()) {
      std::int64_t value = 0;
      switch (mine.dtype().code()) {
        case TypeCode::Bool:
        case TypeCode::UInt8:
          value = *reinterpret_cast<const std::uint8_t*>(at);
          break;
        case TypeCode::Int8:
          value = *reinterpret_cast<const std::int8_t*>(at);
          break;
        case TypeCode::Int16:
          value = *reinterpret_cast<const std::int16_t*>(at);
          break;
        case TypeCode::UInt16:
          value = *reinterpret_cast<const std::uint16_t*>(at);
          break;
        case TypeCode::Int32:
          value = *reinterpret_cast<const std::int32_t*>(at);
          break;
        case TypeCode::UInt32:
          value = *reinterpret_cast<const std::uint32_t*>(at);
          break;
        case TypeCode::Int64:
        case TypeCode::UInt64:
        case TypeCode::Float32:
        case TypeCode::Float64:
        case TypeCode::Complex64:
        case TypeCode::Complex128:
        case TypeCode::Datetime64:
        case TypeCode::Timedelta64:
          value = *reinterpret_cast<const std::int64_t*>(at);
          break;
      }
      shown = mine.dtype() == uint64 ? std::to_string(static_cast<std::uint64_t>(value)) : std::to_string(value);
      same = shown == text;
    } else {
      const auto part = [&](std::size_t index) {
        return single ? static_cast<double>(reinterpret_cast<const float*>(at)[index])
                      : reinterpret_cast<const double*>(at)[index];
      };
      const std::size_t comma = text.find(',');
      same = close(part(0), std::strtod(text.c_str(), nullptr), single, false);
      if (comma != std::string::npos)
        same = same && close(part(1), std::strtod(text.c_str() + comma + 1, nullptr), single, false);
      shown = std::to_string(part(0));
    }
    if (!same) return "element " + std::to_string(i) + " is " + shown + ", not " + text;
  }
  return "";
}

TEST(OracleTest, TypesPromoteAsInNumPy) {
  for (const Case& one : read_cases()) {
    if (one.name != "promote") continue;
    EXPECT_EQ(promote(Dtype::parse(one.dtype), Dtype::parse(one.arguments)).name(), one.answer_dtype)
        << one.dtype << " and " << one.arguments;
  }
}

class OracleTest : public testing::TestWithParam<int> {};

TEST_P(OracleTest, AnswersAreNumPys) {
  const Client client({.scheduler = GetParam() == 2 ? "sync" : "threads"});
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  int checked = 0;
  int wrong = 0;
  for (const Case& one : read_cases()) {
    if (one.name == "promote") continue;
    std::string problem;
    try {
      problem = compare(one, client.compute(build(one, chunks)));
    } catch (const Error& error) {
      problem = error.what();
    }
    ++checked;
    if (!problem.empty() && ++wrong <= 40) {
      ADD_FAILURE() << "answers.txt:" << one.line << ": " << one.name << " of " << one.dtype << " " << one.shape.text()
                    << " " << one.arguments << ": " << problem;
    }
  }
  EXPECT_GT(checked, 2'500);
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Chunks, OracleTest, testing::Values(1, 2, 3, 100));

}  // namespace
}  // namespace weft
