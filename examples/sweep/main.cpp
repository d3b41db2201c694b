// A parameter sweep: one model, many settings, the best of them. Alone, or on every rank: mpirun -n 4 sweep
#include <weft/weft.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

/// How well a pendulum with this damping and drive is back at rest after a while; a task for each pair.
struct Trial {
  double damping = 0;
  double drive = 0;
  double rest = 0;  // the energy that is left
};

Trial simulate(double damping, double drive) {
  constexpr double kStep = 0.001;
  double angle = 1;
  double speed = 0;
  for (int step = 0; step < 200'000; ++step) {
    speed += kStep * (-std::sin(angle) - damping * speed + drive * std::cos(0.7 * step * kStep));
    angle += kStep * speed;
  }
  return {damping, drive, speed * speed / 2 + 1 - std::cos(angle)};
}

/// The better of two; a task too, so that only the best of all comes back to rank 0.
Trial better(const Trial& left, const Trial& right) { return right.rest < left.rest ? right : left; }

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    std::vector<weft::Future<Trial>> level;
    for (int i = 1; i <= 20; ++i) {
      for (int j = 0; j < 10; ++j) level.push_back(client.submit(simulate, 0.05 * i, 0.02 * j));
    }
    const std::size_t trials = level.size();
    while (level.size() > 1) {
      std::vector<weft::Future<Trial>> next;
      for (std::size_t i = 0; i + 1 < level.size(); i += 2)
        next.push_back(client.submit(better, level[i], level[i + 1]));
      if (level.size() % 2 == 1) next.push_back(level.back());
      level = std::move(next);
    }
    const Trial best = level.front().result();
    std::printf("of %zu trials, damping %.2f with drive %.2f is nearest to rest\n", trials, best.damping, best.drive);
  });
}
