// Pi from a quarter circle: many tasks, joined by a tree of additions. The bits do not depend on the number of threads,
// because the tree does not.
#include <weft/weft.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

constexpr int kParts = 4096;
constexpr int kSteps = 20'000;

/// The area below the quarter circle over one of kParts equal pieces of [0, 1].
double area(int part) {
  double sum = 0;
  for (int step = 0; step < kSteps; ++step) {
    const double x = (part + (step + 0.5) / kSteps) / kParts;
    sum += std::sqrt(1 - x * x);
  }
  return sum / (static_cast<double>(kSteps) * kParts);
}

double add(double left, double right) { return left + right; }

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    std::vector<weft::Delayed<double>> level;
    for (int part = 0; part < kParts; ++part) level.push_back(weft::delayed(area)(part));
    while (level.size() > 1) {
      std::vector<weft::Delayed<double>> next;
      for (std::size_t i = 0; i < level.size(); i += 2) next.push_back(weft::delayed(add)(level[i], level[i + 1]));
      level = std::move(next);
    }
    std::printf("pi = %.10f from %d tasks\n", 4 * client.compute(level.front()), 2 * kParts - 1);
  });
}
