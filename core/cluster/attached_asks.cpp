// Questions of a client that is attached to the one that holds the scheduler.

#include "core/cluster/attached_client.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/coordination/questions.hpp"

#include <weft/error.hpp>

#include <chrono>

namespace weft::cluster {

std::optional<std::string> AttachedClient::ask(const std::string& question, std::int64_t longest_ms,
                                               const std::string& what) {
  std::shared_ptr<Asks::Question> asked;  // shared with the table it is answered through
  {
    const std::lock_guard lock(mutex_);
    if (!end_.empty()) throw CancelledError("the job that this client is attached to is gone: " + end_);
    asked = asks_.begin(host_, question, longest_ms != detail::kNow);
    post_.flush();
  }
  return answer_within(asked, longest_ms, what);
}

/// The other process has the tasks already: their numbers go along.
std::optional<std::string> AttachedClient::ask_with(const std::vector<Handle>& tasks, const std::string& question,
                                                    std::int64_t longest_ms, const std::string& what) {
  std::shared_ptr<Asks::Question> asked;  // shared with the table it is answered through
  {
    const std::lock_guard lock(mutex_);
    if (!end_.empty()) throw CancelledError("the job that this client is attached to is gone: " + end_);
    Writer out;
    out.number(GuestForm::Question);
    out.number(static_cast<std::uint8_t>(longest_ms != detail::kNow ? 1 : 0));
    out.count(tasks.size());
    for (const Handle& task : tasks) {
      const std::uint64_t number = number_of(task.task_id());
      if (number == 0)
        throw Error(what + ": the future that is given to it is of another client than the attached one");
      out.count(number);
    }
    out.bytes(question.data(), question.size());
    asked = write_guest(text_of(out), kNone, true);
    post_.flush();
  }
  return answer_within(asked, longest_ms, what);
}

std::optional<std::string> AttachedClient::answer_within(const std::shared_ptr<Asks::Question>& asked,
                                                         std::int64_t longest_ms, const std::string& what) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end =
      longest_ms < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(longest_ms);
  help_until(kNone, [&] {
    if (asked->done.load(std::memory_order_acquire)) return true;
    if (longest_ms <= 0 || Clock::now() < end) return false;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || !end_.empty()) return false;
    asks_.withdraw(host_, *asked);
    post_.flush();
    return false;
  });
  if (!asked->done.load(std::memory_order_acquire))
    throw CancelledError("the client was closed while somebody waited for " + what);
  return answer_of(*asked);
}

void AttachedClient::say(const std::string& question) noexcept {
  const std::lock_guard lock(mutex_);
  if (!end_.empty()) return;
  asks_.say(host_, question);
  post_.flush();
}

/// A task of the other process becomes one that this client's tasks can take as an input.
TaskId AttachedClient::ask_for_task(const std::string& question, std::uint32_t site) {
  const std::lock_guard lock(mutex_);
  if (!end_.empty()) throw Error("the job that this client is attached to is gone: " + end_);
  const TaskId task = make_stand_in(arena::thread_cursor(), site);
  arena::add_use(task);
  Writer out;
  out.number(GuestForm::Bind);
  out.count(next_number_);
  out.bytes(question.data(), question.size());
  manage(task);
  running_.emplace(task, true);
  write_guest(text_of(out), task, true);
  post_.flush();
  return task;
}

void AttachedClient::publish(const std::string& name, std::string_view type, const Handle& future) {
  Writer out;
  out.number(GuestForm::Publish);
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = number_of(future.task_id());
    if (number == 0) throw Error("publish: the future is of another client than the attached one");
    out.count(number);
  }
  write_text(out, name);
  write_text(out, type);
  ask_guest(text_of(out), "publish");
}

}  // namespace weft::cluster
