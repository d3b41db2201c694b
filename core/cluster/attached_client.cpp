#include "core/cluster/attached_client.hpp"

#include "core/cluster/guests.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/cluster/packet_writer.hpp"
#include "core/cluster/values.hpp"
#include "core/coordination/actors.hpp"
#include "core/coordination/questions.hpp"
#include "core/diagnostics/run_diagnostics.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/again.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/launch_options.hpp"
#include "core/graph/release.hpp"
#include "core/graph/task_name.hpp"
#include "core/runtime/machine.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace weft {
namespace cluster {
namespace {

constexpr Nanoseconds kNap = 5'000'000;
constexpr Nanoseconds kIdleNap = 200'000'000;

std::atomic<AttachedClient*> the_guest{nullptr};

/// While a thread launches tasks: it may hold a lock of what it launches for.
thread_local bool launching = false;
struct Launching {
  Launching() { launching = true; }
  ~Launching() { launching = false; }
};

std::uint32_t turn_of(TaskId task) {
  std::uint32_t turn = 0;
  if ((arena::task(task).word.load(std::memory_order_relaxed) & task_word::kExtra) != 0)
    extras::read(task, [&](const TaskExtra& extra) { turn = extra.turn.number; });
  return turn;
}

bool has_ended(TaskId task) { return (arena::task(task).word.load(std::memory_order_acquire) & task_word::kDone) != 0; }

}  // namespace

AttachedClient::AttachedClient(Settings settings, std::unique_ptr<Transport> transport,
                               std::string_view scheduler_address)
    : settings_(std::move(settings)),
      memory_(machine::result_memory(settings_, machine::memory_budget(settings_))),
      display_(progress_mode(settings_.progress), settings_.progress_interval, machine::progress_of(*this),
               machine::watch_of(*this, settings_)),
      post_(std::move(transport), *this) {
  AttachedClient* expected = nullptr;
  if (managed_released.load() != nullptr || !the_guest.compare_exchange_strong(expected, this)) {
    throw Error("this process is the client of a cluster already: it cannot be attached to another one");
  }
  try {
    attach(scheduler_address);
  } catch (...) {
    the_guest.store(nullptr);
    throw;
  }
  managed_released.store(&AttachedClient::on_released);
  apply_log_settings(settings_);
  boxes::add_memory(nullptr, memory_);
  open_.store(true);
  open();
  progress_ = std::thread([this] { progress_main(); });
  worker_infos();
}

AttachedClient::~AttachedClient() {
  close();
  stopping_.store(true);
  post_.wake();
  progress_.join();
  {
    const std::lock_guard lock(mutex_);
    post_.shut();
  }
  boxes::remove_memory(memory_);
  managed_released.store(nullptr);
  the_guest.store(nullptr);
}

/// Waits for the welcome, before anything else may happen.
void AttachedClient::attach(std::string_view scheduler_address) {
  Hello hello = hello_of_this_process();
  hello.role = Hello::Role::Guest;
  hello.id = detail::actor_family();
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  hello.identity.name = std::string(host) + ", process " + std::to_string(::getpid());
  host_ = post_.connect(scheduler_address, hello);
  post_.flush();
  const Nanoseconds until = now_ns() + static_cast<Nanoseconds>(settings_.start_timeout * 1e9);
  while (!welcome_ && end_.empty()) {
    if (now_ns() > until) throw Error("the job does not answer: is it stopped, or its network another one?");
    if (!post_.progress()) post_.sleep(kNap);
  }
  if (!end_.empty()) throw Error("this client cannot attach to the job: " + end_);
}

// --- Progress --------------------------------------------------------------------------------------------------------

bool AttachedClient::drive() {
  std::vector<TaskId> called_back;
  bool moved = false;
  {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    moved = post_.progress();
    note_released();
    post_.flush();
    called_back.swap(called_back_);
  }
  for (const TaskId task : called_back) {
    failing::call_back(task);
    arena::drop_use(task);
  }
  if (called_.load(std::memory_order_relaxed)) launching ? post_.wake() : make_calls();
  if (!launching && open_.load() && detail::actors_left()) {
    const Launching now_launching;  // dropping an actor submits a task
    detail::drop_left_actors();
  }
  arena::flush_frees();
  return moved || !called_back.empty();
}

void AttachedClient::sleep(Nanoseconds most) {
  if (!sleeping_.exchange(true)) {
    post_.sleep(most);
    sleeping_.store(false);
    return;
  }
  const timespec nap{0, 200'000};
  ::nanosleep(&nap, nullptr);
}

void AttachedClient::progress_main() {
  while (!stopping_.load()) {
    if (!waiters_.any() && drive()) continue;
    if (stopping_.load()) return;
    if (waiters_.any()) {
      waiters_.give_way(kIdleNap);
    } else {
      sleep(kIdleNap);
    }
  }
}

void AttachedClient::wake_waiters() noexcept { post_.wake(); }

void AttachedClient::help(TaskId, DoneFunction done, const void* argument) {
  WaitDisplay::Wait shown(display_);
  if (waiters_.enter()) post_.wake();  // the thread that sleeps there gives way
  while (!done(argument) && open_.load()) {
    shown.look();
    if (!drive() && !done(argument)) sleep(kNap);
  }
  waiters_.leave();
}

// --- Tasks -----------------------------------------------------------------------------------------------------------

void AttachedClient::launch(TaskId task, const TaskOptions* given) {
  const Launching now_launching;
  const LaunchOptions options(task, given);
  options.keep(task, 0);
  submit(task, options.get());
}

void AttachedClient::launch(const std::vector<TaskId>& tasks, const TaskOptions* options) {
  for (const TaskId task : tasks) launch(task, options);
}

void AttachedClient::submit(TaskId task, const TaskOptions* options) {
  TaskOptions theirs = options != nullptr ? *options : TaskOptions{};
  if (theirs.retries == 0) theirs.retries = static_cast<unsigned>(settings_.retries);
  {
    const std::lock_guard lock(mutex_);
    if (!end_.empty()) throw Error("the job that this client is attached to is gone: " + end_);
    const std::string body = written(task, theirs);
    manage(task);
    write_guest(body, task, true);
    running_.emplace(task, true);
    post_.flush();
  }
  tasks_total_.fetch_add(1, std::memory_order_relaxed);
  post_.wake();
}

/// Writes the letter GuestForm::Submit; `manage` gives the number that stands in it.
std::string AttachedClient::written(TaskId task, const TaskOptions& options) {
  const TaskRecord& record = arena::task(task);
  const TaskType& type = *site(record.site).type;
  const SourceLine line = line_of(record);
  if (type.encode_closure == nullptr) {
    throw Error(std::string("the task at ") + line.file + ":" + std::to_string(line.line) +
                " cannot run in another process: its function or one of its arguments is tied to this one; pass data "
                "by value, and nothing that is declared local_only");
  }
  Writer out;
  out.number(GuestForm::Submit);
  out.count(next_number_);
  write_site(out, record.site);
  write(out, options);
  out.count(turn_of(task));
  out.count(record.input_count);
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId input = arena::edge(record.first_input + k).producer;
    if (const std::uint64_t number = number_of(input); number != 0) {
      out.number(GuestInput::Number);
      out.count(number);
      continue;
    }
    if (!is_here(input)) throw Error("an input of a task is of another client, and not here yet: wait for it first");
    out.number(GuestInput::Sent);
    write_site(out, arena::task(input).site);
    write_end(out, input);
  }
  type.encode_closure(record.payload, out, line);
  return text_of(out);
}

void AttachedClient::manage(TaskId task) {
  numbers_[task] = next_number_++;
  TaskRecord& record = arena::task(task);
  record.packet = kNone;
  record.link = 0;
  record.join.fetch_or(kManagedJoin, std::memory_order_relaxed);
}

std::uint64_t AttachedClient::number_of(TaskId task) const {
  const auto found = numbers_.find(task);
  return found == numbers_.end() ? 0 : found->second;
}

std::shared_ptr<Asks::Question> AttachedClient::write_guest(const std::string& body, TaskId stand_in, bool answered) {
  std::shared_ptr<Asks::Question> question;
  if (answered) question = asks_.expect(stand_in);
  Writer& out = post_.begin(host_, LetterKind::Guest);
  out.count(question != nullptr ? question->id : 0);
  out.bytes(body.data(), body.size());
  post_.end(host_);
  return question;
}

/// Asks and waits for the answer.
std::string AttachedClient::ask_guest(const std::string& body, const std::string& what) {
  std::shared_ptr<Asks::Question> question;
  {
    const std::lock_guard lock(mutex_);
    if (!end_.empty()) throw Error(what + ": the job that this client is attached to is gone: " + end_);
    question = write_guest(body, kNone, true);
    post_.flush();
  }
  help_until(kNone, [&] { return question->done.load(std::memory_order_acquire); });
  if (!question->done.load(std::memory_order_acquire)) throw CancelledError(what + ": the client was closed meanwhile");
  return answer_of(*question).value_or("");
}

void AttachedClient::wait_there(TaskId task) {
  help_until(task, [&] { return has_ended(task); });
}

void AttachedClient::wait(TaskId task) {
  wait_there(task);
  if (is_here(task)) return;
  {
    const std::lock_guard lock(mutex_);
    if (fetch(task)) post_.flush();
  }
  help_until(task, [&] { return is_here(task); });
}

/// Asks for the value of a task that lies elsewhere, once.
bool AttachedClient::fetch(TaskId task) {
  const std::uint64_t number = number_of(task);
  if (number == 0 || !end_.empty() || !fetching_.emplace(task, true).second) return false;
  arena::add_use(task);
  Writer out;
  out.number(GuestForm::Value);
  out.count(number);
  write_guest(text_of(out), task, true);
  return true;
}

void AttachedClient::cancel(TaskId task) {
  failing::request_cancel(task);
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = number_of(task);
  if (number == 0 || !end_.empty()) return;
  Writer out;
  out.number(GuestForm::Cancel);
  out.count(number);
  write_guest(text_of(out), kNone, false);
  post_.flush();
}

// --- Letters ---------------------------------------------------------------------------------------------------------

void AttachedClient::letter(PeerId, LetterKind kind, Reader& reader) {
  if (kind == LetterKind::Welcome) {
    welcome_ = true;
  } else if (kind == LetterKind::Refusal) {
    end_ = read_text(reader);
  } else if (kind == LetterKind::Answer) {
    on_answer(reader);
  } else if (kind == LetterKind::Ask) {
    const std::uint64_t number = reader.count("call of an actor");
    const std::size_t size = reader.remaining();
    calls_.emplace_back(number, std::string(reinterpret_cast<const char*>(reader.view(size, "call")), size));
    called_.store(true, std::memory_order_relaxed);
  } else {
    throw Error("a letter of kind " + std::to_string(static_cast<int>(kind)) + " is not for a client that is attached");
  }
}

/// Makes the calls of this client's actors that tasks at workers have asked for. Without the lock, which submitting
/// needs. The handle stays until the other process has been told which task it is.
void AttachedClient::make_calls() {
  std::vector<std::pair<std::uint64_t, std::string>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(calls_);
    called_.store(false, std::memory_order_relaxed);
  }
  for (const auto& [number, bytes] : calls) {
    Handle task;
    std::string refusal;
    try {
      const Launching now_launching;
      Reader reader(bytes.data(), bytes.size());
      detail::read_form(reader);
      task = detail::perform_call(reader);
    } catch (const Error& error) {
      refusal = error.what();
    }
    Writer out;
    out.number(GuestForm::Called);
    out.count(number);
    out.number(static_cast<std::uint8_t>(task.valid() ? 1 : 0));
    const std::lock_guard lock(mutex_);
    if (!end_.empty()) return;
    if (task.valid()) {
      out.count(number_of(task.task_id()));
    } else {
      write_text(out, refusal);
    }
    write_guest(text_of(out), kNone, false);
    post_.flush();
  }
}

