#include "gpu/batches/batches.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace weft::gpu {

Batches::Batches(Driver& driver, Watcher& watcher, StreamId feed, Launched launched, Ended ended)
    : driver_(driver),
      watcher_(watcher),
      feed_(feed),
      stream_(driver.open_stream()),
      launched_(std::move(launched)),
      ended_(std::move(ended)) {}

void Batches::gather(std::shared_ptr<ShortWork> work) {
  {
    const std::lock_guard lock(mutex_);
    gathered_.push_back(std::move(work));
  }
  put_on();
}

void Batches::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurried_ = gathered_.size();
  }
  put_on();
}

bool Batches::take_back(const ShortWork& work) noexcept {
  const std::lock_guard lock(mutex_);
  const auto mine =
      std::find_if(gathered_.begin(), gathered_.end(), [&](const auto& one) { return one.get() == &work; });
  if (mine == gathered_.end()) return false;
  if (static_cast<std::size_t>(mine - gathered_.begin()) < hurried_) --hurried_;
  gathered_.erase(mine);
  return true;
}

/// Launches what may go now. A thread that finds another at it leaves its own to that one.
void Batches::put_on() {
  std::unique_lock lock(mutex_);
  while (!launching_ && !gathered_.empty() && (under_way_ == 0 || hurried_ != 0 || gathered_.size() >= kMostInBatch)) {
    const std::size_t count = batch_size(gathered_.size());
    Works works(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(count));
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(count));
    hurried_ -= std::min(hurried_, count);
    launching_ = true;
    ++under_way_;
    lock.unlock();
    launch(std::move(works));
    lock.lock();
    launching_ = false;
  }
}

void Batches::launch(Works works) {
  const auto start = std::chrono::steady_clock::now();
  BatchWay way;
  {
    const std::lock_guard lock(mutex_);
    way = choose_way(works.size(), costs_);
    if (works.size() >= kFewestInGraph) ++costs_.chosen;
  }
  BatchEnd batch;
  driver_.wait(stream_, driver_.record(feed_));
  const std::uint32_t began = driver_.stamp(stream_);
  if (way != BatchWay::Graph || !capture(works, batch.use)) one_by_one(works);
  const std::uint32_t ended = driver_.stamp(stream_);
  const Event done = driver_.record(stream_);
  batch.launch_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  launched_(works, done);
  batch.works = std::move(works);
  watcher_.watch(done, [this, batch = std::move(batch), began, ended](EventState state) mutable {
    batch.failed = state == EventState::Failed;
    batch.device_seconds = driver_.seconds_between(began, ended);
    driver_.forget(began);
    driver_.forget(ended);
    book(batch);
    put_on();  // first, so that the device has the next while these wake
    ended_(batch);
  });
}

bool Batches::capture(const Works& works, GraphUse& use) {
  if (!driver_.begin_capture(stream_)) return false;
  bool whole = true;
  try {
    for (const auto& work : works)
      for (const auto& step : work->steps) step(stream_);
    whole = driver_.refusal().empty();
  } catch (...) {
    whole = false;
  }
  use = driver_.end_capture(stream_, whole);
  return use != GraphUse::None;
}

void Batches::one_by_one(const Works& works) {
  static_cast<void>(driver_.refusal());
  for (const auto& work : works) {
    try {
      for (const auto& step : work->steps) step(stream_);
      if (const std::string why = driver_.refusal(); !why.empty())
        throw DeviceError("the device refused what the work put on its stream: " + why);
    } catch (...) {
      work->problem = std::current_exception();
    }
  }
}

/// What a batch cost tells how the next goes.
void Batches::book(const BatchEnd& batch) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  if (batch.failed || batch.works.size() < kFewestInGraph) return;
  const double seconds = std::max(batch.launch_seconds, batch.device_seconds) / static_cast<double>(batch.works.size());
  switch (batch.use) {
    case GraphUse::None:
      costs_.one_by_one = measured_cost(costs_.one_by_one, seconds);
      return;
    case GraphUse::Made:
      costs_.made = measured_cost(costs_.made, seconds);
      costs_.kept_share *= 0.75;
      return;
    case GraphUse::Kept:
      costs_.kept = measured_cost(costs_.kept, seconds);
      costs_.kept_share = 0.75 * costs_.kept_share + 0.25;
      return;
  }
}

}  // namespace weft::gpu
