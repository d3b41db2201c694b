#include "core/diagnostics/ticks.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(TicksTest, RateAgreesWithTheSteadyClock) {
  // Each clock is read between two reads of the other, so the thread may be set aside anywhere: the true rate lies
  // between the two quotients.
  const double rate = ticks_per_second();
  const auto outer_begin = std::chrono::steady_clock::now();
  const Ticks begin = ticks_now();
  const auto inner_begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - inner_begin < std::chrono::milliseconds(20)) {
  }
  const auto inner_end = std::chrono::steady_clock::now();
  const Ticks end = ticks_now();
  const auto outer_end = std::chrono::steady_clock::now();
  const double seconds = static_cast<double>(end - begin) / rate;
  EXPECT_GE(seconds, 0.99 * std::chrono::duration<double>(inner_end - inner_begin).count());
  EXPECT_LE(seconds, 1.01 * std::chrono::duration<double>(outer_end - outer_begin).count());
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
