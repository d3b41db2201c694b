// Some hundred expressions as users write them, in chunks of 1, 2, 3 and one, against NumPy's answers.
#pragma GCC optimize("O0")  // It runs for a second, and would be compiled for a minute.
#include <gtest/gtest.h>

#include "tests/arrays/oracle/named_cases.hpp"

// What programs write that need no qualified name.
using namespace weft;          // NOLINT
using namespace weft::arrays;  // NOLINT

namespace {

/// The arrays that the expressions are made of; write_named_answers.py has the same.
struct Inputs {
  explicit Inputs(const Chunks& cut)
      : a(arange(24, {.chunks = cut})),
        m(rechunk(reshape(a, {4, 6}), cut)),
        t(rechunk(reshape(a, {2, 3, 4}), cut)),
        f(sin(m * 1.7) * 3),
        z(zeros({0, 3}, {.chunks = cut})),
        s(full({}, Scalar(2.5))),
        b(m % 3 == 0),
        i8((a * 11).astype(int8)),
        u8((a * 11).astype(uint8)),
        c(f + f(slice(none, none, -1)) * Scalar(std::complex<double>(0, 1))),
        fn(log(f)),
        b2(a(slice(0, 2)) > 0),
        b34(reshape(a(slice(0, 12)), {3, 4}) % 2 == 0),
        b_i(b.astype(int16)),
        i8m((reshape(a(slice(0, 16)), {4, 4}) * 5).astype(int8)),
        sq(cos(rechunk(reshape(arange(25), {5, 5}), cut) * 1.3) + eye(5) * 2),
        spd(matmul(sq, transpose(sq)) + eye(5)),
        dates(arange(datetime("2024-01-01"), datetime("2024-01-11"), timedelta(1, TimeUnit::Day), {.chunks = cut})) {}
  Array a, m, t, f, z, s, b, i8, u8, c, fn, b2, b34, b_i, i8m, sq, spd, dates;
};

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double none_hi = inf;

#define WEFT_EXPRESSION(numpy, ...)                                                                                 \
  {numpy, [](const Chunks& chunks) -> Array {                                                                       \
     const Inputs inputs(chunks);                                                                                   \
     [[maybe_unused]] const auto& [a, m, t, f, z, s, b, i8, u8, c, fn, b2, b34, b_i, i8m, sq, spd, dates] = inputs; \
     return __VA_ARGS__;                                                                                            \
   }},

const oracle::NamedCases& expressions() {
  static const oracle::NamedCases cases{
#include "tests/arrays/oracle/expressions.inc"
  };
  return cases;
}

const oracle::NamedCases& spectra() {
  static const oracle::NamedCases cases{
#include "tests/arrays/oracle/spectra.inc"
  };
  return cases;
}

constexpr double kLooser = 2e-12;

TEST(ArrayExpressionsTest, ExpressionsGiveNumpysAnswersInAnyChunks) {
  for (const int chunk : {1, 2, 3, 100}) {
    EXPECT_EQ(oracle::run_named("expressions", expressions(), chunk, "sync", kLooser), "") << "chunks of " << chunk;
  }
}

TEST(ArrayExpressionsTest, SpectraAreNumpys) {
  if (!fft::available()) GTEST_SKIP() << "this build found no pocketfft";
  for (const int chunk : {1, 2, 3, 100}) {
    EXPECT_EQ(oracle::run_named("spectra", spectra(), chunk, "threads", kLooser), "") << "chunks of " << chunk;
  }
}

}  // namespace
