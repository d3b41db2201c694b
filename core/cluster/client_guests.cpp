#include "core/cluster/client_process.hpp"
#include "core/cluster/guests.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/coordination/actors.hpp"
#include "core/coordination/questions.hpp"
#include "core/graph/extras.hpp"
#include "core/journal/journal.hpp"

#include <weft/build.hpp>
#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>
#include <utility>

namespace weft::cluster {
namespace {

constexpr std::string_view kWhat = "letter of a guest";
constexpr std::uint32_t kMostInputs = 1u << 20;

/// While it lives, what this thread launches is an attached client's.
class LaunchingFor {
 public:
  explicit LaunchingFor(std::uint64_t owner) : before_(std::exchange(launching_for, owner)) {}
  ~LaunchingFor() { launching_for = before_; }
  LaunchingFor(const LaunchingFor&) = delete;
  LaunchingFor& operator=(const LaunchingFor&) = delete;

 private:
  const std::uint64_t before_;
};

GuestForm read_guest_form(Reader& reader) {
  const auto form = reader.number<std::uint8_t>(kWhat);
  if (form == 0 || form > kLastGuestForm) reader.damaged(kWhat, "it is of no form that there is");
  return static_cast<GuestForm>(form);
}

}  // namespace

// --- Options on the wire ---------------------------------------------------------------------------------------------

void write(Writer& writer, const TaskOptions& options) {
  writer.number(static_cast<std::int32_t>(options.priority));
  writer.count(options.retries);
  writer.number(options.retry_delay.count());
  writer.number(static_cast<std::uint8_t>(options.retry_if != nullptr ? 1 : 0));
  if (options.retry_if != nullptr) encode_address(writer, reinterpret_cast<const void*>(options.retry_if));
  writer.count(options.resources.size());
  for (const auto& [name, amount] : options.resources) {
    write_text(writer, name);
    writer.count(amount);
  }
  writer.count(options.workers.size());
  for (const std::string& name : options.workers) write_text(writer, name);
  writer.number(static_cast<std::uint8_t>((options.allow_other_workers ? 1 : 0) | (options.retriable ? 2 : 0)));
  writer.count(options.memory_bytes);
  write_text(writer, options.name);
  writer.number(options.fifo_timeout.count());
}

TaskOptions read_options(Reader& reader) {
  TaskOptions options;
  options.priority = reader.number<std::int32_t>(kWhat);
  options.retries = read_small(reader, kWhat);
  options.retry_delay = Seconds(reader.number<double>(kWhat));
  if (!(options.retry_delay.count() >= 0)) reader.damaged(kWhat, "a time to wait makes no sense");
  if (reader.number<std::uint8_t>(kWhat) != 0)
    options.retry_if = reinterpret_cast<decltype(options.retry_if)>(const_cast<void*>(decode_address(reader)));
  const std::size_t resources = reader.elements(2, kWhat);
  for (std::size_t i = 0; i < resources; ++i) {
    std::string name = read_text(reader);
    options.resources[std::move(name)] = read_small(reader, kWhat);
  }
  const std::size_t workers = reader.elements(1, kWhat);
  for (std::size_t i = 0; i < workers; ++i) options.workers.push_back(read_text(reader));
  const auto flags = reader.number<std::uint8_t>(kWhat);
  options.allow_other_workers = (flags & 1) != 0;
  options.retriable = (flags & 2) != 0;
  options.memory_bytes = reader.count(kWhat);
  options.name = read_text(reader);
  options.fifo_timeout = Seconds(reader.number<double>(kWhat));
  if (!(options.fifo_timeout.count() >= 0)) reader.damaged(kWhat, "a time to wait makes no sense");
  return options;
}

thread_local std::uint64_t launching_for = 0;

// --- Guests ----------------------------------------------------------------------------------------------------------

void ClientProcess::welcome_guest(PeerId peer, const Hello& hello) {
  questions_.guests[peer].name = hello.identity.name;
  questions_.guests[peer].actors = hello.id;
  Welcome welcome;
  welcome.cluster = cluster_;
  post_.send(peer, LetterKind::Welcome, welcome);
  logging::info("cluster", "the client ", hello.identity.name, " has attached");
}

/// What a guest wants may submit tasks, which needs the lock to be free: it is done in turn by whoever drives next.
void ClientProcess::on_guest(PeerId peer, Reader& reader) {
  Asked asked;
  asked.peer = peer;
  asked.id = reader.count(kWhat);
  const std::size_t size = reader.remaining();
  asked.bytes.assign(reinterpret_cast<const char*>(reader.view(size, kWhat)), size);
  if (asked.bytes.empty()) throw Error("an empty letter of a guest");
  questions_.guest_letters.push_back(std::move(asked));
  guests_wait_.store(true, std::memory_order_relaxed);
}

/// Called without the lock. Letters are taken in the order in which they came.
void ClientProcess::serve_guests() {
  const std::lock_guard turn(guests_turn_);
  for (;;) {
    Asked one;
    {
      const std::lock_guard lock(mutex_);
      if (questions_.guest_letters.empty()) return;
      one = std::move(questions_.guest_letters.front());
      questions_.guest_letters.pop_front();
      guests_wait_.store(!questions_.guest_letters.empty(), std::memory_order_relaxed);
    }
    if (one.bytes.empty()) {
      drop_guest(one.peer);
      continue;
    }
    std::string refusal;
    try {
      serve_guest(one);
      continue;
    } catch (const Error& error) {
      refusal = error.what();
    }
    note_refused(one, refusal);
    const std::lock_guard lock(mutex_);
    answer(one.peer, one.id, AnswerKind::Refused, refusal);
    post_.flush();
  }
}

/// A task that was refused is one that has failed, for those that read it.
void ClientProcess::note_refused(const Asked& letter, const std::string& why) {
  Reader reader(letter.bytes.data(), letter.bytes.size());
  const auto form = reader.number<GuestForm>(kWhat);
  if (form != GuestForm::Submit && form != GuestForm::Bind) return;
  const std::uint64_t number = reader.count(kWhat);
  Guest* guest = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.guests.find(letter.peer);
    if (found == questions_.guests.end() || found->second.tasks.contains(number)) return;
    guest = &found->second;  // erased in turn with this only
  }
  const TaskId task = make_stand_in(arena::thread_cursor(), detail::site_of_arrivals<Nothing>());
  guest->tasks[number] = Future<Nothing>::adopt(task, serial());
  auto failure = std::make_shared<TaskFailure>();
  failure->message = why;
  failure->type = "weft::Error";
  mark_ended(task, std::move(failure), kNone);
}

