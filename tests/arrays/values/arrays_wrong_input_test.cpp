// Wrong input: the error comes where the expression is built, or names the chunk, and says what to do.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class WrongInputTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "threads"}};
  const std::string here_ = "(arrays_wrong_input_test.cpp:";
};

TEST_F(WrongInputTest, ShapesThatDoNotBroadcastAreToldWithBothShapesAndTheLine) {
  EXPECT_THAT(error_of([] {
                ones({3, 4}) + ones({4, 3});
              }),
              AllOf(HasSubstr(here_), HasSubstr("(3, 4)"), HasSubstr("(4, 3)"), HasSubstr("must be equal or 1")));
  EXPECT_THAT(error_of([] { broadcast_to(ones({3}), {4}); }),
              AllOf(HasSubstr(here_), HasSubstr("(3,)"), HasSubstr("(4,)")));
  EXPECT_THAT(error_of([] { elementwise([](double a, double b) { return a + b; }, ones({3}), ones({4})); }),
              AllOf(HasSubstr("elementwise (arrays_wrong_input_test.cpp:"), HasSubstr("do not broadcast")));
}

TEST_F(WrongInputTest, AnAxisOutOfRangeIsToldWithTheNumberOfAxes) {
  const Array x = ones({3, 4});
  EXPECT_THAT(error_of([&] { x.sum({.axis = 2}); }),
              AllOf(HasSubstr("sum " + here_), HasSubstr("axis 2"), HasSubstr("2 ")));
  EXPECT_THAT(error_of([&] { x.sum({.axis = {0, -2}}); }), HasSubstr("sum " + here_));
  EXPECT_THAT(error_of([&] { cumsum(x, {.axis = -3}); }), HasSubstr("cumsum " + here_));
  EXPECT_THAT(error_of([&] { concatenate({x, x}, 5); }), HasSubstr("5"));
}

