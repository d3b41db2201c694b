#include <weft/call_executor.hpp>

#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>

#include <mutex>

namespace weft {
namespace {

constexpr std::size_t kFew = 64;

Runtime& runtime_of(std::uint32_t client) {
  Runtime* const runtime = Runtime::find(client);
  if (runtime == nullptr) throw Error("get_executor: the client has been closed: an executor needs an open one");
  return *runtime;
}

std::shared_ptr<const TaskOptions> shared(TaskOptions options) {
  return std::make_shared<const TaskOptions>(std::move(options));
}

bool has_ended(const Handle& future) {
  return (arena::task(future.task_id()).word.load(std::memory_order_acquire) & task_word::kDone) != 0;
}

}  // namespace

struct CallExecutor::Running {
  std::mutex mutex;
  // Guarded by mutex.
  std::vector<Handle> futures;
  std::size_t look_at = kFew;  // with so many, those that have ended are let go of
  bool over = false;
};

CallExecutor::CallExecutor(const Client& client, TaskOptions options)
    : Submitting(&runtime_of(client.serial()), client.serial(), shared(std::move(options))),
      running_(std::make_unique<Running>()) {}

CallExecutor::CallExecutor(const Handle& future, TaskOptions options)
    : Submitting(&runtime_of(future.client_serial()), future.client_serial(), shared(std::move(options))),
      running_(std::make_unique<Running>()) {}

CallExecutor::~CallExecutor() {
  if (running_ == nullptr) return;  // moved from
  try {
    shutdown();
  } catch (...) {
    // The client was closed while it waited: nothing is left to wait for.
  }
}

void CallExecutor::require_running() const {
  const std::lock_guard lock(running_->mutex);
  if (running_->over) throw Error("this executor has been shut down and takes no more calls: get another one");
}

void CallExecutor::note(const Handle& future) const {
  const std::lock_guard lock(running_->mutex);
  std::vector<Handle>& futures = running_->futures;
  futures.push_back(future);
  if (futures.size() < running_->look_at) return;
  std::erase_if(futures, &has_ended);
  running_->look_at = std::max(kFew, 2 * futures.size());
}

void CallExecutor::shutdown(const Shutdown& how) const {
  std::vector<Handle> left;
  {
    const std::lock_guard lock(running_->mutex);
    running_->over = true;
    left = how.wait ? std::exchange(running_->futures, {}) : running_->futures;
  }
  Runtime* const runtime = Runtime::find(serial_);
  if (runtime == nullptr) return;  // closing it has ended all of them
  if (how.cancel_futures) {
    for (const Handle& future : left) {
      if (!has_ended(future)) runtime->cancel(future.task_id());
    }
  }
  if (!how.wait) return;
  for (const Handle& future : left) runtime->wait_there(future.task_id());
}

}  // namespace weft