void ClientProcess::serve_guest(const Asked& letter) {
  Guest* guest = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.guests.find(letter.peer);
    if (found == questions_.guests.end()) return;
    guest = &found->second;  // erased in turn with this only
  }
  if (!open_.load()) throw Error("the client of the job is closed: there is nobody to run this");
  Reader reader(letter.bytes.data(), letter.bytes.size());
  const LaunchingFor owner(letter.peer);
  switch (read_guest_form(reader)) {
    case GuestForm::Submit:
      return guest_submits(*guest, letter, reader);
    case GuestForm::Bind: {
      const std::uint64_t number = reader.count(kWhat);
      const Handle task = task_of_question(reader);
      guest->tasks[number] = task;
      return watch(letter, task);
    }
    case GuestForm::Value: {
      const Handle task = task_of_guest(*guest, reader);
      const std::lock_guard lock(mutex_);
      return owe(letter, task);
    }
    case GuestForm::Publish: {
      const Handle task = task_of_guest(*guest, reader);
      const std::string name = read_text(reader);
      const std::string type = read_text(reader);
      detail::publish_here(serial(), name, type, task);
      return reply(letter, {});
    }
    case GuestForm::Release: {
      const std::size_t count = reader.elements(1, kWhat);
      for (std::size_t i = 0; i < count; ++i) guest->tasks.erase(reader.count(kWhat));
      return;
    }
    case GuestForm::Cancel:
      return cancel(task_of_guest(*guest, reader).task_id());
    case GuestForm::Workers:
      return reply(letter, workers_text());
    case GuestForm::Holders: {
      Writer out;
      const std::vector<std::string> names = who_has(task_of_guest(*guest, reader).task_id());
      out.count(names.size());
      for (const std::string& name : names) write_text(out, name);
      return reply(letter, {reinterpret_cast<const char*>(out.data()), out.size()});
    }
    case GuestForm::Replicate:
    case GuestForm::Rebalance: {
      const bool copies_wanted = letter.bytes.front() == static_cast<char>(GuestForm::Replicate);
      const std::size_t copies = reader.count(kWhat);
      std::vector<Handle> held;  // they stay while it is done
      std::vector<TaskId> tasks;
      const std::size_t count = reader.elements(1, kWhat);
      for (std::size_t i = 0; i < count; ++i) {
        held.push_back(task_of_guest(*guest, reader));
        tasks.push_back(held.back().task_id());
      }
      copies_wanted ? replicate(tasks, copies) : rebalance(tasks);
      return reply(letter, {});
    }
    case GuestForm::Called:
      return guest_called(*guest, letter.peer, reader);
    case GuestForm::Question:
      return guest_asks(*guest, letter, reader);
  }
}

