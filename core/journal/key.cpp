#include "core/journal/key.hpp"

#include "core/journal/segment_keys.hpp"

#include <weft/arena.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace weft::journal {
namespace {

/// Of one segment of task records.
struct SegmentKeys {
  std::array<Key, arena::kSegmentTasks> keys{};
  std::array<float, arena::kSegmentTasks> costs{};
};

/// By segment. Never destroyed: handles may end in static destructors.
struct Table {
  std::mutex mutex;
  std::unordered_map<std::uint32_t, std::unique_ptr<SegmentKeys>> segments;  // guarded by mutex

  /// Calls `look` with the keys of the task's segment, if it has some.
  template <class Look>
  void look_at(TaskId task, const Look& look) {
    const std::lock_guard lock(mutex);
    const auto found = segments.find(task >> arena::kSegmentShift);
    if (found != segments.end()) look(*found->second);
  }
};

Table& table() {
  static Table* const kept = new Table;
  return *kept;
}

constexpr std::uint32_t place_of(TaskId task) { return task & (arena::kSegmentTasks - 1); }

}  // namespace

std::atomic<bool> any_keys{false};

KeyMaker& KeyMaker::add(const void* bytes, std::size_t count) noexcept {
  // An odd factor, and a shift that brings the upper half down: both can be undone.
  constexpr Word factor = (Word{0x9e3779b97f4a7c15u} << 64) | 0xf39cc0605cedc835u;
  const auto step = [this](Word word) {
    state_ = (state_ ^ word) * factor;
    state_ ^= state_ >> 67;
  };
  step(count);
  const auto* at = static_cast<const std::byte*>(bytes);
  for (; count >= sizeof(Word); count -= sizeof(Word), at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    step(word);
  }
  if (count != 0) {
    Word word = 0;
    std::memcpy(&word, at, count);
    step(word);
  }
  return *this;
}

Key KeyMaker::key() const noexcept {
  KeyMaker last = *this;
  const std::uint64_t end[2] = {0x243f6a8885a308d3u, 0x13198a2e03707344u};
  last.add(end, sizeof end);
  Key key{static_cast<std::uint64_t>(last.state_ >> 64), static_cast<std::uint64_t>(last.state_)};
  if (key.none()) key.low = 1;
  return key;
}

void set_key(TaskId task, const Key& key, float seconds) {
  const std::lock_guard lock(table().mutex);
  std::unique_ptr<SegmentKeys>& segment = table().segments[task >> arena::kSegmentShift];
  if (segment == nullptr) segment = std::make_unique<SegmentKeys>();
  segment->keys[place_of(task)] = key;
  segment->costs[place_of(task)] = seconds;
  any_keys.store(true, std::memory_order_relaxed);
}

Key key_of(TaskId task) noexcept {
  Key key;
  table().look_at(task, [&](const SegmentKeys& segment) { key = segment.keys[place_of(task)]; });
  return key;
}

float cost_of(TaskId task) noexcept {
  float seconds = 0;
  table().look_at(task, [&](const SegmentKeys& segment) { seconds = segment.costs[place_of(task)]; });
  return seconds;
}

void set_cost(TaskId task, float seconds) noexcept {
  table().look_at(task, [&](SegmentKeys& segment) { segment.costs[place_of(task)] = seconds; });
}

void forget_keys(std::uint32_t segment) noexcept {
  std::unique_ptr<SegmentKeys> gone;
  const std::lock_guard lock(table().mutex);
  const auto found = table().segments.find(segment);
  if (found == table().segments.end()) return;
  gone = std::move(found->second);
  table().segments.erase(found);
}

}  // namespace weft::journal
