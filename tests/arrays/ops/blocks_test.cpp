#include <weft/array_plan.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace weft {
namespace {

using oracle::operand;
template <class T, std::size_t N>
using In = ChunkView<const T, N>;
template <class T, std::size_t N>
using Out = ChunkView<T, N>;

constexpr auto kTwice = [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, j) = 2 * in(i, j);
  }
};

/// Adds what tells the place in the whole array.
constexpr auto kPlaced = [](In<std::int64_t, 2> in, Out<double, 2> out, const BlockInfo& info) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) {
      out(i, j) = static_cast<double>(in(i, j) + 100 * (info.start[0] + i) + 10 * (info.start[1] + j));
    }
  }
};

constexpr auto kRowSums = [](In<std::int64_t, 2> in, Out<std::int64_t, 1> out) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    out(i) = 0;
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(i) += in(i, j);
  }
};

constexpr auto kPair = [](In<std::int64_t, 2> in, Out<std::int64_t, 3> out) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) {
      out(0, i, j) = in(i, j);
      out(1, i, j) = -in(i, j);
    }
  }
};

constexpr auto kStretch = [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, 2 * j) = out(i, 2 * j + 1) = in(i, j);
  }
};

constexpr auto kAddRow = [](In<std::int64_t, 2> a, In<std::int64_t, 1> b, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < out.extent(0); ++i) {
    for (std::int64_t j = 0; j < out.extent(1); ++j) out(i, j) = a(i, j) + b(j);
  }
};

constexpr auto kAddColumn = [](In<std::int64_t, 2> a, In<std::int64_t, 2> b, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < out.extent(0); ++i) {
    for (std::int64_t j = 0; j < out.extent(1); ++j) out(i, j) = a(i, j) * b(i, j);
  }
};

constexpr auto kProduct = [](In<std::int64_t, 2> a, In<std::int64_t, 2> b, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < out.extent(0); ++i) {
    for (std::int64_t k = 0; k < out.extent(1); ++k) {
      out(i, k) = 0;
      for (std::int64_t j = 0; j < a.extent(1); ++j) out(i, k) += a(i, j) * b(j, k);
    }
  }
};

constexpr auto kInner = [](In<double, 1> a, In<double, 1> b, Out<double, 0> out) {
  out() = 0;
  for (std::int64_t i = 0; i < a.extent(0); ++i) out() += a(i) * b(i);
};

constexpr auto kCumulate = [](In<double, 1> in, Out<double, 1> out) {
  double sum = 0;
  for (std::int64_t i = 0; i < in.extent(0); ++i) out(i) = sum += in(i);
};

constexpr auto kMoments = [](In<double, 1> in, Out<double, 1> out) {
  out(0) = out(1) = 0;
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    out(0) += in(i);
    out(1) += in(i)*in(i);
  }
};

/// Sums along the second axis, in any chunks: of elements, and of partial sums.
constexpr auto kSumAlong = [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    out(i, 0) = 0;
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, 0) += in(i, j);
  }
};
constexpr auto kSumAll = [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
  out(0, 0) = 0;
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(0, 0) += in(i, j);
  }
};
constexpr auto kHalfOfAll = [](In<std::int64_t, 2> in, Out<double, 2> out) {
  out(0, 0) = 0;
  for (std::int64_t i = 0; i < in.extent(0); ++i) {
    for (std::int64_t j = 0; j < in.extent(1); ++j) out(0, 0) += 0.5 * static_cast<double>(in(i, j));
  }
};

