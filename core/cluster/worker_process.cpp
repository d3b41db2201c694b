#include "core/cluster/worker_process.hpp"

#include "core/cluster/books.hpp"
#include "core/cluster/polite_spin.hpp"
#include "core/diagnostics/log_tap.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/failing.hpp"
#include "core/executor/signal_stack.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/launch_options.hpp"
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

/// Packets at the executor beyond what its slots run: enough that none waits for the loop.
constexpr std::uint32_t kActivePackets = 2;
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

// --- Letters -----------------------------------------------------------------------------------------------------

void WorkerProcess::connected(PeerId peer, std::string_view bytes) {
  if (bytes.empty()) return;  // ours is through
  const Hello hello = read_hello(bytes);
  if (hello.role != Hello::Role::Peer || hello.cluster != cluster_ || hello.id == kNone)
    throw Error("a stranger connected: its hello names another cluster");
  workers_[peer] = hello.id;
}

void WorkerProcess::letter(PeerId peer, LetterKind kind, Reader& reader) {
  const bool from_client = peer == scheduler_;
  if (from_client && holds_back(kind, reader)) return;
  switch (kind) {
    case LetterKind::Subscribe:
      return on_subscribe(peer, read_subscribe(reader));
    case LetterKind::Values:
      return on_values(reader);
    case LetterKind::Outline:
      return on_outline(reader);
    case LetterKind::NotMine:
      return on_not_mine(peer, read_not_mine(reader));
    case LetterKind::Welcome:
      if (from_client) return welcome(read_welcome(reader));
      break;
    case LetterKind::Refusal:
      if (!from_client) break;
      logging::error("worker", "this worker may not join: ", read_text(reader));
      end_ = WorkerEnd::Refused;
      ending_.store(true);
      return;
    case LetterKind::Neighbour:
      if (from_client) {
        const Neighbour neighbour = read_neighbour(reader);
        addresses_[neighbour.id] = neighbour.address;
        return;
      }
      break;
    case LetterKind::Deal:
      if (from_client) return on_deal(reader);
      break;
    case LetterKind::WorkerEvent:
      if (from_client) return on_event(reader);
      break;
    case LetterKind::Cancel:
      if (from_client) return on_cancel(read_cancel(reader));
      break;
    case LetterKind::End:
      if (!from_client) break;
      ending_.store(true);
      return;
    case LetterKind::Books:
      if (from_client) return on_books(reader);
      break;
    case LetterKind::Call:
      if (from_client) return on_call(reader);
      break;
    case LetterKind::Look:
      if (from_client) return on_look(reader);
      break;
    case LetterKind::Plugin:
      if (!from_client) break;
      plugins_.push_back(read_text(reader));
      plugins_wait_.store(true, std::memory_order_relaxed);
      return;
    case LetterKind::Restart:
      if (from_client) return end_process();
      break;
    case LetterKind::Answer:
      if (from_client) return on_answer(reader);
      break;
    case LetterKind::TimeLeft:
      if (from_client) return executor_.set_time_left(reader.number<double>("time"));
      break;
    case LetterKind::Withdraw:
    case LetterKind::Finished:
    case LetterKind::SchedulerEvent:
    case LetterKind::Stuck:
    case LetterKind::Ended:
    case LetterKind::Leaving:
    case LetterKind::Ask:
    case LetterKind::Guest:
    case LetterKind::Held:
      break;
  }
  throw Error("a letter of kind " + std::to_string(static_cast<int>(kind)) + " is not for a worker from there");
}

void WorkerProcess::welcome(const Welcome& welcome) {
  if (machine_) throw Error("a second welcome");
  id_ = welcome.id;
  cluster_ = welcome.cluster;
  WorkerOptions options;
  options.id = id_;
  options.slots = executor_.slot_count();
  options.budget_bytes = budget_bytes_;
  options.resources = welcome.resources;
  options.active_packets = kActivePackets;
  machine_.emplace(options);
}

