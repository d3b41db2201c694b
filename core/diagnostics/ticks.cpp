#include "core/diagnostics/ticks.hpp"

#include <chrono>

namespace weft {

namespace {

using Clock = std::chrono::steady_clock;

struct Anchor {
  Ticks ticks = ticks_now();
  Clock::time_point time = Clock::now();
};

const Anchor& anchor() {
  static const Anchor first;
  return first;
}

}  // namespace

void start_tick_calibration() { anchor(); }

double ticks_per_second() {
#if defined(__x86_64__)
  constexpr auto kShortest = std::chrono::milliseconds(5);
  const Anchor& begin = anchor();
  Anchor end;
  while (end.time - begin.time < kShortest) end = Anchor{};
  return static_cast<double>(end.ticks - begin.ticks) / std::chrono::duration<double>(end.time - begin.time).count();
#else
  return 1e9;
#endif
}

}  // namespace weft
