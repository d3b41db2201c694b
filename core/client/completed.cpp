#include <weft/completed.hpp>

#include "core/runtime/runtime.hpp"

#include <deque>
#include <mutex>

namespace weft::detail {

struct CompletionQueue::Shared {
  std::mutex mutex;
  struct Ended {
    std::size_t number;
    TaskId task;
  };
  // Guarded by mutex.
  std::deque<Ended> ended;
  std::size_t left = 0;
  /// The sum of the tasks that are left: where that is one, the task itself.
  TaskId tasks_left = 0;
  // Read without it by waiters.
  std::atomic<std::size_t> ready{0};
  std::atomic<std::uint32_t> client{0};
};

CompletionQueue::CompletionQueue() : shared_(std::make_shared<Shared>()) {}
CompletionQueue::~CompletionQueue() = default;

void CompletionQueue::follow(const Handle& handle, std::size_t number) {
  require_client(handle);
  shared_->client.store(handle.client_serial(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->left;
    shared_->tasks_left += handle.task_id();
  }
  // The callback holds the task, as every callback must.
  add_callback(handle, [shared = shared_, number, keep = handle, client = handle.client_serial()] {
    {
      const std::lock_guard lock(shared->mutex);
      shared->ended.push_back({number, keep.task_id()});
      shared->ready.fetch_add(1, std::memory_order_release);
    }
    if (Runtime* const runtime = Runtime::find(client)) runtime->wake_waiters();
  });
}

std::optional<std::size_t> CompletionQueue::next_ready() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->ended.empty()) return std::nullopt;
  const Shared::Ended first = shared_->ended.front();
  shared_->ended.pop_front();
  shared_->ready.fetch_sub(1, std::memory_order_relaxed);
  --shared_->left;
  shared_->tasks_left -= first.task;
  return first.number;
}

bool CompletionQueue::has_ready() const { return shared_->ready.load(std::memory_order_acquire) != 0; }

bool CompletionQueue::wait(std::chrono::steady_clock::time_point deadline) {
  if (has_ready() || left() == 0) return true;
  Runtime* const runtime = Runtime::find(shared_->client.load(std::memory_order_relaxed));
  if (runtime == nullptr) return true;
  if (deadline == std::chrono::steady_clock::time_point::max()) {
    // Of several tasks any may be the first, and another wait for what the caller does then: none is run here.
    const TaskId awaited = [&] {
      const std::lock_guard lock(shared_->mutex);
      return shared_->left == 1 ? shared_->tasks_left : Runtime::kOnlyLook;
    }();
    runtime->help_until(awaited, [&] { return has_ready(); });
    return true;
  }
  runtime->help_until(Runtime::kOnlyLook, [&] { return has_ready() || std::chrono::steady_clock::now() >= deadline; });
  return has_ready();
}

std::size_t CompletionQueue::left() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->left;
}

}  // namespace weft::detail