void AttachedClient::on_answer(Reader& reader) {
  std::shared_ptr<TaskFailure> failure;
  const std::shared_ptr<Asks::Question> question = asks_.read(reader, failure);
  if (question == nullptr || question->stand_in == kNone) return;
  const TaskId task = question->stand_in;
  const bool elsewhere = question->kind == AnswerKind::Done;
  if (running_.erase(task) != 0) return task_ended(task, std::move(failure), elsewhere);
  if (const auto of_graph = of_graph_.find(task); of_graph != of_graph_.end() && of_graph->second != nullptr)
    return end_of_graphs_task(task, std::move(failure), elsewhere);
  if (fetching_.erase(task) == 0) return;
  if (failure != nullptr) {
    extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
    failed_records.fetch_add(1, std::memory_order_relaxed);
    arena::task(task).word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
  }
  set_elsewhere(arena::task(task), false);
  arena::drop_use(task);
}

/// Ends the record of a task here. `elsewhere`: its value has not come. Its run's use ends.
void AttachedClient::task_ended(TaskId task, std::shared_ptr<const TaskFailure> failure, bool elsewhere) {
  TaskRecord& record = arena::task(task);
  const bool boxed = !site(record.site).type->result->in_record;
  if (boxed && (elsewhere || failure != nullptr)) set_box(record, nullptr);
  if (elsewhere) set_elsewhere(record, true);
  if (failure != nullptr) tasks_failed_.fetch_add(1, std::memory_order_relaxed);
  tasks_done_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t old = mark_ended(task, std::move(failure), kNone);
  // The other process has them too; they are here for the case that it throws and is to be run again.
  again::keep_call(task);
  if (!keeps_inputs(task)) {
    destroy_closure(record);
    for (std::uint32_t k = 0; k < record.input_count; ++k)
      arena::drop_use(arena::edge(record.first_input + k).producer);
  }
  // Those that were only described wait for it in their counters; launched ones are the other process's.
  for (std::uint32_t e = task_word::edge_of(old); e != 0;) {
    const Edge& edge = arena::edge(e - 1);
    const TaskId id = edge.consumer;
    TaskRecord& consumer = arena::task(id);
    e = edge.next;
    if ((consumer.join.load(std::memory_order_relaxed) & kManagedJoin) != 0) continue;
    if (consumer.join.fetch_sub(1, std::memory_order_acq_rel) == 1 && has_ended(id)) arena::free_record(id);
  }
  if ((arena::task(task).word.load(std::memory_order_relaxed) & task_word::kExtra) != 0) {
    arena::add_use(task);
    called_back_.push_back(task);
  }
  arena::drop_use(task);
}

