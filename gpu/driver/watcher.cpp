#include "gpu/driver/watcher.hpp"

#include <chrono>
#include <utility>

namespace weft::gpu {

Watcher::~Watcher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watcher::watch(const Event& event, std::function<void(EventState)> then) {
  {
    const std::lock_guard lock(mutex_);
    added_.push_back({event, std::move(then)});
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_all();
}

void Watcher::run() {
  // Small kernels end within microseconds; after that a look now and then costs less than a core.
  constexpr int kEagerLooks = 200;
  constexpr auto kPause = std::chrono::microseconds(20);
  std::vector<Watched> watched;
  int looks = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (watched.empty()) changed_.wait(lock, [&] { return ending_ || !added_.empty(); });
      if (watched.empty() && added_.empty()) return;
      if (!added_.empty()) looks = 0;
      for (Watched& one : added_) watched.push_back(std::move(one));
      added_.clear();
    }
    for (std::size_t i = 0; i < watched.size();) {
      const EventState state = driver_.state(watched[i].event);
      if (state == EventState::Pending) {
        ++i;
        continue;
      }
      const std::function<void(EventState)> then = std::move(watched[i].then);
      watched[i] = std::move(watched.back());
      watched.pop_back();
      then(state);
      looks = 0;
    }
    if (watched.empty()) continue;
    if (++looks < kEagerLooks) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace weft::gpu
