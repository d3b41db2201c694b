#pragma once

#include "gpu/driver/driver.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weft::gpu {

/// Tells when events of one device are reached, so that no thread has to stand and wait for each.
/// Owns: a thread, from the first call of watch() on.  Threading: any thread; callbacks come on the watcher's, without
/// any lock of it, and must not throw.
class Watcher {
 public:
  explicit Watcher(Driver& driver) : driver_(driver) {}
  /// Calls what is still waited for when the device has come so far.
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void watch(const Event& event, std::function<void(EventState)> then);

 private:
  struct Watched {
    Event event;
    std::function<void(EventState)> then;
  };
  void run();

  Driver& driver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> added_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace weft::gpu
