#include "core/graph/boxes.hpp"

#include <weft/task_type.hpp>

#include <atomic>

namespace weft {

namespace boxes {

std::atomic<bool> spill_enabled{false};

namespace {

constexpr std::size_t kAlign = 64;

std::size_t bytes_for(const ValueType& type) {
  const std::size_t at = (sizeof(Box) + type.align - 1) / type.align * type.align;
  return at + type.size;
}

std::align_val_t align_for(const ValueType& type) {
  return std::align_val_t{type.align > alignof(Box) ? type.align : alignof(Box)};
}

/// Charged bytes, in shards so that slots do not meet. A sum of one moment may be some bytes off.
struct alignas(kAlign) Shard {
  std::atomic<std::int64_t> bytes{0};
};
constexpr unsigned kShards = 16;
Shard shards[kShards];
std::atomic<unsigned> next_shard{0};
constinit thread_local unsigned my_shard = kNone;

std::atomic<std::int64_t>& counter() {
  if (my_shard == kNone) my_shard = next_shard.fetch_add(1, std::memory_order_relaxed) % kShards;
  return shards[my_shard].bytes;
}

}  // namespace

Box* make(const ValueType& type) {
  void* const place = ::operator new(bytes_for(type), align_for(type));
  return ::new (place) Box{&type, 0, nullptr};
}

void discard(Box* box) noexcept { ::operator delete(box, align_for(*box->type)); }

std::size_t keep(Box* box) {
  box->charged_bytes = sizeof(Box) + box->type->size_of(box->value());
  counter().fetch_add(static_cast<std::int64_t>(box->charged_bytes), std::memory_order_relaxed);
  return box->charged_bytes;
}

void release(Box* box) noexcept {
  box->type->destroy(box->value());
  counter().fetch_sub(static_cast<std::int64_t>(box->charged_bytes), std::memory_order_relaxed);
  discard(box);
}

void* pin(Box* box) { return box->value(); }
void unpin(Box*) noexcept {}

std::size_t resident_bytes() noexcept {
  std::int64_t sum = 0;
  for (const Shard& shard : shards) sum += shard.bytes.load(std::memory_order_relaxed);
  return sum > 0 ? static_cast<std::size_t>(sum) : 0;
}

}  // namespace boxes

Box* TaskFrame::new_box(const ValueType& type) { return boxes::make(type); }
void TaskFrame::delete_box(Box* box) noexcept { boxes::discard(box); }
void TaskFrame::keep(Box* box) {
  boxes::keep(box);
  std::memcpy(record_.payload + result_offset(0, false), &box, sizeof box);
}

}  // namespace weft
