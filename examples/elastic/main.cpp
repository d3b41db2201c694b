// Work whose workers come and go while it runs, and a second program that looks at its result. elastic.sh beside this
// file starts it with all of that; without it, this is a program like any other.
//
//   elastic         counts primes, and publishes the count
//   elastic serve   the same, and stays until somebody has looked
//   elastic look    a second client (--weft-attach=FILE): waits for the count, which may not be there yet
#include <weft/weft.hpp>

#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t kStretch = 5'000;
constexpr std::int64_t kStretches = 400;

std::int64_t primes_in(std::int64_t stretch) {
  std::int64_t count = 0;
  for (std::int64_t n = stretch * kStretch; n < (stretch + 1) * kStretch; ++n) {
    bool is_prime = n > 1;
    for (std::int64_t divisor = 2; is_prime && divisor * divisor <= n; ++divisor) is_prime = n % divisor != 0;
    count += is_prime ? 1 : 0;
  }
  return count;
}

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

void look(weft::Client& client) {
  weft::Event(client, "published").wait();
  const auto total = weft::get_published<std::int64_t>(client, "total");
  std::printf("another program sees %lld primes\n", static_cast<long long>(total.result()));
  weft::Event(client, "seen").set();
}

void count(weft::Client& client, bool stays) {
  std::vector<std::int64_t> stretches(kStretches);
  std::iota(stretches.begin(), stretches.end(), 0);
  // Which workers are there, and how many, is nothing that this text says: a worker that joins gets some of what is
  // left, one that leaves hands its results on.
  const auto total = client.submit(sum, client.map(primes_in, stretches));
  weft::publish(client, "total", total);
  weft::Event(client, "published").set();
  std::printf("there are %lld primes below %lld\n", static_cast<long long>(total.result()),
              static_cast<long long>(kStretch * kStretches));
  std::fflush(stdout);
  if (stays) weft::Event(client, "seen").wait();
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, const weft::Args& args) {
    const std::string what = args.empty() ? "" : args[0];
    what == "look" ? look(client) : count(client, what == "serve");
  });
}
