// A field is smoothed step by step: each value becomes the mean of its four neighbours. Slices of one array say where
// the neighbours are, also across chunks. The same program on a device: --weft-array-device=gpu, or auto.
#include <weft/weft.hpp>

#include <cstdio>

using namespace weft;

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const std::int64_t side = 1'024;
    Array field = client.persist(random::uniform({side, side}, {.chunks = {256, 512}, .seed = 1}));
    const auto middle = slice(1, -1), before = slice(none, -2), after = slice(2, none);
    for (int step = 0; step <= 8; ++step) {
      if (step % 4 == 0) {
        const NDArray deviation = client.compute(field.std());
        std::printf("after %d steps: deviation %.4f\n", step, deviation.item<double>());
      }
      // Each step is computed once, from the one before, and stays where it was made.
      field = client.persist(
          (field(before, middle) + field(after, middle) + field(middle, before) + field(middle, after)) / 4.0);
    }
  });
}
