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
  help_until(kOnlyLook, [&] {
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

/// 1. The question goes with numbers for the tasks. 2. Once it has been answered well, the end of each task is told
/// when it comes; else the numbers are taken back.
std::optional<std::string> WorkerProcess::ask_with(const std::vector<Handle>& tasks, const std::string& question,
                                                   std::int64_t longest_ms, const std::string& what) {
  static std::atomic<std::uint64_t> next_number{1};
  const std::uint64_t first = next_number.fetch_add(tasks.size(), std::memory_order_relaxed);
  const auto tell_end = [this](std::uint64_t number, TaskId ended) {
    Writer out;
    out.number(detail::QuestionForm::Ended);
    out.count(number);
    if (ended != kNone) write_end(out, ended);
    say(detail::text_of(out));
  };
  Writer out;
  out.number(detail::QuestionForm::With);
  out.count(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    out.count(first + i);
    write_site(out, arena::task(tasks[i].task_id()).site);
  }
  out.bytes(question.data(), question.size());
  std::optional<std::string> answer;
  const auto take_back = [&] {
    for (std::size_t i = 0; i < tasks.size(); ++i) tell_end(first + i, kNone);
  };
  try {
    answer = ask(detail::text_of(out), longest_ms, what);
  } catch (...) {
    take_back();
    throw;
  }
  if (!answer) take_back();
  for (std::size_t i = 0; answer && i < tasks.size(); ++i) {
    const Handle& task = tasks[i];
    const auto tell = [=, number = first + i] { tell_end(number, task.task_id()); };
    const bool ended = (arena::task(task.task_id()).word.load(std::memory_order_acquire) & task_word::kDone) != 0;
    ended ? tell() : detail::add_callback(task, tell);
  }
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

/// 1. The client's process is told, once a packet, and deals as many packets more. 2. The machine begins one more. 3. A
/// packet of one task is offered to the scheduler machine, which asks it back where another worker has nothing to do
/// (`carry`, GiveUp). 4. The next time it is given up; its end here is nobody's business any more.
bool WorkerProcess::only_waits(PacketId id) noexcept {
  const std::lock_guard lock(mutex_);
  if (!machine_ || id >= by_id_.size() || by_id_[id] == nullptr) return false;
  Run& run = *by_id_[id];
  const bool movable = run.count == 1 && !run.orphan && run.packet != kHandedPacket &&
                       executor_.entry(id).children.load(std::memory_order_relaxed) == 0;
  if (std::exchange(run.asked_back, false)) {
    run.orphan = movable;
    tell(TailGivenUp{run.packet, run.attempt, movable ? 0 : kNone});
    post_.flush();
    if (movable) return true;
  }
  if (run.waits == nullptr) {
    Writer out;
    out.number(detail::QuestionForm::Never);
    run.waits = asks_.begin(scheduler_, detail::text_of(out), true);
  }
  if (movable) report(PacketPostponed{id_, run.packet, run.attempt});
  tell(SlotsIdle{1});
  post_.flush();
  return false;
}

void WorkerProcess::on_answer(Reader& reader) {
  std::shared_ptr<TaskFailure> failure;
  const std::shared_ptr<Asks::Question> question = asks_.read(reader, failure);
  if (question == nullptr) return;
  answer_came(*question, std::move(failure));
  executor_.wake_waiters();
}

/// Ends the stand-in that waited for it. What wants to be called for that is called without the lock (`drive`).
void WorkerProcess::answer_came(const Asks::Question& question, std::shared_ptr<TaskFailure> failure) {
  const TaskId task = question.stand_in;
  if (task == kNone) return;
  end_stand_in(executor_, task, std::move(failure), kNone);
  if ((arena::task(task).word.load(std::memory_order_acquire) & task_word::kExtra) == 0) return arena::drop_use(task);
  called_back_.push_back(task);
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

/// Letters that bring work are read by whoever looks for some: it need not be woken then.
void WorkerProcess::seek_work() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  driving_ = true;
  post_.progress();
  pump();
  post_.flush();
  driving_ = false;
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
    auto failure = std::make_shared<TaskFailure>();
    failure->kind = TaskFailure::Kind::Lost;
    failure->message = "the client was closed before this result came";
    answer_came(*question, std::move(failure));
  }
  for (const TaskId task : std::exchange(called_back_, {})) arena::drop_use(task);
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
