#include "core/cluster/client_process.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/coordination/actors.hpp"
#include "core/coordination/questions.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// What holds leases in the name of a connection: 0 is this process.
std::uint64_t process_of(PeerId peer) { return std::uint64_t{peer} + 1; }

}  // namespace

void ClientProcess::on_ask(PeerId peer, Reader& reader) {
  Asked asked;
  asked.peer = peer;
  asked.id = reader.count("question");
  asked.waits = reader.number<std::uint8_t>("question") != 0;
  const std::size_t size = reader.remaining();
  asked.bytes.assign(reinterpret_cast<const char*>(reader.view(size, "question")), size);
  unpack_tasks(asked);
  take_up(std::move(asked));
}

/// Answers the question now, or has it wait.
void ClientProcess::take_up(Asked asked) {
  if (try_answer(asked)) return;
  if (!asked.waits) return answer(asked.peer, asked.id, AnswerKind::NotNow, {});
  questions_.parked.push_back(std::move(asked));
  parked_count_.store(questions_.parked.size(), std::memory_order_seq_cst);
  questions_.changed = true;
}

void ClientProcess::on_withdraw(PeerId peer, Reader& reader) {
  const std::uint64_t id = reader.count("withdrawal");
  const auto found = std::find_if(questions_.parked.begin(), questions_.parked.end(),
                                  [&](const Asked& one) { return one.peer == peer && one.id == id; });
  if (found == questions_.parked.end()) return;  // the answer is on its way
  questions_.parked.erase(found);
  parked_count_.store(questions_.parked.size(), std::memory_order_seq_cst);
  questions_.changed = true;
  answer(peer, id, AnswerKind::NotNow, {});
}

/// Returns false where it is not possible now.
bool ClientProcess::try_answer(const Asked& asked) {
  try {
    Reader reader(asked.bytes.data(), asked.bytes.size());
    const detail::QuestionForm form = detail::read_form(reader);
    if (form == detail::QuestionForm::Publish) {
      publish_from(reader);
      answer(asked.peer, asked.id, AnswerKind::Done, {});
      return true;
    }
    if (form == detail::QuestionForm::CallActor) {
      if (!pass_to_guest(asked, detail::family_of_call(reader))) questions_.calls.push_back(asked);
      return true;
    }
    if (form == detail::QuestionForm::EndOf) {
      owe(asked, detail::offered_task(reader.number<std::uint64_t>("question")));
      return true;
    }
    if (form == detail::QuestionForm::Never) return false;
    if (form == detail::QuestionForm::Offered) {
      owe(asked, questions_.far_tasks.take(reader.count("question")));
      return true;
    }
    if (form == detail::QuestionForm::Ended) {
      task_told(asked.peer, reader);
      return true;
    }
    std::optional<detail::Reply> reply =
        detail::answer_question(serial(), process_of(asked.peer), form, reader, asked.waits, asked.tasks);
    if (!reply) return false;
    if (reply->changed) {
      named_changed_.store(true, std::memory_order_seq_cst);
      woken_ = true;
    }
    if (reply->task.valid()) {
      owe(asked, reply->task);
    } else if (!reply->futures.empty()) {
      std::vector<std::uint64_t> offers;
      for (const Handle& one : reply->futures) offers.push_back(questions_.far_tasks.offer(asked.peer, one));
      answer(asked.peer, asked.id, AnswerKind::Done, detail::with_offers(reply->bytes, offers));
    } else {
      answer(asked.peer, asked.id, AnswerKind::Done, reply->bytes);
    }
  } catch (const Error& error) {
    answer(asked.peer, asked.id, AnswerKind::Refused, error.what());
  }
  return true;
}

void ClientProcess::answer(PeerId peer, std::uint64_t id, AnswerKind kind, std::string_view text) {
  if (id == 0) return;
  Writer& out = post_.begin(peer, LetterKind::Answer);
  out.count(id);
  out.number(kind);
  out.bytes(text.data(), text.size());
  post_.end(peer);
}

/// Makes a result of another process one of this process.
void ClientProcess::publish_from(Reader& reader) {
  const std::string name = detail::read_string(reader);
  const std::string type = detail::read_string(reader);
  const TaskId task = make_stand_in(arena::thread_cursor(), read_site(reader));
  const auto result = Future<Nothing>::adopt(task, serial());
  std::shared_ptr<const TaskFailure> failure;
  try {
    failure = read_end(reader, arena::task(task)).failure;
  } catch (...) {
    mark_ended(task, std::make_shared<TaskFailure>(), kNone);
    throw;
  }
  mark_ended(task, std::move(failure), kNone);
  detail::publish_here(serial(), name, type, result);
}

