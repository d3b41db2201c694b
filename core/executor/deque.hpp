#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft {

/// A slot's ready tasks: the owner pushes and pops at the bottom, thieves take from the top (Chase and Lev's deque with
/// the orders of Le, Pop, Cohen and Zappa Nardelli, PPoPP 2013).
/// Owns: its rings; an outgrown ring is kept until the end, because a thief may still read it.
/// Threading: `push` and `pop` by the owner of the slot, `steal` and `empty` by anyone.
///
/// Orders: push publishes the item by the release store of bottom_; steal reads bottom_ with acquire and so sees it.
/// The fences in pop and steal order "I take the last one" against "I take the first one"; the compare-exchange on top_
/// decides when both mean the same item. tests/core/executor/deque_interleavings_test.cpp runs small cases in every
/// order and shows which of the orders are needed; for it the atomics are a parameter.
template <template <class> class Atomic>
class BasicDeque {
 public:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  /// `capacity`: a power of two, doubled when it is reached.
  explicit BasicDeque(std::int64_t capacity = 1024) {
    rings_.push_back(std::make_unique<Ring>(capacity));
    ring_.store(rings_.back().get(), std::memory_order_relaxed);
  }
  BasicDeque(const BasicDeque&) = delete;
  BasicDeque& operator=(const BasicDeque&) = delete;

  void push(std::uint64_t item) {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    const std::int64_t top = top_.load(std::memory_order_acquire);
    Ring* ring = ring_.load(std::memory_order_relaxed);
    if (bottom - top >= ring->size) [[unlikely]]
      ring = grow(ring, top, bottom);
    ring->put(bottom, item);
    bottom_.store(bottom + 1, std::memory_order_release);
  }

  /// Returns the newest item, or kEmpty.
  std::uint64_t pop() {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    // An empty deque is the common case and needs no fence: only the owner adds.
    if (bottom < top_.load(std::memory_order_relaxed)) return kEmpty;
    Ring* const ring = ring_.load(std::memory_order_relaxed);
    bottom_.store(bottom, std::memory_order_seq_cst);
    std::int64_t top = top_.load(std::memory_order_seq_cst);
    if (top > bottom) {
      bottom_.store(bottom + 1, std::memory_order_relaxed);
      return kEmpty;
    }
    std::uint64_t item = ring->get(bottom);
    if (top == bottom) {
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) item = kEmpty;
      bottom_.store(bottom + 1, std::memory_order_relaxed);
    }
    return item;
  }

  /// Returns the oldest item, or kEmpty when there is none or another thread was faster.
  std::uint64_t steal() {
    std::int64_t top = top_.load(std::memory_order_seq_cst);
    const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);
    if (top >= bottom) return kEmpty;
    const std::uint64_t item = ring_.load(std::memory_order_acquire)->get(top);
    if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) return kEmpty;
    return item;
  }

  bool empty() const { return bottom_.load(std::memory_order_acquire) <= top_.load(std::memory_order_acquire); }

  /// Returns how many items lie in it; exact for the owner while nobody steals.
  std::int64_t size() const { return bottom_.load(std::memory_order_relaxed) - top_.load(std::memory_order_relaxed); }

  /// Returns the place where the next item will be pushed: what lies above an earlier bottom is newer than that moment.
  std::int64_t bottom() const { return bottom_.load(std::memory_order_relaxed); }

 private:
  struct Ring {
    explicit Ring(std::int64_t n) : size(n), items(new Atomic<std::uint64_t>[static_cast<std::size_t>(n)]) {}
    std::uint64_t get(std::int64_t at) const {
      return items[static_cast<std::size_t>(at & (size - 1))].load(std::memory_order_relaxed);
    }
    void put(std::int64_t at, std::uint64_t item) {
      items[static_cast<std::size_t>(at & (size - 1))].store(item, std::memory_order_relaxed);
    }
    const std::int64_t size;
    std::unique_ptr<Atomic<std::uint64_t>[]> items;
  };

  Ring* grow(Ring* ring, std::int64_t top, std::int64_t bottom) {
    auto bigger = std::make_unique<Ring>(ring->size * 2);
    for (std::int64_t at = top; at < bottom; ++at) bigger->put(at, ring->get(at));
    rings_.push_back(std::move(bigger));
    ring_.store(rings_.back().get(), std::memory_order_release);
    return rings_.back().get();
  }

  alignas(64) Atomic<std::int64_t> top_{0};
  alignas(64) Atomic<std::int64_t> bottom_{0};
  Atomic<Ring*> ring_{nullptr};
  std::vector<std::unique_ptr<Ring>> rings_;
};

using Deque = BasicDeque<std::atomic>;

}  // namespace weft
