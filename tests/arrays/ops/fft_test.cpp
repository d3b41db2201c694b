// Fourier transforms beside NumPy's answers, of axes in one chunk and in many.
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using fft::Norm;
using oracle::operand;
using testing::HasSubstr;

#define WEFT_NEEDS_FFT() \
  if (!fft::available()) GTEST_SKIP() << "this build found no pocketfft"

Array reals(const Chunks& c) { return operand("float64", {5, 6}, 0, c); }
Array complexes(const Chunks& c) { return operand("complex128", {5, 6}, 0, c); }
Array single(const Chunks& c) { return operand("float32", {5, 6}, 0, c); }
Array cube(const Chunks& c) { return operand("float64", {4, 3, 5}, 0, c); }
Array box(const Chunks& c) { return operand("complex128", {4, 3, 5}, 0, c); }
Array vector(const Chunks& c) { return operand("float64", {23}, 0, c); }
Array few(const Chunks& c) { return operand("complex64", {7}, 0, c); }

oracle::NamedCases one_axis() {
  return {
      WEFT_CASE("fft", fft::fft(reals(c))),
      WEFT_CASE("fft_0", fft::fft(reals(c), {.axis = 0})),
      WEFT_CASE("fft_complex", fft::fft(complexes(c))),
      WEFT_CASE("fft_complex_0", fft::fft(complexes(c), {.axis = 0})),
      WEFT_CASE("fft_integers", fft::fft(operand("int64", {5, 6}, 0, c))),
      WEFT_CASE("fft_float32", fft::fft(single(c))),
      WEFT_CASE("fft_complex64", fft::fft(few(c))),
      WEFT_CASE("fft_bool", fft::fft(reals(c) > 0)),
      WEFT_CASE("fft_long", fft::fft(reals(c), {.n = 9})),
      WEFT_CASE("fft_short", fft::fft(complexes(c), {.axis = 0, .n = 3})),
      WEFT_CASE("fft_one", fft::fft(reals(c), {.n = 1})),
      WEFT_CASE("fft_cube", fft::fft(cube(c), {.axis = 1})),
      WEFT_CASE("fft_ortho", fft::fft(reals(c), {.norm = Norm::Ortho})),
      WEFT_CASE("fft_forward", fft::fft(reals(c), {.norm = Norm::Forward})),
      WEFT_CASE("ifft", fft::ifft(complexes(c))),
      WEFT_CASE("ifft_real", fft::ifft(reals(c), {.axis = 0})),
      WEFT_CASE("ifft_long", fft::ifft(complexes(c), {.axis = 0, .n = 8})),
      WEFT_CASE("ifft_forward", fft::ifft(complexes(c), {.norm = Norm::Forward})),
      WEFT_CASE("rfft", fft::rfft(reals(c))),
      WEFT_CASE("rfft_odd", fft::rfft(reals(c), {.axis = 0})),
      WEFT_CASE("rfft_short", fft::rfft(reals(c), {.n = 4})),
      WEFT_CASE("rfft_float32", fft::rfft(single(c))),
      WEFT_CASE("rfft_long", fft::rfft(vector(c), {.n = 30})),
      WEFT_CASE("rfft_ortho", fft::rfft(vector(c), {.norm = Norm::Ortho})),
      WEFT_CASE("irfft", fft::irfft(complexes(c))),
      WEFT_CASE("irfft_odd", fft::irfft(complexes(c), {.axis = 0, .n = 7})),
      WEFT_CASE("irfft_real", fft::irfft(reals(c))),
      WEFT_CASE("irfft_complex64", fft::irfft(few(c))),
      WEFT_CASE("irfft_long", fft::irfft(complexes(c), {.n = 14})),
      WEFT_CASE("hfft", fft::hfft(complexes(c))),
      WEFT_CASE("hfft_9", fft::hfft(complexes(c), {.axis = 0, .n = 9})),
      WEFT_CASE("hfft_ortho", fft::hfft(complexes(c), {.norm = Norm::Ortho})),
      WEFT_CASE("ihfft", fft::ihfft(reals(c))),
      WEFT_CASE("ihfft_forward", fft::ihfft(reals(c), {.axis = 0, .norm = Norm::Forward})),
      WEFT_CASE("there_and_back", fft::irfft(fft::rfft(vector(c)), {.n = 23})),
  };
}

oracle::NamedCases several_axes() {
  return {
      WEFT_CASE("fft2", fft::fft2(reals(c))),
      WEFT_CASE("fft2_cube", fft::fft2(box(c))),
      WEFT_CASE("fft2_s", fft::fft2(reals(c), {.s = {3, 8}})),
      WEFT_CASE("fft2_axes", fft::fft2(box(c), {.axes = {2, 0}})),
      WEFT_CASE("ifft2", fft::ifft2(complexes(c))),
      WEFT_CASE("rfft2", fft::rfft2(reals(c))),
      WEFT_CASE("rfft2_axes", fft::rfft2(cube(c), {.axes = {2, 0}})),
      WEFT_CASE("irfft2", fft::irfft2(complexes(c))),
      WEFT_CASE("irfft2_s", fft::irfft2(complexes(c), {.s = {4, 7}})),
      WEFT_CASE("fftn", fft::fftn(cube(c))),
      WEFT_CASE("fftn_complex", fft::fftn(box(c))),
      WEFT_CASE("fftn_s", fft::fftn(cube(c), {.s = {6, 2, 5}})),
      WEFT_CASE("ifftn", fft::ifftn(box(c), {.norm = Norm::Ortho})),
      WEFT_CASE("ifftn_axes", fft::ifftn(box(c), {.axes = {1}})),
      WEFT_CASE("rfftn", fft::rfftn(cube(c))),
      WEFT_CASE("rfftn_axes", fft::rfftn(cube(c), {.axes = {0, 1}})),
      WEFT_CASE("irfftn", fft::irfftn(box(c))),
      WEFT_CASE("irfftn_axes", fft::irfftn(box(c), {.axes = {1, 0}})),
      WEFT_CASE("fftfreq", fft::fftfreq(8, 0.1, {.chunks = c})),
      WEFT_CASE("fftfreq_odd", fft::fftfreq(7, 1, {.chunks = c})),
      WEFT_CASE("rfftfreq", fft::rfftfreq(9, 2.0, {.chunks = c})),
      WEFT_CASE("fftshift", fft::fftshift(reals(c))),
      WEFT_CASE("fftshift_0", fft::fftshift(cube(c), 0)),
      WEFT_CASE("ifftshift", fft::ifftshift(reals(c))),
      WEFT_CASE("ifftshift_axes", fft::ifftshift(cube(c), {0, 2})),
  };
}