const oracle::NamedCases& blocks() {
  static const oracle::NamedCases cases = [] {
    const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
    const auto y = [](const Chunks& c) { return operand("int64", {6, 5}, 1, c); };
    const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
    const auto row = [](const Chunks&) { return operand("int64", {6}, 1, Chunks(4)); };
    return oracle::NamedCases{
        WEFT_CASE("map_blocks", map_blocks(x(c), kTwice)),
        WEFT_CASE("map_blocks_place", map_blocks(x(c), kPlaced, {.dtype = float64})),
        WEFT_CASE("map_blocks_drop", map_blocks(x(c), kRowSums, {.drop_axis = {-1}})),
        WEFT_CASE("map_blocks_new", map_blocks(x(c), kPair, {.shape = Shape{2, 5, 6}, .new_axis = {0}})),
        WEFT_CASE("map_blocks_shape", map_blocks(x(c), kStretch, {.shape = Shape{5, 12}})),
        WEFT_CASE("map_blocks_two", map_blocks({x(c), row(c)}, kAddRow)),
        WEFT_CASE("map_blocks_column", map_blocks({x(c), x(c)(slice(), slice(2, 3))}, kAddColumn)),
        WEFT_CASE("map_blocks_slice", map_blocks(x(c)(slice(none, none, -2), slice(1, 5)), kTwice)),
        WEFT_CASE("map_blocks_array",
                  map_blocks(x(c), [](NDArray in) { return NDArray::of(in.to_vector<std::int64_t>(), in.shape()); })),
        WEFT_CASE("blockwise", blockwise(kProduct, "ik", {{x(c), "ij"}, {y(c), "jk"}})),
        WEFT_CASE("blockwise_transposed", blockwise(
                                              [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
                                                for (std::int64_t i = 0; i < in.extent(0); ++i) {
                                                  for (std::int64_t j = 0; j < in.extent(1); ++j) out(j, i) = in(i, j);
                                                }
                                              },
                                              "ji", {{x(c), "ij"}})),
        WEFT_CASE("gufunc", apply_gufunc(kInner, "(i),(i)->()", {f(c), f(c) + 1.0})),
        WEFT_CASE("gufunc_broadcast",
                  apply_gufunc(kInner, "(i), (i) -> ()", {f(c)(slice(), newaxis), f(c)(slice(0, 2)) * 2.0})),
        WEFT_CASE("gufunc_same", apply_gufunc(kCumulate, "(i)->(i)", {f(c)})),
        WEFT_CASE("gufunc_size", apply_gufunc(kMoments, "(i)->(k)", {f(c)}, {.output_sizes = {{"k", 2}}})),
        WEFT_CASE("from_function", from_function({5, 6},
                                                 [](Out<double, 2> out, const BlockInfo& info) {
                                                   for (std::int64_t i = 0; i < out.extent(0); ++i) {
                                                     for (std::int64_t j = 0; j < out.extent(1); ++j) {
                                                       out(i, j) = static_cast<double>((info.start[0] + i) * 10 +
                                                                                       info.start[1] + j);
                                                     }
                                                   }
                                                 },
                                                 {.chunks = c})),
        WEFT_CASE("elementwise",
                  elementwise([](double a, std::int64_t b) { return a * 2 + static_cast<double>(b); }, f(c), x(c))),
        WEFT_CASE("elementwise_chain",
                  elementwise([](double a) { return a < 0 ? -a : a * a; }, f(c) + 1).sum({.axis = 0})),
        WEFT_CASE("elementwise_scalar",
                  elementwise([](std::int64_t a, std::int64_t b, bool c0) { return c0 ? a : b; }, x(c), 7, x(c) > 0)),
        WEFT_CASE("elementwise_broadcast", elementwise([](std::int64_t a, std::int64_t b) { return a * 100 + b; },
                                                       x(c)(slice(), slice(1, 2)), row(c))),
        WEFT_CASE("reduction", arrays::reduction(x(c), kSumAlong, kSumAlong, kSumAlong, {.axis = 1})),
        WEFT_CASE("reduction_all", arrays::reduction(x(c), kSumAll, kSumAll, kHalfOfAll, {.keepdims = true})),
        WEFT_CASE("coarsen", coarsen(arrays::sum, x(c), {{1, 3}})),
        WEFT_CASE("coarsen_mean", coarsen(arrays::mean, f(c), {{0, 2}, {1, 4}}, {.trim_excess = true})),
    };
  }();
  return cases;
}

