#pragma once

#include "core/executor/slot.hpp"

#include <algorithm>
#include <utility>

namespace weft {

/// Books what a slot does inside a task or between two stamps to a phase of its own: waiting for the disk, a machine's
/// decision, freeing a large result. Asides within asides are booked once, each to its own phase.
/// Owns: nothing.  Threading: the thread of the slot; in others it books nothing.
class Aside {
 public:
  /// What takes fewer ticks than `least` stays where it is: it would cost more to book than it is.
  explicit Aside(Phase phase, Ticks least = 0) : phase_(phase), least_(least), outer_(std::exchange(within_, 0)) {}
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() {
    if constexpr (!SlotBook::kBooks) return;
    const Ticks total = ticks_now() - begin_;
    const Ticks own = total - std::min(total, within_);
    Slot* const slot = own >= least_ ? current_slot() : nullptr;
    if (slot != nullptr) slot->book().book_inside(phase_, own);
    within_ = outer_ + (slot != nullptr ? total : total - own);
  }

 private:
  static inline constinit thread_local Ticks within_ = 0;

  const Phase phase_;
  const Ticks least_;
  /// What earlier asides of the aside around this one took.
  const Ticks outer_;
  const Ticks begin_ = SlotBook::kBooks ? ticks_now() : 0;
};

}  // namespace weft
