// Statistics beside NumPy's answers, and what is refused.
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;
using testing::HasSubstr;

oracle::NamedCases unique_cases() {
  const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
  const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
  const auto g = [](const Chunks& c) { return operand("float64", {5, 6}, 1, c); };
  const auto z = [](const Chunks& c) { return operand("complex128", {5, 6}, 0, c); };
  return {
      WEFT_CASE("unique", unique(f(c))),
      WEFT_CASE("unique_integers", unique(x(c))),
      WEFT_CASE("unique_nan", unique(g(c))),
      WEFT_CASE("unique_bool", unique(operand("bool", {9}, 0, c))),
      WEFT_CASE("unique_complex", unique(z(c))),
      WEFT_CASE("unique_empty", unique(operand("float64", {0}, 0, c))),
      WEFT_CASE("unique_float32", unique(operand("float32", {5, 6}, 0, c))),
      WEFT_CASE("unique_indices", unique_all(x(c)).indices),
      WEFT_CASE("unique_inverse", unique_inverse(x(c)).inverse),
      WEFT_CASE("unique_counts", unique_all(x(c)).counts),
      WEFT_CASE("unique_counts_nan", unique_counts(g(c)).counts),
      WEFT_CASE("unique_complex_inverse", unique_all(z(c)).inverse),
      WEFT_CASE("unique_masked", unique(f(c)(f(c) > 0))),
      WEFT_CASE("union1d", union1d(x(c), from(std::vector<std::int64_t>{2, 99, -50}, c))),
  };
}

oracle::NamedCases counting_cases() {
  const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
  const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
  const auto g = [](const Chunks& c) { return operand("float64", {5, 6}, 1, c); };
  const auto s = [](const Chunks& c) { return operand("float32", {5, 6}, 0, c); };
  const auto b = [](const Chunks& c) { return operand("bool", {9}, 0, c); };
  const auto w = [=](const Chunks& c) { return abs(f(c)) + 1; };
  const auto v = [](const Chunks& c) { return operand("int64", {23}, 1, c); };
  const auto n = [=](const Chunks& c) { return abs(v(c)); };
  const auto none_at_all = [](const Chunks& c) { return operand("float64", {0}, 0, c); };
  const std::vector<double> edges{-2.0, -0.5, 0.0, 1.25, 3.0};
  const auto plane = [=](const Chunks& c) {
    return histogram2d(ravel(f(c)), ravel(w(c)), 4, 3, {.range = {{-2, 3}, {1, 4}}, .density = true});
  };
  const auto cube = [=](const Chunks& c) {
    return histogramdd({ravel(f(c)), ravel(w(c)), ravel(s(c))}, {3, std::vector{1.0, 1.5, 2.75}, 2},
                       {.weights = ravel(w(c))});
  };
  return {
      WEFT_CASE("histogram", histogram(f(c)).counts),
      WEFT_CASE("histogram_edges", histogram(f(c)).edges),
      WEFT_CASE("histogram_7", histogram(x(c), 7).counts),
      WEFT_CASE("histogram_range", histogram(f(c), 5, {.range = {{-1, 2.5}}}).counts),
      WEFT_CASE("histogram_range_edges", histogram(f(c), 5, {.range = {{-1, 2.5}}}).edges),
      WEFT_CASE("histogram_given", histogram(f(c), edges).counts),
      WEFT_CASE("histogram_given_edges", histogram(f(c), from_ndarray(NDArray::of(edges), c)).edges),
      WEFT_CASE("histogram_nan", histogram(g(c), 6, {.range = {{-2, 3}}}).counts),
      WEFT_CASE("histogram_weights", histogram(f(c), 4, {.weights = w(c)}).counts),
      WEFT_CASE("histogram_weights_int", histogram(f(c), 4, {.weights = x(c)}).counts),
      WEFT_CASE("histogram_density", histogram(f(c), 4, {.density = true}).counts),
      WEFT_CASE("histogram_float32", histogram(s(c), 8).counts),
      WEFT_CASE("histogram_float32_edges", histogram(s(c), 8).edges),
      WEFT_CASE("histogram_single", histogram(full({4}, 2.0, {.chunks = c}), 3).counts),
      WEFT_CASE("histogram_empty", histogram(none_at_all(c), 3).edges),
      WEFT_CASE("histogram_bool", histogram(b(c), 2).counts),
      WEFT_CASE("histogram_masked", histogram(f(c)(f(c) > 0), 4).counts),
      WEFT_CASE("histogram2d", histogram2d(ravel(f(c)), ravel(w(c)), 4).counts),
      WEFT_CASE("histogram2d_density", plane(c).counts),
      WEFT_CASE("histogram2d_y", plane(c).y_edges),
      WEFT_CASE("histogramdd", cube(c).counts),
      WEFT_CASE("histogramdd_edges", cube(c).edges[0]),
      WEFT_CASE("bincount", bincount(n(c))),
      WEFT_CASE("bincount_minlength", bincount(n(c), {.minlength = 20})),
      WEFT_CASE("bincount_weights", bincount(n(c), {.weights = v(c) / 2})),
      WEFT_CASE("bincount_length", bincount(n(c), {.length = 12})),
      WEFT_CASE("bincount_empty", bincount(none_at_all(c).astype(int64), {.minlength = 3})),
  };
}

