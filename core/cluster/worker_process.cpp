#include "core/cluster/worker_process.hpp"

#include "core/cluster/books.hpp"
#include "core/cluster/polite_spin.hpp"
#include "core/diagnostics/log_tap.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/signal_stack.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/launch_options.hpp"
#include "core/journal/journal.hpp"
#include "core/messages/encoding.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/machine.hpp"
#include "core/runtime/plugins.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>

#include <ctime>

namespace weft {
namespace cluster {
namespace {

constexpr Nanoseconds kLongestNap = 5'000'000;
constexpr Nanoseconds kLongestEnd = 1'000'000'000;

std::atomic<bool> leave_wanted{false};

}  // namespace

WorkerProcess::WorkerProcess(Settings settings, std::unique_ptr<Transport> transport, WorkerIdentity identity)
    : settings_(std::move(settings)),
      identity_(std::move(identity)),
      budget_bytes_(machine::memory_budget(settings_)),
      memory_(machine::result_memory(settings_, budget_bytes_)),
      ledger_(machine::executor_options(settings_).slots),
      executor_(machine::executor_options(settings_), ledger_, *this),
      post_(std::move(transport), *this),
      main_thread_(std::this_thread::get_id()) {
  executor_.set_far_client(this);
  memory_->set_listener(this);
  boxes::add_memory(&executor_, memory_);
}

WorkerProcess::~WorkerProcess() {
  if (deputy_.joinable()) give_up_questions();  // the loop was left by an exception
  memory_->set_listener(nullptr);
  boxes::remove_memory(memory_);
  executor_.drain();
  executor_.stop();
  const std::lock_guard lock(mutex_);
  while (!runs_.empty()) drop_run(*runs_.begin()->second);
  drop_calls();
  while (!copies_.empty()) drop_copy(copies_.begin()->first);
  for (auto& [token, landing] : landings_) drop_block(landing.box);
  arena::close(cursor_);
  arena::flush_frees();
}

/// 1. Letters are read, the machine's wishes carried out. 2. Short tasks run right here; the pool's threads take the
/// rest. 3. With nothing to do it looks for a while, then sleeps in the transport. Should one that was short so far
/// hold this thread, another reads the letters meanwhile.
WorkerEnd WorkerProcess::main_loop(std::string_view scheduler_address) {
  const SignalStack signal_stack;
  {
    const std::lock_guard lock(mutex_);
    Hello hello = hello_of_this_process();
    hello.identity = identity_;
    hello.slots = executor_.slot_count();
    hello.budget_bytes = budget_bytes_;
    hello.address = post_.transport().address();
    scheduler_ = post_.connect(scheduler_address, hello);
    workers_[scheduler_] = kKeeper;
    peers_[kKeeper] = scheduler_;
    post_.flush();
  }
  executor_.let_seek(true);
  PoliteSpin spin(machine::executor_options(settings_).spin_ns);
  PoliteSpin::Pause pause(spin);
  {
    const std::lock_guard lock(away_mutex_);
    deputy_ = std::thread([this] { deputise(); });
  }
  while (!ending_.load(std::memory_order_relaxed)) {
    bool moved = drive(true);
    if (plugins_wait_.load(std::memory_order_relaxed)) set_up_plugins();
    if (leave_wanted.load(std::memory_order_relaxed) && identity_.own_process && !leaving_) say_leaving();
    helping_since_.store(now_ns(), std::memory_order_relaxed);
    moved = executor_.help_once() || moved;
    helping_since_.store(0, std::memory_order_relaxed);
    if (moved) {
      pause.over();
      continue;
    }
    if (pause.look_on(now_ns())) continue;
    pause.over();
    const bool busy = tell_idle();
    sleep(busy ? kLongestNap : kLongestNap * 100);
  }
  executor_.let_seek(false);
  executor_.drain();
  give_up_questions();
  executor_.wake_waiters();
  const Nanoseconds until = now_ns() + kLongestEnd;
  while (executor_.idle_slots() != executor_.slot_count() && now_ns() < until) {
    timespec nap{0, 1'000'000};
    ::nanosleep(&nap, nullptr);
  }
  plugins::take_all_down(executor_);
  const std::lock_guard lock(mutex_);
  if (end_ == WorkerEnd::Told) {
    post_.begin(scheduler_, LetterKind::Ended);
    post_.end(scheduler_);
  }
  post_.close(scheduler_);
  const Nanoseconds gone = now_ns() + 100'000'000;
  while (post_.progress() && now_ns() < gone) {
  }
  return end_;
}

/// Reads letters, and carries out what the machine wants. `helps`: the caller runs short tasks right after.
bool WorkerProcess::drive(bool helps) {
  std::vector<TaskId> called_back;
  bool moved = false;
  {
    const std::lock_guard lock(mutex_);
    driving_ = helps;
    moved = post_.progress();
    pump();
    post_.flush();
    driving_ = false;
    called_back.swap(called_back_);
  }
  for (const TaskId task : called_back) {
    failing::call_back(task);
    arena::drop_use(task);
  }
  return moved;
}

// --- Tasks that submit tasks -------------------------------------------------------------------------------------

void WorkerProcess::launch(TaskId task, const TaskOptions* given) {
  if (!executor_.inside()) throw Error("a worker's process runs tasks only: submit from the client, or inside a task");
  LaunchOptions(task, given).keep(task, static_cast<std::uint64_t>(settings_.retries));
  executor_.launch_child(task);
}

void WorkerProcess::launch(const std::vector<TaskId>& tasks, const TaskOptions* options) {
  for (const TaskId task : tasks) launch(task, options);
}

void WorkerProcess::run(detail::GraphParts&) {
  throw Error("Client::run: a graph cannot be run from inside a task; submit its calls as tasks instead");
}

void WorkerProcess::wait(TaskId task) {
  const std::atomic<std::uint64_t>& word = arena::task(task).word;
  help_until(task, [&] { return (word.load(std::memory_order_acquire) & task_word::kDone) != 0; });
}

void WorkerProcess::cancel(TaskId task) {
  failing::request_cancel(task);
  executor_.retry_held();
}

Runtime::Counts WorkerProcess::counts() { return {tasks_done_.load(), tasks_done_.load(), tasks_failed_.load()}; }

/// Of a task that asks: what its own worker does.
std::vector<WorkerLook> WorkerProcess::look(const LookOrder& order) {
  return {look_here(identity_.name, executor_, memory_report(), tasks_done_.load(), order,
                    order.first_unknown(identity_.name, 0))};
}

// --- Events and actions ------------------------------------------------------------------------------------------

void WorkerProcess::tell(WorkerEventBody body) {
  machine_->handle({now_ns(), std::move(body)}, actions_);
  pump();
}

void WorkerProcess::pump() {
  if (!machine_) return;
  for (;;) {
    if (!actions_.list.empty()) {
      WorkerActions actions = std::exchange(actions_, std::exchange(spare_actions_, {}));
      for (const WorkerAction& action : actions.list) carry(action);
      actions.clear();
      spare_actions_ = std::move(actions);
    } else if (!later_.empty()) {
      std::vector<WorkerEventBody> events = std::exchange(later_, {});
      for (WorkerEventBody& event : events) machine_->handle({now_ns(), std::move(event)}, actions_);
    } else {
      break;
    }
  }
  send_finished();
}

void WorkerProcess::report(SchedulerEventBody body) {
  Bytes bytes;
  encode(SchedulerEvent{0, std::move(body)}, bytes);
  post_.begin(scheduler_, LetterKind::SchedulerEvent).bytes(bytes.data(), bytes.size());
  post_.end(scheduler_);
}

void WorkerProcess::send_finished() {
  if (finished_.empty()) return;
  Writer& writer = post_.begin(scheduler_, LetterKind::Finished);
  writer.count(finished_.size());
  for (const FinishedPacket& one : finished_) {
    writer.count(one.packet);
    writer.count(one.attempt);
    writer.count(one.failed_tasks);
    writer.count(one.bytes);
    writer.count(static_cast<std::uint64_t>(one.run_ns));
    Run* const run = find_run(one.packet, one.attempt);
    const bool told = run != nullptr && run->outcome.size() != 0;
    writer.count(told ? run->outcome.size() : 0);
    if (told) writer.bytes(run->outcome.data(), run->outcome.size());
    if (run == nullptr) continue;
    run->outcome.clear();
    if (run->large()) run->outcome = Writer();
  }
  post_.end(scheduler_);
  finished_.clear();
}

void WorkerProcess::carry(const WorkerAction& action) {
  if (const Activate* start = std::get_if<Activate>(&action)) {
    activate(start->packet, start->attempt);
  } else if (const SendFinished* finished = std::get_if<SendFinished>(&action)) {
    finished_.push_back(finished->finished);
  } else if (const Fetch* wanted = std::get_if<Fetch>(&action)) {
    fetch(*wanted);
  } else if (const Serve* serving = std::get_if<Serve>(&action)) {
    serve(serving->peer, serving->packet, serving->attempt);
  } else if (const AnswerNotMine* denied = std::get_if<AnswerNotMine>(&action)) {
    answer_not_mine(denied->peer, denied->packet, denied->attempt);
  } else if (const Discard* discarded = std::get_if<Discard>(&action)) {
    discard(discarded->packet, discarded->attempt);
  } else if (std::holds_alternative<HoldRoots>(action)) {
    executor_.hold_roots(true);
  } else if (const ReleaseRoots* roots = std::get_if<ReleaseRoots>(&action)) {
    if (roots->count == kNone) {
      executor_.hold_roots(false);
    } else {
      executor_.allow_roots(roots->count);
    }
  } else if (const Spill* spill = std::get_if<Spill>(&action)) {
    memory_->store().spill_soon(spill->bytes);
  } else if (const GiveUp* asked = std::get_if<GiveUp>(&action)) {
    // An active packet is not split: what it has begun it finishes, unless its one task asks to be run later.
    Run* const run = find_run(asked->packet, asked->attempt);
    if (run != nullptr && run->waits != nullptr && run->count == 1) {
      run->asked_back = true;
    } else {
      later_.push_back(TailGivenUp{asked->packet, asked->attempt, kNone});
    }
  } else if (const CancelActive* cancelled = std::get_if<CancelActive>(&action)) {
    if (Run* const run = find_run(cancelled->packet, cancelled->attempt)) cancel_run(*run);
  } else if (const SendProgress* progress = std::get_if<SendProgress>(&action)) {
    report(PacketProgress{id_, progress->packet, progress->attempt, progress->first_done, progress->done_count,
                          progress->kept_bytes});
  } else if (const SendFailed* failed = std::get_if<SendFailed>(&action)) {
    report(PacketFailed{id_, failed->packet, failed->attempt, failed->error, failed->reason, failed->retriable});
    Run* const run = find_run(failed->packet, failed->attempt);
    if (run != nullptr && run->stage == Run::Stage::Waiting) drop_run(*run);
  } else if (const SendReturned* returned = std::get_if<SendReturned>(&action)) {
    report(PacketReturned{id_, returned->packet, returned->attempt, returned->from_task, kNone});
  } else if (const SendRefused* kept = std::get_if<SendRefused>(&action)) {
    report(RecallRefused{id_, kept->packet, kept->attempt});
  } else if (const SendMissing* missing = std::get_if<SendMissing>(&action)) {
    report(InputMissing{id_, missing->packet, missing->attempt, missing->producer, missing->producer_attempt,
                        missing->owner});
  } else if (const SendReplicated* copied = std::get_if<SendReplicated>(&action)) {
    replicated(copied->packet, copied->attempt);
  } else if (const SendPaused* paused = std::get_if<SendPaused>(&action)) {
    report(WorkerPaused{id_, paused->spilling});
  } else if (std::holds_alternative<SendResumed>(action)) {
    report(WorkerResumed{id_});
  } else if (const Stuck* stuck = std::get_if<Stuck>(&action)) {
    post_.send(scheduler_, LetterKind::Stuck, StuckPacket{stuck->packet, stuck->reason, stuck->detail});
  }
}

// --- The executor and the memory ---------------------------------------------------------------------------------

void WorkerProcess::packet_done(PacketId id) noexcept {
  const std::lock_guard lock(mutex_);
  Run& run = *by_id_[id];
  PacketEntry& entry = executor_.entry(id);
  tasks_done_.fetch_add(run.count + entry.children.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const std::uint32_t failed = entry.failed.load(std::memory_order_relaxed);
  tasks_failed_.fetch_add(failed, std::memory_order_relaxed);
  if (entry.cancelled.load(std::memory_order_relaxed)) failed_records.fetch_sub(1, std::memory_order_relaxed);
  // The share of the slots' time it took: from its start, or from the last end before it.
  const Nanoseconds time = now_ns();
  const std::uint32_t side = std::min(active_, executor_.slot_count());
  const Nanoseconds run_ns = (time - std::max(run.activated, last_done_)) * std::max(side, 1u);
  last_done_ = time;
  --active_;
  if (run.waits != nullptr) asks_.withdraw(scheduler_, *std::exchange(run.waits, nullptr));
  keep_run(run);
  if (run.packet == kHandedPacket) return end_call(run, run_ns);
  std::uint64_t bytes = 0;
  for (const KeptTask& kept : run.tasks.kept) bytes += bytes_of_result(kept.task);
  if (run.orphan) return drop_run(run);
  write_outcome(run, bytes);
  if (machine_) {
    tell(PacketDone{run.packet, run.attempt, bytes, run_ns, failed});
    post_.flush();
  }
}

void WorkerProcess::task_failed(PacketId id, TaskId task) noexcept {
  const std::lock_guard lock(mutex_);
  if (id >= by_id_.size() || by_id_[id] == nullptr) return;
  Run& run = *by_id_[id];
  if (run.failed.size() >= OutcomeSizes::kMostFailures) return;
  const auto& ids = run.tasks.ids;
  const auto found = std::find(ids.begin(), ids.end(), task);
  if (found == ids.end()) return;  // a child that a task submitted
  Run::Failed failed;
  failed.index = static_cast<std::uint32_t>(found - ids.begin());
  extras::read(task, [&](const TaskExtra& extra) {
    failed.failure = extra.failure;
    failed.began_here = extra.failed_input == kNone;
  });
  if (failed.failure != nullptr) run.failed.push_back(std::move(failed));
}

void WorkerProcess::packet_held(PacketId id) noexcept {
  const std::lock_guard lock(mutex_);
  if (id >= by_id_.size() || by_id_[id] == nullptr) return;
  const Run& run = *by_id_[id];
  if (run.orphan) return;
  post_.send(scheduler_, LetterKind::Held, HeldPacket{run.packet, run.attempt});
  if (machine_ && run.packet != kHandedPacket) tell(PacketHeld{run.packet, run.attempt});
  post_.flush();
}

void WorkerProcess::polled() noexcept {
  const std::lock_guard lock(mutex_);
  if (!machine_) return;
  tell(MemoryState{memory_->used_bytes(), budget_bytes_, memory_->store().spillable_bytes()});
  post_.flush();
}

void WorkerProcess::starved() noexcept {
  const std::lock_guard lock(mutex_);
  if (!machine_) return;
  tell(SlotsIdle{executor_.slot_count()});
  post_.flush();
}

void WorkerProcess::room_changed() noexcept {
  executor_.request_poll();
  executor_.wake_all_slots();
  executor_.wake_waiters();
}

}  // namespace cluster

void leave_soon() noexcept { cluster::leave_wanted.store(true); }

WorkerEnd run_worker(Settings settings, std::unique_ptr<Transport> transport, std::string_view scheduler_address,
                     WorkerIdentity identity) {
  const bool own_process = identity.own_process;
  logging::set_process_name(identity.name);
  const journal::Writing written(settings);
  const journal::DescribingChildren children(settings);
  const auto worker =  // shared with the client that its tasks see
      std::make_shared<cluster::WorkerProcess>(std::move(settings), std::move(transport), std::move(identity));
  if (!own_process) return worker->main_loop(scheduler_address);
  set_runtime_maker([worker](const Settings&, const std::map<std::string, std::uint32_t>&) {
    worker->open_for_tasks();
    return worker;
  });
  Options options;
  options.scheduler = "auto";
  const Client inner(options);
  detail::far_client_of_process.store(worker.get(), std::memory_order_release);
  const WorkerEnd end = worker->main_loop(scheduler_address);
  detail::far_client_of_process.store(nullptr, std::memory_order_release);
  set_runtime_maker({});
  return end;
}

}  // namespace weft
