// Spectra over time and space: a wave that travels through two noisy fields, found in the power by period and by
// wavelength, and in how coherent the two are. The trend is taken off first, and a window keeps the ends apart.
#include <weft/weft.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace weft;

namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::int64_t kTimes = 1024, kRows = 64, kColumns = 64;

/// Of each place: less the straight line of least squares through its times.
Array detrended(const Array& x) {
  const Array time = (arange(kTimes) - (kTimes - 1) / 2.0).reshape({kTimes, 1, 1});
  const Array slope = sum(x * time, {.axis = 0, .keepdims = true}) / sum(square(time));
  return x - mean(x, {.axis = 0, .keepdims = true}) - slope * time;
}

/// One period in 32 times, one wavelength in 16 columns; `later`: times that the wave comes later.
Array wave(double later, std::uint64_t seed) {
  const Chunks chunks{kTimes / 4, kRows, kColumns};
  const Array time = arange(kTimes, {.chunks = kTimes / 4}).reshape({kTimes, 1, 1}) - later;
  const Array column = arange(kColumns);
  const Array noise = random::normal(0, 1, {kTimes, kRows, kColumns}, {.chunks = chunks, .seed = seed});
  return cos((time / 32 - column / 16) * (2 * kPi)) + time * 0.01 + noise;
}

/// The mean over all directions: each pair of wave numbers counts for its distance from 0, rounded.
Array isotropic(const Array& power) {
  const Array rows = fft::fftfreq(kRows, 1.0 / kRows).reshape({kRows, 1});
  const Array columns = fft::fftfreq(kColumns, 1.0 / kColumns);
  const Array ring = rint(sqrt(square(rows) + square(columns))).astype(int64);
  const std::int64_t rings = 46;  // as far as the corners
  return bincount(ravel(ring), {.weights = ravel(power), .length = rings}) / bincount(ravel(ring), {.length = rings});
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    if (!fft::available()) {
      std::printf("this weft was built without Fourier transforms: run tools/setup and build again\n");
      return;
    }
    const Array hann = (0.5 - 0.5 * cos(arange(kTimes) * (2 * kPi / kTimes))).reshape({kTimes, 1, 1});
    const Array a = detrended(wave(0, 1)), b = detrended(wave(4, 2));
    const Array of_a = fft::rfft(a * hann, {.axis = 0}), of_b = fft::rfft(b * hann, {.axis = 0});

    // Over time, mean of all places: power of each, their cross spectrum, and how much of it they share.
    const Array power_a = mean(square(abs(of_a)), {.axis = {1, 2}}),
                power_b = mean(square(abs(of_b)), {.axis = {1, 2}});
    const Array cross = mean(of_a * conj(of_b), {.axis = {1, 2}});
    const Array coherence = square(abs(cross)) / (power_a * power_b);
    const auto [loudest, shared, phase] = client.compute(argmax(power_a), coherence, angle(cross));
    const auto at = loudest.item<std::int64_t>();
    std::printf("a period of %.0f times; coherence %.2f there and %.2f at twice the frequency; %.1f times later\n",
                static_cast<double>(kTimes) / static_cast<double>(at), shared.at<double>(at), shared.at<double>(2 * at),
                phase.at<double>(at) / (2 * kPi) * static_cast<double>(kTimes) / static_cast<double>(at));

    // Over space, mean of all times.
    const Array in_space = mean(square(abs(fft::fft2(a))), {.axis = 0});
    const NDArray rings = client.compute(argmax(isotropic(in_space)));
    std::printf("a wavelength of %.0f columns\n",
                static_cast<double>(kColumns) / static_cast<double>(rings.item<std::int64_t>()));
  });
}
