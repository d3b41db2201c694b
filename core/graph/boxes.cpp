#include "core/graph/boxes.hpp"

#include "core/diagnostics/inject.hpp"
#include "core/executor/aside.hpp"
#include "core/executor/slot.hpp"

#include <weft/task_type.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <vector>

namespace weft {

namespace boxes {
namespace {

/// Below this the store's bookkeeping would cost more than the value holds.
constexpr std::size_t kLeastStored = 4096;

std::size_t value_offset(const ValueType& type) { return (sizeof(Box) + type.align - 1) / type.align * type.align; }

std::align_val_t align_for(const ValueType& type) {
  return std::align_val_t{type.align > alignof(Box) ? type.align : alignof(Box)};
}

/// Charged bytes of small boxes, in shards so that slots do not meet. A sum of one moment may be some bytes off.
struct alignas(64) Shard {
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

/// The memories of open clients and workers, oldest first. Boxes hold their own share of the one they were put into.
struct Memories {
  struct Entry {
    const Executor* executor;
    std::shared_ptr<ResultMemory> memory;
  };
  std::mutex mutex;
  std::vector<Entry> entries;  // guarded by mutex
};
Memories& memories() {
  static Memories* const instance = new Memories;
  return *instance;
}

/// Returns the memory for what this thread makes.
std::shared_ptr<ResultMemory> memory_here() {
  const Slot* const slot = current_slot();
  const Executor* const executor = slot == nullptr ? nullptr : &slot->executor();
  const std::lock_guard lock(memories().mutex);
  const std::vector<Memories::Entry>& entries = memories().entries;
  const auto mine = std::find_if(entries.rbegin(), entries.rend(),
                                 [&](const Memories::Entry& entry) { return entry.executor == executor; });
  if (mine != entries.rend()) return mine->memory;
  return entries.empty() ? nullptr : entries.back().memory;
}

/// Ties a stored box to its memory until the store lets go of the value's place.
struct Tie {
  std::shared_ptr<ResultMemory> memory;
  Held* held = nullptr;
};

Tie* tie_of(const Box* box) { return static_cast<Tie*>(box->held); }

/// Books the time a slot waits for the disk, so that it does not look like overhead of the task.
struct SpillTime {
  // Ticks that were no wait.
  const Aside aside{Phase::Spill, 20'000};
  SpillTime() { inject::delay(Phase::Spill); }
};

/// The store calls this when nothing lies at the place any more.
void free_place(void* place) noexcept {
  // Only values aligned as the header itself are stored, so the header lies right before the value.
  Box* const box = reinterpret_cast<Box*>(static_cast<std::byte*>(place) - sizeof(Box));
  delete tie_of(box);
  discard(box);
}

}  // namespace

void add_memory(const Executor* executor, std::shared_ptr<ResultMemory> memory) {
  remove_memory(memory);
  const std::lock_guard lock(memories().mutex);
  memories().entries.push_back({executor, std::move(memory)});
}

void remove_memory(const std::shared_ptr<ResultMemory>& memory) noexcept {
  const std::lock_guard lock(memories().mutex);
  std::erase_if(memories().entries, [&](const Memories::Entry& entry) { return entry.memory == memory; });
}

Box* make(const ValueType& type) {
  void* const place = ::operator new(value_offset(type) + type.size, align_for(type));
  return ::new (place) Box{&type, 0, nullptr};
}

void discard(Box* box) noexcept { ::operator delete(box, align_for(*box->type)); }

void keep(Box* box) {
  const ValueType& type = *box->type;
  const std::size_t bytes = value_offset(type) + type.size_of(box->value());
  box->charged_bytes = bytes;
  if (bytes >= kLeastStored && value_offset(type) == sizeof(Box)) {
    const std::shared_ptr<ResultMemory> memory = memory_here();
    if (memory != nullptr) {
      auto tie = std::make_unique<Tie>();
      tie->memory = memory;
      {
        const SpillTime time;
        memory->store().reserve(bytes);
      }
      box->held = tie.get();
      tie->held = memory->store().put(type, type.payload, box->value(), bytes, 0, &free_place);
      tie.release();
      memory->look();
      return;
    }
  }
  counter().fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
}

void release(Box* box) noexcept {
  if (Tie* const tie = tie_of(box); tie != nullptr) {
    const std::shared_ptr<ResultMemory> memory = tie->memory;
    memory->store().release(tie->held);
    memory->look();
    return;
  }
  box->type->destroy(box->value());
  counter().fetch_sub(static_cast<std::int64_t>(box->charged_bytes), std::memory_order_relaxed);
  discard(box);
}

void* pin(Box* box) {
  Tie* const tie = tie_of(box);
  if (tie == nullptr) return box->value();
  const SpillTime time;
  return tie->memory->store().pin(tie->held);
}

void settle(Box* box) {
  Tie* const tie = tie_of(box);
  if (tie == nullptr) return;
  const SpillTime time;
  tie->memory->store().settle(tie->held);
}

void unpin(Box* box) noexcept {
  Tie* const tie = tie_of(box);
  if (tie != nullptr) tie->memory->store().unpin(tie->held);
}

std::size_t small_bytes() noexcept {
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

void* TaskFrame::pin(Box* box) {
  void* const value = boxes::pin(box);
  pinned_.push_back(box);
  // The task may take the value for itself. That it will, shows only later, where nobody could wait any more.
  if ((record_.word.load(std::memory_order_relaxed) & task_word::kExtra) == 0 && !record_.borrows) boxes::settle(box);
  return value;
}

void TaskFrame::unpin() noexcept {
  for (Box* const box : pinned_) boxes::unpin(box);
}

}  // namespace weft
