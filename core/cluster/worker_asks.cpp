#include "core/cluster/worker_process.hpp"
#include "core/coordination/questions.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/slot.hpp"

#include <weft/error.hpp>

#include <chrono>
#include <ctime>

namespace weft::cluster {

// --- Questions to the client's process -------------------------------------------------------------------------------

/// 1. The question goes out. 2. The task waits as for a child: its slot is lent. 3. Late, or cancelled: it is
/// withdrawn, and the answer to that is awaited, because the answer proper may be on its way.
std::optional<std::string> WorkerProcess::ask(const std::string& question, std::int64_t longest_ms,
                                              const std::string& what) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end =
      longest_ms < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(longest_ms);
  const TaskId task = current_slot() == nullptr ? kNone : current_slot()->running();
  const PacketEntry* const packet = task != kNone ? &executor_.entry(arena::packet_of(task)) : nullptr;
  std::shared_ptr<Asks::Question> asked;  // shared with the table it is answered through
  {
    const std::lock_guard lock(mutex_);
    asked = asks_.begin(scheduler_, question, longest_ms != detail::kNow);
    post_.flush();
  }
  bool cancelled = false;
  help_until(kAnyTask, [&] {
    if (asked->done.load(std::memory_order_acquire) || closing()) return true;
    cancelled = cancelled || detail::asked_to_cancel(task) || (packet != nullptr && packet->cancelled.load());
    if (!cancelled && (longest_ms <= 0 || Clock::now() < end)) return false;
    const std::lock_guard lock(mutex_);
    asks_.withdraw(scheduler_, *asked);
    post_.flush();
    return false;
  });
  if (!asked->done.load(std::memory_order_acquire))
    throw CancelledError("the client was closed while somebody waited for " + what);
  std::optional<std::string> answer = answer_of(*asked);
  if (!answer && cancelled) throw CancelledError("the task was cancelled while it waited for " + what);
  return answer;
}

void WorkerProcess::say(const std::string& question) noexcept {
  const std::lock_guard lock(mutex_);
  asks_.say(scheduler_, question);
  post_.flush();
}

TaskId WorkerProcess::ask_for_task(const std::string& question, std::uint32_t site) {
  const std::lock_guard lock(mutex_);
  const TaskId task = make_stand_in(cursor_, site);
  arena::add_use(task);
  asks_.begin(scheduler_, question, true, task);
  post_.flush();
  return task;
}

void WorkerProcess::publish(const std::string& name, std::string_view type, const Handle& future) {
  wait(future.task_id());
  Writer out;
  out.number(detail::QuestionForm::Publish);
  detail::write_string(out, name);
  detail::write_string(out, type);
  write_site(out, arena::task(future.task_id()).site);
  write_end(out, future.task_id());
  ask(detail::text_of(out), detail::kWaits, "publish");
}

void WorkerProcess::on_answer(Reader& reader) {
  std::shared_ptr<TaskFailure> failure;
  const std::shared_ptr<Asks::Question> question = asks_.read(reader, failure);
  if (question == nullptr) return;
  if (question->stand_in != kNone) {
    end_stand_in(executor_, question->stand_in, std::move(failure), kNone);
    arena::drop_use(question->stand_in);
  }
  executor_.wake_waiters();
}

// --- The main thread inside a task -----------------------------------------------------------------------------------

/// Waits as the executor does. Where the main thread waits inside of a task, letters are read by another one meanwhile.
void WorkerProcess::help(TaskId task, DoneFunction done, const void* argument) {
  const auto is_done = [=] { return done(argument); };
  if (std::this_thread::get_id() != main_thread_) return executor_.help_until(task, is_done);
  {
    const std::lock_guard lock(away_mutex_);
    ++main_away_;
  }
  away_changed_.notify_one();
  struct Back {
    WorkerProcess& process;
    ~Back() {
      const std::lock_guard lock(process.away_mutex_);
      --process.main_away_;
    }
  } const back{*this};
  executor_.help_until(task, is_done);
}

/// Tells the machine of slots that nobody works in while it has packets. Returns whether it has.
bool WorkerProcess::tell_idle() {
  const std::lock_guard lock(mutex_);
  if (!machine_ || machine_->unfinished_count() == 0) return false;
  const unsigned idle = executor_.idle_slots();
  if (idle == 0) return true;
  tell(SlotsIdle{idle});
  pump();
  post_.flush();
  return true;
}

/// Reads letters while the main thread cannot: it waits inside of a task, or runs one that took short so far and does
/// not end now.
void WorkerProcess::deputise() {
  constexpr std::chrono::milliseconds kLook(20);
  constexpr Nanoseconds kHeld = 10'000'000;
  const auto is_held = [this] {
    const Nanoseconds since = helping_since_.load(std::memory_order_relaxed);
    return since != 0 && now_ns() - since > kHeld;
  };
  std::unique_lock lock(away_mutex_);
  for (;;) {
    const auto called = [&] { return main_away_ != 0 || deputy_ends_; };
    if (!is_held() && !away_changed_.wait_for(lock, kLook, called)) continue;
    if (deputy_ends_) return;
    lock.unlock();
    if (!drive(false)) {
      tell_idle();
      sleep(1'000'000);
    }
    lock.lock();
  }
}

/// No answer will come any more: whoever waits for one goes on.
void WorkerProcess::give_up_questions() {
  {
    const std::lock_guard lock(away_mutex_);
    deputy_ends_ = true;
  }
  away_changed_.notify_one();
  if (deputy_.joinable()) deputy_.join();
  const std::lock_guard lock(mutex_);
  while (const std::shared_ptr<Asks::Question> question = asks_.take_unanswered()) {
    if (question->stand_in == kNone) continue;
    auto failure = std::make_shared<TaskFailure>();
    failure->kind = TaskFailure::Kind::Lost;
    failure->message = "the client was closed before this result came";
    end_stand_in(executor_, question->stand_in, std::move(failure), kNone);
    arena::drop_use(question->stand_in);
  }
}

/// One thread at a time sleeps in the transport; another one that wants to naps.
void WorkerProcess::sleep(Nanoseconds most) {
  if (!sleeping_.exchange(true)) {
    post_.sleep(most);
    sleeping_.store(false);
    return;
  }
  const timespec nap{0, 200'000};
  ::nanosleep(&nap, nullptr);
}

}  // namespace weft::cluster
