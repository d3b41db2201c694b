#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/messages/ids.hpp"

namespace weft::sim {

/// Virtual time: what is due is done in order of its time, and of its entry where times are equal.
/// Owns: the things that are due.  Threading: none.
class Timeline {
 public:
  using Thing = std::function<void()>;

  [[nodiscard]] Nanoseconds now() const { return now_; }

  /// Does `thing` at `time`, or now if that has passed.
  void at(Nanoseconds time, Thing thing) {
    ++foreground_;
    add(time, false, std::move(thing));
  }

  /// The same for what happens beside the work (ticks, faults): it does not count as something under way.
  void beside_at(Nanoseconds time, Thing thing) { add(time, true, std::move(thing)); }

  /// How many things of the work are due: messages on their way, tasks that run.
  [[nodiscard]] std::uint64_t under_way() const { return foreground_; }
  [[nodiscard]] std::uint64_t done_count() const { return done_; }

  /// Does what is due next. Returns false if nothing is.
  bool step() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    now_ = entry.time;
    Thing thing = std::move(things_[entry.slot]);
    things_[entry.slot] = nullptr;
    free_.push_back(entry.slot);
    if (!entry.beside) --foreground_;
    ++done_;
    thing();
    return true;
  }

 private:
  struct Entry {
    Nanoseconds time;
    std::uint64_t order;
    std::uint32_t slot;
    bool beside;
  };

  static bool later(const Entry& left, const Entry& right) {
    return left.time != right.time ? left.time > right.time : left.order > right.order;
  }

  void add(Nanoseconds time, bool beside, Thing thing) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(things_.size()));
      things_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    things_[slot] = std::move(thing);
    heap_.push_back({std::max(time, now_), order_++, slot, beside});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  Nanoseconds now_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t foreground_ = 0;
  std::uint64_t done_ = 0;
  std::vector<Entry> heap_;
  std::vector<Thing> things_;
  std::vector<std::uint32_t> free_;
};

}  // namespace weft::sim
