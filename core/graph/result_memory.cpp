#include "core/graph/result_memory.hpp"

#include "core/graph/boxes.hpp"

namespace weft {

ObjectStoreOptions ResultMemory::with_budget(ObjectStoreOptions options, Budget& budget, StoreWatcher* watcher) {
  options.watcher = watcher;
  options.budget = &budget;
  return options;
}

ResultMemory::ResultMemory(std::size_t budget_bytes, ObjectStoreOptions store)
    : budget_(budget_bytes), store_(with_budget(std::move(store), budget_, this)) {}

std::size_t ResultMemory::used_bytes() const noexcept { return budget_.used() + boxes::small_bytes(); }

void ResultMemory::values_moved() noexcept {
  const std::lock_guard lock(listener_mutex_);
  if (Listener* const listener = listener_.load(std::memory_order_acquire)) listener->room_changed();
}

void ResultMemory::look() noexcept {
  const std::size_t limit = budget_.limit();
  if (limit == 0) return;
  const auto step = static_cast<std::uint32_t>(budget_.used() * 16 / limit);
  if (last_step_.load(std::memory_order_relaxed) == step) return;
  last_step_.store(step, std::memory_order_relaxed);
  if (Listener* const listener = listener_.load(std::memory_order_acquire)) listener->memory_moved();
}

}  // namespace weft
