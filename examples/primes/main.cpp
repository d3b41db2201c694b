// Futures: results are used in the order they are ready, and a failed task tells what it was doing.
#include <weft/weft.hpp>

#include <cstdio>
#include <stdexcept>
#include <vector>

namespace {

constexpr int kRange = 20'000;

bool is_prime(int number) {
  if (number < 2) return false;
  for (int divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

/// How many primes there are in [start, start + kRange).
int count_primes(int start) {
  if (start < 0) throw std::invalid_argument("a range must not begin below zero");
  int count = 0;
  for (int number = start; number < start + kRange; ++number) count += is_prime(number) ? 1 : 0;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    std::vector<int> starts;
    for (int start = 0; start < 1'000'000; start += kRange) starts.push_back(start);
    int total = 0;
    for (auto& future : weft::as_completed(client.map(count_primes, starts))) total += future.result();
    std::printf("there are %d primes below one million\n", total);

    auto wrong = client.submit(count_primes, -1);
    try {
      wrong.result();
    } catch (const weft::TaskError& error) {
      std::printf("as expected, the last task failed\n");
    }
  });
}
