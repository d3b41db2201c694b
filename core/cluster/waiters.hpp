#pragma once

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>

namespace weft::cluster {

/// Counts who waits and makes progress meanwhile, and keeps the progress thread out of their way.
///
/// For: a wait that has just ended may be followed by one that only looks (`done()`), which nobody but the progress
/// thread serves: it is there within a nap. While the same ones wait on, it rests until the last of them leaves, so
/// that a long wait costs no naps and waits that follow each other cost no calls of the system. Owns: nothing.
/// Threading: any thread; `give_way` is the progress thread's.
class Waiters {
 public:
  /// Returns whether nobody waited before.
  bool enter() noexcept { return waiting(word_.fetch_add(1, std::memory_order_seq_cst)) == 0; }
  void leave() noexcept {
    const std::uint64_t before = word_.fetch_add(kEnded - 1, std::memory_order_seq_cst);
    if (waiting(before) == 1 && resting_.load(std::memory_order_seq_cst) != 0) end_rest();
  }
  bool any() const noexcept { return waiting(word_.load(std::memory_order_seq_cst)) != 0; }

  /// Returns after a nap; where the same ones have waited for some naps, when nobody waits any more, or after `most`.
  void give_way(Nanoseconds most) noexcept;

 private:
  static constexpr std::uint64_t kEnded = std::uint64_t{1} << 32;
  static std::uint32_t waiting(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
  void end_rest() noexcept;

  std::atomic<std::uint64_t> word_{0};  // how many wait; above, how many waits have ended
  std::atomic<std::uint32_t> resting_{0};
  std::uint32_t same_ = 0;  // naps since a wait has ended; the progress thread's
};

}  // namespace weft::cluster
