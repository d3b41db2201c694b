// Hundreds of expressions that put types, masks, empty arrays, times and complex numbers together, in even and ragged
// chunks, against NumPy's answers; and those that NumPy refuses.
#pragma GCC optimize("O0")  // It runs for a second, and would be compiled for a minute.
#include <gtest/gtest.h>

#include "tests/arrays/oracle/named_cases.hpp"

#include <weft/error.hpp>

// What programs write that need no qualified name.
using namespace weft;          // NOLINT
using namespace weft::arrays;  // NOLINT

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const std::complex<double> cj(0, 1);

/// Chunks of this size stand for ragged ones: 1, 3, 2, 1, 3, 2, ...
constexpr int kRagged = 4;

Array cut_as(const Array& array, const Chunks& chunks) {
  if (chunks.each()->size() != kRagged) return rechunk(array, chunks);
  std::vector<AxisChunks> axes;
  for (const std::int64_t extent : array.shape()) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t left = extent, next = 1; left > 0; next = next % 3 == 0 ? 2 : 5 - 2 * next) {
      sizes.push_back(std::min(left, next));
      left -= sizes.back();
    }
    if (sizes.empty()) sizes.push_back(0);
    axes.emplace_back(sizes);
  }
  return rechunk(array, Chunks(axes));
}

/// The arrays that the expressions are made of; write_named_answers.py has the same.
struct Inputs {
  Array i32 = ((arange(7) * 5) % 9 - 4).astype(int32);
  Array u8 = reshape((arange(15) * 37).astype(uint8), {3, 5});
  Array i16 = reshape((arange(15) * 4001 - 30000).astype(int16), {3, 5});
  Array big = reshape(arange(6) * 3 + (std::int64_t{1} << 62), {2, 3});
  Array u64 = arange(6).astype(uint64) * 3 + Scalar(std::uint64_t{1} << 63, uint64);
  Array real = reshape(arange(60) * 7 % 31, {4, 5, 3}) / 4.0 - 3.0;
  Array f32 = real.astype(float32);
  Array d = where(reshape(arange(60), {4, 5, 3}) % 13 == 5, NAN, real);
  Array e = reshape(arange(36) * 11 % 17 - 5.0, {6, 6}) / 2;
  Array k = ((arange(5) - 2) + (arange(5) * 3 % 5 - 1) * cj).astype(complex64);
  Array K = where(reshape(arange(20), {4, 5}) % 7 == 4, NAN, reshape(arange(20) * 7 % 5 - 2.0, {4, 5})) +
            reshape(arange(20) * 3 % 7 - 3.0, {4, 5}) * cj;
  Array b = reshape(arange(60) * 5 % 7, {4, 5, 3}) < 3;
  Array o = full({}, Scalar(3, int8));
  Array of = full({}, Scalar(2.5F, float32));
  Array n = zeros({0, 4}, {.dtype = float32});
  Array r = reshape(arange(6), {1, 6});
  Array c1 = reshape(arange(6), {6, 1}) * 10;
  Array t = where(arange(8) % 5 == 3, not_a_time(datetime64(TimeUnit::Day)),
                  arange(datetime("2024-02-27"), datetime("2024-03-06")));
  Array ms = datetime("2024-02-28T12:30:00.250") + arange(8) * timedelta(3600123, TimeUnit::Milli);
  Array p =
      where(arange(8) % 5 == 3, not_a_time(timedelta64(TimeUnit::Hour)), arange(8) * timedelta(5, TimeUnit::Hour));
  Array v = (arange(13) * 5 % 13) / 2.0 - 2;

  explicit Inputs(const Chunks& chunks) {
    for (Array* const one :
         {&i32, &u8, &i16, &big, &u64, &f32, &d, &e, &k, &K, &b, &o, &of, &n, &r, &c1, &t, &ms, &p, &v}) {
      *one = cut_as(*one, chunks);
    }
  }
};

#define WEFT_EXPRESSION(numpy, ...)                                                                                   \
  {numpy, [](const Chunks& chunks) -> Array {                                                                         \
     const Inputs inputs(chunks);                                                                                     \
     [[maybe_unused]] const auto& [i32, u8, i16, big, u64, plain, f32, d, e, k, K, b, o, of, n, r, c1, t, ms, p, v] = \
         inputs;                                                                                                      \
     return __VA_ARGS__;                                                                                              \
   }},

const oracle::NamedCases& combinations() {
  static const oracle::NamedCases cases{
#include "tests/arrays/oracle/combinations.inc"
  };
  return cases;
}

const oracle::NamedCases& more() {
  static const oracle::NamedCases cases{
#include "tests/arrays/oracle/combinations_more.inc"
  };
  return cases;
}

const oracle::NamedCases& refused() {
  static const oracle::NamedCases cases{
#include "tests/arrays/oracle/refused.inc"
  };
  return cases;
}

constexpr double kLooser = 2e-12;

TEST(ArrayCombinationsTest, CombinationsGiveNumpysAnswersInAnyChunks) {
  for (const int chunk : {1, 2, 3, kRagged, 100}) {
    EXPECT_EQ(oracle::run_named("combinations", combinations(), chunk, "sync", kLooser), "") << "chunks of " << chunk;
  }
}

TEST(ArrayCombinationsTest, MoreCombinationsGiveNumpysAnswersInAnyChunks) {
  if (!fft::available()) GTEST_SKIP() << "this build found no pocketfft";
  for (const int chunk : {1, 2, 3, kRagged, 100}) {
    EXPECT_EQ(oracle::run_named("combinations_more", more(), chunk, "threads", kLooser), "") << "chunks of " << chunk;
  }
}

TEST(ArrayCombinationsTest, WhatNumpyRefusesIsRefused) {
  const Client client({.scheduler = "sync"});
  for (const auto& [name, build] : refused()) {
    for (const int chunk : {2, kRagged, 100}) {
      EXPECT_THROW(client.compute(build(chunk)), Error) << name << " in chunks of " << chunk;
    }
  }
}

}  // namespace
