#include "core/executor/time_left.hpp"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

/// Kinds whose tasks take less are not looked at, unless they took longer before.
constexpr double kLongSeconds = 1e-3;
/// What a new time counts beside those before it.
constexpr double kNewWeight = 0.25;

}  // namespace

void TimeLeft::set(double seconds) {
  const double per_second = ticks_per_second();
  const std::lock_guard lock(mutex_);
  ticks_per_second_ = per_second;
  end_.store(ticks_now() + static_cast<Ticks>(std::max(0.0, seconds) * per_second), std::memory_order_relaxed);
  known_.store(true, std::memory_order_release);
}

std::vector<TaskId> TimeLeft::forget() {
  known_.store(false, std::memory_order_relaxed);
  return take_all();
}

void TimeLeft::raise_longest(double ticks) {
  const auto most = static_cast<Ticks>(ticks) + 1;
  if (most > longest_.load(std::memory_order_relaxed)) longest_.store(most, std::memory_order_relaxed);
}

std::vector<TaskId> TimeLeft::learn(std::uint32_t site, Ticks took, Ticks now) {
  const auto ticks = static_cast<double>(took);
  const std::lock_guard lock(mutex_);
  auto found = kinds_.find(site);
  if (found == kinds_.end()) {
    if (ticks < kLongSeconds * ticks_per_second_) return {};
    found = kinds_.try_emplace(site).first;
  }
  Kind& kind = found->second;
  kind.ticks = kind.ticks > 0 ? kind.ticks + kNewWeight * (ticks - kind.ticks) : ticks;
  raise_longest(kind.ticks);
  if (kind.held.empty() || !fits(kind.ticks, now)) return {};
  return std::exchange(kind.held, {});
}

void TimeLeft::expect(std::uint32_t site, double seconds) {
  if (!known() || seconds < kLongSeconds) return;
  const std::lock_guard lock(mutex_);
  Kind& kind = kinds_[site];
  if (kind.ticks > 0) return;
  kind.ticks = seconds * ticks_per_second_;
  raise_longest(kind.ticks);
}

bool TimeLeft::hold(TaskId task, std::uint32_t site, Ticks now) {
  if (fits(static_cast<double>(longest_.load(std::memory_order_relaxed)), now)) return false;
  const std::lock_guard lock(mutex_);
  // Forgotten meanwhile: then nobody would take it from here.
  if (!known()) return false;
  const auto found = kinds_.find(site);
  if (found == kinds_.end() || fits(found->second.ticks, now)) return false;
  found->second.held.push_back(task);
  return true;
}

bool TimeLeft::keep(TaskId task, std::uint32_t site) {
  const std::lock_guard lock(mutex_);
  if (known()) kinds_[site].held.push_back(task);
  return known();
}

std::vector<TaskId> TimeLeft::take_all() {
  std::vector<TaskId> all;
  const std::lock_guard lock(mutex_);
  for (auto& [site, kind] : kinds_) {
    const std::vector<TaskId> held = std::exchange(kind.held, {});
    all.insert(all.end(), held.begin(), held.end());
  }
  return all;
}

}  // namespace weft
