#include "arrays/kernels/fftw.hpp"

#include <gtest/gtest.h>

#include <complex>
#include <random>
#include <vector>

namespace weft::arrays::kernels {
namespace {

TEST(FftwTest, ComplexTransformsAreThoseOfPocketfft) {
  if (!fftw_found()) GTEST_SKIP() << "there is no libfftw3.so.3 here";
  if (!has_fft()) GTEST_SKIP() << "this build found no pocketfft";
  using C = std::complex<double>;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<C> in(6 * 10 * 7);
  for (C& value : in) value = {normal(random), normal(random)};
  for (const bool forward : {true, false}) {
    for (const std::vector<std::size_t>& axes : {std::vector<std::size_t>{1}, {0, 2}, {0, 1, 2}}) {
      // The result lies with its axes the other way round.
      const FftWork work{{6, 10, 7}, {70 * 16, 7 * 16, 16}, {16, 6 * 16, 60 * 16}, axes, forward, 0.25};
      std::vector<C> wanted(in.size()), got(in.size());
      fft_complex<double>(work, reinterpret_cast<const std::byte*>(in.data()),
                          reinterpret_cast<std::byte*>(wanted.data()));
      fftw_complex<double>(work, reinterpret_cast<const std::byte*>(in.data()),
                           reinterpret_cast<std::byte*>(got.data()));
      for (std::size_t i = 0; i < in.size(); ++i) ASSERT_LT(std::abs(wanted[i] - got[i]), 1e-12) << i;
    }
  }
}

}  // namespace
}  // namespace weft::arrays::kernels
