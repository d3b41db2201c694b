#include <weft/error.hpp>
#include <weft/ops/masked.hpp>

#include <gtest/gtest.h>

#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using ma::MaskedArray;
using oracle::operand;

/// The masked arrays whose answers are known: each is compared filled, and its mask.
std::map<std::string, std::function<MaskedArray(const Chunks&)>> results() {
  const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
  const auto y = [](const Chunks& c) { return operand("int64", {5, 6}, 1, c); };
  const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 1, c); };
  const auto m = [=](const Chunks& c) { return ma::masked_where(x(c) > 2, x(c)); };
  const auto n = [=](const Chunks& c) { return ma::masked_less(y(c), 0); };
  const auto g = [=](const Chunks& c) { return ma::masked_invalid(f(c)); };
  const auto hidden = [=](const Chunks& c) { return ma::masked_array(x(c), ones({5, 6})); };
  const auto column = [=](const Chunks& c) {
    return ma::masked_array(f(c) + 0.25,
                            from_ndarray(NDArray::of(std::vector<bool>{true, false, true, false, false, false})));
  };
  const ReduceOptions rows{.axis = 0}, columns{.axis = 1};
#define WEFT_MASK(name, expression)                                  \
  {                                                                  \
    name, [=](const Chunks& c) -> MaskedArray { return expression; } \
  }
  return {
      WEFT_MASK("where", m(c)),
      WEFT_MASK("equal", ma::masked_equal(x(c), 3)),
      WEFT_MASK("not_equal", ma::masked_not_equal(x(c), 3)),
      WEFT_MASK("greater", ma::masked_greater(x(c), 1)),
      WEFT_MASK("greater_equal", ma::masked_greater_equal(x(c), 1)),
      WEFT_MASK("less", n(c)),
      WEFT_MASK("less_equal", ma::masked_less_equal(x(c), 1)),
      WEFT_MASK("inside", ma::masked_inside(x(c), -1, 2)),
      WEFT_MASK("outside", ma::masked_outside(x(c), 2, -1)),
      WEFT_MASK("invalid", g(c)),
      WEFT_MASK("values", ma::masked_values(f(c), 1.5)),
      WEFT_MASK("add", m(c) + n(c)),
      WEFT_MASK("subtract", m(c) - 3),
      WEFT_MASK("multiply", m(c) * n(c)),
      WEFT_MASK("divide", m(c) / n(c)),
      WEFT_MASK("divide_scalar", g(c) / 2.0),
      WEFT_MASK("negative", -m(c)),
      WEFT_MASK("sqrt", sqrt(g(c))),
      WEFT_MASK("log", log(g(c))),
      WEFT_MASK("exp", exp(g(c))),
      WEFT_MASK("compare", m(c) < 1),
      WEFT_MASK("sum", sum(m(c), rows)),
      WEFT_MASK("sum_all", sum(m(c))),
      WEFT_MASK("sum_hidden", sum(hidden(c), columns)),
      WEFT_MASK("prod", prod(n(c), columns)),
      WEFT_MASK("min", min(m(c), rows)),
      WEFT_MASK("max", max(m(c), columns)),
      WEFT_MASK("max_real", max(column(c), rows)),
      WEFT_MASK("any", any(m(c), rows)),
      WEFT_MASK("all", all(n(c), columns)),
      WEFT_MASK("mean", mean(m(c), rows)),
      WEFT_MASK("mean_hidden", mean(hidden(c), rows)),
      WEFT_MASK("mean_real", mean(column(c), rows)),
      WEFT_MASK("var", var(m(c), columns)),
      WEFT_MASK("var_ddof", var(g(c), {.axis = 0, .ddof = 1})),
      WEFT_MASK("std", stddev(g(c))),
      WEFT_MASK("average", average(m(c), abs(y(c)) + 1, rows)),
      WEFT_MASK("average_plain", average(g(c), {}, columns)),
      WEFT_MASK("choice", where(MaskedArray(x(c) > 0), m(c), n(c))),
      WEFT_MASK("ones_like", ones_like(m(c))),
      WEFT_MASK("slice", m(c)(slice(1, 4), slice(none, none, -2))),
      WEFT_MASK("less_both", m(c) < n(c)),
      WEFT_MASK("equal_both", m(c) == n(c)),
      WEFT_MASK("not_equal_number", m(c) != 1),
      WEFT_MASK("greater_equal_number", n(c) >= 2),
      WEFT_MASK("number_less", 3 - m(c)),
      WEFT_MASK("number_by", 6.0 / n(c)),
      WEFT_MASK("ptp", ptp(m(c), rows)),
      WEFT_MASK("astype", m(c).astype(float32)),
      WEFT_MASK("reshape", m(c).reshape({6, 5})),
      WEFT_MASK("transpose", n(c).transpose()),
      WEFT_MASK("concatenate", ma::concatenate({m(c), n(c)}, 1)),
      WEFT_MASK("fix_invalid", ma::fix_invalid(f(c))),
  };