void WorkerProcess::on_deal(Reader& reader) {
  if (!machine_) throw Error("a packet came before the welcome");
  define_sites(reader);
  DealLetter deal = read_deal(reader);
  if (find_run(deal.packet, deal.attempt) != nullptr) return;  // told twice
  Runs::node_type fresh = fresh_run(deal.packet, deal.attempt);
  Run* const run = fresh.mapped().get();
  run->urgent = deal.spec.priority != 0 || deal.spec.has(packet_flags::kAged) || deal.spec.needs != kNone;
  const std::size_t size = reader.remaining();
  const std::byte* const bytes = reader.view(size, "deal");
  run->body.assign(bytes, bytes + size);
  Reader body(run->body.data(), size);
  run->count = read_externals(body, sites_, cursor_, run->externals);
  run->body_offset = body.offset();
  run->sources = deal.inputs;
  run->expected_ns = deal.spec.expected_ns;
  const std::uint64_t key = std::uint64_t{deal.packet} << 16 | deal.attempt;
  PacketId last = kNone;
  for (const ExternalInput& one : run->externals) {
    if (one.packet != kNone && one.packet != last) readers_[one.packet].push_back(key);
    last = one.packet;
  }
  if (Run* const before = current_run(deal.packet)) {
    // What hangs on the older attempt's tasks here is served by them; the machine forgets it now.
    if (before->stage == Run::Stage::Active) before->orphan = true;
    if (before->stage == Run::Stage::Waiting) drop_run(*before);
  }
  current_[deal.packet] = run;
  runs_.insert(std::move(fresh));

  DealtPacket packet;
  packet.packet = deal.packet;
  packet.attempt = deal.attempt;
  packet.input_count = static_cast<std::uint32_t>(deal.inputs.size());
  packet.spec = deal.spec;
  dealt_.packets.push_back(packet);
  dealt_.inputs = std::move(deal.inputs);
  if (deal.spec.needs != kNone) dealt_.needs.push_back(std::move(deal.needs));
  WorkerEvent event{now_ns(), std::move(dealt_)};
  machine_->handle(event, actions_);
  dealt_ = std::move(std::get<PacketsDealt>(event.body));
  dealt_.packets.clear();
  dealt_.inputs.clear();
  dealt_.needs.clear();
  pump();
}

void WorkerProcess::on_event(Reader& reader) {
  if (!machine_) throw Error("an event came before the welcome");
  const std::size_t size = reader.remaining();
  ByteView bytes(reader.view(size, "event"), size);
  WorkerEvent event;
  if (!decode(bytes, event)) throw Error("an event that cannot be read");
  if (const auto* relocated = std::get_if<InputRelocated>(&event.body)) {
    if (Run* const run = find_run(relocated->packet, relocated->attempt)) {
      for (InputSource& source : run->sources) {
        if (source.producer == relocated->source.producer) source = relocated->source;
      }
      // What was asked for beside the machine's own fetch is asked for again, where it is now.
      const auto found = copies_.find(relocated->source.producer);
      if (found != copies_.end() && !found->second.fetching) {
        found->second.owner = relocated->source.owner;
        found->second.attempt = relocated->source.attempt;
        if (found->second.missing != 0) ask(found->second, {});
      }
    }
  }
  if (const auto* gone = std::get_if<PeerLost>(&event.body)) {
    addresses_.erase(gone->peer);
    const auto found = peers_.find(gone->peer);
    if (found != peers_.end()) {
      const PeerId peer = found->second;
      peers_.erase(found);
      workers_.erase(peer);
      post_.close(peer);
    }
    for (auto& [packet, copy] : copies_) {
      if (copy.owner == gone->peer && copy.missing != 0 && !copy.fetching) complain(copy);
    }
  }
  const auto* const recall = std::get_if<RecallAsked>(&event.body);
  const PacketId recalled = recall != nullptr ? recall->packet : kNone;
  const Attempt attempt = recall != nullptr ? recall->attempt : Attempt{0};
  const auto* const replica = std::get_if<ReplicaAsked>(&event.body);
  replica_asked_ = replica != nullptr ? replica->source.producer : kNone;
  tell(std::move(event.body));
  replica_asked_ = kNone;
  if (recalled == kNone) return;
  Run* const run = find_run(recalled, attempt);
  if (run != nullptr && run->stage == Run::Stage::Waiting && !machine_->knows(recalled)) drop_run(*run);
}

void WorkerProcess::on_cancel(const CancelTask& cancel) {
  if (cancel.packet == kHandedPacket) return cancel_calls();
  Run* const run = current_run(cancel.packet);
  if (run == nullptr) return;
  if (run->stage == Run::Stage::Waiting) {
    run->cancelled.push_back(cancel.index);
    return;
  }
  // Only what is kept is sure to be still there.
  for (const KeptTask& kept : run->tasks.kept) {
    if (kept.index != cancel.index) continue;
    const std::uint64_t word = arena::task(kept.task).word.load(std::memory_order_acquire);
    if ((word & task_word::kDone) == 0) failing::request_cancel(kept.task);
  }
  executor_.retry_held();
}

void WorkerProcess::lost(PeerId peer, std::string_view why) {
  if (peer == scheduler_) {
    if (!ending_.load()) {
      logging::warning("worker", "the client's process is gone (", why, "); this worker ends");
      end_ = WorkerEnd::Lost;
    }
    ending_.store(true);
    return;
  }
  const auto found = workers_.find(peer);
  if (found == workers_.end()) return;
  const WorkerId worker = found->second;
  workers_.erase(found);
  std::erase_if(subscriptions_, [&](const auto& one) { return one.second.peer == peer; });
  const auto mine = peers_.find(worker);
  if (mine == peers_.end() || mine->second != peer) return;
  peers_.erase(mine);
  // The scheduler says whether the worker is gone; what was on its way from there is asked for anew.
  for (auto& [packet, copy] : copies_) {
    if (copy.owner != worker || copy.missing == 0) continue;
    complain(copy);
  }
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
    // An active packet is not split: what it has begun it finishes.
    later_.push_back(TailGivenUp{asked->packet, asked->attempt, kNone});
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