// --- Futures in values of named objects ------------------------------------------------------------------------------

/// Makes tasks of a worker that come with a question ones of this process, which end when the worker tells so.
void ClientProcess::unpack_tasks(Asked& asked) {
  if (asked.bytes.empty() || asked.bytes.front() != static_cast<char>(detail::QuestionForm::With)) return;
  Reader reader(asked.bytes.data(), asked.bytes.size());
  detail::read_form(reader);
  const std::size_t count = reader.elements(2, "question");
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t number = reader.count("question");
    const TaskId task = make_stand_in(arena::thread_cursor(), read_site(reader));
    asked.tasks.push_back(Future<Nothing>::adopt(task, serial()));
    questions_.far_tasks.expect(asked.peer, number, asked.tasks.back());
  }
  asked.bytes.erase(0, reader.offset());
}

void ClientProcess::task_told(PeerId peer, Reader& reader) {
  const Handle task = questions_.far_tasks.told(peer, reader.count("end of a task"));
  if (!task.valid()) return;
  if (reader.remaining() == 0) return lose_expected({task}, "the value that held this future was not taken");
  std::shared_ptr<const TaskFailure> failure;
  try {
    failure = read_end(reader, arena::task(task.task_id())).failure;
  } catch (const Error& error) {
    lose_expected({task}, error.what());
    throw;
  }
  end_expected(task, std::move(failure));
}

/// Ends a stand-in whose value is in its record, or that failed. What was submitted on it can go now.
void ClientProcess::end_expected(const Handle& task, std::shared_ptr<const TaskFailure> failure) {
  if (failure != nullptr) {
    extras::change(task.task_id(), [&](TaskExtra& extra) { extra.failure = std::move(failure); });
    failed_records.fetch_add(1, std::memory_order_relaxed);
    arena::task(task.task_id()).word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  }
  end_task(task.task_id());
  woken_ = true;
  questions_.owed_changed = true;
  try_deferred();
}

void ClientProcess::lose_expected(const std::vector<Handle>& tasks, const std::string& why) {
  for (const Handle& task : tasks) {
    auto failure = std::make_shared<TaskFailure>();
    failure->kind = TaskFailure::Kind::Lost;
    failure->message = why;
    end_expected(task, std::move(failure));
  }
}

// --- Ends that others wait for ---------------------------------------------------------------------------------------

void ClientProcess::owe(const Asked& asked, const Handle& task) {
  if (asked.id == 0) return;
  questions_.owed.push_back({asked.peer, asked.id, task});
  questions_.changed = true;
  questions_.owed_changed = true;
}

/// Has a guest make the call of an actor of its own; false: the actor is of no guest. What it then submits comes before
/// its word that it has called (`guest_called`), and that task's end is what is owed.
bool ClientProcess::pass_to_guest(const Asked& asked, std::uint32_t family) {
  if (family == detail::actor_family()) return false;
  for (const auto& [peer, guest] : questions_.guests) {
    if (guest.actors != family) continue;
    const std::uint64_t number = questions_.next_passed++;
    Writer& out = post_.begin(peer, LetterKind::Ask);
    out.count(number);
    out.bytes(asked.bytes.data(), asked.bytes.size());
    post_.end(peer);
    questions_.passed[number] = {asked, peer};
    questions_.changed = true;
    return true;
  }
  return false;
}

/// Submits what tasks ask of actors. Called without the lock.
void ClientProcess::make_calls(std::vector<Asked> calls) {
  for (const Asked& call : calls) {
    Handle task;
    std::string refusal;
    try {
      Reader reader(call.bytes.data(), call.bytes.size());
      detail::read_form(reader);
      task = detail::perform_call(reader);
    } catch (const Error& error) {
      refusal = error.what();
    }
    const std::lock_guard lock(mutex_);
    if (task.valid()) {
      owe(call, task);
    } else {
      answer(call.peer, call.id, AnswerKind::Refused, refusal);
    }
    post_.flush();
  }
}

