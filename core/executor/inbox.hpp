#pragma once

#include <weft/ids.hpp>

#include <atomic>

namespace weft {

/// Ready tasks that others leave to the owner of a slot: a list that hangs together through the tasks' own records.
/// Owns: the newest one's id.  Threading: anyone gives, anyone takes; each task given is taken once.
///
/// Orders: `give` releases and `take` acquires, so that what came before a task was given is seen by whoever runs it;
/// every later give is a change of the same word and so carries on what the earlier ones released. Nobody takes a part
/// of the list, so that a task that comes back cannot be mistaken for its earlier self. A look before each exchange
/// keeps the line shared while nothing happens. The atomics are a parameter for
/// tests/core/executor/inbox_interleavings_test.cpp.
template <template <class> class Atomic>
class BasicInbox {
 public:
  /// Leaves a task here. `hang(task, next)` writes into the task's record which one comes behind it.
  template <class Hang>
  void give(TaskId task, const Hang& hang) {
    TaskId newest = newest_.load(std::memory_order_relaxed);
    do {
      hang(task, newest);
    } while (!newest_.compare_exchange_weak(newest, task, std::memory_order_release, std::memory_order_relaxed));
  }

  /// Returns the newest of all that lies here, or kNone; the others follow by what `hang` wrote.
  TaskId take() { return empty() ? kNone : newest_.exchange(kNone, std::memory_order_acquire); }

  bool empty() const { return newest_.load(std::memory_order_relaxed) == kNone; }

 private:
  Atomic<TaskId> newest_{kNone};
};

using Inbox = BasicInbox<std::atomic>;

}  // namespace weft