class BlocksTest : public testing::TestWithParam<int> {};

TEST_P(BlocksTest, KernelsOnChunksGiveNumpysAnswers) {
  EXPECT_EQ(oracle::run_named("blocks", blocks(), Chunks(GetParam()), "sync"), "");
}
INSTANTIATE_TEST_SUITE_P(Chunks, BlocksTest, testing::Values(1, 2, 3, 100));

class KernelTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "threads"}};
};

TEST_F(KernelTest, ReductionsCombineInATreeWhateverTheNumberOfChunks) {
  const Array x = arange(1000, {.chunks = 7}).reshape({1000, 1}).rechunk({7, 1});
  const auto along = [](In<std::int64_t, 2> in, Out<std::int64_t, 2> out) {
    out(0, 0) = 0;
    for (std::int64_t i = 0; i < in.extent(0); ++i) out(0, 0) += in(i, 0);
  };
  EXPECT_EQ(client_.compute(arrays::reduction(x, along, along, along)).item<std::int64_t>(), 499500);
}

TEST_F(KernelTest, FunctionsOfNumbersJoinThePassOfWhatIsAroundThem) {
  const Array x = ones({64, 64}, {.chunks = 64});
  const Array y = elementwise([](double a) { return a + 1; }, x * 2) * 3;
  EXPECT_EQ(client_.compute(y.sum()).item<double>(), 9.0 * 64 * 64);
  // One chunk, one task: the sum is the pass.
  EXPECT_EQ(plan(to_delayed(y.sum())).tasks, 1u);
}

TEST_F(KernelTest, KernelsMayCaptureNumbers) {
  const double factor = 3;
  const Array x = map_blocks(ones({4}, {.chunks = 2}), [factor](In<double, 1> in, Out<double, 1> out) {
    for (std::int64_t i = 0; i < in.extent(0); ++i) out(i) = factor * in(i);
  });
  const Array again = map_blocks(ones({4}, {.chunks = 2}), [](In<double, 1> in, Out<double, 1> out) {
    for (std::int64_t i = 0; i < in.extent(0); ++i) out(i) = 4 * in(i);
  });
  EXPECT_EQ(client_.compute(x).to_vector<double>(), (std::vector<double>{3, 3, 3, 3}));
  EXPECT_EQ(client_.compute(again).to_vector<double>(), (std::vector<double>{4, 4, 4, 4}));
}

struct Weighted {
  std::vector<double> weights;
  void operator()(In<double, 1> in, Out<double, 1> out, const BlockInfo& info) const {
    for (std::int64_t i = 0; i < in.extent(0); ++i) {
      out(i) = weights[static_cast<std::size_t>(info.start[0] + i)] * in(i);
    }
  }
};

TEST_F(KernelTest, KernelsMayBeStructsWhoseFieldsTravel) {
  const Array a = map_blocks(ones({3}, {.chunks = 2}), Weighted{{1, 2, 3}});
  const Array b = map_blocks(ones({3}, {.chunks = 2}), Weighted{{4, 5, 6}});
  const auto [first, second] = client_.compute(a, b);
  EXPECT_EQ(first.to_vector<double>(), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(second.to_vector<double>(), (std::vector<double>{4, 5, 6}));
}

TEST_F(KernelTest, KernelsAreToldTheirBlock) {
  const Array x = from_function({5, 4},
                                [](Out<std::int64_t, 2> out, BlockInfo info) {
                                  for (std::int64_t i = 0; i < out.extent(0); ++i) {
                                    for (std::int64_t j = 0; j < out.extent(1); ++j) {
                                      out(i, j) = info.location[0] * info.count[1] + info.location[1];
                                    }
                                  }
                                },
                                {.chunks = {3, 2}});
  EXPECT_EQ(client_.compute(x(-1)).to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 2, 3, 3}));
}

