#pragma once

#include <weft/ids.hpp>

#include <algorithm>
#include <atomic>

namespace weft::cluster {

/// How long a loop that has nothing to do looks on before it sleeps.
///
/// For: waking a process costs its peer 5 to 50 us, looking costs nothing where a processor is free, and everybody
/// where there is none. A turn of looking takes under a microsecond: one that took far longer says that somebody else
/// had the processor meanwhile. Then the loop sleeps at once, for twice as many pauses as the last time. Owns: nothing.
/// Threading: any thread; threads that share one share what they have learnt.
class PoliteSpin {
 public:
  explicit PoliteSpin(Nanoseconds most = 0) : most_(most) {}
  void set_most(Nanoseconds most) { most_ = most; }
  /// False where every pause is slept through.
  bool looks() const { return most_ > 0; }

  /// One pause of a loop, from its first turn without work.
  class Pause {
   public:
    explicit Pause(PoliteSpin& spin) : spin_(spin) {}
    /// Returns whether to look again. `now`: read once a turn.
    bool look_on(Nanoseconds now) {
      if (since_ == 0) {
        since_ = last_ = now;
        length_ = spin_.begin();
      }
      if (now - last_ > kPreempted) {
        spin_.disturbed();
        length_ = 0;
      }
      last_ = now;
      return now - since_ < length_;
    }
    /// There was work, or the loop has slept.
    void over() { since_ = 0; }

   private:
    PoliteSpin& spin_;
    Nanoseconds since_ = 0, last_ = 0, length_ = 0;
  };

 private:
  static constexpr Nanoseconds kPreempted = 30'000;
  static constexpr std::uint32_t kMostSkipped = 256;

  Nanoseconds begin() {
    const std::uint32_t left = skip_.load(std::memory_order_relaxed);
    if (left == 0) {
      // A pause without disturbance makes the next one cheaper.
      calm_.store(calm_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      if (calm_.load(std::memory_order_relaxed) % 64 == 0) skipped_.store(1, std::memory_order_relaxed);
      return most_;
    }
    skip_.store(left - 1, std::memory_order_relaxed);
    return 0;
  }
  void disturbed() {
    const std::uint32_t skipped = std::min(2 * skipped_.load(std::memory_order_relaxed), kMostSkipped);
    skipped_.store(skipped, std::memory_order_relaxed);
    skip_.store(skipped, std::memory_order_relaxed);
    calm_.store(0, std::memory_order_relaxed);
  }

  Nanoseconds most_;
  std::atomic<std::uint32_t> skip_{0};     // pauses that are not looked through
  std::atomic<std::uint32_t> skipped_{1};  // after the last disturbance
  std::atomic<std::uint32_t> calm_{0};     // pauses without one since
};

}  // namespace weft::cluster