void ClientProcess::reply(const Asked& letter, std::string_view text) {
  const std::lock_guard lock(mutex_);
  answer(letter.peer, letter.id, AnswerKind::Done, text);
  post_.flush();
}

std::string ClientProcess::workers_text() {
  Writer out;
  const std::vector<WorkerInfo> infos = worker_infos();
  out.count(infos.size());
  for (const WorkerInfo& info : infos) {
    write_text(out, info.name);
    out.count(info.slots);
    out.count(info.memory_bytes);
    out.count(info.resources.size());
    for (const auto& [name, amount] : info.resources) {
      write_text(out, name);
      out.count(amount);
    }
  }
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

Handle ClientProcess::task_of_guest(const Guest& guest, Reader& reader) const {
  const auto found = guest.tasks.find(reader.count(kWhat));
  if (found == guest.tasks.end()) throw Error("a task of a guest is not known (any more)");
  return found->second;
}

/// Of questions that a task of this process answers with its end.
Handle ClientProcess::task_of_question(Reader& reader) {
  const detail::QuestionForm form = detail::read_form(reader);
  if (form == detail::QuestionForm::CallActor) return detail::perform_call(reader);
  if (form == detail::QuestionForm::EndOf) return detail::offered_task(reader.number<std::uint64_t>(kWhat));
  if (form == detail::QuestionForm::Offered) {
    const std::lock_guard lock(mutex_);
    return questions_.far_tasks.take(reader.count(kWhat));
  }
  const std::optional<detail::Reply> found = detail::answer_question(serial(), 0, form, reader, false);
  if (!found || !found->task.valid()) throw Error("a guest asked for what is no task");
  return found->task;
}

/// Makes the guest's task one of this process, as if it had been submitted here.
void ClientProcess::guest_submits(Guest& guest, const Asked& letter, Reader& reader) {
  const std::uint64_t number = reader.count(kWhat);
  const std::uint32_t its_site = read_site(reader);
  const TaskOptions options = read_options(reader);
  const std::uint32_t turn = read_small(reader, kWhat);
  const TaskType& type = *site(its_site).type;
  if (type.decode_closure == nullptr) reader.damaged(kWhat, "its task's type does not travel");
  const std::uint32_t count = read_small(reader, kWhat);
  if (count > kMostInputs || count > reader.remaining()) reader.damaged(kWhat, "it has more inputs than bytes follow");
  std::vector<Handle> inputs;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (reader.number<GuestInput>(kWhat) == GuestInput::Number) {
      inputs.push_back(task_of_guest(guest, reader));
      continue;
    }
    const TaskId sent = make_stand_in(arena::thread_cursor(), read_site(reader));
    inputs.push_back(Future<Nothing>::adopt(sent, serial()));
    TaskEnd end;
    try {
      end = read_end(reader, arena::task(sent));
    } catch (...) {
      mark_ended(sent, std::make_shared<TaskFailure>(), kNone);
      throw;
    }
    mark_ended(sent, std::move(end.failure), kNone);
  }
  // As a call of submit writes it: the uses are the future's and the run's.
  const detail::Place place{arena::thread_cursor(), task_word::kLaunched + 2 * task_word::kUse, kNone};
  const TaskId task = detail::open_task(place, its_site, count, 0);
  TaskRecord& record = arena::task(task);
  detail::Connected connected;
  for (std::uint32_t i = 0; i < count; ++i)
    detail::connect(record.first_input + i, inputs[i].task_id(), task, kNone, connected);
  {
    const detail::DecodedInputs decoding(task);
    type.decode_closure(record.payload, reader);
  }
  detail::settle_inputs(task, connected);
  if (journal::gives_keys.load(std::memory_order_acquire)) {
    constexpr std::uint64_t word = task_word::kLaunched + 2 * task_word::kUse;
    const TaskId there = journal::find_result(task, word, serial(), &options, options.pure);
    if (there != task) {
      for (int uses = 2; uses != 0; --uses) arena::drop_use(task);
      guest.tasks[number] = Future<Nothing>::adopt(there, serial());
      return watch(letter, guest.tasks[number]);
    }
  }
  const Future<Nothing> future = Future<Nothing>::adopt(task, serial());
  guest.tasks[number] = future;
  if (turn != 0) extras::change(task, [&](TaskExtra& extra) { extra.turn.number = turn; });
  launch(task, &options);
  watch(letter, future);
}

