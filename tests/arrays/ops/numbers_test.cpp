#include <weft/error.hpp>

#include <gtest/gtest.h>

#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;

Array both(const std::pair<Array, Array>& values) { return stack({values.first, values.second}); }

Array extremes(const Chunks& c) {
  const double inf = std::numeric_limits<double>::infinity();
  return from_ndarray(
      NDArray::of(std::vector<double>{0.0, -0.0, 1.0, -3.5, 5e-324, -1e-310, 1.7e308, inf, -inf, std::nan(""), 0.1}),
      c);
}

const oracle::NamedCases& numbers() {
  static const oracle::NamedCases cases = [] {
    const auto n = [](const Chunks& c) { return operand("int64", {11}, 0, c); };
    const auto d = [](const Chunks& c) {
      const Array second = operand("int64", {11}, 1, c);
      return where(second == 0, 3, second);
    };
    const auto f = [](const Chunks& c) { return operand("float64", {11}, 1, c); };
    const auto s = [](const Chunks& c) { return operand("float32", {11}, 0, c); };
    const auto z = [](const Chunks& c) { return operand("complex128", {11}, 0, c); };
    const auto list = [](std::vector<double> values, const Chunks& c) { return from_ndarray(NDArray::of(values), c); };
    return oracle::NamedCases{
        WEFT_CASE("divmod", both(divmod(n(c), d(c)))),
        WEFT_CASE("divmod_float", both(divmod(f(c), 1.5))),
        WEFT_CASE("modf", both(modf(extremes(c)))),
        WEFT_CASE("modf_single", modf(s(c)).first),
        WEFT_CASE("frexp_mantissa", frexp(extremes(c)(slice(9))).first),
        WEFT_CASE("frexp_exponent", frexp(extremes(c)(slice(7))).second),
        WEFT_CASE("frexp_single", frexp(s(c)).first),
        WEFT_CASE("ldexp", ldexp(extremes(c), arange(11) * 40 - 200)),
        WEFT_CASE("ldexp_small", ldexp(list({1.0, 1.5, 3.0}, c),
                                       from_ndarray(NDArray::of(std::vector<std::int64_t>{-1074, -1000, 1022})))),
        WEFT_CASE("spacing", spacing(extremes(c)(slice(7)))),
        WEFT_CASE("spacing_single", spacing(s(c))),
        WEFT_CASE("i0", i0(f(c))),
        WEFT_CASE("i0_large", i0(list({0.0, 7.9, 8.1, 30.0}, c))),
        WEFT_CASE("isreal", isreal(z(c))),
        WEFT_CASE("iscomplex", iscomplex(z(c))),
        WEFT_CASE("isreal_real", isreal(n(c))),
        WEFT_CASE("allclose", allclose(f(c), f(c))),
        WEFT_CASE("allclose_nan", allclose(f(c), f(c), 1e-5, 1e-8, true)),
        WEFT_CASE("allclose_far", allclose(n(c), n(c) + 1)),
    };
  }();
  return cases;
}

class NumbersTest : public testing::TestWithParam<int> {};

TEST_P(NumbersTest, AnswersAreNumPys) {
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("numbers", numbers(), chunks, "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, NumbersTest, testing::Values(1, 2, 3, 100));

TEST(NumbersErrorTest, ExponentsThatAreNotIntegersAreRefused) {
  EXPECT_THROW(ldexp(arange(3), arange(3.0)), Error);
  EXPECT_THROW(result_type({}), Error);
}

TEST(NumbersTypeTest, ScalarsAreWeakInResultTypes) {
  EXPECT_EQ(result_type({operand("float32", {2}, 0, 2), 1.5}), float32);
  EXPECT_EQ(result_type({operand("int8", {2}, 0, 2), operand("uint8", {2}, 0, 2), 1}), int16);
}

}  // namespace
}  // namespace weft