void AttachedClient::on_released(TaskId task) noexcept {
  AttachedClient* const guest = the_guest.load();
  if (guest == nullptr) return;
  const std::lock_guard lock(guest->released_mutex_);
  guest->released_.push_back(task);
}

/// Frees records whose last use is gone, and lets the other process free its own.
void AttachedClient::note_released() {
  std::vector<TaskId> released;
  {
    const std::lock_guard lock(released_mutex_);
    released.swap(released_);
  }
  if (released.empty()) return;
  Writer out;
  out.number(GuestForm::Release);
  out.count(released.size());
  for (const TaskId task : released) {
    const auto found = numbers_.find(task);
    out.count(found != numbers_.end() ? found->second : 0);
    if (found != numbers_.end()) numbers_.erase(found);
    TaskRecord& record = arena::task(task);
    record.join.store(0, std::memory_order_release);
    release_task(task, record.word.load(std::memory_order_acquire));
  }
  if (end_.empty()) write_guest(text_of(out), kNone, false);
}

void AttachedClient::lost(PeerId, std::string_view why) {
  if (closing_.load()) return;
  if (open_.load()) logging::warning("cluster", "the job that this client is attached to is gone: ", why);
  lose(std::string(why));
}

/// Nothing will come any more: all that has not ended fails, and what lies elsewhere is lost.
void AttachedClient::lose(const std::string& why) {
  if (!end_.empty()) return;
  end_ = why;
  while (const std::shared_ptr<Asks::Question> question = asks_.take_unanswered()) {
    auto failure = std::make_shared<TaskFailure>();
    failure->kind = closing_.load() ? TaskFailure::Kind::Cancelled : TaskFailure::Kind::Lost;
    failure->message = why;
    const TaskId task = question->stand_in;
    if (task == kNone) {
      question->kind = AnswerKind::Closed;
      question->bytes = why;
    } else if (running_.erase(task) != 0) {
      task_ended(task, std::move(failure), false);
    } else if (const auto of_graph = of_graph_.find(task); of_graph != of_graph_.end() && of_graph->second != nullptr) {
      end_of_graphs_task(task, std::move(failure), false);
    } else if (fetching_.erase(task) != 0) {
      extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
      failed_records.fetch_add(1, std::memory_order_relaxed);
      arena::task(task).word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
      arena::drop_use(task);
    }
    question->done.store(true, std::memory_order_release);
  }
}