TEST_F(KernelTest, ArraysOfUnknownExtentsArePassedThrough) {
  const Array x = arange(10, {.chunks = 4});
  const Array chosen = map_blocks(x(x % 2 == 0), [](In<std::int64_t, 1> in, Out<std::int64_t, 1> out) {
    for (std::int64_t i = 0; i < in.extent(0); ++i) out(i) = in(i) + 1;
  });
  EXPECT_EQ(client_.compute(chosen).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 3, 5, 7, 9}));
}

TEST_F(KernelTest, ATypeOrRankThatDoesNotFitIsRefusedWhenTheExpressionIsBuilt) {
  const Array x = ones({4, 4});
  EXPECT_THAT(error_of([&] { map_blocks(x, kTwice); }),
              testing::AllOf(testing::HasSubstr("map_blocks (blocks_test.cpp:"), testing::HasSubstr("int64"),
                             testing::HasSubstr("float64"), testing::HasSubstr("astype")));
  EXPECT_THAT(error_of([&] { map_blocks(x.astype(int64)(0), kTwice); }), testing::HasSubstr("with 1 axes"));
  EXPECT_THAT(error_of([&] { map_blocks(x.astype(int64), kRowSums); }),
              testing::AllOf(testing::HasSubstr("the result has 2"), testing::HasSubstr("drops")));
  EXPECT_THAT(error_of([&] { map_blocks(x.astype(int64), kTwice, {.dtype = float32}); }),
              testing::HasSubstr("float32 was declared"));
  EXPECT_THAT(error_of([&] { map_blocks({x, x, x}, kAddColumn); }), testing::HasSubstr("takes 2 arrays, but 3"));
  EXPECT_THAT(error_of([&] { map_blocks(x.astype(int64), kTwice, {.drop_axis = {2}}); }),
              testing::HasSubstr("map_blocks ("));
}

TEST_F(KernelTest, AShapeThatChunksCannotHaveIsRefused) {
  const Array x = arange(10, {.chunks = 3}).reshape({10, 1}).rechunk({3, 1});
  EXPECT_THAT(error_of([&] {
                map_blocks(x, kTwice, {.shape = Shape{5, 1}});
              }),
              testing::AllOf(testing::HasSubstr("axis 0"), testing::HasSubstr("proportion")));
  EXPECT_THAT(error_of([&] {
                map_blocks(x, kTwice, {.chunks = {{5, 5}, {1}}});
              }),
              testing::HasSubstr("there are 4 blocks"));
  EXPECT_THAT(error_of([&] { map_blocks(x, kTwice, {.chunks = {0, 1}}); }), testing::HasSubstr("chunk size 0"));
}

TEST_F(KernelTest, AReturnedArrayOfAnotherShapeOrTypeNamesTheChunk) {
  const Array x = ones({4, 2}, {.chunks = {2, 2}});
  const auto shorter = [](NDArray in, const BlockInfo& info) {
    return info.location[0] == 0 ? in : NDArray(float64, Shape{1, 2});
  };
  EXPECT_THAT(error_of([&] { client_.compute(map_blocks(x, shorter)); }),
              testing::AllOf(testing::HasSubstr("shape (1, 2) for chunk (1, 0)"), testing::HasSubstr("(2, 2)")));
  EXPECT_THAT(error_of([&] { client_.compute(map_blocks(x, shorter, {.dtype = int32})); }),
              testing::AllOf(testing::HasSubstr("type float64"), testing::HasSubstr("int32 was declared")));
}

