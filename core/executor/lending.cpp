// Slots that are lent: a task that waits gives its slot to another thread, and takes one back when it goes on.

#include "core/executor/executor.hpp"

#include <weft/error.hpp>

#include <sched.h>

#include <exception>
#include <utility>

namespace weft {

void Executor::wait_inside(TaskId task, DoneFunction done, const void* argument) {
  current_slot()->return_batch();
  std::int64_t mark = current_slot()->mark();
  while (!done(argument)) {
    if (stopping_.load(std::memory_order_relaxed))
      throw CancelledError("the client is being closed while a task of it waits for another");
    const bool runs_any = !options_.threads || task == kNone || task == kGraphs;
    if (runs_any ? current_slot()->run_newer_than(mark) : task < kGraphs && current_slot()->run_newer_for(mark, task))
      continue;
    if (!may_lend()) {
      // Nobody to lend the slot to: the waiter itself goes on with whatever there is.
      const TaskId awaited = std::exchange(current_slot()->awaited_, kNone);
      const bool worked = current_slot()->work_once();
      current_slot()->awaited_ = awaited;
      if (!worked) sleep_until(task, done, argument);
      continue;
    }
    lend_slot([&] { sleep_until(task, done, argument); });
    mark = current_slot()->deque().bottom();
  }
}

bool Executor::may_lend() const {
  return options_.threads && blocked_.load(std::memory_order_relaxed) < options_.most_lent_threads;
}

void Executor::call_without_slot(void (*call)(void*), void* argument) {
  current_slot()->return_batch();
  if (!may_lend()) return call(argument);
  std::exception_ptr thrown;
  lend_slot([&] {
    try {
      call(argument);
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

template <class Meanwhile>
void Executor::lend_slot(const Meanwhile& meanwhile) {
  Slot& lent = *current_slot();
  const TaskId running = lent.swap_running(kNone);
  const TaskId awaited = std::exchange(lent.awaited_, kNone);
  blocked_.fetch_add(1, std::memory_order_relaxed);
  give_back(lent);
  if (!sleepers_.any()) {
    const std::lock_guard lock(threads_mutex_);
    if (!stopping_.load()) start_thread();
  } else {
    wake_one();
  }
  meanwhile();
  wanting_slot_.fetch_add(1, std::memory_order_relaxed);
  Slot* slot = nullptr;
  for (unsigned tries = 0; (slot = lease_any(lent.index())) == nullptr; ++tries) {
    if (tries > 100) ::sched_yield();
    __builtin_ia32_pause();
  }
  wanting_slot_.fetch_sub(1, std::memory_order_relaxed);
  blocked_.fetch_sub(1, std::memory_order_relaxed);
  slot->swap_running(running);
  slot->awaited_ = awaited;
  slot->mark_ = slot->ready_.bottom();
}

}  // namespace weft
