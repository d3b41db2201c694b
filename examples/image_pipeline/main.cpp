// Frames of a detector, corrected by a dark and a flat image, freed of their background, smoothed and reduced. The same
// program on a device: --weft-array-device=gpu, or auto.
#include <weft/weft.hpp>

#include <cstdio>

using namespace weft;

namespace {

/// The mean of each pixel and its eight neighbours; frames shrink by a pixel on each side.
Array smoothed(const Array& frames) {
  const auto all = slice(none, none), middle = slice(1, -1), before = slice(none, -2), after = slice(2, none);
  const Array rows = frames(all, before, all) + frames(all, middle, all) + frames(all, after, all);
  return (rows(all, all, before) + rows(all, all, middle) + rows(all, all, after)) / 9.0f;
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const std::int64_t count = 48, height = 192, width = 256;
    const Array raw =
        random::uniform(90, 4'000, {count, height, width}, {.dtype = float32, .chunks = {8, height, width}, .seed = 1});
    const Array dark = random::uniform(80, 90, {height, width}, {.dtype = float32, .seed = 2});
    const Array flat = random::uniform(0.8, 1.2, {height, width}, {.dtype = float32, .seed = 3});

    // Kept where it was made: on the device, if that is where passes run.
    const Array corrected = client.persist((raw - dark) / flat);
    const Array background = client.persist(mean(corrected, {.axis = 0}));
    const Array clean = smoothed(corrected - background);

    const auto [brightest, level] = client.compute(argmax(max(clean, {.axis = {1, 2}})), abs(clean).mean());
    std::printf("%lld frames: the brightest spot is in frame %lld, the mean deviation is %.1f\n",
                static_cast<long long>(count), static_cast<long long>(brightest.item<std::int64_t>()),
                level.item<float>());
  });
}
