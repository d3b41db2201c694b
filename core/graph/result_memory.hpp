#pragma once

#include "core/memory/budget.hpp"
#include "core/memory/object_store.hpp"

#include <atomic>
#include <memory>
#include <mutex>

namespace weft {

/// The memory that a client's results live in: its budget and the store that spills. Outlives the client while a handle
/// to one of its results exists.
/// Owns: the store.  Threading: any thread.
class ResultMemory final : private StoreWatcher {
 public:
  /// Hears that the used share of the budget has moved by a sixteenth or more. Any thread; must not block.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void memory_moved() noexcept = 0;
    /// Values went to disk or came back, perhaps while every slot sleeps: somebody must look at the memory now.
    virtual void room_changed() noexcept = 0;
  };

  ResultMemory(std::size_t budget_bytes, ObjectStoreOptions store);

  Budget& budget() { return budget_; }
  ObjectStore& store() { return store_; }
  const ObjectStore& store() const { return store_; }
  /// Waits for a call to the former listener that is under way on a disk thread.
  void set_listener(Listener* listener) noexcept {
    const std::lock_guard lock(listener_mutex_);
    listener_.store(listener, std::memory_order_release);
  }
  /// Looks whether the used share has moved enough for the listener to hear of it.
  void look() noexcept;
  std::size_t used_bytes() const noexcept;

 private:
  static ObjectStoreOptions with_budget(ObjectStoreOptions options, Budget& budget, StoreWatcher* watcher);
  void values_moved() noexcept override;

  std::mutex listener_mutex_;
  std::atomic<Listener*> listener_{nullptr};
  Budget budget_;
  ObjectStore store_;
  std::atomic<std::uint32_t> last_step_{0};
};

}  // namespace weft
