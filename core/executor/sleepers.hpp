#pragma once

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>

namespace weft {

/// Where threads without work sleep, each in a bed of its own, so that one wake is for one thread.
/// Owns: the count; each thread owns its bed, which outlives whoever may wake it.  Threading: `sleep` by the bed's
/// thread, the rest by anyone.
///
/// How no work is left lying while its thread sleeps:
///  1. A sleeper announces itself (`count_`), then fences for every thread of the process, then looks for work.
///  2. Whoever makes work available stores it, then looks at the count: a plain load, because the sleeper's fence
///  orders
///     it. Either the store came before the fence, and the sleeper sees the work, or the look came after it, and sees
///     the sleeper.
///  3. Who takes a sleeper out of its bed (`asleep` to false) counts it off: the waker, or the sleeper itself.
///  4. A wake that meets a sleeper who has just seen work by itself was meant for other work: it is passed on.
/// tests/core/executor/sleepers_interleavings_test.cpp runs it in every order; for it the parts are parameters.
template <template <class> class Atomic, class Kernel>
class BasicSleepers {
 public:
  struct Bed {
    Atomic<std::uint32_t> wakes{0};
    Atomic<bool> asleep{false};
  };

  /// Returns whether somebody sleeps. Called after every piece of work that is made available.
  bool any() const { return count_.load(std::memory_order_relaxed) != 0; }

  /// Returns how many sleep: a hint.
  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

  /// Sleeps until woken, at most `longest_ns`, unless `has_work()` says that there is something to do. Returns whether
  /// it was woken though it did not sleep: then the caller wakes somebody else.
  template <class HasWork>
  bool sleep(Bed& bed, const HasWork& has_work, Nanoseconds longest_ns) {
    return sleep_as(bed, has_work, [longest_ns](const auto& wakes, std::uint32_t seen) {
      Kernel::wait(wakes, seen, longest_ns);
      return false;
    });
  }

  /// As above; `rest(wakes, seen)` sleeps while `wakes` holds `seen`, and returns whether it has seen work by itself.
  template <class HasWork, class Rest>
  bool sleep_as(Bed& bed, const HasWork& has_work, const Rest& rest) {
    const std::uint32_t seen = bed.wakes.load(std::memory_order_acquire);
    bed.asleep.store(true, std::memory_order_relaxed);
    count_.fetch_add(1, std::memory_order_seq_cst);
    Kernel::heavy_fence();
    const bool stays_up = has_work() || rest(bed.wakes, seen);
    const bool woken = !bed.asleep.exchange(false, std::memory_order_relaxed);
    if (!woken) count_.fetch_sub(1, std::memory_order_relaxed);
    return woken && stays_up;
  }

  /// Wakes the thread of `bed`; false if it does not sleep, or another is waking it.
  bool wake(Bed& bed) {
    if (!bed.asleep.exchange(false, std::memory_order_relaxed)) return false;
    count_.fetch_sub(1, std::memory_order_relaxed);
    rouse(bed);
    return true;
  }

  /// Makes the thread of `bed` look again, whether it sleeps or is about to.
  static void rouse(Bed& bed) {
    bed.wakes.fetch_add(1, std::memory_order_release);
    Kernel::wake_one(bed.wakes);
  }

 private:
  Atomic<std::uint32_t> count_{0};
};

/// Where callers wait for something to become true that others make true.
/// Owns: the two counters.  Threading: any thread.
///
/// Orders: all four accesses are sequentially consistent. A waiter counts itself in, reads the epoch, looks at its
/// condition; a ringer makes the condition true, advances the epoch, looks for waiters. If the waiter has read the
/// epoch before it was advanced, the ringer sees the waiter, and the kernel compares the epoch once more before it
/// sleeps; else the waiter sees all that came before the ring.
template <template <class> class Atomic, class Kernel>
class BasicDoorbell {
 public:
  bool anybody_waits() const { return waiters_.load(std::memory_order_relaxed) != 0; }

  /// Sleeps until the next ring, at most `longest_ns`, unless `enough()`. `spin()`, called before it sleeps, may take a
  /// while.
  template <class Spin, class Enough>
  void wait(const Spin& spin, const Enough& enough, Nanoseconds longest_ns) {
    waiters_.fetch_add(1, std::memory_order_seq_cst);
    spin();
    const std::uint32_t epoch = epoch_.load(std::memory_order_seq_cst);
    if (!enough()) Kernel::wait(epoch_, epoch, longest_ns);
    waiters_.fetch_sub(1, std::memory_order_relaxed);
  }

  void ring() {
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (waiters_.load(std::memory_order_seq_cst) != 0) Kernel::wake_all(epoch_);
  }

 private:
  Atomic<std::uint32_t> epoch_{0};
  Atomic<std::uint32_t> waiters_{0};
};

}  // namespace weft
