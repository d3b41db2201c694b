#include <weft/waiting.hpp>

#include "core/coordination/far_client.hpp"

#include "core/executor/executor.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/sites.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>

#include <dirent.h>

#include <chrono>
#include <ctime>

namespace weft::detail {
namespace {

std::int64_t clock_ms(::clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

std::size_t threads_of_process() {
  std::size_t threads = 0;
  ::DIR* const folder = ::opendir("/proc/self/task");
  if (folder == nullptr) return 0;
  while (const ::dirent* const entry = ::readdir(folder)) threads += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
#if defined(__SANITIZE_THREAD__)
  if (threads > 1) --threads;  // the sanitizer's own, where it has one, ends no wait
#endif
  return threads;
}

/// Notices that the only thread of the process has nothing to do but to wait: then nobody is left who could end it.
/// Threading: the waiting thread.
class LonelyWait {
 public:
  explicit LonelyWait(Runtime& runtime) : runtime_(runtime), may_be_(runtime.settings().scheduler == "sync") {}

  /// Called at each look at what is waited for; returns whether the thread has slept through for a second.
  bool is_hopeless() {
    if (!may_be_) return false;
    const std::int64_t wall = clock_ms(CLOCK_MONOTONIC);
    const std::int64_t work = clock_ms(CLOCK_THREAD_CPUTIME_ID);
    const std::uint64_t done = runtime_.counts().tasks_done;
    if (done != done_ || work - work_ > 100) {
      done_ = done;
      work_ = work;
      since_ = wall;
      looks_ = 0;
    }
    // Many looks, far apart: it sleeps between them, and no task takes the time.
    return ++looks_ > 20 && wall - since_ > 1000 && threads_of_process() == 1;
  }

 private:
  Runtime& runtime_;
  const bool may_be_;
  std::uint64_t done_ = 0;
  std::int64_t work_ = 0;
  std::int64_t since_ = clock_ms(CLOCK_MONOTONIC);
  unsigned looks_ = 0;
};

}  // namespace

bool asked_to_cancel(TaskId task) {
  if (task == kNone || (arena::task(task).word.load(std::memory_order_acquire) & task_word::kExtra) == 0) return false;
  bool cancelled = false;
  extras::read(task, [&](const TaskExtra& extra) { cancelled = extra.cancelled; });
  return cancelled;
}

bool wait_until(std::uint32_t client, const std::string& what, std::int64_t longest_ms,
                const std::function<bool()>& attempt) {
  Runtime* const runtime = Runtime::find(client);
  if (runtime == nullptr) throw Error("waiting for " + what + ": its client has been closed");
  const TaskId task = current_slot() == nullptr ? kNone : current_slot()->running();
  const std::int64_t end = longest_ms < 0 ? INT64_MAX : clock_ms(CLOCK_MONOTONIC) + longest_ms;
  LonelyWait lonely(*runtime);
  enum class End { None, Got, Late, Cancelled, Closing, Hopeless } how = End::None;
  // It is looked at again after it has said true, and an attempt takes what it waited for: so the first end stands.
  const auto ended = [&] {
    if (how != End::None) return true;
    if (attempt())
      how = End::Got;
    else if (clock_ms(CLOCK_MONOTONIC) >= end)
      how = End::Late;
    else if (runtime->closing())
      how = End::Closing;
    else if (asked_to_cancel(task))
      how = End::Cancelled;
    else if (longest_ms < 0 && lonely.is_hopeless())
      how = End::Hopeless;
    return how != End::None;
  };
  // What has waited once may do so again, and no caller should run it on its own stack: for good.
  if (task != kNone && !ended()) site(arena::task(task).site).pace.store(kPaceWaits, std::memory_order_relaxed);
  while (how == End::None) {
    // A task that is run here meanwhile might wait for what this thread does next.
    runtime->help_until(Runtime::kOnlyLook, ended);
    if (how == End::None) how = End::Closing;
  }
  switch (how) {
    case End::Got:
      return true;
    case End::None:
    case End::Late:
      return false;
    case End::Cancelled:
      throw CancelledError("the task was cancelled while it waited for " + what);
    case End::Closing:
      throw CancelledError("the client was closed while somebody waited for " + what);
    case End::Hopeless:
      throw Error(
          "waiting for " + what + " would never end: the scheduler is sync, whose one thread is here, and " +
          "nothing that is left to run changes it; use the threads scheduler, or make what is waited for first");
  }
  return false;
}

std::atomic<FarClient*> far_client_of_process{nullptr};

namespace {

FarClient* client_of_worker() noexcept {
  const Slot* const slot = current_slot();
  if (slot != nullptr && slot->executor().far_client() != nullptr) return slot->executor().far_client();
  return far_client_of_process.load(std::memory_order_acquire);
}

}  // namespace

bool runs_at_worker() noexcept { return client_of_worker() != nullptr; }

FarClient* far_client(std::uint32_t client) noexcept {
  if (FarClient* const far = client_of_worker()) return far;
  Runtime* const runtime = Runtime::find(client);
  return runtime != nullptr ? runtime->far_client() : nullptr;
}

void wake_client(std::uint32_t client) noexcept {
  if (Runtime* const runtime = Runtime::find(client)) runtime->wake_waiters();
}

}  // namespace weft::detail
