#include <weft/arrays.hpp>

#include <gtest/gtest.h>

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

TEST(PrintTest, LinesEndWithoutBlanks) {
  std::vector<float> thirds;
  for (int i = 0; i < 24; ++i) thirds.push_back(static_cast<float>(i) / 3);
  EXPECT_EQ(NDArray::of(thirds).text().find(" \n"), std::string::npos);
}

}  // namespace
}  // namespace weft
