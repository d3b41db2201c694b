#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/times.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

namespace weft {
namespace {

using Reals = std::vector<double>;

TEST(PrintTest, RealsAreScientificWhereNumpyWritesThemSo) {
  EXPECT_EQ(NDArray::of(Reals{1e-4, 1}).text(), "[1.e-04 1.e+00]");
  EXPECT_EQ(NDArray::of(Reals{0.1, 1e5, 3}).text(), "[1.e-01 1.e+05 3.e+00]");
  EXPECT_EQ(NDArray::of(Reals{0, 2.5e-6, 7.500000000000001e-06}).text(), "[0.0e+00 2.5e-06 7.5e-06]");
  EXPECT_EQ(NDArray::of(Reals{0.5, 100}).text(), "[  0.5 100. ]");
  EXPECT_EQ(NDArray::of(Reals{0, -0.0}).text(), "[ 0. -0.]");
}

TEST(PrintTest, PartsOfComplexNumbersAreAlignedByThemselves) {
  using Complex = std::vector<std::complex<double>>;
  EXPECT_EQ(NDArray::of(Complex{{0, -1}, {NAN, NAN}, {3, 3}}).text(), "[ 0. -1.j nan+nanj  3. +3.j]");
  EXPECT_EQ(NDArray::of(Complex{{1, 0.25}, {NAN, 0}}).text(), "[ 1.+0.25j nan+0.j  ]");
  EXPECT_EQ(NDArray::of(Complex{{-2e10, -3e10}, {NAN, NAN}}).text(), "[-2.e+10-3.e+10j     nan   +nanj]");
}

TEST(PrintTest, ExponentsAreEquallyLong) { EXPECT_EQ(NDArray::of(Reals{0, 1e-300}).text(), "[0.e+000 1.e-300]"); }

TEST(PrintTest, DurationsAloneHaveTheirUnit) {
  const Client client({.scheduler = "sync"});
  const Array hours =
      where(arange(3) == 1, not_a_time(timedelta64(TimeUnit::Hour)), arange(3) * timedelta(5, TimeUnit::Hour));
  EXPECT_EQ(client.compute(hours).text(), "[    0 'NaT'    10]");
  EXPECT_EQ(client.compute(hours(2)).text(), "10 hours");
  EXPECT_EQ(client.compute(hours(1)).text(), "NaT");
}

TEST(PrintTest, LinesEndWithoutBlanks) {
  std::vector<float> thirds;
  for (int i = 0; i < 24; ++i) thirds.push_back(static_cast<float>(i) / 3);
  EXPECT_EQ(NDArray::of(thirds).text().find(" \n"), std::string::npos);
}

}  // namespace
}  // namespace weft
