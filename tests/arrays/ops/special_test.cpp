// Functions of statistics beside SciPy's answers.
#include <weft/arrays.hpp>
#include <weft/ops/special.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Array some(std::vector<double> numbers) { return from(std::move(numbers)).rechunk(2); }

/// Equal to 13 digits, however small; equal infinities.
void expect_equal(const Array& array, const std::vector<double>& answers) {
  Client client({.scheduler = "sync"});
  const std::vector<double> got = client.compute(array).to_vector<double>();
  ASSERT_EQ(got.size(), answers.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == answers[i]) continue;
    EXPECT_NEAR(got[i], answers[i], 1e-13 * std::abs(answers[i])) << i;
  }
}

TEST(SpecialTest, AnswersAreSciPys) {
  const Array x = some({-3.5, -0.7, 0, 0.2, 1.5, 4});
  expect_equal(special::erf(x), {-0.9999992569016276, -0.6778011938374183, 0, 0.22270258921047845, 0.9661051464753108,
                                 0.9999999845827421});
  expect_equal(special::erfc(x), {1.9999992569016276, 1.6778011938374182, 1, 0.7772974107895215, 0.03389485352468927,
                                  1.541725790028002e-08});
  expect_equal(special::ndtr(x), {0.00023262907903552502, 0.24196365222307303, 0.5, 0.579259709439103,
                                  0.9331927987311419, 0.9999683287581669});
  const Array positive = some({0.3, 1, 2.5, 7.25});
  expect_equal(special::gammaln(positive), {1.0957979948180756, 0, 0.2846828704729192, 7.0521854507385395});
  expect_equal(special::gamma(positive), {2.991568987687591, 1, 1.329340388179137, 1155.3810139199895});
  const Array a = some({0.5, 2, 2, 30, 30, 0.5}), v = some({0.01, 1e-8, 7, 25, 60, 9});
  expect_equal(special::gammainc(a, v), {0.11246291601828491, 4.9999999666666454e-17, 0.9927049442755639,
                                         0.1821039159774551, 0.9999931237350312, 0.9999779095030014});
  expect_equal(special::gammaincc(a, v), {0.887537083981715, 1, 0.007295055724436127, 0.8178960840225449,
                                          6.876264968732136e-06, 2.2090496998585475e-05});
  expect_equal(special::betainc(some({0.5, 2, 8}), some({0.5, 3, 1.5}), some({0.1, 0.4, 0.95})),
               {0.20483276469913345, 0.5248, 0.8385360457586505});
}

TEST(SpecialTest, QuantilesOfTheNormalAreExactInTheTails) {
  expect_equal(special::ndtri(some({0, 1e-300, 1e-20, 0.001, 0.025, 0.3, 0.5, 0.8, 0.999, 1})),
               {-kInfinity, -37.0470962993612, -9.262340089798409, -3.090232306167813, -1.9599639845400545,
                -0.5244005127080409, 0, 0.8416212335729143, 3.090232306167813, kInfinity});
  const Array back = special::ndtr(special::ndtri(some({1e-12, 0.2, 0.7})));
  expect_equal(back, {1e-12, 0.2, 0.7});
}

TEST(SpecialTest, WhatIsNotDefinedIsNan) {
  Client client({.scheduler = "sync"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Array& none :
       {special::ndtri(some({-0.1, 1.1, nan})), special::gammainc(some({0, -1, 1}), some({1, 1, -1})),
        special::gammaincc(some({nan, 1}), some({1, nan}))}) {
    for (const double one : client.compute(none).to_vector<double>()) EXPECT_TRUE(std::isnan(one));
  }
  expect_equal(special::gammainc(some({2, 2}), some({0, kInfinity})), {0, 1});
}

TEST(SpecialTest, OtherTypesAreTakenInDoublePrecisionAndArgumentsBroadcast) {
  const Array integers = arange(3, {.chunks = 2});
  EXPECT_EQ(special::ndtr(integers).dtype(), float64);
  expect_equal(special::ndtr(integers), {0.5, 0.8413447460685429, 0.9772498680518208});
  EXPECT_EQ(special::erf(some({0.5}).astype(float32)).dtype(), float64);
  expect_equal(special::gammainc(2.0, some({7})), {0.9927049442755639});
}

}  // namespace
}  // namespace weft