bool AttachedClient::close() {
  if (!open_.load() || closing_.exchange(true)) return true;
  {
    const std::lock_guard lock(mutex_);
    post_.close(host_);
    lose("the client was closed before this task ended: keep the client until its futures have ended");
    // What handles still hold become plain results; values elsewhere cannot be had any more.
    for (const auto& [task, number] : numbers_) {
      TaskRecord& record = arena::task(task);
      if (!is_here(task)) {
        auto failure = std::make_shared<TaskFailure>();
        failure->kind = TaskFailure::Kind::Lost;
        failure->message = "its value was left with the job when this client was closed: fetch it before";
        extras::change(task, [&](TaskExtra& extra) { extra.failure = std::move(failure); });
        failed_records.fetch_add(1, std::memory_order_relaxed);
        record.word.fetch_or(task_word::kFailed, std::memory_order_acq_rel);
      }
    }
  }
  drive();
  {
    const std::lock_guard lock(mutex_);
    note_released();
    for (const auto& [task, number] : numbers_) arena::task(task).join.store(0, std::memory_order_release);
    numbers_.clear();
  }
  unlist();
  open_.store(false);
  display_.stop();
  post_.wake();
  return close_books(settings_, ledger());
}

// --- What else clients ask -------------------------------------------------------------------------------------------