TEST_F(KernelTest, NonsenseSignaturesAndLettersAreRefused) {
  const Array x = ones({4, 3});
  for (const std::string signature : {"(i),(i)", "(i,)->()", "i->()", "(i)(i)->()", "(i),->()", "(i)->(),()"}) {
    EXPECT_THAT(error_of([&] {
                  apply_gufunc(kInner, signature, {x, x});
                }),
                testing::HasSubstr("\"" + signature + "\""));
  }
  EXPECT_THAT(error_of([&] { apply_gufunc(kInner, "(i),(i)->()", {x}); }), testing::HasSubstr("names 2 inputs"));
  EXPECT_THAT(error_of([&] {
                apply_gufunc(kInner, "(i),(i)->()", {x, ones({4})});
              }),
              testing::HasSubstr("do not go together"));
  EXPECT_THAT(error_of([&] { apply_gufunc(kCumulate, "(i)->(k)", {x}); }), testing::HasSubstr(".output_sizes"));
  EXPECT_THAT(error_of([&] { blockwise(kCumulate, "ii", {{x, "ij"}}); }), testing::HasSubstr("twice"));
  EXPECT_THAT(error_of([&] { blockwise(kCumulate, "k", {{x, "ij"}}); }), testing::HasSubstr(".new_axes"));
  EXPECT_THAT(error_of([&] { blockwise(kCumulate, "i", {{x, "ijk"}}); }), testing::HasSubstr("one for each axis"));
}

/// A line's least number, its place, and the line without it.
constexpr auto kLeast = [](In<double, 1> line, Out<double, 0> least, Out<std::int32_t, 0> place, Out<double, 1> rest) {
  std::int64_t at = 0;
  for (std::int64_t i = 1; i < line.extent(0); ++i) at = line(i) < line(at) ? i : at;
  least() = line(at);
  place() = static_cast<std::int32_t>(at);
  for (std::int64_t i = 0; i < rest.extent(0); ++i) rest(i) = i < at ? line(i) : line(i + 1);
};

TEST_F(KernelTest, AGufuncOfSeveralOutputsMakesSeveralArrays) {
  const Client client({.scheduler = "threads"});
  const Array x = (arange(60) * 7 % 61).astype(float64).reshape({3, 4, 5}).rechunk({2, 3, 2});
  const auto [least, place, rest] = apply_gufunc(kLeast, "(i)->(),(),(k)", {x}, {.output_sizes = {{"k", 4}}});
  EXPECT_EQ(place.dtype(), int32);
  EXPECT_EQ(rest.shape(), (Shape{3, 4, 4}));
  EXPECT_TRUE(client.compute(all(least == min(x, {.axis = 2}))).item<bool>());
  EXPECT_TRUE(client.compute(all(place == argmin(x, {.axis = 2}))).item<bool>());
  EXPECT_TRUE(client.compute(all(sum(rest, {.axis = 2}) + least == sum(x, {.axis = 2}))).item<bool>());
  // All of them are one pass over x.
  const arrays::ArrayPlan known = arrays::plan({least, place, rest});
  EXPECT_EQ(
      std::count_if(known.steps.begin(), known.steps.end(), [](const auto& one) { return one.name == "map_blocks"; }),
      1);
}

TEST_F(KernelTest, AGufuncTakesAnyAxisKeepsItAndReturnsArrays) {
  const Client client({.scheduler = "sync"});
  const Array x = (arange(24) * 7 % 25).astype(float64).reshape({2, 3, 4}).rechunk({1, 2, 3});
  const auto [first_of, twice] = apply_gufunc(
      [](In<double, 1> line, Out<double, 0> start, Out<double, 1> doubled) {
        start() = line(0);
        for (std::int64_t i = 0; i < doubled.extent(0); ++i) doubled(i) = 2 * line(i);
      },
      "(i)->(),(i)", {x}, {.axis = 1, .keepdims = true});
  EXPECT_EQ(first_of.shape(), (Shape{2, 1, 4}));
  EXPECT_TRUE(client.compute(all(first_of == x(slice(), slice(0, 1)))).item<bool>());
  EXPECT_TRUE(client.compute(all(twice == x * 2)).item<bool>());
  const auto ends = as_gufunc("(i)->(),()",
                              [](NDArray line) {
                                const NDArray packed = line.as_contiguous();
                                NDArray first = NDArray::of(std::vector{packed.at<double>(0)}, Shape());
                                NDArray count = NDArray::of(std::vector{packed.size()}, Shape());
                                return std::tuple(first, count);
                              },
                              {.output_dtypes = {float64, int64}});
  const auto [first, count] = ends(x);
  EXPECT_EQ(count.dtype(), int64);
  EXPECT_TRUE(client.compute(all(first == x(ellipsis, 0))).item<bool>());
  EXPECT_TRUE(client.compute(all(count == 4)).item<bool>());
}

