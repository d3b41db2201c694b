#include "core/memory/budget.hpp"

#include "core/diagnostics/assert.hpp"

namespace weft {

namespace {

std::size_t share_of(std::size_t limit, double share) {
  return static_cast<std::size_t>(static_cast<double>(limit) * share);
}

}  // namespace

Budget::Budget(std::size_t limit_bytes, Marks marks)
    : limit_(limit_bytes), high_(share_of(limit_bytes, marks.high)), low_(share_of(limit_bytes, marks.low)) {}

bool Budget::try_reserve(std::size_t bytes) noexcept {
  const std::size_t unmanaged = unmanaged_.load(std::memory_order_relaxed);
  std::size_t reserved = reserved_.load(std::memory_order_relaxed);
  do {
    // Written so that no sum wraps around.
    const std::size_t used = reserved + unmanaged;
    if (used > limit_ || bytes > limit_ - used) return false;
  } while (!reserved_.compare_exchange_weak(reserved, reserved + bytes, std::memory_order_relaxed));
  note_growth(reserved + bytes + unmanaged);
  return true;
}

void Budget::reserve_anyway(std::size_t bytes) noexcept {
  const std::size_t reserved = reserved_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  note_growth(reserved + unmanaged_.load(std::memory_order_relaxed));
}

void Budget::release(std::size_t bytes) noexcept {
  const std::size_t before = reserved_.fetch_sub(bytes, std::memory_order_relaxed);
  WEFT_ASSERT(before >= bytes, "no more is released than was reserved");
  note_shrinking(before - bytes + unmanaged_.load(std::memory_order_relaxed));
}

void Budget::sample(std::size_t resident_bytes, std::size_t cached_bytes) noexcept {
  const std::size_t explained = baseline_.load(std::memory_order_relaxed) + reserved() + cached_bytes;
  const std::size_t unmanaged = resident_bytes > explained ? resident_bytes - explained : 0;
  const std::size_t before = unmanaged_.exchange(unmanaged, std::memory_order_relaxed);
  if (unmanaged > before) note_growth(reserved() + unmanaged);
  if (unmanaged < before) note_shrinking(reserved() + unmanaged);
}

void Budget::note_growth(std::size_t used) noexcept {
  std::size_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < used && !peak_.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
  }
  if (used < high_ || is_high_.load(std::memory_order_relaxed)) return;
  if (!is_high_.exchange(true, std::memory_order_relaxed) && listener_ != nullptr) listener_->budget_is_high();
}

void Budget::note_shrinking(std::size_t used) noexcept {
  if (used > low_ || !is_high_.load(std::memory_order_relaxed)) return;
  if (is_high_.exchange(false, std::memory_order_relaxed) && listener_ != nullptr) listener_->budget_is_low();
}

}  // namespace weft