Runtime::Counts AttachedClient::counts() {
  return {tasks_done_.load(std::memory_order_relaxed), tasks_total_.load(std::memory_order_relaxed),
          tasks_failed_.load(std::memory_order_relaxed)};
}

LedgerReport AttachedClient::ledger() {
  const std::lock_guard lock(mutex_);
  return ledger_.report();
}

void AttachedClient::reset_ledger() {
  const std::lock_guard lock(mutex_);
  ledger_.restart();
}

std::vector<WorkerInfo> AttachedClient::worker_infos() {
  Writer out;
  out.number(GuestForm::Workers);
  const std::string text = ask_guest(text_of(out), "workers");
  Reader reader(text.data(), text.size());
  std::vector<WorkerInfo> infos(reader.elements(4, "workers"));
  std::uint32_t slots = 0;
  for (WorkerInfo& info : infos) {
    info.name = read_text(reader);
    info.host = info.name.substr(0, info.name.find(':'));
    info.slots = read_small(reader, "workers");
    slots += info.slots;
    info.memory_bytes = reader.count("workers");
    const std::size_t resources = reader.elements(2, "workers");
    for (std::size_t i = 0; i < resources; ++i) {
      std::string name = read_text(reader);
      info.resources[std::move(name)] = read_small(reader, "workers");
    }
  }
  slots_.store(slots, std::memory_order_relaxed);
  return infos;
}

std::vector<std::string> AttachedClient::who_has(TaskId task) {
  Writer out;
  out.number(GuestForm::Holders);
  {
    const std::lock_guard lock(mutex_);
    if (!has_ended(task) || number_of(task) == 0) return {};
    out.count(number_of(task));
  }
  return detail::read_names(ask_guest(text_of(out), "who_has"));
}

void AttachedClient::retire(std::string_view) {
  throw Error("Client::retire_workers: an attached client cannot let workers go; the job's own client can");
}

void AttachedClient::restart_workers(const std::vector<std::string>&, Seconds) {
  throw Error("Client::restart_workers: an attached client cannot restart workers; the job's own client can");
}

}  // namespace cluster

std::shared_ptr<Runtime> attach_client(Settings settings, std::unique_ptr<Transport> transport,
                                       std::string_view scheduler_address) {
  return std::make_shared<cluster::AttachedClient>(std::move(settings), std::move(transport), scheduler_address);
}

}  // namespace weft
