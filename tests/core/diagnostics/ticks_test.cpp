#include "core/diagnostics/ticks.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(TicksTest, RateAgreesWithTheSteadyClock) {
  const double rate = ticks_per_second();
  const auto begin_time = std::chrono::steady_clock::now();
  const Ticks begin = ticks_now();
  while (std::chrono::steady_clock::now() - begin_time < std::chrono::milliseconds(20)) {
  }
  const Ticks end = ticks_now();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_time;
  // Wide, because the thread may be set aside between the two clocks; a wrong unit is off by factors.
  EXPECT_NEAR(static_cast<double>(end - begin) / rate / passed.count(), 1.0, 0.25);
}

TEST(TicksTest, TicksDoNotRunBackwardsInOneThread) {
  Ticks last = ticks_now();
  for (int i = 0; i < 10'000; ++i) {
    const Ticks now = ticks_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace weft
