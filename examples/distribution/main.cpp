// What a large sample looks like: exact quantiles, a histogram, the values that occur, without sorting all of it.
#include <weft/weft.hpp>

#include <cstdio>
#include <string>

using namespace weft;

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const std::int64_t n = 4'000'000;
    const Array heights = random::normal(175, 8, {n}, {.chunks = 500'000, .seed = 9});

    const Array quarters = quantile(heights, std::vector<double>{0.25, 0.5, 0.75});
    const auto [counts, edges] = histogram(heights, 8, {.range = {{155, 195}}});
    const auto [sizes, people] = unique_counts(floor(heights / 10).astype(int64));

    // Everything that is asked for together shares its passes.
    const auto [q, bars, tens, each] = client.compute(quarters, counts, sizes, people);
    std::printf("half of all are between %.1f and %.1f, the median is %.1f\n", q.at<double>(0), q.at<double>(2),
                q.at<double>(1));
    for (std::int64_t bin = 0; bin < bars.size(); ++bin) {
      const auto length = static_cast<std::size_t>(bars.at<std::int64_t>(bin) * 100 / n);
      std::printf("%3ld %s\n", 155 + 5 * static_cast<long>(bin), std::string(length, '#').c_str());
    }
    std::int64_t largest = 0;
    for (std::int64_t i = 1; i < tens.size(); ++i) {
      if (each.at<std::int64_t>(i) > each.at<std::int64_t>(largest)) largest = i;
    }
    std::printf("most are in the %lds\n", 10 * static_cast<long>(tens.at<std::int64_t>(largest)));
  });
}
