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

TEST(NamesTest, MethodsAreTheFunctionsOfTheirNames) {
  const Client client;
  const Array x = reshape(arange(24, {.chunks = 5}) * 7 % 11, {2, 3, 4});
  const auto same = [&](const Array& method, const Array& function) {
    return method.dtype() == function.dtype() && method.shape() == function.shape() &&
           client.compute(all(method == function)).item<bool>();
  };
  EXPECT_TRUE(same(x.prod(0), prod(x, 0)));
  EXPECT_TRUE(same(x.any({.axis = {0, 2}, .keepdims = true}), any(x, {.axis = {0, 2}, .keepdims = true})));
  EXPECT_TRUE(same(x.all(-1), all(x, -1)));
  EXPECT_TRUE(same(x.argmin(2), argmin(x, 2)));
  EXPECT_TRUE(same(x.argmax(), argmax(x)));
  EXPECT_TRUE(same(x.cumsum(1), cumsum(x, 1)));
  EXPECT_TRUE(same(x.cumprod(), cumprod(x)));
  EXPECT_TRUE(same(x.transpose({2, 0, 1}), transpose(x, {2, 0, 1})));
  EXPECT_TRUE(same(x.swapaxes(0, 2), swapaxes(x, 0, 2)));
  EXPECT_TRUE(same(x.ravel(), ravel(x)));
  EXPECT_TRUE(same(x.flatten(), ravel(x)));
  EXPECT_TRUE(same(x(newaxis).squeeze(0), x));
  EXPECT_TRUE(same(x.dot(arange(4)), dot(x, arange(4))));
  EXPECT_TRUE(same(x.clip(2, 7), clip(x, 2, 7)));
  EXPECT_TRUE(same((x / 3).round(1), round(x / 3, 1)));
  EXPECT_TRUE(same(x.conj().real(), x));
  EXPECT_TRUE(same(x.imag(), x * 0));
  EXPECT_TRUE(same(x.repeat(2, 1), repeat(x, 2, 1)));
  EXPECT_TRUE(same(x.topk(2), topk(x, 2)));
  EXPECT_TRUE(same(x.argtopk(-2, 0), argtopk(x, -2, 0)));
  EXPECT_TRUE(same(x.trace(1), trace(x, 1)));
  EXPECT_TRUE(same(x.nonzero()[1], nonzero(x)[1]));
  EXPECT_TRUE(same(median(x, 0), median(x, {.axis = 0})));
}

TEST(NamesTest, FunctionsOfTheProgramKeepTheirNames) {
  const Client client;
  EXPECT_EQ(client.submit(add, 1, 2).result(), 3);
  EXPECT_EQ(client.submit(sum, std::vector<int>{1, 2, 3}).result(), 6);
  EXPECT_EQ(client.submit(square, 3.0).result(), 9);
  EXPECT_EQ(std::log(1.0), log(1.0));
}

}  // namespace
