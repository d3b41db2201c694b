#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;
using Places = std::vector<std::int64_t>;

Array numbers(std::int64_t count, const Shape& shape) { return reshape(arange(count, {.chunks = 4}), shape); }

const oracle::NamedCases& running() {
  static const oracle::NamedCases cases = [] {
    const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
    const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
    const auto n = [](const Chunks& c) { return operand("float64", {5, 6}, 1, c); };
    const auto s = [](const Chunks& c) { return operand("float32", {7}, 0, c); };
    const auto u = [](const Chunks& c) { return operand("uint8", {5, 6}, 1, c); };
    const auto z = [](const Chunks& c) { return operand("complex128", {3, 4}, 0, c); };
    const auto b = [](const Chunks& c) { return operand("bool", {5, 6}, 0, c); };
    const auto nothing = [](const Chunks& c) { return operand("float64", {0, 3}, 0, c); };
    const auto two = [x](const Chunks&) { return x(Chunks(2)); };
    return oracle::NamedCases{
        WEFT_CASE("cumsum", cumsum(x(c), {.axis = 0})),
        WEFT_CASE("cumsum_last", cumsum(x(c), {.axis = -1})),
        WEFT_CASE("cumsum_flat", cumsum(x(c))),
        WEFT_CASE("cumsum_real", cumsum(f(c), {.axis = 1})),
        WEFT_CASE("cumsum_single", cumsum(s(c))),
        WEFT_CASE("cumsum_bool", cumsum(b(c), {.axis = 0})),
        WEFT_CASE("cumsum_unsigned", cumsum(u(c), {.axis = 1})),
        WEFT_CASE("cumsum_complex", cumsum(z(c), {.axis = 1})),
        WEFT_CASE("cumsum_dtype", cumsum(x(c), {.axis = 0, .dtype = int16})),
        WEFT_CASE("cumsum_empty", cumsum(nothing(c), {.axis = 0})),
        WEFT_CASE("cumprod", cumprod(x(c), {.axis = 0})),
        WEFT_CASE("cumprod_real", cumprod(f(c), {.axis = 1})),
        WEFT_CASE("cumprod_complex", cumprod(z(c), {.axis = 0})),
        WEFT_CASE("nancumsum", nancumsum(n(c), {.axis = 0})),
        WEFT_CASE("nancumprod", nancumprod(n(c), {.axis = 1})),
        WEFT_CASE("nancumsum_flat", nancumsum(n(c))),
        WEFT_CASE("set_number", x(c).set({2}, 99)),
        WEFT_CASE("set_element", x(c).set({1, -2}, 99)),
        WEFT_CASE("set_slice", x(c).set({slice(1, 4), slice(none, none, 2)}, 7)),
        WEFT_CASE("set_back", x(c).set({slice(none, none, -2), slice(1, 5)}, numbers(12, {3, 4}))),
        WEFT_CASE("set_row", x(c).set({slice(1, 3)}, arange(6))),
        WEFT_CASE("set_column", x(c).set({ellipsis, 3}, arange(5, {.chunks = 2}))),
        WEFT_CASE("set_stretched", x(c).set({slice(0, 4), slice(1, 3)}, numbers(4, {4, 1}))),
        WEFT_CASE("set_list", x(c).set({slice(), Places{4, 0, 2}}, numbers(15, {5, 3}))),
        WEFT_CASE("set_list_rows", x(c).set({Places{3, 3, 0}, slice(2, 4)}, numbers(6, {3, 2}))),
        WEFT_CASE("set_mask", x(c).set({x(c) > 2}, 0)),
        WEFT_CASE("set_mask_rows", x(c).set({x(c)(slice(), 0) > 0}, arange(6))),
        WEFT_CASE("set_cast", x(c).set({0}, f(c)(1) + 0.75)),
        WEFT_CASE("set_nothing", x(c).set({slice(3, 3)}, 1)),
        WEFT_CASE("set_real", f(c).set({1}, 2)),
        WEFT_CASE("blocks", two(c).blocks({1, 0})),
        WEFT_CASE("blocks_list", two(c).blocks({Places{-1, 0}})),
        WEFT_CASE("blocks_back", two(c).blocks({slice(), slice(none, none, -1)})),
    };
  }();
  return cases;
}

class RunningTest : public testing::TestWithParam<int> {};

TEST_P(RunningTest, RunningSumsAndAssignmentsAreNumpys) {
  EXPECT_EQ(oracle::run_named("running", running(), Chunks(GetParam()), "sync"), "");
}
INSTANTIATE_TEST_SUITE_P(Chunks, RunningTest, testing::Values(1, 2, 3, 100));

TEST(CumulativeTest, SumsOfManyChunksAreExact) {
  const Client client({.scheduler = "threads"});
  const Array x = arange(100000, {.chunks = 777});
  const NDArray sums = client.compute(cumsum(x));
  for (const std::int64_t i : {0, 776, 777, 50000, 99999}) EXPECT_EQ(sums.at<std::int64_t>(i), i * (i + 1) / 2);
}

TEST(CumulativeTest, IntegersOverflowAsNumpysDo) {
  const Client client({.scheduler = "sync"});
  const NDArray sums = client.compute(cumsum(full({3}, 100, {.dtype = int8, .chunks = 1}), {.dtype = int8}));
  EXPECT_EQ(sums.to_vector<std::int8_t>(), (std::vector<std::int8_t>{100, -56, 44}));
}

TEST(CumulativeTest, WrongAxesAndTypesAreRefusedWhenTheExpressionIsBuilt) {
  const Array x = ones({4, 4});
  EXPECT_THAT(error_of([&] { cumsum(x, {.axis = 2}); }), testing::HasSubstr("cumsum (cumulative_test.cpp:"));
  EXPECT_THAT(error_of([&] { cumsum(x, {.axis = {0, 1}}); }), testing::HasSubstr("one axis"));
}

TEST(AssignTest, PlacesThatAreNotThereAndValuesThatDoNotFitAreRefused) {
  const Array x = ones({4, 4});
  EXPECT_THAT(error_of([&] { x.set({4}, 1); }), testing::HasSubstr("index 4 is out of bounds for axis 0 of extent 4"));
  EXPECT_THAT(error_of([&] { x.set({slice(0, 2)}, ones({3})); }), testing::HasSubstr("(2, 4)"));
  EXPECT_THAT(error_of([&] { x.set({0, 0, 0}, 1); }), testing::HasSubstr("3 indices"));
  EXPECT_THAT(error_of([&] { x.set({x > 0}, x); }), testing::HasSubstr("where(mask, values, x)"));
  EXPECT_THAT(error_of([&] { x.set({ones({3}) > 0}, 1); }), testing::HasSubstr("does not fit"));
  EXPECT_THAT(error_of([&] { x.set({newaxis}, 1); }), testing::HasSubstr("numbers, slices"));
  EXPECT_THAT(error_of([&] { x.set({Places{0}, Places{1, 2}}, 1); }), testing::HasSubstr("in pairs"));
  EXPECT_THAT(error_of([&] { x.blocks({9}); }), testing::HasSubstr("has 1 chunks"));
}

TEST(AssignTest, TheArrayItselfStaysAsItWas) {
  const Client client({.scheduler = "sync"});
  const Array x = zeros({3});
  const Array y = x.set({1}, 5);
  EXPECT_EQ(client.compute(x.sum()).item<double>(), 0);
  EXPECT_EQ(client.compute(y.sum()).item<double>(), 5);
}

}  // namespace
}  // namespace weft
