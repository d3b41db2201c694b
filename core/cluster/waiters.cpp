#include "core/cluster/waiters.hpp"

#include "core/executor/futex.hpp"

#include <ctime>

namespace weft::cluster {
namespace {

constexpr Nanoseconds kNap = 1'000'000;
constexpr std::uint32_t kNapsBeforeRest = 4;

}  // namespace

void Waiters::give_way(Nanoseconds most) noexcept {
  const std::uint64_t seen = word_.load(std::memory_order_seq_cst);
  const timespec nap{0, kNap};
  ::nanosleep(&nap, nullptr);
  same_ = word_.load(std::memory_order_seq_cst) == seen ? same_ + 1 : 0;
  if (same_ < kNapsBeforeRest) return;
  same_ = 0;
  // Whoever leaves last sees the rest, or is seen.
  resting_.store(1, std::memory_order_seq_cst);
  if (any()) futex::wait(resting_, 1, most);
  resting_.store(0, std::memory_order_seq_cst);
}

void Waiters::end_rest() noexcept {
  resting_.store(0, std::memory_order_seq_cst);
  futex::wake_one(resting_);
}

}  // namespace weft::cluster
