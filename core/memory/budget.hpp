#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace weft {

/// Bounds the bytes that a worker's results and running tasks take, in memory of one kind.
///
/// What counts: everything reserved (operands, outputs and scratch of tasks, held results), and the resident memory
/// that nobody reserved, as last sampled. The marks tell a listener when to begin and when to stop making room.
/// Owns: counters only.  Threading: any thread; one compare-and-swap a call.
class Budget {
 public:
  /// Hears of the marks, on the thread that crossed them. Must not block: it wakes whoever makes room.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void budget_is_high() noexcept = 0;
    virtual void budget_is_low() noexcept = 0;
  };
  struct Marks {
    double high = 0.85;
    double low = 0.70;
  };

  explicit Budget(std::size_t limit_bytes) : Budget(limit_bytes, Marks()) {}
  Budget(std::size_t limit_bytes, Marks marks);

  /// Reserves all of `bytes`, or nothing where they would pass the limit. Operands of one task are reserved as a sum,
  /// so that no two tasks each hold a part of what both need.
  [[nodiscard]] bool try_reserve(std::size_t bytes) noexcept;
  /// Reserves beyond the limit if it must be: for the one task or read that everything else waits for.
  void reserve_anyway(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept;

  /// Charges what `resident_bytes` holds beyond the baseline, the reservations and the pool's cache. A reservation that
  /// is not yet used hides as much; the sum is right either way.
  void sample(std::size_t resident_bytes, std::size_t cached_bytes) noexcept;
  /// Sets the resident memory that is there before any work, the program itself.
  void set_baseline(std::size_t resident_bytes) noexcept { baseline_.store(resident_bytes, std::memory_order_relaxed); }

  /// Set before other threads use the budget; null: nobody.
  void set_listener(Listener* listener) noexcept { listener_ = listener; }

  std::size_t limit() const noexcept { return limit_; }
  std::size_t high_mark() const noexcept { return high_; }
  std::size_t low_mark() const noexcept { return low_; }
  std::size_t reserved() const noexcept { return reserved_.load(std::memory_order_relaxed); }
  std::size_t unmanaged() const noexcept { return unmanaged_.load(std::memory_order_relaxed); }
  std::size_t used() const noexcept { return reserved() + unmanaged(); }
  std::size_t available() const noexcept { return used() < limit_ ? limit_ - used() : 0; }
  std::size_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }
  bool is_high() const noexcept { return is_high_.load(std::memory_order_relaxed); }

 private:
  void note_growth(std::size_t used) noexcept;
  void note_shrinking(std::size_t used) noexcept;

  // Constant after construction, the listener after the first use.
  const std::size_t limit_;
  const std::size_t high_;
  const std::size_t low_;
  Listener* listener_ = nullptr;

  alignas(64) std::atomic<std::size_t> reserved_{0};
  std::atomic<std::size_t> unmanaged_{0};
  std::atomic<std::size_t> peak_{0};
  std::atomic<std::size_t> baseline_{0};
  std::atomic<bool> is_high_{false};
};

/// A part of a budget that is given back with its owner.
/// Owns: the reserved bytes.  Threading: one thread at a time.
class Reservation {
 public:
  Reservation() noexcept = default;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() {
    if (budget_ != nullptr) budget_->release(bytes_);
  }

  /// Returns a reservation that holds (converts to true), or nothing.
  static Reservation attempt(Budget& budget, std::size_t bytes) noexcept {
    Reservation result;
    if (budget.try_reserve(bytes)) {
      result.budget_ = &budget;
      result.bytes_ = bytes;
    }
    return result;
  }

  explicit operator bool() const noexcept { return budget_ != nullptr; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Gives back all but `bytes`: the estimate was too high.
  void shrink(std::size_t bytes) noexcept {
    if (budget_ == nullptr || bytes >= bytes_) return;
    budget_->release(bytes_ - bytes);
    bytes_ = bytes;
  }
  /// Leaves the bytes reserved for somebody else to release, as when a result is put into the object store.
  std::size_t hand_over() noexcept {
    budget_ = nullptr;
    return std::exchange(bytes_, 0);
  }

 private:
  Budget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace weft
