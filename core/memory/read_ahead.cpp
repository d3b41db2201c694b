#include "core/memory/read_ahead.hpp"

#include <algorithm>

namespace weft {

void ReadAhead::went(Held& held) noexcept {
  const std::lock_guard lock(mutex_);
  held.older = newest_;
  held.newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = &held;
  newest_ = &held;
}

void ReadAhead::unlink(Held& held) noexcept {
  if (before_miss_ == &held) before_miss_ = held.older;
  if (after_miss_ == &held) after_miss_ = held.newer;
  if (cursor_ == &held) cursor_ = direction_ == Direction::Older ? held.older : held.newer;
  (held.older != nullptr ? held.older->newer : oldest_) = held.newer;
  (held.newer != nullptr ? held.newer->older : newest_) = held.older;
  held.older = nullptr;
  held.newer = nullptr;
}

void ReadAhead::forget(Held& held) noexcept {
  const std::lock_guard lock(mutex_);
  unlink(held);
}

void ReadAhead::missed(Held& held) noexcept {
  const std::lock_guard lock(mutex_);
  Held* const older = held.older;
  Held* const newer = held.newer;
  const Direction before = direction_;
  direction_ = &held == before_miss_ ? Direction::Older : &held == after_miss_ ? Direction::Newer : Direction::None;
  // On the way already, the cursor is ahead of the reader, who overtook what was to be read next.
  if (direction_ != before || cursor_ == nullptr) cursor_ = direction_ == Direction::Older ? older : newer;
  unlink(held);
  before_miss_ = older;
  after_miss_ = newer;
}

void ReadAhead::begun(std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  ahead_bytes_ += bytes;
}

void ReadAhead::done(std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  ahead_bytes_ -= std::min(ahead_bytes_, bytes);
}

std::vector<ReadAhead::Next> ReadAhead::next(std::size_t window) {
  std::vector<Next> result;
  const std::lock_guard lock(mutex_);
  if (direction_ == Direction::None) return result;
  while (cursor_ != nullptr && (ahead_bytes_ == 0 || ahead_bytes_ + cursor_->bytes <= window)) {
    result.push_back({cursor_, cursor_->serial, cursor_->bytes});
    ahead_bytes_ += cursor_->bytes;
    cursor_ = direction_ == Direction::Older ? cursor_->older : cursor_->newer;
  }
  return result;
}

}  // namespace weft
