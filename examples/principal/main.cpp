// Principal components of a tall matrix: rows in chunks, singular values by a QR of each chunk and a tree of the rest.
#include <weft/weft.hpp>

#include <cstdio>

using namespace weft;

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const std::int64_t observations = 100'000, variables = 20;
    // Two hidden causes, and noise of a tenth of their size.
    const Array causes = random::normal(0, 1, {observations, 2}, {.chunks = {10'000, 2}, .seed = 1});
    const Array loads = random::uniform({2, variables}, {.chunks = -1, .seed = 2}) - 0.5;
    const Array noise = random::normal(0, 0.1, {observations, variables}, {.chunks = {10'000, variables}, .seed = 3});
    const Array data = matmul(causes, loads) + noise;

    const Array centred = data - data.mean({.axis = 0});
    const Array values = linalg::svd(centred).s;
    const Array share = square(values) / sum(square(values));
    const NDArray explained = client.compute(share(slice(0, 3)));
    std::printf("two components explain %.0f%% of the variance, a third one %.1f%%\n",
                100 * (explained.at<double>(0) + explained.at<double>(1)), 100 * explained.at<double>(2));
  });
}
