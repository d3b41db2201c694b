#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <weft/ids.hpp>
#include <weft/progress.hpp>

namespace weft {

/// Shows progress while somebody outside all tasks waits for long: for one thing, or for many, one after the other, as
/// a gather does. When nobody waits any more it shows nothing, and it ends with a summary when nothing is left to do.
///
/// For: runtimes. Owns: the display. Threading: any thread; `stop` and destruction while nobody waits.
class WaitDisplay {
 public:
  WaitDisplay(ProgressMode mode, double interval_seconds, Progress::Source source);

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

  void stop();

 private:
  void start_if_long();
  ProgressSnapshot snapshot() const;

  const ProgressMode mode_;
  const Progress::Source source_;
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<Nanoseconds> begun_{0};  // of the first of the waits that follow each other
  std::atomic<Nanoseconds> ended_{0};  // of the last wait that ended
  std::atomic<bool> started_{false};
  std::mutex mutex_;
  Progress progress_;  // started and stopped under mutex_
};

}  // namespace weft
