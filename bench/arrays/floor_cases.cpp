// array-stream: the machine's own rates of copying, combining and summing doubles, in plain loops on as many threads as
// slots: the floor of everything that moves bytes.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <thread>

#include "bench/arrays/array_cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {
namespace {

struct Vectors {
  explicit Vectors(std::size_t n) : count(n), a(new double[n]), b(new double[n]), c(new double[n]) {}
  std::size_t count;
  std::unique_ptr<double[]> a, b, c;
};

/// Runs body(begin, end) on each thread's share, as one timed step.
template <class Body>
double timed(std::size_t count, std::size_t threads, const Body& body) {
  const double start = seconds_now();
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] { body(t, count * t / threads, count * (t + 1) / threads); });
  }
  for (std::thread& one : running) one.join();
  return seconds_now() - start;
}

/// Eight sums side by side, so that one addition does not wait for the one before.
double sum_of(const double* values, std::size_t count) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += values[i + lane];
  }
  double sum = std::accumulate(sums, sums + 8, 0.0);
  for (; i < count; ++i) sum += values[i];
  return sum;
}

void run_stream(const Case& self, const Arguments& arguments, const Output& output) {
  const auto n = static_cast<std::size_t>(arguments.integer("n", 1024));
  const std::int64_t asked = arguments.integer("threads");
  const std::size_t threads =
      asked > 0 ? static_cast<std::size_t>(asked) : std::max(1u, std::thread::hardware_concurrency());
  Vectors v(n);
  timed(n, threads, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      v.a[i] = 1;
      v.b[i] = 2;
      v.c[i] = 0;
    }
  });
  std::vector<double> sums(threads * 8);
  const auto copy = [&](std::size_t, std::size_t begin, std::size_t end) {
    std::copy(v.a.get() + begin, v.a.get() + end, v.c.get() + begin);
  };
  const auto triad = [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) v.c[i] = v.a[i] + 0.5 * v.b[i];
  };
  const auto sum = [&](std::size_t t, std::size_t begin, std::size_t end) {
    sums[8 * t] = sum_of(v.a.get() + begin, end - begin);
  };
  const auto report = [&](const char* kernel, double words, const auto& body, const auto& right) {
    Samples samples;
    for (std::int64_t i = 0; i < arguments.integer("repeat", 1); ++i) {
      samples.add(timed(n, threads, body));
      if (!right()) wrong_result(kernel);
    }
    Line line(self.name);
    line.param("kernel", kernel).param("n", static_cast<std::int64_t>(n));
    line.param("threads", static_cast<std::int64_t>(threads)).seconds(samples);
    output.print(line.number("gb_per_s", words * 8 * static_cast<double>(n) / samples.min() / 1e9).peak());
  };
  report("copy", 2, copy, [&] { return v.c[n - 1] == 1; });
  report("triad", 3, triad, [&] { return v.c[n - 1] == 2; });
  report("sum", 1, sum, [&] { return std::accumulate(sums.begin(), sums.end(), 0.0) == static_cast<double>(n); });
}

}  // namespace

std::vector<Case> array_floor_cases() {
  return {{"array-stream",
           "the machine's rates of copy, triad and sum of doubles: the floor of passes over memory",
           {{"n", "64000000", "doubles"}, {"threads", "0", "0: as many as cores"}, {"repeat", "5", "repetitions"}},
           &run_stream}};
}

}  // namespace weft::bench