oracle::NamedCases moment_cases() {
  const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
  const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
  const auto s = [](const Chunks& c) { return operand("float32", {5, 6}, 0, c); };
  const auto z = [](const Chunks& c) { return operand("complex128", {5, 6}, 0, c); };
  const auto w = [=](const Chunks& c) { return abs(f(c)) + 1; };
  const auto weights = [](const Chunks& c) { return abs(operand("float64", {6}, 0, c)) + 0.5; };
  const auto often = [](const Chunks& c) { return abs(operand("int64", {6}, 0, c)) + 1; };
  return {
      WEFT_CASE("cov", cov(f(c))),
      WEFT_CASE("cov_columns", cov(f(c), {.rowvar = false})),
      WEFT_CASE("cov_bias", cov(x(c), {.bias = true})),
      WEFT_CASE("cov_y", cov(f(c), {.y = w(c)})),
      WEFT_CASE("cov_vector", cov(f(c)(0))),
      WEFT_CASE("cov_ddof", cov(f(c), {.ddof = 3})),
      WEFT_CASE("cov_complex", cov(z(c))),
      WEFT_CASE("cov_aweights", cov(f(c), {.aweights = weights(c)})),
      WEFT_CASE("cov_fweights", cov(f(c), {.fweights = often(c)})),
      WEFT_CASE("cov_both", cov(f(c), {.fweights = often(c), .aweights = weights(c)})),
      WEFT_CASE("cov_float32", cov(s(c), {.dtype = float32})),
      WEFT_CASE("corrcoef", corrcoef(f(c))),
      WEFT_CASE("corrcoef_y", corrcoef(f(c)(0), {.y = w(c)(0)})),
      WEFT_CASE("corrcoef_columns", corrcoef(w(c) + f(c), {.rowvar = false})),
      WEFT_CASE("corrcoef_complex", corrcoef(z(c))),
      WEFT_CASE("average", average(f(c))),
      WEFT_CASE("average_axis", average(x(c), {}, {.axis = 1})),
      WEFT_CASE("average_weights", average(f(c), w(c), {.axis = 0})),
      WEFT_CASE("average_weights_sum", average_returned(f(c), w(c), {.axis = 0}).sum_of_weights),
      WEFT_CASE("average_line", average(f(c), weights(c), {.axis = 1})),
      WEFT_CASE("average_all", average(x(c), w(c))),
      WEFT_CASE("average_keepdims", average(f(c), w(c), {.axis = 1, .keepdims = true})),
      WEFT_CASE("average_complex", average(z(c), {}, {.axis = 1})),
      WEFT_CASE("moment_2", moment(f(c), 2, {.axis = 0})),
      WEFT_CASE("moment_3", moment(f(c), 3)),
      WEFT_CASE("moment_ddof", moment(f(c), 4, {.axis = 1, .ddof = 2})),
      WEFT_CASE("moment_1", moment(f(c), 1, {.axis = 0})),
      WEFT_CASE("moment_0", moment(f(c), 0, {.axis = 0})),
  };
}

oracle::NamedCases difference_cases() {
  const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
  const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
  const auto v = [](const Chunks& c) { return operand("int64", {23}, 1, c); };
  const std::vector<double> places{0.0, 0.5, 2.0, 2.5, 4.0};
  return {
      WEFT_CASE("diff", diff(f(c))),
      WEFT_CASE("diff_2", diff(x(c), 2, 0)),
      WEFT_CASE("diff_bool", diff(operand("bool", {9}, 0, c))),
      WEFT_CASE("diff_append", diff(f(c), 1, 0, {.prepend = full({}, 0.0), .append = f(c)(slice(0, 2))})),
      WEFT_CASE("diff_uint8", diff(abs(x(c)).astype(uint8))),
      WEFT_CASE("diff_all", diff(v(c), 30)),
      WEFT_CASE("ediff1d", ediff1d(x(c))),
      WEFT_CASE("ediff1d_ends", ediff1d(v(c), full({1}, 99), from(std::vector<std::int64_t>{7, 8}))),
      WEFT_CASE("gradient_0", gradient(f(c))[0]),
      WEFT_CASE("gradient_1", gradient(f(c))[1]),
      WEFT_CASE("gradient_step", gradient(x(c), {.axis = 1, .spacing = {0.5}})[0]),
      WEFT_CASE("gradient_places", gradient(f(c), {.axis = 0, .spacing = {places}})[0]),
      WEFT_CASE("gradient_places_2", gradient(f(c), {.axis = 0, .spacing = {places}, .edge_order = 2})[0]),
      WEFT_CASE("gradient_2", gradient(f(c), {.axis = 1, .spacing = {2.0}, .edge_order = 2})[0]),
      WEFT_CASE("gradient_float32", gradient(operand("float32", {5, 6}, 0, c), {.axis = 0})[0]),
      WEFT_CASE("gradient_short", gradient(f(c)(slice(0, 2)), {.axis = 0})[0]),
  };
}

