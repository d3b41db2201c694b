#pragma once

#include <weft/ids.hpp>

#include <atomic>

namespace weft {

/// Room for one ready task that somebody leaves to the owner of a slot.
/// Owns: the word.  Threading: anyone gives, anyone takes; each task given is taken once.
///
/// Orders: `give` releases and `take` acquires, so that what came before the task was given is seen by whoever runs it.
/// A look before each exchange keeps the line shared while nothing happens. The atomics are a parameter for
/// tests/core/executor/inbox_interleavings_test.cpp.
template <template <class> class Atomic>
class BasicInbox {
 public:
  /// Leaves a task here; false if another one lies here still.
  bool give(TaskId task) {
    TaskId none = kNone;
    return empty() && task_.compare_exchange_strong(none, task, std::memory_order_release, std::memory_order_relaxed);
  }

  /// Returns what lies here, or kNone.
  TaskId take() { return empty() ? kNone : task_.exchange(kNone, std::memory_order_acquire); }

  bool empty() const { return task_.load(std::memory_order_relaxed) == kNone; }

 private:
  Atomic<TaskId> task_{kNone};
};

using Inbox = BasicInbox<std::atomic>;

}  // namespace weft
