#include "core/cluster/client_process.hpp"

#include "core/cluster/books.hpp"
#include "core/cluster/guests.hpp"
#include "core/coordination/actors.hpp"
#include "core/coordination/far_client.hpp"
#include "core/diagnostics/run_diagnostics.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/executor.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/futex.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/task_name.hpp"
#include "core/messages/encoding.hpp"
#include "core/runtime/machine.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <chrono>
#include <ctime>
#include <random>

namespace weft {
namespace cluster {
namespace {

/// How often the machine hears of the time while work is outstanding; also the longest nap then.
constexpr Nanoseconds kTick = 5'000'000;
constexpr Nanoseconds kIdleNap = 200'000'000;
/// Pending tasks that are looked at although nobody waits and no worker is hungry.
constexpr std::size_t kManyPending = 8192;
/// Packets to let go of that wait no longer for a turn without news.
constexpr std::size_t kManyReleases = 64;

/// The one that is there, for uses that end anywhere.
std::atomic<ClientProcess*> the_client{nullptr};

SchedulerOptions machine_options() { return {.narrows = true, .patience_ns = 5'000'000'000}; }

/// While a thread launches tasks. Whoever launches may hold a lock, as of an actor, that making a call of it needs too.
thread_local bool launching = false;
struct Launching {
  Launching() { launching = true; }
  ~Launching() { launching = false; }
};

/// Returns the executor that runs the calling task, or null outside of tasks.
Executor* executor_here() {
  Slot* const slot = current_slot();
  return slot != nullptr && slot->running() != kNone ? &slot->executor() : nullptr;
}

}  // namespace

ClientProcess::ClientProcess(Settings settings, std::unique_ptr<Transport> transport)
    : settings_(std::move(settings)),
      budget_bytes_(machine::memory_budget(settings_)),
      memory_(machine::result_memory(settings_, budget_bytes_)),
      ledger_(0),
      book_(ledger_.open_book("client")),
      post_(std::move(transport), *this),
      machine_(machine_options()),
      writer_([this](const TaskRecord& producer) { return !is_linked(producer); }) {
  book_.start();
  ClientProcess* expected = nullptr;
  if (!the_client.compare_exchange_strong(expected, this))
    throw Error("a cluster is open in this process already: a process can be the client of one");
  managed_released.store(&ClientProcess::on_released);
  address_ = post_.transport().address();
  std::random_device random;
  cluster_ = std::uint64_t{random()} << 32 | random();
  spin_.set_most(machine::executor_options(settings_).spin_ns);
  if (!settings_.record.empty()) {
    recorder_ = std::make_unique<Recorder>(settings_.record);
    recorder_->begin(machine_options());
  }
  progress_ = std::thread([this] { progress_main(); });
}

ClientProcess::~ClientProcess() {
  end(0);
  boxes::remove_memory(memory_);
  the_client.store(nullptr);
}

void ClientProcess::open_for_client(Settings settings) {
  if (open_.exchange(true)) throw Error("the cluster has a client already: close it before another one is opened");
  {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
    if (!settings_.record.empty() && recorder_ == nullptr) {
      logging::warning(
          "cluster", "nothing is recorded in \"", settings_.record,
          "\": a recording begins with the job, so --weft-record or WEFT_RECORD must be set for the program");
    }
    tasks_total_ = tasks_done_ = tasks_failed_ = 0;
    closing_.store(false);
  }
  apply_log_settings(settings_);
  display_.emplace(progress_mode(settings_.progress), settings_.progress_interval, machine::progress_of(*this),
                   machine::watch_of(*this, settings_, [this] { return why_idle(); }));
  boxes::add_memory(nullptr, memory_);
  set_graph_limit(machine::graph_limit(settings_, budget_bytes_));
  open();
}

// --- Progress ----------------------------------------------------------------------------------------------------

bool ClientProcess::drive() {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) return drive_locked(lock);
  // Whoever holds it may have looked for what is pending already. Nobody goes to sleep over it: who sleeps is woken,
  // and who is about to looks once more.
  if (launching && sleeping_.load(std::memory_order_seq_cst)) post_.wake();
  return false;
}

bool ClientProcess::drive_locked(std::unique_lock<std::mutex>& lock) {
  bool moved = post_.progress();
  const Nanoseconds time = now_ns();
  const bool waited_for = outstanding_ != 0 || members_.draining != 0 || !questions_.owed.empty();
  if (waited_for && time - last_tick_ > kTick) {
    last_tick_ = time;
    left_.events.push_back(Tick{});
    questions_.owed_changed = true;
    ask_again();
    if (members_.draining != 0) end_drained(time);
    if (members_.silent != 0) lose_silent(time);
  }
  retry_parked();
  serve_owed();
  note_blocked();
  form_packets();
  pump();
  post_.flush();
  if (!moved || left_.to_release.size() >= kManyReleases) {
    release_outputs();
    post_.flush();
  }
  busy_.store(waited_for || outstanding_ != 0 || !coming_.forming.empty(), std::memory_order_relaxed);
  idle_.store(outstanding_ == 0 && coming_.forming.empty() && members_.present != 0, std::memory_order_relaxed);
  std::vector<TaskId> called_back;
  called_back.swap(left_.called_back);
  const bool woken = std::exchange(woken_, false);
  std::vector<Asked> calls;
  if (!launching) calls = std::exchange(questions_.calls, {});
  if (!questions_.calls.empty()) post_.wake();  // somebody else makes them
  lock.unlock();
  if (!calls.empty()) make_calls(std::move(calls));
  if (!launching && guests_wait_.load(std::memory_order_relaxed)) serve_guests();
  if (!launching && detail::actors_left()) detail::drop_left_actors();
  for (const TaskId task : called_back) {
    failing::call_back(task);
    arena::drop_use(task);
  }
  if (woken || !called_back.empty()) wake_waiters();
  arena::flush_frees();
  return moved || woken;
}

/// Makes progress while nobody waits. A waiter does it better: while there is one this thread keeps out of its way.
void ClientProcess::progress_main() {
  while (!stopping_.load()) {
    if (waiters_.any()) {
      waiters_.give_way(kIdleNap);
      continue;
    }
    if (drive()) continue;
    if (sleeping_.exchange(true)) {
      timespec nap{0, 1'000'000};
      ::nanosleep(&nap, nullptr);
      continue;
    }
    const bool more = any_pending_.load() && hungry_.load();
    if (!waiters_.any() && !stopping_.load() && !more) post_.sleep(busy_.load() ? kTick : kIdleNap);
    sleeping_.store(false);
  }
}

void ClientProcess::wake_waiters() noexcept {
  named_changed_.store(true, std::memory_order_seq_cst);
  if (parked_count_.load(std::memory_order_seq_cst) != 0) post_.wake();
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  if (watchers_.load(std::memory_order_seq_cst) == 0) return;
  futex::wake_all(epoch_);
  // One of them may be asleep in the transport.
  post_.wake();
}

void ClientProcess::sleep(Nanoseconds most) {
  if (!sleeping_.exchange(true)) {
    if (!any_pending_.load() || !hungry_.load()) post_.sleep(most);
    sleeping_.store(false);
    // Whoever waits too may take over.
    if (watchers_.load(std::memory_order_seq_cst) > 1) {
      epoch_.fetch_add(1, std::memory_order_seq_cst);
      futex::wake_all(epoch_);
    }
    return;
  }
  // Somebody sleeps there: the progress thread gives way, a waiter passes news on.
  post_.wake();
  const std::uint32_t seen = epoch_.load(std::memory_order_seq_cst);
  futex::wait(epoch_, seen, 200'000);
}

void ClientProcess::help(TaskId task, DoneFunction done, const void* argument) {
  if (Executor* const executor = executor_here()) {
    if (detail::FarClient* const far = executor->far_client()) return far->help_there(task, done, argument);
    return executor->help_until(task, [=] { return done(argument); });
  }
  if (!open_.load()) return;
  WaitDisplay::Wait shown(*display_);
  waiters_.enter();
  if (task < kOnlyLook) arena::task(task).word.fetch_or(task_word::kWatched, std::memory_order_acq_rel);
  PoliteSpin::Pause pause(spin_);
  while (!done(argument)) {
    if (!open_.load()) break;
    shown.look();
    if (drive()) {
      pause.over();
      continue;
    }
    if (pause.look_on(now_ns())) continue;
    pause.over();
    watchers_.fetch_add(1, std::memory_order_seq_cst);
    if (!done(argument)) sleep(kTick);
    watchers_.fetch_sub(1, std::memory_order_seq_cst);
  }
  waiters_.leave();
}

// --- What clients call -------------------------------------------------------------------------------------------

void ClientProcess::check_travels(TaskId task) const {
  const TaskType& type = *site(arena::task(task).site).type;
  if (type.encode_closure != nullptr) return;
  const SourceLine line = line_of(arena::task(task));
  throw Error(std::string("the task at ") + line.file + ":" + std::to_string(line.line) +
              " cannot run in another process: its function or one of its arguments is tied to this one; pass data "
              "by value, and nothing that is declared local_only");
}

/// Makes a described task one that waits for a packet.
Pending ClientProcess::pending(TaskId task, const LaunchOptions& options) {
  Pending one;
  one.task = task;
  one.owner = launching_for;
  if (options.own_packet()) {
    const std::lock_guard lock(mutex_);
    one.alone = true;
    one.priority = options.get()->priority;
    one.memory_bytes = options.get()->memory_bytes;
    one.needs = needs_index(*options.get());
    one.retriable = options.get()->retriable;
    one.fifo_timeout = options.get()->fifo_timeout;
    one.fifo_turn = options.turn();
  }
  TaskRecord& record = arena::task(task);
  // Whoever writes the packet of one of its inputs looks at it already.
  __atomic_store_n(&record.packet, kNone, __ATOMIC_RELAXED);
  record.join.fetch_or(kManagedJoin, std::memory_order_relaxed);
  return one;
}

void ClientProcess::launch(TaskId task, const TaskOptions* given) {
  const LaunchOptions options(task, given);
  options.keep(task, static_cast<std::uint64_t>(settings_.retries));
  if (Executor* const executor = executor_here()) return executor->launch_child(task);
  check_travels(task);
  const Pending one = pending(task, options);
  tasks_total_.fetch_add(1, std::memory_order_relaxed);
  if (!one.alone && idle_.load(std::memory_order_relaxed) && hand_out(task)) return;
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(pending_mutex_);
    pending_.push_back(one);
    waiting = pending_.size();
    any_pending_.store(true, std::memory_order_seq_cst);
  }
  const Launching now_launching;
  if (one.alone || hungry_.load(std::memory_order_seq_cst) || waiting % kManyPending == 0) drive();
}

void ClientProcess::launch(const std::vector<TaskId>& tasks, const TaskOptions* given) {
  if (executor_here() != nullptr) {
    for (const TaskId task : tasks) launch(task, given);
    return;
  }
  for (const TaskId task : tasks) check_travels(task);
  std::vector<Pending> batch;
  batch.reserve(tasks.size());
  for (const TaskId task : tasks) {
    const LaunchOptions options(task, given);
    options.keep(task, static_cast<std::uint64_t>(settings_.retries));
    batch.push_back(pending(task, options));
  }
  tasks_total_.fetch_add(tasks.size(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(pending_mutex_);
    pending_.insert(pending_.end(), batch.begin(), batch.end());
    any_pending_.store(true, std::memory_order_seq_cst);
  }
  const Launching now_launching;
  drive();
}

void ClientProcess::wait(TaskId task) {
  const std::atomic<std::uint64_t>& word = arena::task(task).word;
  help_until(task, [&] { return (word.load(std::memory_order_acquire) & task_word::kDone) != 0; });
  if (is_here(task) || executor_here() != nullptr) return;
  {
    std::unique_lock lock(mutex_);
    const TaskRecord& record = arena::task(task);
    ClientPacket* const packet =
        (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0 ? find(record.packet) : nullptr;
    if (packet != nullptr) ask_for(record.packet, *packet, number_in_packet(record));
    post_.flush();
  }
  help_until(task, [&] { return is_here(task); });
}

void ClientProcess::cancel(TaskId task) {
  failing::request_cancel(task);
  if (executor_here() != nullptr) return;
  std::unique_lock lock(mutex_);
  if (call_.task == task) {
    post_.send(members_.workers[call_.worker].peer, LetterKind::Cancel, CancelTask{kHandedPacket, 0});
    return post_.flush();
  }
  if (time_left_.end != 0) try_deferred();
  const TaskRecord& record = arena::task(task);
  if ((record.join.load(std::memory_order_relaxed) & kManagedJoin) == 0 || record.packet == kNone) return;
  const ClientPacket* const packet = find(record.packet);
  if (packet == nullptr || packet->ended || !machine_.knows(record.packet)) return;
  const WorkerId owner = machine_.owner(record.packet);
  if (owner >= members_.workers.size() || !members_.workers[owner].standing.present) return;
  post_.send(members_.workers[owner].peer, LetterKind::Cancel, CancelTask{record.packet, number_in_packet(record)});
  post_.flush();
}

Runtime::Counts ClientProcess::counts() {
  return {tasks_done_.load(std::memory_order_relaxed), tasks_total_.load(std::memory_order_relaxed),
          tasks_failed_.load(std::memory_order_relaxed)};
}

/// Asks all workers for their books, and waits for them, but not for long: one that is stopped keeps those it told
/// last.
void ClientProcess::gather_books() {
  constexpr Nanoseconds kLongest = 1'000'000'000;
  if (executor_here() != nullptr || !open_.load()) return;
  {
    const std::lock_guard lock(mutex_);
    for (ClientWorker& worker : members_.workers) {
      if (!worker.standing.present) continue;
      if (!std::exchange(worker.books_asked, true)) books_missing_.fetch_add(1);
      post_.begin(worker.peer, LetterKind::Books).number(std::uint8_t{0});
      post_.end(worker.peer);
    }
    post_.flush();
  }
  const Nanoseconds until = now_ns() + kLongest;
  help_until(kNone, [&] { return books_missing_.load() == 0 || now_ns() > until; });
}

LedgerReport ClientProcess::ledger() {
  gather_books();
  const std::lock_guard lock(mutex_);
  LedgerReport report = ledger_.report();
  for (const ClientWorker& worker : members_.workers) {
    if (worker.books) add_books(report, *worker.books, worker.standing.identity.name);
  }
  return report;
}

void ClientProcess::reset_ledger() {
  const std::lock_guard lock(mutex_);
  ledger_.restart();
  for (ClientWorker& worker : members_.workers) {
    worker.books.reset();
    if (!worker.standing.present) continue;
    post_.begin(worker.peer, LetterKind::Books).number(std::uint8_t{1});
    post_.end(worker.peer);
  }
  post_.flush();
}

MemoryReport ClientProcess::memory_report() const {
  MemoryReport report = memory_->store().report();
  report.used_bytes += boxes::small_bytes();
  return report;
}

/// 1. What has not ended is cancelled, here and at the workers. 2. All packets are let go of; what handles still hold
/// becomes plain results of this process.
bool ClientProcess::close() {
  if (!open_.load() || closing_.exchange(true)) return true;
  forget_plugins();
  const bool books_wanted = settings_.ledger != "off" || settings_.enforce_budget;
  if (books_wanted) gather_books();
  std::vector<std::unordered_map<std::uint64_t, Handle>> of_guests;  // let go of at the end
  {
    const std::lock_guard turn(guests_turn_);
    const std::lock_guard lock(mutex_);
    for (auto& [peer, guest] : questions_.guests) of_guests.push_back(std::move(guest.tasks));
    for (auto& [peer, guest] : questions_.guests) guest.tasks.clear();
  }
  {
    std::unique_lock lock(mutex_);
    auto failure = std::make_shared<TaskFailure>();
    failure->kind = TaskFailure::Kind::Lost;
    failure->message = "the client was closed before this task ran: keep the client until its futures have ended";
    {
      const std::lock_guard pending(pending_mutex_);
      for (const Pending& one : pending_) coming_.forming.push_back(one);
      pending_.clear();
    }
    take_back_call();
    for (const Pending& one : coming_.deferred) coming_.forming.push_back(one);
    coming_.deferred.clear();
    cut_graphs(true);
    submit_pending(coming_.forming.size());
    std::vector<PacketId> unfinished;
    for (auto& [id, packet] : packets_) {
      if (packet.ended) continue;
      unfinished.push_back(id);
      packet.failure = failure;
    }
    std::sort(unfinished.begin(), unfinished.end());
    tell(PacketsCancelled{std::move(unfinished)});
    pump();
    std::vector<PacketId> left;
    for (auto& [id, packet] : packets_) {
      if (!packet.released) left.push_back(id);
      packet.released = true;
    }
    left.insert(left.end(), left_.to_release.begin(), left_.to_release.end());
    left_.to_release.clear();
    std::sort(left.begin(), left.end());
    tell(OutputsReleased{std::move(left)});
    close_questions();
    drive_locked(lock);
    if (recorder_ != nullptr) recorder_->flush();
  }
  unlist();
  open_.store(false);
  display_->stop();
  wake_waiters();
  post_.wake();
  return close_books(settings_, ledger());
}

// --- Workers -----------------------------------------------------------------------------------------------------

void ClientProcess::wait_there(TaskId task) {
  const std::atomic<std::uint64_t>& word = arena::task(task).word;
  help_until(task, [&] { return (word.load(std::memory_order_acquire) & task_word::kDone) != 0; });
}

/// Returns the packets of these tasks whose results lie at workers, each once.
std::vector<PacketId> ClientProcess::packets_away(const std::vector<TaskId>& tasks) {
  std::vector<PacketId> packets;
  for (const TaskId task : tasks) {
    const TaskRecord& record = arena::task(task);
    const bool managed = (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0;
    if (managed && machine_.knows(record.packet) && machine_.state(record.packet) == PacketState::InMemory)
      packets.push_back(record.packet);
  }
  std::sort(packets.begin(), packets.end());
  packets.erase(std::unique(packets.begin(), packets.end()), packets.end());
  return packets;
}

void ClientProcess::replicate(const std::vector<TaskId>& tasks, std::size_t copies) {
  if (executor_here() != nullptr) return;
  const Launching now_launching;  // whoever asks for a guest has its turn already
  std::unique_lock lock(mutex_);
  const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(copies, members_.workers.size()));
  tell(ReplicasWanted{packets_away(tasks), most});
  drive_locked(lock);
}

void ClientProcess::rebalance(const std::vector<TaskId>& tasks) {
  if (executor_here() != nullptr) return;
  const Launching now_launching;  // whoever asks for a guest has its turn already
  std::unique_lock lock(mutex_);
  tell(BalanceWanted{packets_away(tasks)});
  drive_locked(lock);
}

void ClientProcess::worker_died(std::string_view key, std::string_view cause) {
  {
    std::unique_lock lock(mutex_);
    if (stopping_.load()) return;
    for (WorkerId id = 0; id < members_.workers.size(); ++id) {
      if (members_.workers[id].standing.identity.key != key || members_.workers[id].told_to_end) continue;
      members_.last_loss = "worker " + members_.workers[id].standing.identity.name + " " + std::string(cause);
      members_.workers[id].death = cause;
      if (!members_.workers[id].standing.present) continue;
      lose_worker(id, cause);
      drive_locked(lock);
      break;
    }
  }
  wake_waiters();
}

void ClientProcess::end(Nanoseconds longest) {
  if (stopping_.load()) return;
  close();
  const Nanoseconds until = now_ns() + longest;
  {
    const std::lock_guard lock(mutex_);
    for (const ClientWorker& worker : members_.workers) {
      if (!worker.standing.present) continue;
      post_.begin(worker.peer, LetterKind::End);
      post_.end(worker.peer);
    }
    post_.flush();
  }
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (members_.present == 0 || now_ns() >= until) break;
      drive_locked(lock);
    }
    timespec nap{0, 500'000};
    ::nanosleep(&nap, nullptr);
  }
  stopping_.store(true);
  post_.wake();
  progress_.join();
  // Whoever comes too late, as a worker that starts while the client ends, is to see that nobody is there any more.
  const std::lock_guard lock(mutex_);
  post_.shut();
  for (auto& [token, landing] : values_.landings) drop_block(landing.box);
  values_.landings.clear();
}

}  // namespace cluster

std::shared_ptr<ClusterRuntime> ClusterRuntime::start(Settings settings, std::unique_ptr<Transport> transport) {
  return std::make_shared<cluster::ClientProcess>(std::move(settings), std::move(transport));
}

void cluster::ClientProcess::on_released(TaskId task) noexcept {
  ClientProcess* const client = the_client.load(std::memory_order_acquire);
  if (client == nullptr) return;
  const std::lock_guard lock(client->released_mutex_);
  client->released_.push_back(task);
  client->any_released_.store(true, std::memory_order_release);
}

}  // namespace weft
