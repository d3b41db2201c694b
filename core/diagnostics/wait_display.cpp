#include "core/diagnostics/wait_display.hpp"

#include <ctime>

namespace weft {
namespace {

/// So long must waits have gone on.
constexpr Nanoseconds kLong = 500'000'000;
/// Waits follow each other with less than this between them.
constexpr Nanoseconds kPause = 300'000'000;

Nanoseconds coarse_now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

WaitDisplay::WaitDisplay(ProgressMode mode, double interval_seconds, Progress::Source source)
    : mode_(mode),
      source_(source),
      progress_(mode, interval_seconds,
                Progress::Source{[](void* self) { return static_cast<WaitDisplay*>(self)->snapshot(); }, this}) {}

WaitDisplay::Wait::Wait(WaitDisplay& display) noexcept : display_(display) {
  if (display_.waiting_.fetch_add(1, std::memory_order_relaxed) != 0) return;
  const Nanoseconds now = coarse_now();
  if (now - display_.ended_.load(std::memory_order_relaxed) > kPause)
    display_.begun_.store(now, std::memory_order_relaxed);
}

WaitDisplay::Wait::~Wait() {
  display_.ended_.store(coarse_now(), std::memory_order_relaxed);
  if (display_.waiting_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  if (!display_.started_.load(std::memory_order_relaxed)) return;
  const ProgressSnapshot now = display_.source_.read(display_.source_.context);
  if (now.done + now.failed >= now.total) display_.stop();
}

void WaitDisplay::start_if_long() {
  if (mode_ == ProgressMode::Off || coarse_now() - begun_.load(std::memory_order_relaxed) < kLong) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  progress_.start();
  started_.store(true, std::memory_order_relaxed);
}

void WaitDisplay::stop() {
  const std::lock_guard lock(mutex_);
  progress_.stop();
  started_.store(false, std::memory_order_relaxed);
}

/// Nothing while nobody waits, but for what is left to say when all is done.
ProgressSnapshot WaitDisplay::snapshot() const {
  const ProgressSnapshot now = source_.read(source_.context);
  const bool waits =
      waiting_.load(std::memory_order_relaxed) != 0 || coarse_now() - ended_.load(std::memory_order_relaxed) < kPause;
  return waits ? now : ProgressSnapshot{};
}

}  // namespace weft
