#include "core/diagnostics/ticks.hpp"

#include <chrono>

namespace weft {

namespace {

using Clock = std::chrono::steady_clock;

struct Anchor {
  Ticks ticks = 0;
  Clock::time_point time;
};

// Both clocks at one moment. The thread may be set aside between the two reads, for longer than the whole calibration;
// so the clock is read between two ticks, several times, and the closest pair counts.
Anchor read_both() {
  constexpr int kTries = 8;
  Anchor best;
  Ticks least = ~Ticks{0};
  for (int i = 0; i < kTries; ++i) {
    const Ticks before = ticks_now();
    const Clock::time_point time = Clock::now();
    const Ticks between = ticks_now() - before;
    if (between >= least) continue;
    least = between;
    best = {before + between / 2, time};
  }
  return best;
}

const Anchor& anchor() {
  static const Anchor first = read_both();
  return first;
}

}  // namespace

void start_tick_calibration() { anchor(); }

double ticks_per_second() {
#if defined(__x86_64__)
  constexpr auto kShortest = std::chrono::milliseconds(5);
  const Anchor& begin = anchor();
  while (Clock::now() - begin.time < kShortest) {
  }
  const Anchor end = read_both();
  return static_cast<double>(end.ticks - begin.ticks) / std::chrono::duration<double>(end.time - begin.time).count();
#else
  return 1e9;
#endif
}

}  // namespace weft
