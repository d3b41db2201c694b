// Where answers are not NumPy's, on purpose. Each test begins with a line "Differs from NumPy: ..."; tools/differences
// makes docs/differences.md of them.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/times.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "tests/arrays/error_of.hpp"
namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DifferencesTest : public testing::Test {
 protected:
  const Client client_{{.scheduler = "sync"}};
};

// Differs from NumPy: there is no float16. What NumPy computes in it, sqrt or sin of bool and of 8-bit integers, is
// float32 here.
TEST_F(DifferencesTest, SmallIntegersBecomeFloat32) {
  EXPECT_EQ(sqrt(ones({3}, {.dtype = int8})).dtype(), float32);
  EXPECT_EQ(sin(ones({3}, {.dtype = bool_})).dtype(), float32);
}

// Differs from NumPy: sums and means of float32 are computed in float64 and rounded once, so they are closer.
TEST_F(DifferencesTest, SumsOfFloat32AreExacter) {
  const Array x = full({1 << 20}, 0.1, {.dtype = float32});
  EXPECT_EQ(client_.compute(sum(x)).item<float>(), static_cast<float>(static_cast<double>(0.1F) * (1 << 20)));
}

// Differs from NumPy: a sum of several chunks is added in a tree of the chunks, so its last digits may be others; they
// are the same on any number of threads or processes.
TEST_F(DifferencesTest, SumsDependOnTheChunksAlone) {
  const Array x = random::uniform({100'000}, {.chunks = 999, .seed = 4});
  const double here = client_.compute(sum(x)).item<double>();
  const Client threads({.scheduler = "threads", .threads = 3});
  EXPECT_EQ(threads.compute(sum(x)).item<double>(), here);
}

// Differs from NumPy: the reciprocal of an integer zero is 0 (NumPy: the least number, with a warning). Nothing warns.
TEST_F(DifferencesTest, ReciprocalOfZero) {
  EXPECT_EQ(client_.compute(reciprocal(zeros({1}, {.dtype = int64}))).item<std::int64_t>(), 0);
}

// Differs from NumPy: random numbers are others. They are functions of the seed and the index alone, so neither chunks
// nor threads change them.
TEST_F(DifferencesTest, RandomNumbersAreFunctionsOfTheIndex) {
  const NDArray one = client_.compute(random::normal(0, 1, {30}, {.chunks = 7, .seed = 1}));
  const NDArray other = client_.compute(random::normal(0, 1, {30}, {.chunks = 30, .seed = 1}));
  EXPECT_EQ(one.to_vector<double>(), other.to_vector<double>());
}

// Differs from NumPy: `empty` gives zeros.
TEST_F(DifferencesTest, EmptyIsZero) {
  EXPECT_THAT(client_.compute(empty({2})).to_vector<double>(), ElementsAre(0, 0));
}

// Differs from NumPy: what a mask chooses, and unique, bincount and nonzero, have extents that only running can tell:
// -1 in shape(). What needs them says so; compute_chunk_sizes makes them known.
TEST_F(DifferencesTest, SomeExtentsAreToldByRunning) {
  const Array x = arange(10);
  EXPECT_EQ(x(x > 3).shape(), Shape(-1));
  EXPECT_EQ(unique(x).shape(), Shape(-1));
  EXPECT_THAT(error_of([&] { x(x > 3).reshape({2, 3}); }), HasSubstr("compute_chunk_sizes"));
  EXPECT_EQ(compute_chunk_sizes(client_, x(x > 3)).shape(), Shape(6));
}

// Differs from NumPy: unique takes no axis; complex numbers with a NaN in either part are one value, nan+nanj.
TEST_F(DifferencesTest, ComplexNaNsAreOneValue) {
  const std::vector<std::complex<double>> values{{NAN, 1}, {2, NAN}, {1, 1}};
  const NDArray different = client_.compute(unique(from_ndarray(NDArray::of(values))));
  EXPECT_EQ(different.size(), 2);
}

// Differs from NumPy: argsort, argtopk, searchsorted and isin refuse complex numbers; sort takes them.
TEST_F(DifferencesTest, ComplexNumbersHaveNoPlaces) {
  EXPECT_THAT(error_of([] { argsort(ones({3}, {.dtype = complex128})); }), HasSubstr("complex"));
}

// Differs from NumPy: partition sorts the whole axis.
TEST_F(DifferencesTest, PartitionSorts) {
  const Array x = arange(9, -1, -1);
  EXPECT_EQ(client_.compute(partition(x, 4)).to_vector<std::int64_t>(),
            client_.compute(sort(x)).to_vector<std::int64_t>());
}

// Differs from NumPy: weights whose sum is zero make an average of nan or infinity, not an error.
TEST_F(DifferencesTest, WeightsThatAddUpToNothing) {
  EXPECT_TRUE(std::isnan(client_.compute(average(ones({2}), zeros({2}))).item<double>()));
}

// Differs from NumPy: a histogram without a range of elements that are not all finite fails when it runs.
TEST_F(DifferencesTest, HistogramOfInfinity) {
  EXPECT_THAT(error_of([&] { client_.compute(histogram(log(arange(3))).counts); }), HasSubstr("range"));
}

// Differs from NumPy: an integer that does not fit the type of the array it is combined with is an error where the
// expression is built, as in NumPy 2; indices, axes and shapes that cannot be are too. Overflow itself wraps.
TEST_F(DifferencesTest, NumbersOutOfRangeAreRefusedEarly) {
  EXPECT_THAT(error_of([] { ones({2}, {.dtype = int8}) + 300; }), HasSubstr("out of the range of int8"));
  EXPECT_EQ(client_.compute(full({1}, 127, {.dtype = int8}) + 1).item<std::int8_t>(), -128);
}

// Differs from NumPy: `std` and `delete` are words of C++: they are called stddev (and x.std()) and delete_.
TEST_F(DifferencesTest, WordsOfTheLanguage) {
  EXPECT_EQ(client_.compute(stddev(arange(3))).item<double>(), client_.compute(arange(3).std()).item<double>());
  EXPECT_EQ(client_.compute(delete_(arange(3), std::vector<std::int64_t>{1}, 0)).size(), 2);
}

// Differs from NumPy: arrays are never changed. `x[index] = value` is a new array.
TEST_F(DifferencesTest, ArraysStayAsTheyAre) {
  const Array x = arange(4);
  const Array y = where(x > 1, 0, x);
  EXPECT_EQ(client_.compute(sum(x)).item<std::int64_t>(), 6);
  EXPECT_EQ(client_.compute(sum(y)).item<std::int64_t>(), 1);
}

// Differs from NumPy: an index has one mask, with slices and numbers beside it; several masks, or a mask and a list,
// are refused. Lists go together in pairs, as NumPy's.
TEST_F(DifferencesTest, AnIndexHasOneMask) {
  const Array x = arange(12).reshape({3, 4});
  EXPECT_THAT(error_of([&] { x(x(slice(), 0) > 0, x(0) > 1); }), HasSubstr("index one axis after the other"));
  EXPECT_THAT(error_of([&] { x(x(slice(), 0) > 0, {0, 1}); }), HasSubstr("index one axis after the other"));
  EXPECT_THAT(client_.compute(x({0, 2}, {3, 1})).to_vector<std::int64_t>(), ElementsAre(3, 9));
}

// Differs from NumPy: set takes lists of neighbouring axes in pairs, and a mask alone or, with a number to put there,
// beside slices and numbers; several masks, and a mask beside a list, are refused.
TEST_F(DifferencesTest, SettingTakesOneMask) {
  const Array x = zeros({2, 3}, {.dtype = int64});
  const Array columns = arange(3) > 0;
  EXPECT_THAT(client_.compute(x.set({0, columns}, 7)).to_vector<std::int64_t>(), ElementsAre(0, 7, 7, 0, 0, 0));
  EXPECT_THAT(error_of([&] { x.set({slice(), columns}, arange(2)); }), HasSubstr("where(mask, values, x)"));
  EXPECT_THAT(error_of([&] { x.set({arange(2) > 0, columns}, 1); }), HasSubstr("one mask or list"));
}

// Differs from NumPy: a real number divides the parts of a complex one by themselves, in mean too: where one is NaN the
// other stays.
TEST_F(DifferencesTest, PartsOfComplexNumbersAreDividedByThemselves) {
  const Array x = from_ndarray(NDArray::of(std::vector<std::complex<double>>{{NAN, 6}, {1, 2}}));
  const auto value = client_.compute(mean(x)).item<std::complex<double>>();
  EXPECT_TRUE(std::isnan(value.real()));
  EXPECT_EQ(value.imag(), 4);
}

// Differs from NumPy: the sign of NaT is NaT, and nansum leaves NaT out.
TEST_F(DifferencesTest, NotATimeHasNoSign) {
  const Array x =
      where(arange(3) == 1, not_a_time(timedelta64(TimeUnit::Day)), arange(3) * timedelta(2, TimeUnit::Day));
  EXPECT_THAT(client_.compute(isnat(sign(x))).to_vector<bool>(), ElementsAre(false, true, false));
  EXPECT_EQ(client_.compute(nansum(x).view(int64)).item<std::int64_t>(), 4);
}

// Differs from NumPy: an array without dimensions has no axis 0 to reduce.
TEST_F(DifferencesTest, ScalarsHaveNoAxes) {
  EXPECT_THAT(error_of([] { sum(full({}, 1), 0); }), HasSubstr("out of range for an array of 0 dimensions"));
}

// Differs from NumPy: the weights of a histogram are real.
TEST_F(DifferencesTest, WeightsOfHistogramsAreReal) {
  const Array x = arange(3);
  EXPECT_THAT(error_of([&] { histogram(x, 2, {.weights = x * std::complex<double>(0, 1)}); }), HasSubstr("complex128"));
}

// Differs from NumPy: linalg's functions take one matrix, as Dask's do; stacks of matrices are refused.
TEST_F(DifferencesTest, StacksOfMatricesAreRefused) {
  EXPECT_THAT(error_of([] { linalg::inv(ones({2, 3, 3})); }), HasSubstr("(2, 3, 3)"));
}

// Differs from NumPy: diagonal and trace are those of the first two axes; moveaxis moves one axis.
TEST_F(DifferencesTest, DiagonalsAreOfTheFirstTwoAxes) {
  const Array x = arange(12).reshape({2, 2, 3});
  EXPECT_THAT(client_.compute(trace(x)).to_vector<std::int64_t>(), ElementsAre(9, 11, 13));
  EXPECT_EQ(trace(transpose(x, {1, 2, 0})).shape(), (Shape{2}));
}

// Differs from NumPy: view reads elements as a type of the same size, never of another.
TEST_F(DifferencesTest, ViewsKeepTheSizeOfElements) {
  EXPECT_THAT(error_of([] { ones({4}).view(float32); }), HasSubstr("another size"));
}

}  // namespace
}  // namespace weft