class FftTest : public testing::TestWithParam<int> {};

TEST_P(FftTest, AnswersAreNumPys) {
  WEFT_NEEDS_FFT();
  oracle::NamedCases cases = one_axis();
  const oracle::NamedCases more = several_axes();
  cases.insert(more.begin(), more.end());
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("transforms", cases, chunks, GetParam() == 2 ? "sync" : "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, FftTest, testing::Values(1, 2, 3, 100));

double furthest(const Client& client, const Array& a, const Array& b) {
  return client.compute(max(abs(a - b))).item<double>();
}

TEST(FftVectorTest, ALongVectorInChunksIsTransformedInParts) {
  WEFT_NEEDS_FFT();
  const Client client({.scheduler = "threads"});
  for (const std::int64_t n : {std::int64_t{1} << 16, std::int64_t{90'000}, std::int64_t{65'539}}) {
    const Array x = client.persist(random::uniform({n}, {.chunks = 9'001, .seed = 3}));
    const Array whole = rechunk(x, -1);
    const Array parts = fft::fft(x);
    EXPECT_EQ(parts.shape(), Shape(n));
    EXPECT_LT(furthest(client, parts, fft::fft(whole)), 1e-9) << n;
    EXPECT_LT(furthest(client, fft::ifft(parts), x), 1e-12) << n;
  }
}

TEST(FftVectorTest, NoTaskOfALongVectorHoldsAllOfIt) {
  WEFT_NEEDS_FFT();
  const Array x = random::uniform({1 << 20}, {.chunks = 1 << 17, .seed = 3});
  const Array spectrum = fft::fft(x);
  EXPECT_EQ(spectrum.chunks(), x.chunks());
}

TEST(FftVectorTest, AWaveIsOneLine) {
  WEFT_NEEDS_FFT();
  const Client client({.scheduler = "threads"});
  const std::int64_t n = 1 << 17;
  const Array t = arange(n, {.chunks = 10'000}) * (2 * std::numbers::pi * 5 / static_cast<double>(n));
  const NDArray size = client.compute(abs(fft::fft(cos(t))));
  for (const std::int64_t line : {std::int64_t{5}, n - 5}) {
    EXPECT_NEAR(size.at<double>(line), static_cast<double>(n) / 2, 1e-6);
  }
  EXPECT_NEAR(client.compute(sum(abs(fft::fft(cos(t))))).item<double>(), static_cast<double>(n), 1e-4);
}

TEST(FftChunksTest, AnAxisInChunksCutsTheOthersInstead) {
  WEFT_NEEDS_FFT();
  const Client client({.scheduler = "threads"});
  const Array x = client.persist(random::uniform({64, 60}, {.chunks = {16, 10}, .seed = 4}));
  const Array along = fft::fft(x, {.axis = 0});
  EXPECT_EQ(along.numblocks()[0], 1);
  EXPECT_GE(along.numblocks()[1], 24);
  EXPECT_LT(furthest(client, along, fft::fft(rechunk(x, -1), {.axis = 0})), 1e-12);
}

TEST(FftErrorTest, WhatCannotBeTransformedIsRefusedWhereItIsWritten) {
  WEFT_NEEDS_FFT();
  const Array x = ones({4, 6});
  EXPECT_THAT(error_of([&] { fft::fft(x, {.n = 0}); }), HasSubstr("the number of elements is 0; it is 1 at least"));
  EXPECT_THAT(error_of([&] { fft::fft(x, {.axis = 2}); }), HasSubstr("fft_test.cpp"));
  EXPECT_THAT(error_of([&] { fft::fft(ones({})); }), HasSubstr("without dimensions"));
  EXPECT_THAT(error_of([&] { fft::rfft(x.astype(complex128)); }), HasSubstr("takes real numbers, not complex128"));
  EXPECT_THAT(error_of([&] { fft::irfft(ones({1})); }), HasSubstr("the number of elements is 0"));
  EXPECT_THAT(error_of([&] { fft::fft2(ones({3})); }), HasSubstr("fft2"));
  EXPECT_THAT(error_of([&] { fft::fftn(x, {.axes = {0, 0}}); }), HasSubstr("an axis is named twice"));
  EXPECT_THAT(error_of([&] { fft::fftn(x, {.axes = {0}, .s = {1, 2}}); }), HasSubstr("2 lengths for 1 axes"));
  EXPECT_THAT(error_of([&] { fft::fft(x(x > 0)); }), HasSubstr("compute_chunk_sizes"));
}

TEST(FftErrorTest, WithoutTheLibraryASentenceSaysHowToGetIt) {
  if (fft::available()) GTEST_SKIP() << "this build has pocketfft";
  EXPECT_THAT(error_of([] { fft::fft(ones({4})); }), HasSubstr("pocketfft_hdronly.h"));
}

}  // namespace
}  // namespace weft