#undef WEFT_MASK
}

class MaskedTest : public testing::TestWithParam<int> {};

TEST_P(MaskedTest, AnswersAreNumPys) {
  oracle::NamedCases cases;
  for (const auto& [name, make] : results()) {
    cases.emplace(name, [make = make](const Chunks& c) {
      const MaskedArray result = make(c);
      return filled(result, result.dtype().is_bool() ? Scalar(true) : Scalar(-7));
    });
    cases.emplace(name + "_mask", [make = make](const Chunks& c) { return getmaskarray(make(c)); });
  }
  cases.emplace("count", [](const Chunks& c) {
    const Array x = operand("int64", {5, 6}, 0, c);
    return count(ma::masked_where(x > 2, x), {.axis = 0});
  });
  const auto low = [](const Chunks& c) { return ma::masked_less(operand("int64", {5, 6}, 1, c), 0); };
  const auto high = [](const Chunks& c) {
    const Array x = operand("int64", {5, 6}, 0, c);
    return ma::masked_where(x > 2, x);
  };
  cases.emplace("argmin", [=](const Chunks& c) { return argmin(high(c), {.axis = 0}); });
  cases.emplace("argmax", [=](const Chunks& c) { return argmax(low(c), {.axis = 1}); });
  cases.emplace("nonzero", [=](const Chunks& c) { return nonzero(high(c))[1]; });
  cases.emplace("count_all", [](const Chunks& c) { return count(ma::masked_less(operand("int64", {5, 6}, 1, c), 0)); });
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("masked", cases, chunks, "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, MaskedTest, testing::Values(1, 2, 100));

TEST(MaskedValueTest, ComputesPrintsAndPersistsAsOne) {
  const Client client({.scheduler = "sync"});
  const Array x = arange(6).reshape({2, 3});
  const MaskedArray m = client.persist(ma::masked_equal(x, 4));
  const ma::MaskedValues values = client.compute(m);
  EXPECT_EQ(values.text(), "[[0 1 2]\n [3 -- 5]]");
  EXPECT_EQ(values.fill.integer(), 4);
  EXPECT_EQ(client.compute(filled(m)).text(), "[[0 1 2]\n [3 4 5]]");
  EXPECT_EQ(MaskedArray(x.astype(float32)).fill_value().real(), 1e20);
  EXPECT_EQ(client.compute(filled(set_fill_value(m, -1))).text(), "[[ 0  1  2]\n [ 3 -1  5]]");
}

TEST(MaskedValueTest, AMaskOfAnotherShapeIsRefused) {
  EXPECT_THROW(ma::masked_array(ones({2, 3}), ones({2})), Error);
  EXPECT_THROW(ma::masked_where(ones({4}) > 0, ones({2, 3})), Error);
}

}  // namespace
}  // namespace weft
