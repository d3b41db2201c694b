#pragma once

#include <cstdint>
#if !defined(__x86_64__)
#include <ctime>
#endif

namespace weft {

/// A count of the processor's time stamp counter, or of nanoseconds where there is none.
using Ticks = std::uint64_t;

/// Returns the present tick: about 10 ns, no system call. Not ordered against neighbouring loads and stores, which
/// blurs one stamp by some tens of cycles and shifts nothing over a batch.
inline Ticks ticks_now() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<Ticks>(time.tv_sec) * 1'000'000'000u + static_cast<Ticks>(time.tv_nsec);
#endif
}

/// Returns how many ticks pass in a second, measured against the steady clock since the first call in the process;
/// the first calls wait until 5 ms have passed, so call it from reports and not from a start-up path.
double ticks_per_second();

/// Marks the begin of the calibration, so that a later ticks_per_second() need not wait.
void start_tick_calibration();

}  // namespace weft
