// Starts: ranges of tasks without inputs, and single tasks, that no slot has taken yet; and what slots take from each
// other.

#include "core/diagnostics/inject.hpp"
#include "core/executor/executor.hpp"
#include "core/executor/failing.hpp"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

/// Starts that a thread which waits looks at for one that it may run.
constexpr unsigned kMostRefused = 8;

}  // namespace

bool Executor::put_start(TaskRange range, bool holdable, bool front, bool urgent) {
  const std::lock_guard lock(starts_mutex_);
  const bool lone = starts_.empty();
  if (urgent) {
    urgent_.push_back({range, false});
    urgent_count_.store(static_cast<std::uint32_t>(urgent_.size()), std::memory_order_relaxed);
    return false;
  }
  if (front) {
    starts_.push_front({range, holdable});
  } else if (!starts_.empty() && starts_.back().holdable == holdable && starts_.back().range.end == range.first) {
    starts_.back().range.end = range.end;
  } else {
    starts_.push_back({range, holdable});
  }
  start_count_.store(static_cast<std::uint32_t>(starts_.size()), std::memory_order_relaxed);
  return lone;
}

bool Executor::take_urgent(Slot& slot) {
  TaskId task = kNone;
  {
    const std::lock_guard lock(starts_mutex_);
    if (urgent_.empty()) return false;
    Start& front = urgent_.front();
    if (slot.refuses(front.range.first)) return false;
    task = front.range.first++;
    if (front.range.empty()) urgent_.pop_front();
    urgent_count_.store(static_cast<std::uint32_t>(urgent_.size()), std::memory_order_relaxed);
  }
  slot.run_chain(task);
  return true;
}

bool Executor::take_start(Slot& slot) {
  if (start_count_.load(std::memory_order_relaxed) == 0) return false;
  inject::delay(Phase::Queue);
  const std::lock_guard lock(starts_mutex_);
  const bool held = roots_held_.load(std::memory_order_relaxed);
  // Whoever only helps takes nothing past what waits for a slot's own thread.
  const unsigned most_refused = slot.awaited_ == kAnyTask ? 1 : kMostRefused;
  unsigned refused = 0;
  for (auto at = starts_.begin(); at != starts_.end(); ++at) {
    const TaskRange range = at->range;
    const bool holds_awaited = slot.awaited_ >= range.first && slot.awaited_ < range.end;
    if (!holds_awaited && slot.refuses(range.first)) {
      if (++refused == most_refused) return false;
      continue;
    }
    if (held && at->holdable && allowed_roots_.load(std::memory_order_relaxed) == 0) continue;
    slot.roots_holdable_ = at->holdable;
    if (holds_awaited) {
      slot.assign_roots({slot.awaited_, slot.awaited_ + 1}, false);
      take_from_start(at, slot.awaited_);
    } else {
      slot.assign_roots(range, at->holdable);
      starts_.erase(at);
    }
    takes_.store(takes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    start_count_.store(static_cast<std::uint32_t>(starts_.size()), std::memory_order_relaxed);
    return true;
  }
  return false;
}

void Executor::take_from_start(std::deque<Start>::iterator at, TaskId task) {
  const Start after{{task + 1, at->range.end}, at->holdable};
  at->range.end = task;
  if (at->range.empty())
    at = starts_.erase(at);
  else
    ++at;
  if (!after.range.empty()) starts_.insert(at, after);
}

bool Executor::must_hold(Slot& slot) {
  if (!roots_held_.load(std::memory_order_relaxed) || !slot.roots_holdable_) return false;
  std::uint32_t allowed = allowed_roots_.load(std::memory_order_relaxed);
  while (allowed != 0) {
    if (allowed_roots_.compare_exchange_weak(allowed, allowed - 1, std::memory_order_relaxed)) return false;
  }
  slot.return_batch();
  return true;
}

bool Executor::steal_for(Slot& slot) {
  if (slot.awaited_ == kOnlyLook) return false;
  const unsigned count = slot_count();
  for (unsigned i = 1; i < count; ++i) {
    Slot& victim = *slots_[(slot.index() + i) % count];
    const std::uint64_t item = victim.deque().steal();
    if (item != Deque::kEmpty) {
      if (slot.refuses(static_cast<TaskId>(item))) {
        put_start({static_cast<TaskId>(item), static_cast<TaskId>(item) + 1}, false, true, false);
        wake_one();
        return false;
      }
      slot.take_stolen(static_cast<TaskId>(item));
      return true;
    }
  }
  // What was handed over to a slot that is busy, or has gone meanwhile.
  for (unsigned i = 1; i < count; ++i) {
    const unsigned victim = (slot.index() + i) % count;
    TaskId task = slots_[victim]->inbox().take();
    if (task == kNone) continue;
    while (task != kNone) slot.take_stolen(std::exchange(task, std::exchange(arena::task(task).link, victim)));
    return true;
  }
  if (roots_held_.load(std::memory_order_relaxed)) return false;
  for (unsigned i = 1; i < count; ++i) {
    Slot& victim = *slots_[(slot.index() + i) % count];
    if (!slot.may_steal_roots(victim.roots().peek().first)) continue;
    const TaskRange range = victim.roots().steal_half();
    if (range.empty()) continue;
    slot.roots_holdable_ = victim.roots_holdable_.load(std::memory_order_relaxed);
    slot.assign_roots(range, false);
    return true;
  }
  return false;
}

bool Executor::hold(TaskId task, std::uint32_t site, Ticks now) {
  const PacketId packet = arena::packet_of(task);
  if (!time_left_.hold(task, site, now)) return false;
  listener_.packet_held(packet);
  return true;
}

void Executor::learn_time(std::uint32_t site, Ticks took, Ticks now) { start_again(time_left_.learn(site, took, now)); }

void Executor::retry_held() {
  if (time_left_.known()) start_again(time_left_.take_all());
}

void Executor::start_again(const std::vector<TaskId>& tasks) {
  if (tasks.empty()) return;
  for (const TaskId task : tasks) {
    // The slots and resources of one that has needs were given to others: it only may come to its end.
    PacketEntry& entry = packets_[arena::packet_of(task)];
    const bool ends = draining() || entry.cancelled.load(std::memory_order_relaxed) ||
                      failing::cancel_requested(task, arena::task(task).word.load(std::memory_order_acquire));
    if (entry.urgent && !ends && time_left_.keep(task, arena::task(task).site)) continue;
    put_start({task, task + 1}, false, false, false);
  }
  wake_all_slots();
  wake_waiters();
}

void Executor::hold_roots(bool held) {
  roots_held_.store(held, std::memory_order_relaxed);
  if (!held) wake_all_slots();
}

void Executor::allow_roots(std::uint32_t count) {
  allowed_roots_.store(count, std::memory_order_relaxed);
  wake_one();
}

bool Executor::something_to_do() const {
  if (urgent_count_.load(std::memory_order_relaxed) != 0) return true;
  const bool held = roots_held_.load(std::memory_order_relaxed) && allowed_roots_.load(std::memory_order_relaxed) == 0;
  if (start_count_.load(std::memory_order_relaxed) != 0 && !held) return true;
  return std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) {
    return !slot->deque().empty() || !slot->inbox().empty() || (!held && !slot->roots().peek().empty());
  });
}

}  // namespace weft