/// Parked questions are looked at in their order, once more after each one that changed something.
void ClientProcess::retry_parked() {
  if (questions_.parked.empty()) return;
  while (named_changed_.exchange(false, std::memory_order_seq_cst)) {
    for (auto at = questions_.parked.begin(); at != questions_.parked.end();) {
      if (!try_answer(*at)) {
        ++at;
        continue;
      }
      at = questions_.parked.erase(at);
      if (named_changed_.load(std::memory_order_seq_cst)) break;
    }
    parked_count_.store(questions_.parked.size(), std::memory_order_seq_cst);
    questions_.changed = true;
  }
}

/// Ends that have come go to whoever asked; values that lie at a worker are brought here first.
void ClientProcess::serve_owed() {
  constexpr std::size_t kFew = 16;
  if (questions_.owed.empty() || (!std::exchange(questions_.owed_changed, false) && questions_.owed.size() > kFew))
    return;
  std::erase_if(questions_.owed, [&](const Owed& one) {
    const TaskId task = one.task.task_id();
    const TaskRecord& record = arena::task(task);
    if ((record.word.load(std::memory_order_acquire) & task_word::kDone) == 0) return false;
    constexpr std::uint64_t kSmallBytes = 4096;
    if (one.only_end && (!is_here(task) || bytes_of_result(task) > kSmallBytes)) {
      answer(one.peer, one.id, AnswerKind::Done, {});
      return true;
    }
    if (!is_here(task)) {
      const bool managed = (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0;
      if (ClientPacket* const packet = managed ? find(record.packet) : nullptr)
        ask_for(record.packet, *packet, number_in_packet(record));
      return false;
    }
    Writer& out = post_.begin(one.peer, LetterKind::Answer);
    out.count(one.id);
    out.number(AnswerKind::End);
    write_end(out, task);
    post_.end(one.peer);
    questions_.changed = true;
    return true;
  });
}

/// Tasks that wait for others keep no slot: their workers are given as many packets more, or what they wait for might
/// never be dealt.
void ClientProcess::note_blocked() {
  if (!std::exchange(questions_.changed, false)) return;
  std::unordered_map<PeerId, std::uint32_t> waiting;
  for (const Asked& one : questions_.parked) ++waiting[one.peer];
  for (const Owed& one : questions_.owed) ++waiting[one.peer];
  for (const auto& [number, call] : questions_.passed) ++waiting[call.asked.peer];
  questions_.blocked = 0;
  for (ClientWorker& worker : members_.workers) {
    const auto found = waiting.find(worker.peer);
    const std::uint32_t waits = found == waiting.end() ? 0 : found->second;
    const std::uint32_t blocked = worker.standing.present ? waits + worker.held : 0;
    questions_.blocked += blocked;
    if (std::exchange(worker.blocked, blocked) != blocked)
      left_.events.push_back(WorkerBlocked{worker.standing.id, blocked});
  }
}

/// A process is gone: what it held is free, what it asked nobody wants to know.
void ClientProcess::forget_asker(PeerId peer) {
  std::erase_if(questions_.parked, [&](const Asked& one) { return one.peer == peer; });
  parked_count_.store(questions_.parked.size(), std::memory_order_seq_cst);
  questions_.changed = true;
  std::erase_if(questions_.owed, [&](const Owed& one) { return one.peer == peer; });
  std::erase_if(questions_.calls, [&](const Asked& one) { return one.peer == peer; });
  std::erase_if(questions_.passed, [&](const auto& entry) { return entry.second.asked.peer == peer; });
  lose_expected(questions_.far_tasks.forget(peer),
                "its worker was lost before it ended, or before its value was fetched");
  if (!open_.load()) return;
  detail::release_of(serial(), process_of(peer));
  named_changed_.store(true, std::memory_order_seq_cst);
  woken_ = true;
}

/// The client is being closed: who waits for its objects waits in vain.
void ClientProcess::close_questions() {
  for (const Asked& one : questions_.parked) {
    answer(one.peer, one.id, AnswerKind::Closed, "the client was closed while somebody waited for one of its objects");
  }
  questions_.parked.clear();
  parked_count_.store(0, std::memory_order_seq_cst);
  for (const Owed& one : questions_.owed) {
    answer(one.peer, one.id, AnswerKind::Closed, "the client was closed before this result was there");
  }
  questions_.owed.clear();
  for (const auto& [number, call] : questions_.passed) {
    answer(call.asked.peer, call.asked.id, AnswerKind::Closed, "the client was closed before this result was there");
  }
  questions_.passed.clear();
  lose_expected(questions_.far_tasks.forget_all(), "the client was closed before this task of a worker ended");
}

}  // namespace weft::cluster