/// Takes up a question about a value that holds futures of the guest.
void ClientProcess::guest_asks(const Guest& guest, const Asked& letter, Reader& reader) {
  Asked asked;
  asked.peer = letter.peer;
  asked.id = letter.id;
  asked.waits = reader.number<std::uint8_t>(kWhat) != 0;
  const std::size_t count = reader.elements(1, kWhat);
  for (std::size_t i = 0; i < count; ++i) asked.tasks.push_back(task_of_guest(guest, reader));
  const std::size_t size = reader.remaining();
  asked.bytes.assign(reinterpret_cast<const char*>(reader.view(size, kWhat)), size);
  const std::lock_guard lock(mutex_);
  take_up(std::move(asked));
  post_.flush();
}

/// The guest hears when the task has ended, with its value if that is small and here.
void ClientProcess::watch(const Asked& letter, const Handle& task) {
  const std::lock_guard lock(mutex_);
  owe(letter, task);
  questions_.owed.back().only_end = true;
}

/// The guest has made a call of its actor for somebody: whoever asked is owed the end of that task.
void ClientProcess::guest_called(const Guest& guest, PeerId peer, Reader& reader) {
  const std::uint64_t number = reader.count(kWhat);
  const bool well = reader.number<std::uint8_t>(kWhat) != 0;
  Handle task;
  if (well) task = task_of_guest(guest, reader);
  const std::string refusal = well ? "" : read_text(reader);
  const std::lock_guard lock(mutex_);
  const auto found = questions_.passed.find(number);
  if (found == questions_.passed.end() || found->second.guest != peer) return;  // nobody waits for it any more
  const Asked asked = std::move(found->second.asked);
  questions_.passed.erase(found);
  questions_.changed = true;
  if (well) return owe(asked, task);
  answer(asked.peer, asked.id, AnswerKind::Refused, refusal);
  post_.flush();
}

/// A guest is gone: what only it wanted is cancelled and let go of.
void ClientProcess::drop_guest(PeerId peer) {
  Guest gone;
  {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.guests.find(peer);
    if (found == questions_.guests.end()) return;
    gone = std::move(found->second);
    questions_.guests.erase(found);
    coming_.turns.forget(peer);
    for (const auto& [number, call] : questions_.passed) {
      if (call.guest != peer) continue;
      answer(call.asked.peer, call.asked.id, AnswerKind::Refused,
             "the actor is gone: the client " + gone.name + ", which made it, has left");
    }
    questions_.changed |=
        std::erase_if(questions_.passed, [&](const auto& entry) { return entry.second.guest == peer; }) != 0;
    post_.flush();
  }
  logging::info("cluster", "the client ", gone.name, " is gone; ", gone.tasks.size(), " of its results are let go of");
  std::vector<TaskId> alone;
  for (const auto& [number, task] : gone.tasks) {
    const std::uint64_t word = arena::task(task.task_id()).word.load(std::memory_order_acquire);
    // Published ones, and inputs of what others wait for, have more uses than the guest's and the run's.
    if ((word & task_word::kDone) == 0 && task_word::uses_of(word) <= 2) alone.push_back(task.task_id());
  }
  for (const TaskId task : alone) cancel(task);
}

}  // namespace weft::cluster
