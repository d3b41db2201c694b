#pragma once

#include <weft/ids.hpp>

#include <ctime>

namespace weft {

/// Returns the time since some moment before the process began; it never goes back, whatever happens to the date.
inline Nanoseconds now_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace weft