TEST_F(KernelTest, AGufuncsOutputsAndItsSignatureMustAgree) {
  const Array x = ones({4, 3});
  EXPECT_THAT(error_of([&] { apply_gufunc(kLeast, "(i)->(),()", {x}); }), testing::HasSubstr("kernel makes 3"));
  EXPECT_THAT(error_of([&] { apply_gufunc(kLeast, "(i)->(),(),(k)", {x}); }), testing::HasSubstr(".output_sizes"));
  EXPECT_THAT(error_of([&] { apply_gufunc(kLeast, "(i)->(),(),()", {x}); }),
              testing::HasSubstr("with 1 axes, but the result has 0"));
  EXPECT_THAT(error_of([&] {
                apply_gufunc(kInner, "(i),(j)->()", {x, x}, {.axis = 0});
              }),
              testing::HasSubstr("several core dimensions"));
}

/// The distance of a line's largest and smallest number.
constexpr auto kRange = [](In<double, 1> line, Out<double, 0> out) {
  double low = line(0), high = line(0);
  for (std::int64_t i = 1; i < line.extent(0); ++i) {
    low = std::min(low, line(i));
    high = std::max(high, line(i));
  }
  out() = high - low;
};
constexpr auto kBackwards = [](In<double, 1> line, Out<double, 1> out) {
  for (std::int64_t i = 0; i < out.extent(0); ++i) out(i) = line(line.extent(0) - 1 - i);
};

TEST_F(KernelTest, LinesAlongAnyAxisBecomeNumbersOrLines) {
  const Client client({.scheduler = "sync"});
  const Array x = (arange(24) * 7 % 11).astype(float64).reshape({2, 3, 4}).rechunk({1, 2, 3});
  for (int axis = -3; axis < 3; ++axis) {
    const Array range = apply_along_axis(kRange, axis, x);
    EXPECT_EQ(client.compute(all(range == max(x, {.axis = axis}) - min(x, {.axis = axis}))).item<bool>(), true);
    EXPECT_EQ(range.ndim(), 2u);
    EXPECT_TRUE(client.compute(all(apply_along_axis(kBackwards, axis, x) == flip(x, axis))).item<bool>());
  }
  const Array shorter = apply_along_axis(kBackwards, 1, x, {.length = 2});
  EXPECT_EQ(shorter.shape(), (Shape{2, 2, 4}));
  EXPECT_TRUE(client.compute(all(shorter == flip(x, 1)(slice(), slice(0, 2)))).item<bool>());
  EXPECT_THAT(error_of([&] { apply_along_axis(kRange, 3, x); }), testing::HasSubstr("axis 3"));
  EXPECT_THAT(error_of([&] { apply_along_axis(kTwice, 0, x); }), testing::HasSubstr("apply_gufunc"));
  EXPECT_THAT(error_of([&] { apply_along_axis(kRange, 0, x, {.length = 2}); }), testing::HasSubstr(".length"));
}

TEST_F(KernelTest, CoarsenRefusesWhatIsNoWholeNumberOfBlocks) {
  EXPECT_THAT(error_of([&] { coarsen(arrays::sum, ones({5}), {{0, 2}}); }), testing::HasSubstr("trim_excess"));
  EXPECT_THAT(error_of([&] { coarsen(arrays::sum, ones({5}), {{0, 0}}); }), testing::HasSubstr("not positive"));
}

}  // namespace
}  // namespace weft
