#include "core/diagnostics/wait_display.hpp"

#include <weft/log.hpp>

#include <pthread.h>

#include <chrono>
#include <ctime>
#include <utility>

namespace weft {
namespace {

/// So long must waits have gone on.
constexpr Nanoseconds kLong = 500'000'000;
/// Waits follow each other with less than this between them.
constexpr Nanoseconds kPause = 300'000'000;

/// The thread that watches is nobody who waits, though what it asks may wait for answers.
thread_local bool is_watcher = false;

Nanoseconds coarse_now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

WaitDisplay::WaitDisplay(ProgressMode mode, double interval_seconds, Progress::Source source, Watch watch)
    : mode_(mode),
      source_(source),
      progress_(mode, interval_seconds,
                Progress::Source{[](void* self) { return static_cast<WaitDisplay*>(self)->snapshot(); }, this}),
      watch_(std::move(watch)),
      has_watcher_(!watch_.look) {}

WaitDisplay::~WaitDisplay() { stop(); }

WaitDisplay::Wait::Wait(WaitDisplay& display) noexcept : display_(display) {
  if (is_watcher) return;
  if (!display_.has_watcher_.load(std::memory_order_relaxed)) display_.start_watch();
  if (display_.waiting_.fetch_add(1, std::memory_order_relaxed) != 0) return;
  const Nanoseconds now = coarse_now();
  if (now - display_.ended_.load(std::memory_order_relaxed) > kPause)
    display_.begun_.store(now, std::memory_order_relaxed);
}

WaitDisplay::Wait::~Wait() {
  if (is_watcher) return;
  display_.ended_.store(coarse_now(), std::memory_order_relaxed);
  if (display_.waiting_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  if (!display_.started_.load(std::memory_order_relaxed)) return;
  const ProgressSnapshot now = display_.source_.read(display_.source_.context);
  if (now.done + now.failed >= now.total) display_.stop_showing();
}

void WaitDisplay::start_if_long() {
  if (is_watcher || mode_ == ProgressMode::Off || coarse_now() - begun_.load(std::memory_order_relaxed) < kLong) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  progress_.start();
  started_.store(true, std::memory_order_relaxed);
}

void WaitDisplay::stop_showing() {
  const std::lock_guard lock(mutex_);
  progress_.stop();
  started_.store(false, std::memory_order_relaxed);
}

void WaitDisplay::stop() {
  stop_showing();
  const std::lock_guard lock(mutex_);
  if (!watcher_.joinable()) return;
  {
    const std::lock_guard watch_lock(watch_mutex_);
    watching_ = false;
  }
  watch_over_.notify_all();
  watcher_.join();
  has_watcher_.store(!watch_.look, std::memory_order_relaxed);
}

void WaitDisplay::start_watch() {
  const std::lock_guard lock(mutex_);
  if (has_watcher_.exchange(true)) return;
  watching_ = true;
  watcher_ = std::thread([this] { watch(); });
}

/// Nothing while nobody waits, but for what is left to say when all is done.
ProgressSnapshot WaitDisplay::snapshot() const {
  const ProgressSnapshot now = source_.read(source_.context);
  return somebody_waits() ? now : ProgressSnapshot{};
}

bool WaitDisplay::somebody_waits() const {
  return waiting_.load(std::memory_order_relaxed) != 0 ||
         coarse_now() - ended_.load(std::memory_order_relaxed) < kPause;
}

void WaitDisplay::watch() {
  is_watcher = true;
  ::pthread_setname_np(::pthread_self(), "weft watch");
  std::unique_lock lock(watch_mutex_);
  while (!watch_over_.wait_for(lock, std::chrono::duration<double>(watch_.interval_seconds),
                               [this] { return !watching_; })) {
    if (!somebody_waits()) continue;
    lock.unlock();
    const std::string text = watch_.look(static_cast<double>(coarse_now()) / 1e9);
    if (!text.empty()) logging::warning("progress", text);
    lock.lock();
  }
}

}  // namespace weft
