// Two tones under noise, found by a Fourier transform along the rows of a chunked array, averaged over all rows.
#include <weft/weft.hpp>

#include <cstdio>
#include <numbers>

using namespace weft;

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    if (!fft::available()) {
      std::printf("this weft was built without Fourier transforms: run tools/setup and build again\n");
      return;
    }
    const std::int64_t channels = 256, samples = 4'096;
    const double rate = 1'024;  // samples a second
    const Array time = arange(samples) / rate;
    const Array tones = sin(time * (2 * std::numbers::pi * 50)) + 0.5 * sin(time * (2 * std::numbers::pi * 120));
    const Array noise = random::normal(0, 2, {channels, samples}, {.chunks = {32, samples}, .seed = 5});

    const Array power = mean(square(abs(fft::rfft(tones + noise))), {.axis = 0});
    const Array loudest = sort(argtopk(power, 2));
    const NDArray frequencies = client.compute(loudest * (rate / static_cast<double>(samples)));
    std::printf("tones at %.0f Hz and %.0f Hz\n", frequencies.at<double>(0), frequencies.at<double>(1));
  });
}