TEST_F(WrongInputTest, EveryOperationWithAnAxisTellsOneOutOfRange) {
  const Array x = ones({3, 4});
  const std::map<std::string, std::function<Array()>> calls{
      {"mean", [&] { return mean(x, 7); }},
      {"argmax", [&] { return argmax(x, 7); }},
      {"cumprod", [&] { return cumprod(x, {.axis = 7}); }},
      {"sort", [&] { return sort(x, 7); }},
      {"argsort", [&] { return argsort(x, 7); }},
      {"topk", [&] { return topk(x, 1, 7); }},
      {"quantile", [&] { return quantile(x, 0.5, {.axis = 7}); }},
      {"flip", [&] { return flip(x, 7); }},
      {"roll", [&] { return roll(x, 1, 7); }},
      {"take", [&] { return take(x, {0}, 7); }},
      {"repeat", [&] { return repeat(x, 2, 7); }},
      {"expand_dims", [&] { return expand_dims(x, 7); }},
      {"squeeze", [&] { return squeeze(x, 7); }},
      {"swapaxes", [&] { return swapaxes(x, 0, 7); }},
      {"moveaxis", [&] { return moveaxis(x, 7, 0); }},
      {"concatenate",
       [&] {
         return concatenate({x, x}, 7);
       }},
      {"stack",
       [&] {
         return stack({x, x}, 7);
       }},
      {"tensordot", [&] { return tensordot(x, x, {7}, {0}); }},
      {"diff", [&] { return diff(x, 1, 7); }},
      {"insert", [&] { return insert(x, 0, 1, 7); }},
      {"delete", [&] { return delete_(x, 0, 7); }},
      {"push", [&] { return push(x, 1, 7); }},
      {"apply_over_axes", [&] { return apply_over_axes(arrays::sum, x, 7); }},
      {"coarsen",
       [&] {
         return coarsen(arrays::sum, x, {{7, 1}});
       }},
      {"norm", [&] { return linalg::norm(x, 2, {.axis = 7}); }},
      {"sliding_window_view", [&] { return sliding_window_view(x, {2}, 7); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THAT(error_of(call), AllOf(HasSubstr(name), HasSubstr(here_), HasSubstr("axis 7 is out of range"))) << name;
  }
}

TEST_F(WrongInputTest, ShapesThatDoNotFitAreToldByEachOperation) {
  const Array x = ones({3, 4}), y = ones({4, 3});
  const std::map<std::string, std::function<Array()>> calls{
      {"where", [&] { return where(x > 0, x, y); }},
      {"matmul", [&] { return matmul(x, x); }},
      {"tensordot", [&] { return tensordot(x, x, {0}, {1}); }},
      {"concatenate",
       [&] {
         return concatenate({x, y});
       }},
      {"stack",
       [&] {
         return stack({x, y});
       }},
      {"reshape",
       [&] {
         return reshape(x, {5, 5});
       }},
      {"histogram", [&] { return histogram(x, 4, {.weights = y}).counts; }},
      {"average", [&] { return average(x, y); }},
      {"map_blocks",
       [&] {
         return map_blocks({x, y}, [](NDArray a, NDArray) { return a; });
       }},
      {"blockwise",
       [&] {
         return blockwise([](NDArray a, NDArray) { return a; }, "ij", {{x, "ij"}, {y, "ij"}});
       }},
      {"solve", [&] { return linalg::solve(eye(3), ones({4})); }},
      {"set", [&] { return x.set({0}, ones({7})); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THAT(error_of(call), AllOf(HasSubstr(name), HasSubstr(here_), HasSubstr("("), HasSubstr(", "))) << name;
  }
  EXPECT_THAT(error_of([&] { x.view(float32); }),
              AllOf(HasSubstr("view " + here_), HasSubstr("float64 cannot be read as float32")));
  EXPECT_THAT(error_of([&] { x({0, 1}, {0, 1, 2}); }), AllOf(HasSubstr(here_), HasSubstr("2 and 3 places")));
}

TEST_F(WrongInputTest, SizesOfChunksAreToldWithTheCallAndItsLine) {
  const Array x = ones({3, 5});
  const std::map<std::string, std::function<Array()>> calls{
      {"zeros", [&] { return zeros({3}, {.chunks = 0}); }},
      {"ones", [&] { return ones({3}, {.chunks = -2}); }},
      {"full",
       [&] {
         return full({3}, 1, {.chunks = {{2, 2}}});
       }},
      {"arange", [&] { return arange(9, {.chunks = 0}); }},
      {"linspace", [&] { return linspace(0, 1, 9, {.chunks = 0}); }},
      {"indices",
       [&] {
         return indices({3, 3}, 0, {.chunks = 0});
       }},
      {"random::uniform", [&] { return random::uniform({3}, {.chunks = 0}); }},
      {"random::gamma", [&] { return random::gamma(2, 1, {3}, {.chunks = 0}); }},
      {"random::permutation", [&] { return random::permutation(9, {.chunks = 0}); }},
      {"from_ndarray",
       [&] {
         return from_ndarray(NDArray::of(std::vector<int>{1, 2}), 0);
       }},
      {"rechunk",
       [&] {
         return x.rechunk({{1, 1}, {5}});
       }},
      {"from_function", [&] { return from_function({3}, [](ChunkView<double, 1>) {}, {.chunks = 0}); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THAT(error_of(call), AllOf(HasSubstr(name + " " + here_), HasSubstr("chunk"))) << name;
  }
}

TEST_F(WrongInputTest, StepsOfZeroAreToldWithTheLine) {
  const Array x = arange(9);
  EXPECT_THAT(error_of([&] { x(slice(0, 3, 0)); }), AllOf(HasSubstr("index " + here_), HasSubstr("step of zero")));
  EXPECT_THAT(error_of([&] { x.set({slice(0, 3, 0)}, 1); }), AllOf(HasSubstr("set " + here_), HasSubstr("zero")));
  EXPECT_THAT(error_of([&] { delete_(x, slice(0, 3, 0), 0); }), AllOf(HasSubstr(here_), HasSubstr("zero")));
  EXPECT_THAT(error_of([&] { arange(0, 3, 0); }), AllOf(HasSubstr("arange " + here_), HasSubstr("step is zero")));
}

TEST_F(WrongInputTest, NumbersOutOfRangeAreToldWhereTheyArePut) {
  const Array x = zeros({3}, {.dtype = uint8});
  const std::map<std::string, std::function<Array()>> calls{
      {"add", [&] { return x + 300; }},
      {"maximum", [&] { return maximum(x, -1); }},
      {"set", [&] { return x.set({0}, 256); }},
      {"full", [&] { return full({3}, -1, {.dtype = uint8}); }},
      {"full_like", [&] { return full_like(x, 300); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THAT(error_of(call), AllOf(HasSubstr(name + " " + here_), HasSubstr("out of the range of uint8"))) << name;
  }
  EXPECT_THAT(error_of([&] { x.set({0}, NAN); }), AllOf(HasSubstr("set " + here_), HasSubstr("uint8")));
  EXPECT_THAT(error_of([&] { ones({3}).set({0}, std::complex<double>(0, 1)); }), HasSubstr("set " + here_));
}

TEST_F(WrongInputTest, IntegersHaveNoNegativePowers) {
  const Array x = arange(-2, 3);
  EXPECT_THAT(error_of([&] { power(x, -1); }),
              AllOf(HasSubstr("power " + here_), HasSubstr("negative integer powers are not allowed")));
  EXPECT_THAT(error_of([&] { client_.compute(power(x, x)); }), HasSubstr("negative integer powers are not allowed"));
  EXPECT_EQ(client_.compute(power(x.astype(float64), -1)(4)).item<double>(), 0.5);
}

TEST_F(WrongInputTest, WhatNeedsExtentsTellsItsNameAndLine) {
  const Array x = arange(9), unknown = x(x > 3);
  const std::map<std::string, std::function<Array()>> calls{
      {"sort", [&] { return sort(unknown); }},
      {"argsort", [&] { return argsort(unknown); }},
      {"topk", [&] { return topk(unknown, 2); }},
      {"median", [&] { return median(unknown); }},
      {"matmul", [&] { return matmul(unknown(newaxis), x); }},
      {"einsum", [&] { return einsum("i->", {unknown}); }},
      {"diff", [&] { return diff(unknown); }},
      {"insert", [&] { return insert(unknown, 0, 1, 0); }},
      {"delete_", [&] { return delete_(unknown, 0, 0); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THAT(error_of(call), AllOf(HasSubstr(name + " " + here_), HasSubstr("compute_chunk_sizes"))) << name;
  }
  EXPECT_EQ(client_.compute(matmul(unknown, unknown)).item<std::int64_t>(), 16 + 25 + 36 + 49 + 64);
}

TEST_F(WrongInputTest, TypesThatAnOperationDoesNotTakeAreNamed) {
  const Array x = ones({3});
  EXPECT_THAT(error_of([&] { bitwise_and(x, 1); }), AllOf(HasSubstr(here_), HasSubstr("float64")));
  EXPECT_THAT(error_of([&] { -(x > 0); }), AllOf(HasSubstr(here_), HasSubstr("bool")));
  EXPECT_THAT(error_of([&] { x(x); }), AllOf(HasSubstr(here_), HasSubstr("mask of bools")));
  const Array t = arange(datetime("2024-01-01"), datetime("2024-01-04"));
  EXPECT_THAT(error_of([&] { t + t; }), HasSubstr("datetime64[D]"));
  EXPECT_THAT(error_of([&] { sqrt(t); }), HasSubstr("datetime64[D]"));
}

TEST_F(WrongInputTest, AnIndexOutOfBoundsIsToldWithAxisAndExtent) {
  const Array x = ones({3, 4});
  EXPECT_THAT(error_of([&] { x(3); }),
              AllOf(HasSubstr(here_), HasSubstr("index 3 is out of bounds for axis 0 of extent 3")));
  EXPECT_THAT(error_of([&] { x(0, -5); }), HasSubstr("index -5 is out of bounds for axis 1 of extent 4"));
  EXPECT_THAT(error_of([&] { take(x, {0, 4}, 1); }), HasSubstr("place 4 is out of bounds"));
  EXPECT_THAT(error_of([&] { vindex(x, {{0}, {9}}); }), HasSubstr("place 9 is out of bounds"));
  EXPECT_THAT(error_of([&] { x(0, 0, 0); }), HasSubstr("3 indices were given for an array of shape (3, 4)"));
  EXPECT_THAT(error_of([&] { x(slice(none, none, 0)); }), HasSubstr("step"));
}

TEST_F(WrongInputTest, AChunkSizeOfZeroIsRefusedWithWhatToGive) {
  EXPECT_THAT(error_of([] {
                ones({3, 4}, {.chunks = {3, 0}});
              }),
              AllOf(HasSubstr("axis 1 is 0"), HasSubstr("-1 for the whole")));
  EXPECT_THAT(error_of([] { ones({3, 4}).rechunk(0); }), HasSubstr("is 0"));
  EXPECT_THAT(error_of([] { ones({5}, {.chunks = {{2, 2}}}); }), AllOf(HasSubstr("add up to 4"), HasSubstr("5")));
}

TEST_F(WrongInputTest, UnknownExtentsAreRefusedWhereAKnownOneIsNeeded) {
  const Array some = arange(10, {.chunks = 4});
  const Array chosen = some(some > 3);
  for (const std::string& error :
       {error_of([&] { chosen(2); }), error_of([&] {
          reshape(chosen, {2, 3});
        }),
        error_of([&] { cumsum(chosen); }), error_of([&] { roll(chosen, 1, 0); }), error_of([&] { chosen.set({0}, 1); }),
        error_of([&] { map_overlap(chosen, [](NDArray in) { return in; }, {.depth = 1}); })}) {
    EXPECT_THAT(error, AllOf(HasSubstr(here_), HasSubstr("compute_chunk_sizes")));
  }
  EXPECT_THAT(error_of([&] { chosen + some(some > 4); }), HasSubstr("compute_chunk_sizes"));
}

TEST_F(WrongInputTest, AKernelThatReturnsAnotherShapeThanDeclaredNamesTheChunk) {
  const Array x = ones({4}, {.chunks = 2});
  const Array wrong = map_blocks(x, [](NDArray) { return NDArray(float64, Shape{7}); });
  EXPECT_THAT(error_of([&] { client_.compute(wrong); }),
              AllOf(HasSubstr("(7,)"), HasSubstr("for chunk ("), HasSubstr("(2,)")));
}

TEST_F(WrongInputTest, WhatThrowsWhileItRunsIsToldWithTheChunk) {
  const Array x = rechunk(reshape(arange(12.0), {4, 3}), {2, 3});
  const auto refuse = [](double value) -> double {
    if (value == 7) throw std::out_of_range("seven is too much");
    return value;
  };
  EXPECT_THAT(
      error_of([&] { client_.compute(elementwise(refuse, x)); }),
      AllOf(HasSubstr("seven is too much (chunk (1, 0)"), HasSubstr("shape (2, 3)"), HasSubstr("out_of_range")));
  EXPECT_THAT(error_of([&] { client_.compute(sum(elementwise(refuse, x))); }),
              AllOf(HasSubstr("seven"), HasSubstr("(chunk ("), HasSubstr("of what is reduced")));
  EXPECT_THAT(error_of([&] { client_.compute(linalg::inv(zeros({3, 3}))); }), HasSubstr("(chunk (0, 0) of "));
  // What only the merge of many chunks finds.
  const Array chosen = broadcast_to(arange(6.0, {.chunks = 2}) == 4.0, {40, 6});
  const Array half = rechunk(where(chosen, Scalar(std::nan("")), Scalar(1.0)), {1, 2});
  EXPECT_THAT(error_of([&] { client_.compute(nanargmin(half, {.axis = 0})); }),
              AllOf(HasSubstr("nanargmin: all"), HasSubstr("chunk (2,) of the result of nanargmin, of shape (2,)"),
                    HasSubstr("arrays_wrong_input_test.cpp:")));
  EXPECT_THAT(error_of([&] { client_.compute(max(half(half > 5.0))); }),
              AllOf(HasSubstr("max: the mask"), HasSubstr("chunk () of the result of max, of shape ()")));
  EXPECT_THAT(error_of([&] { client_.compute(bincount(arange(4, {.chunks = 2}) - 3)); }), HasSubstr("(chunk ("));
}

TEST_F(WrongInputTest, NotANumberIsRefusedWhereItCannotGo) {
  const Array x = full({4}, std::nan(""), {.chunks = 2});
  EXPECT_THAT(error_of([&] { client_.compute(nanargmax(x)); }), HasSubstr("NaN"));
  EXPECT_THAT(error_of([&] { quantile(ones({4}), std::nan("")); }), HasSubstr("quantile"));
}

TEST_F(WrongInputTest, IntegersOverflowAsNumpysDo) {
  const Array most = full({2}, 127, {.dtype = int8});
  EXPECT_EQ(client_.compute(most + most).at<std::int8_t>(0), -2);
  EXPECT_EQ(client_.compute(most.sum()).item<std::int64_t>(), 254);
  EXPECT_EQ(client_.compute(most.sum({.dtype = int8})).item<std::int8_t>(), -2);
  // A number that the type cannot hold is no operand of it.
  EXPECT_THAT(error_of([&] { most + 300; }), AllOf(HasSubstr("300"), HasSubstr("int8")));
}

TEST_F(WrongInputTest, FloatsThatAnIntegerDoesNotHoldAreConvertedAsNumpysAre) {
  const std::vector<double> values{3e9, -3e9, 1e20, std::nan(""), HUGE_VAL, 5e9, 300.7, -1.5, 9.3e18, -5};
  const Array x = from_ndarray(NDArray::of(values, {10}), 3);
  const auto whole = [&](Dtype dtype) { return client_.compute(x.astype(dtype).astype(float64)).to_vector<double>(); };
  const double least = -2147483648.0, half = 9223372036854775808.0;
  EXPECT_THAT(whole(int8), ElementsAre(0, 0, 0, 0, 0, 0, 44, -1, 0, -5));
  EXPECT_THAT(whole(uint16), ElementsAre(0, 0, 0, 0, 0, 0, 300, 65535, 0, 65531));
  EXPECT_THAT(whole(int32), ElementsAre(least, least, least, least, least, least, 300, -1, least, -5));
  EXPECT_THAT(whole(uint32), ElementsAre(3e9, -least, 0, -least, 0, 0, 300, 4294967295, 0, 4294967291));
  EXPECT_THAT(whole(int64), ElementsAre(3e9, -3e9, -half, -half, -half, 5e9, 300, -1, -half, -5));
  EXPECT_THAT(whole(uint64), ElementsAre(3e9, 2 * half - 3e9, 0, half, 0, 5e9, 300, 2 * half, 9.3e18, 2 * half));
}

TEST_F(WrongInputTest, MediansOfSpansKeepTheirBits) {
  const Dtype spans = Dtype::parse("timedelta64[ns]");
  const auto of = [&](const std::vector<std::int64_t>& counts) {
    return from_ndarray(NDArray::of(counts, {counts.size()}), 2).view(spans);
  };
  const auto count = [&](const Array& median) { return client_.compute(median.view(int64)).item<std::int64_t>(); };
  constexpr std::int64_t kBig = std::int64_t{1} << 62, kNone = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(count(median(of({kBig + 1, 5, kBig + 3}))), kBig + 1);
  EXPECT_EQ(count(median(of({kBig / 2 + 1, kBig / 2 + 8, -7, -8}))), kBig / 4 - 3);
  EXPECT_EQ(count(median(of({-7, -8}))), -7);
  EXPECT_EQ(count(median(of({kBig + 1, kNone, 5}))), kNone);
  EXPECT_EQ(count(nanmedian(of({kBig + 1, kNone, 5, kBig + 9}))), kBig + 1);
  EXPECT_EQ(count(nanmedian(of({kNone}))), kNone);
  // The largest span is a span.
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(client_.compute(sort(of({kMost, 3, kNone})).view(int64)).at<std::int64_t>(1), kMost);
}

TEST_F(WrongInputTest, ASingularMatrixIsToldWhenItIsFactored) {
  EXPECT_THAT(error_of([&] { client_.compute(linalg::inv(zeros({3, 3}))); }), HasSubstr("singular"));
  EXPECT_THAT(error_of([&] { linalg::inv(zeros({3, 4})); }), HasSubstr("(3, 4)"));
}

TEST_F(WrongInputTest, NonsenseOfEinsumIsRefused) {
  const Array x = ones({3, 4});
  EXPECT_THAT(error_of([&] { einsum("ij,jk->ik", {x}); }), HasSubstr("einsum " + here_));
  EXPECT_THAT(error_of([&] { einsum("ij->ijk", {x}); }), HasSubstr("k"));
  EXPECT_THAT(error_of([&] { einsum("i->i", {x}); }), HasSubstr("has 2 axes"));
  EXPECT_THAT(error_of([&] { einsum("ij,ij", {x, ones({4, 3})}); }), HasSubstr("einsum"));
}

TEST_F(WrongInputTest, ATypeThatDoesNotExistNamesTheNearest) {
  EXPECT_THAT(error_of([] { Dtype::parse("flaot64"); }), AllOf(HasSubstr("flaot64"), HasSubstr("float64")));
  EXPECT_THAT(error_of([] { Dtype::parse("float16"); }), HasSubstr("float16"));
}

TEST_F(WrongInputTest, MoreElementsThan63BitsCountAreRefused) {
  EXPECT_THAT(error_of([] { ones({std::int64_t{1} << 32, std::int64_t{1} << 31}).size(); }), HasSubstr("63 bits"));
  EXPECT_THAT(error_of([] { broadcast_to(ones({1}), {std::int64_t{1} << 62, 4}).size(); }), HasSubstr("63 bits"));
}

TEST_F(WrongInputTest, ElementsOfAnotherTypeAreRefusedNamingBoth) {
  const NDArray values = client_.compute(ones({3}));
  EXPECT_THAT(error_of([&] { values.span<float>(); }), AllOf(HasSubstr("float32"), HasSubstr("float64")));
  EXPECT_THAT(error_of([&] { values.item<double>(); }), HasSubstr("(3,)"));
  EXPECT_THAT(error_of([&] { values.to_vector<std::int64_t>(); }), HasSubstr("int64"));
}

TEST_F(WrongInputTest, AnArrayThatWasNeverMadeIsRefused) {
  EXPECT_THAT(error_of([] { Array().shape(); }), HasSubstr("Array"));
}

}  // namespace
}  // namespace weft
