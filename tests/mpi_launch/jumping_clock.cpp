/// A library to preload: the time of day jumps by up to two days, forwards and backwards, whenever it is asked for. The
/// steady clocks stay as they are. For bad_days_test.py.

#include <dlfcn.h>
#include <sys/time.h>

#include <atomic>
#include <ctime>

namespace {

using ClockGettime = int (*)(clockid_t, timespec*);

int real_time(clockid_t clock, timespec* time) {
  static const auto next = reinterpret_cast<ClockGettime>(::dlsym(RTLD_NEXT, "clock_gettime"));
  return next(clock, time);
}

/// Returns seconds to add, other ones each time.
long jump() {
  static std::atomic<unsigned> calls{0};
  return static_cast<long>(calls.fetch_add(7919) % 345'601) - 172'800;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int code = real_time(clock, time);
  if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += jump();
  return code;
}

extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec exact{};
  const int code = real_time(CLOCK_REALTIME, &exact);
  time->tv_sec = exact.tv_sec + jump();
  time->tv_usec = exact.tv_nsec / 1000;
  return code;
}

extern "C" time_t time(time_t* to) noexcept {
  timespec exact{};
  real_time(CLOCK_REALTIME, &exact);
  const time_t now = exact.tv_sec + jump();
  if (to != nullptr) *to = now;
  return now;
}
