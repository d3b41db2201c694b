#pragma once

#include <weft/ids.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace weft {

/// A run of task ids: [first, end).
struct TaskRange {
  TaskId first = 0;
  TaskId end = 0;

  bool empty() const { return first >= end; }
  std::uint32_t size() const { return end - first; }
  bool operator==(const TaskRange&) const = default;
};

/// The range of root tasks a slot is walking. The owner takes from the front, a thief takes the further half.
/// Threading: `assign` and `take` by the owner of the slot, `steal_half` by anyone.
///
/// Orders: both ends live in one word, so that each change is one compare-exchange and nobody sees half of it. Acquire
/// and release carry the records' contents from whoever launched them through every owner. The atomics are a parameter
/// for tests/core/executor/roots_interleavings_test.cpp.
template <template <class> class Atomic>
class BasicRootRange {
 public:
  /// Gives the owner a new range; the old one is used up.
  void assign(TaskRange range) { word_.store(pack(range), std::memory_order_release); }

  /// Takes up to `most` tasks from the front.
  TaskRange take(std::uint32_t most) {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const TaskRange range = unpack(word);
      if (range.empty()) return {};
      const TaskId cut = range.size() <= most ? range.end : range.first + most;
      if (word_.compare_exchange_weak(word, pack({cut, range.end}), std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return {range.first, cut};
      }
    }
  }

  /// Takes the further half, at least one task.
  TaskRange steal_half() {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const TaskRange range = unpack(word);
      if (range.empty()) return {};
      const TaskId cut = range.first + range.size() / 2;
      if (word_.compare_exchange_weak(word, pack({range.first, cut}), std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return {cut, range.end};
      }
    }
  }

  TaskRange peek() const { return unpack(word_.load(std::memory_order_relaxed)); }

 private:
  static std::uint64_t pack(TaskRange range) { return (static_cast<std::uint64_t>(range.end) << 32) | range.first; }
  static TaskRange unpack(std::uint64_t word) { return {static_cast<TaskId>(word), static_cast<TaskId>(word >> 32)}; }

  Atomic<std::uint64_t> word_{0};
};

using RootRange = BasicRootRange<std::atomic>;

}  // namespace weft