class StatisticsTest : public testing::TestWithParam<int> {};

TEST_P(StatisticsTest, AnswersAreNumPys) {
  oracle::NamedCases cases;
  for (const auto& some : {unique_cases(), counting_cases(), moment_cases(), difference_cases()}) {
    cases.insert(some.begin(), some.end());
  }
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("statistics", cases, chunks, GetParam() == 2 ? "sync" : "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, StatisticsTest, testing::Values(1, 2, 3, 100));

TEST(StatisticsErrorTest, BinsThatAreNoneAreRefusedWhereTheyAreWritten) {
  const Array x = arange(10);
  EXPECT_THAT(error_of([&] { histogram(x, 0); }), HasSubstr("0 bins: there is one at least"));
  EXPECT_THAT(error_of([&] { histogram(x, std::vector<double>{3, 1}); }), HasSubstr("do not ascend"));
  EXPECT_THAT(error_of([&] { histogram(x, std::vector<double>{3}); }), HasSubstr("a bin has two edges: 1 are given"));
  EXPECT_THAT(error_of([&] { histogram(x, 3, {.range = {{2, 1}}}); }), HasSubstr("the range reaches from 2"));
  EXPECT_THAT(error_of([&] { histogram(x, 3, {.weights = ones({4})}); }),
              HasSubstr("the weights have the shape (4,), the elements (10,)"));
  EXPECT_THAT(error_of([&] { histogram(x.astype(complex128)); }), HasSubstr("is not defined for complex128"));
  EXPECT_THAT(error_of([&] { histogramdd({x, x}, {1, 2, 3}); }), HasSubstr("2 dimensions and 3 bins"));
  EXPECT_THAT(error_of([&] { histogramdd({x, arange(4)}); }), HasSubstr("further coordinates have the shape (4,)"));
}

TEST(StatisticsErrorTest, WhatOnlyRunningCanTellNamesWhatIsWrong) {
  const Client client({.scheduler = "sync"});
  EXPECT_THAT(error_of([&] { client.compute(histogram(log(arange(3))).counts); }), HasSubstr("leave out what is not"));
  EXPECT_THAT(error_of([&] { client.compute(bincount(arange(-2, 3))); }), HasSubstr("-2 is negative"));
  EXPECT_THAT(error_of([&] { client.compute(bincount(arange(5), {.length = 3})); }), HasSubstr("there is a 3"));
}

TEST(StatisticsErrorTest, ShapesAndTypesThatDoNotFitAreRefused) {
  EXPECT_THAT(error_of([] { bincount(ones({3})); }), HasSubstr("the elements are float64; integers are counted"));
  EXPECT_THAT(error_of([] { bincount(ones({3, 3}, {.dtype = int64})); }), HasSubstr("it must have one"));
  EXPECT_THAT(error_of([] { cov(ones({2, 2, 2})); }), HasSubstr("variables are the rows of a matrix"));
  EXPECT_THAT(error_of([] { cov(ones({2, 3}), {.aweights = ones({4})}); }), HasSubstr("for 3 observations"));
  EXPECT_THAT(error_of([] { average(ones({2, 3}), ones({4}), {.axis = 1}); }), HasSubstr("weights of shape (4,)"));
  EXPECT_THAT(error_of([] { diff(ones({}), 1); }), HasSubstr("has no neighbours"));
  EXPECT_THAT(error_of([] { diff(ones({3}), 1, 2); }), HasSubstr("diff"));
  EXPECT_THAT(error_of([] { gradient(ones({1, 4})); }), HasSubstr("axis 0 has 1 elements; 2 are needed"));
  EXPECT_THAT(error_of([] {
                gradient(ones({4}), {.spacing = {std::vector{1.0, 2.0}}});
              }),
              HasSubstr("2 coordinates for an axis of 4"));
}

TEST(UniqueTest, ValuesAndCountsMeetInOneExpression) {
  const Client client({.scheduler = "sync"});
  const Array x = arange(100, {.chunks = 7}) % 6;
  const auto [values, counts] = unique_counts(x);
  EXPECT_EQ(values.shape(), Shape(-1));
  // Sum of value times count is the sum of all.
  EXPECT_EQ(client.compute(sum(values * counts)).item<std::int64_t>(), client.compute(sum(x)).item<std::int64_t>());
}

TEST(UniqueTest, IsTheSameWithManyChunks) {
  const Client client({.scheduler = "threads"});
  const Array x = random::integers(0, 5000, {40'000}, {.chunks = 100, .seed = 5});
  const NDArray many = client.compute(unique(x)), one = client.compute(unique(rechunk(x, -1)));
  EXPECT_EQ(many.to_vector<std::int64_t>(), one.to_vector<std::int64_t>());
  const arrays::UniqueAll all = unique_all(x);
  const auto [values, indices] = client.compute(all.values, all.indices);
  const NDArray elements = client.compute(x);
  for (std::int64_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(elements.at<std::int64_t>(indices.at<std::int64_t>(i)), values.at<std::int64_t>(i));
  }
}

}  // namespace
}  // namespace weft
