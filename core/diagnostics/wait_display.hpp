#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <weft/ids.hpp>
#include <weft/progress.hpp>

namespace weft {

/// Shows progress while somebody outside all tasks waits for long: for one thing, or for many, one after the other, as
/// a gather does. When nobody waits any more it shows nothing, and it ends with a summary when nothing is left to do.
/// From the first wait on it also watches, shown or not.
///
/// For: runtimes. Owns: the display, and a thread that watches. Threading: any thread; `stop` and destruction while
/// nobody waits.
class WaitDisplay {
 public:
  /// Asked from time to time while somebody waits for long, with the seconds of a steady clock: returns what to warn
  /// of, or "".
  struct Watch {
    std::function<std::string(double)> look;
    double interval_seconds;
  };

  WaitDisplay(ProgressMode mode, double interval_seconds, Progress::Source source, Watch watch = {{}, 0});
  ~WaitDisplay();

  /// One wait.
  class Wait {
   public:
    explicit Wait(WaitDisplay& display) noexcept;
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait();
    /// From time to time while it lasts.
    void look() {
      if (!display_.started_.load(std::memory_order_relaxed)) display_.start_if_long();
    }

   private:
    WaitDisplay& display_;
  };

  /// Ends what it shows, and the watch.
  void stop();

 private:
  void start_if_long();
  ProgressSnapshot snapshot() const;
  bool somebody_waits() const;
  void stop_showing();
  void start_watch();
  void watch();

  const ProgressMode mode_;
  const Progress::Source source_;
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<Nanoseconds> begun_{0};  // of the first of the waits that follow each other
  std::atomic<Nanoseconds> ended_{0};  // of the last wait that ended
  std::atomic<bool> started_{false};
  std::mutex mutex_;
  Progress progress_;  // started and stopped under mutex_
  const Watch watch_;
  std::atomic<bool> has_watcher_;
  std::thread watcher_;  // started and ended under mutex_
  std::mutex watch_mutex_;
  std::condition_variable watch_over_;
  bool watching_ = false;  // guarded by watch_mutex_
};

}  // namespace weft
