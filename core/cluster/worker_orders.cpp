// What the client's process asks of a worker beside packets: to be looked at, to be prepared by plugins, to end.

#include "core/cluster/books.hpp"
#include "core/cluster/looks.hpp"
#include "core/cluster/worker_process.hpp"
#include "core/coordination/questions.hpp"
#include "core/diagnostics/error_report.hpp"
#include "core/runtime/plugins.hpp"

#include <weft/log.hpp>

#include <unistd.h>

#include <cstdio>

namespace weft::cluster {

void WorkerProcess::on_look(Reader& reader) {
  const LookLetter letter = read_look_letter(reader);
  WorkerLook look =
      look_here(identity_.name, executor_, memory_report(), tasks_done_.load(), letter.order, letter.known);
  look.fetched_bytes = fetched_bytes_;
  Writer& answer = post_.begin(scheduler_, LetterKind::Look);
  answer.count(letter.number);
  write(answer, unknown_of(letter.dealt));
  write(answer, look);
  post_.end(scheduler_);
}

/// Returns those that this worker has never heard of. What it was dealt before the question, and has ended, it has told
/// of before the answer.
std::vector<DealtName> WorkerProcess::unknown_of(std::vector<DealtName> dealt) {
  if (!plugins_.empty()) return {};  // letters lie here unread
  std::erase_if(dealt, [this](const DealtName& one) { return find_run(one.packet, one.attempt) != nullptr; });
  return dealt;
}

/// Begins the books anew, or tells them.
void WorkerProcess::on_books(Reader& reader) {
  if (reader.number<std::uint8_t>("books") != 0) {
    moved_.clear();
    return ledger_.restart();
  }
  LedgerReport report = ledger_.report();
  for (const auto& [number, moved] : moved_) {
    const Site& at = site(number);
    report.moved.push_back(moved);
    report.moved.back().name = std::string(at.file) + ":" + std::to_string(at.line);
  }
  write_books(post_.begin(scheduler_, LetterKind::Books), report);
  post_.end(scheduler_);
}

/// Packets go on coming in and out until the client's process has found others for them and says End.
void WorkerProcess::say_leaving() {
  const std::lock_guard lock(mutex_);
  leaving_ = true;
  post_.begin(scheduler_, LetterKind::Leaving);
  post_.end(scheduler_);
  post_.flush();
}

/// Keeps letters that lead to packets while a plugin waits for its setup.
bool WorkerProcess::holds_back(LetterKind kind, Reader& reader) {
  if (plugins_.empty()) return false;
  const bool leads_to_tasks = kind == LetterKind::Deal || kind == LetterKind::WorkerEvent ||
                              kind == LetterKind::Cancel || kind == LetterKind::Call;
  if (!leads_to_tasks) return false;
  const std::size_t size = reader.remaining();
  const auto* const bytes = reinterpret_cast<const char*>(reader.view(size, "letter"));
  held_back_.emplace_back(kind, std::string(bytes, size));
  return true;
}

/// 1. The setups are called, in their order, while nothing is locked. 2. What was held back meanwhile is read. A worker
/// that could not be prepared leaves, and others take over what it was dealt.
void WorkerProcess::set_up_plugins() {
  std::unique_lock lock(mutex_);
  plugins_wait_.store(false, std::memory_order_relaxed);
  while (!plugins_.empty()) {
    const std::string description = plugins_.front();
    lock.unlock();
    try {
      plugins::set_up(executor_, description);
    } catch (...) {
      const std::string text =
          identity_.name + " leaves: the setup of a plugin threw " + describe(std::current_exception()).message;
      logging::error("worker", text);
      say(detail::question_of_name(detail::QuestionForm::LogEvent, "workers", text));
      if (!leaving_) say_leaving();
    }
    lock.lock();
    plugins_.pop_front();
    if (!plugins_.empty()) continue;
    for (const auto& [kind, bytes] : std::exchange(held_back_, {})) {
      Reader reader(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
      letter(scheduler_, kind, reader);
    }
    pump();
    post_.flush();
  }
}

/// Without a farewell: its supervisor, which is told, starts another process at once.
void WorkerProcess::end_process() {
  if (!identity_.own_process) {
    logging::error("worker", "this worker has no process of its own that could be restarted");
    return;
  }
  std::fflush(nullptr);
  if (identity_.tell_restart != nullptr) identity_.tell_restart();
  ::_exit(kRestartStatus);
}

}  // namespace weft::cluster
