// A program's point of view: everything included, all of weft's names visible, and functions of its own.
#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <sstream>

using namespace weft;

// Names that arrays have too: `submit(add, 1, 2)` must mean these.
static int add(int a, int b) { return a + b; }
static int sum(const std::vector<int>& values) {
  int total = 0;
  for (const int value : values) total += value;
  return total;
}
static double square(double x) { return x * x; }

namespace {

TEST(NamesTest, TheProgramOfTheDesignCompilesAsWritten) {
  const Client client;
  auto x = random::uniform({100, 100}, {.chunks = {10, 10}, .seed = 7});
  Array y = x + transpose(x) - mean(x, {.axis = 0, .keepdims = true});
  NDArray corner = client.compute(y(slice(0, 3), slice(0, 3)));
  std::ostringstream shown;
  shown << corner << '\n';
  EXPECT_EQ(corner.shape(), Shape(3, 3));
  EXPECT_FALSE(shown.str().empty());
}

TEST(NamesTest, FunctionsOfArraysAreFoundByTheirArguments) {
  const Client client;
  const Array x = linspace(1, 2, 5, {.chunks = 2});
  EXPECT_NEAR(client.compute(sum(log(exp(x)))).item<double>(), 7.5, 1e-12);
  EXPECT_NEAR(client.compute(arrays::sum(arrays::log(x))).item<double>(), client.compute(sum(log(x))).item<double>(),
              0);
  EXPECT_NEAR(client.compute(stddev(x)).item<double>(), client.compute(x.std()).item<double>(), 0);
  EXPECT_NEAR(client.compute(add(x, 1)(0)).item<double>(), 2, 0);
  EXPECT_NEAR(client.compute(max(abs(-x))).item<double>(), 2, 0);
  EXPECT_EQ(client.compute(concatenate({x, x})).shape(), Shape(10));
  EXPECT_EQ(client.compute(where(x > 1.5, x, 0)).shape(), Shape(5));
}

TEST(NamesTest, FunctionsOfTheProgramKeepTheirNames) {
  const Client client;
  EXPECT_EQ(client.submit(add, 1, 2).result(), 3);
  EXPECT_EQ(client.submit(sum, std::vector<int>{1, 2, 3}).result(), 6);
  EXPECT_EQ(client.submit(square, 3.0).result(), 9);
  EXPECT_EQ(std::log(1.0), log(1.0));
}

}  // namespace
