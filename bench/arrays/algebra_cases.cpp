// matmul: dense algebra, beside one call of the same library.

#include "bench/arrays/array_cases.hpp"

namespace weft::bench {
namespace {

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
  run.print(output, 0);
}

}  // namespace

std::vector<Case> array_algebra_cases() {
  return {{"matmul", "the product of two arrays in memory, kept", array_options("4000", "1000"), &run_matmul}};
}

}  // namespace weft::bench
