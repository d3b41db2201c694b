// matmul, tsqr, svd-compressed, fft: dense algebra, the product beside one call of the same library.

#include <dlfcn.h>

#include <cmath>

#include "bench/arrays/array_cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {
namespace {

/// Returns the seconds of one product of n x n doubles by OpenBLAS on so many threads, or 0 where there is none.
double library_product(std::int64_t n, int threads, std::int64_t repeat) {
  void* const library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return 0;
  const auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  using Product = void (*)(const char*, const char*, const int*, const int*, const int*, const double*, const double*,
                           const int*, const double*, const int*, const double*, double*, const int*);
  const auto product = reinterpret_cast<Product>(dlsym(library, "dgemm_"));
  if (set_threads == nullptr || product == nullptr) return 0;
  const auto count = static_cast<std::size_t>(n * n);
  std::vector<double> a(count), b(count), c(count);
  for (std::size_t i = 0; i < count; ++i) {
    a[i] = 1 + static_cast<double>(i % 7);
    b[i] = 1 - static_cast<double>(i % 5);
  }
  const int size = static_cast<int>(n);
  const double one = 1, zero = 0;
  Samples samples;
  set_threads(threads);
  for (std::int64_t i = 0; i <= repeat; ++i) {
    const double start = seconds_now();
    product("N", "N", &size, &size, &size, &one, a.data(), &size, b.data(), &size, &zero, c.data(), &size);
    if (i > 0) samples.add(seconds_now() - start);
  }
  set_threads(1);
  return samples.min();
}

void run_matmul(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Chunks chunks{run.chunk(), run.chunk()};
  const Array a = run.materialise(random::uniform({run.n(), run.n()}, {.chunks = chunks, .seed = 7}));
  const Array b = run.materialise(random::uniform({run.n(), run.n()}, {.chunks = chunks, .seed = 8}));
  run.measure(
      [&] {
        const Array product = run.materialise(matmul(a, b));
        return run.client().compute(product(0, 0)).item<double>() / n;
      },
      0.25, 0.1);
  const double call = library_product(run.n(), static_cast<int>(run.client().slots()), arguments.integer("repeat", 1));
  run.print(output, 0, [&](Line& line) {
    line.number("gflop_per_s", 2e-9 * n * n * n / run.seconds());
    if (call > 0) line.number("seconds_one_call", call).number("of_one_call", call / run.seconds());
  });
}

void run_tsqr(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const std::int64_t columns = arguments.integer("columns", 1);
  const Array x = run.materialise(random::uniform({run.n(), columns}, {.chunks = {run.chunk(), columns}, .seed = 7}));
  run.measure(
      [&] {
        const NDArray values = run.client().compute(linalg::svd(x).s);
        double squares = 0;
        for (const double one : values.span<double>()) squares += one * one;
        return squares / static_cast<double>(x.size());
      },
      1.0 / 3, 0.01);
  run.print(output, 0, [&](Line& line) { line.integer("columns", columns); });
}

void run_svd_compressed(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const Array x =
      run.materialise(random::uniform({run.n(), run.n()}, {.chunks = {run.chunk(), run.chunk()}, .seed = 7}));
  const linalg::CompressedOptions options{.power_iterations = 0, .seed = 3};
  run.measure(
      [&] {
        const NDArray values = run.client().compute(linalg::svd_compressed(x, 10, options).s);
        return values.at<double>(0) / static_cast<double>(run.n());
      },
      0.5, 0.05);
  run.print(output, 0);
}

void run_fft(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const auto axis = static_cast<int>(arguments.integer("axis", 0));
  const Array x = run.materialise(random::uniform({run.n(), run.n()}, {.chunks = {run.chunk(), run.n()}, .seed = 7}));
  run.measure(
      [&] {
        const Array spectrum = run.materialise(fft::fft(x, {.axis = axis}));
        return run.client().compute(real(spectrum(0, 0))).item<double>() / static_cast<double>(run.n());
      },
      0.5, 0.1);
  run.print(output, 0, [&](Line& line) { line.integer("axis", axis); });
}

void run_sort(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const Array x = run.materialise(random::uniform({run.n()}, {.chunks = run.chunk(), .seed = 7}));
  run.measure(
      [&] {
        const Array sorted = run.materialise(sort(x));
        return run.client().compute(sorted(run.n() / 4)).item<double>();
      },
      0.25, 0.01);
  run.print(output, 0);
}

void run_quantile(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const Array x = run.materialise(random::uniform({run.n(), run.n()}, {.chunks = {run.chunk(), run.n()}, .seed = 7}));
  run.measure(
      [&] {
        return run.client().compute(sum(quantile(x, std::vector<double>{0.1, 0.5, 0.9}))).item<double>();
      },
      1.5, 0.01);
  run.print(output, 0);
}

}  // namespace

std::vector<Case> array_algebra_cases() {
  std::vector<Case> cases = {
      {"matmul", "the product of two arrays in memory, kept; beside one call of the same library",
       array_options("4000", "1000"), &run_matmul},
      {"tsqr", "singular values of a tall array in memory; n: rows, chunk: rows of a chunk",
       array_options("200000", "5000", {{"columns", "100", "columns"}}), &run_tsqr},
      {"svd-compressed", "the ten largest singular values, by a random subspace", array_options("4000", "1000"),
       &run_svd_compressed},
      {"sort", "a vector in memory, sorted and kept", array_options("20000000", "1000000"), &run_sort},
      {"quantile", "three exact quantiles of all elements; chunk: rows of a chunk", array_options("4000", "1000"),
       &run_quantile},
  };
  if (fft::available()) {
    const Option axis = {"axis", "1", "1: along the rows, which lie in one chunk each; 0: along the chunked axis"};
    cases.push_back({"fft", "Fourier transforms along an axis of an array in memory, kept; chunk: rows of a chunk",
                     array_options("4000", "500", {axis}), &run_fft});
  }
  return cases;
}

}  // namespace weft::bench
