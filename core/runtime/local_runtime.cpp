#include "core/runtime/local_runtime.hpp"

#include "core/diagnostics/inject.hpp"
#include "core/diagnostics/run_diagnostics.hpp"
#include "core/executor/aside.hpp"
#include "core/executor/failing.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/launch_options.hpp"
#include "core/graph/packet_size.hpp"
#include "core/graph/task_name.hpp"
#include "core/messages/recording.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/machine.hpp"
#include "core/runtime/needs.hpp"
#include "core/runtime/plugins.hpp"

#include <weft/arena.hpp>
#include <weft/build.hpp>
#include <weft/error.hpp>

#include <ctime>

namespace weft {
namespace {

/// Worker numbers from here on are of names that no worker has.
constexpr WorkerId kNotHere = 1u << 20;

WorkerOptions worker_options(const Settings& settings, std::uint32_t slots, std::uint64_t budget,
                             const std::map<std::string, std::uint32_t>& amounts,
                             const std::map<std::string, std::uint32_t>& ids) {
  static_cast<void>(settings);
  WorkerOptions options;
  options.slots = slots;
  options.budget_bytes = budget;
  for (const auto& [name, amount] : amounts) options.resources.push_back({ids.at(name), amount});
  return options;
}

SchedulerOptions scheduler_options() {
  SchedulerOptions options;
  options.keep_lineage = false;
  options.keep_bytes = 0;
  // With one worker there is nobody else to keep packets for: it holds them all, and orders them itself.
  options.queue_packets = options.queue_packets_most = kNone;
  return options;
}

std::map<std::string, std::uint32_t> number(const std::map<std::string, std::uint32_t>& amounts) {
  std::map<std::string, std::uint32_t> ids;
  for (const auto& [name, amount] : amounts) ids.emplace(name, static_cast<std::uint32_t>(ids.size()));
  return ids;
}

}  // namespace

LocalRuntime::LocalRuntime(Settings settings, std::map<std::string, std::uint32_t> resources)
    : settings_(std::move(settings)),
      budget_bytes_(machine::memory_budget(settings_)),
      memory_(machine::result_memory(settings_, budget_bytes_)),
      resources_(resources),
      resource_ids_(number(resources)),
      ledger_(machine::executor_options(settings_).slots),
      executor_(machine::executor_options(settings_), ledger_, *this),
      scheduler_(scheduler_options()),
      worker_(worker_options(settings_, executor_.slot_count(), budget_bytes_, resources, resource_ids_)),
      display_(progress_mode(settings_.progress), settings_.progress_interval,
               Progress::Source{[](void* self) { return static_cast<LocalRuntime*>(self)->progress_snapshot(); }, this},
               machine::watch_of(*this, settings_)),
      client_book_(ledger_.open_book("client")) {
  client_book_.start();
  apply_log_settings(settings_);
  if (settings_.check_transfer) detail::check_transfer.fetch_add(1, std::memory_order_relaxed);
  memory_->set_listener(this);
  boxes::add_memory(&executor_, memory_);
  const std::lock_guard lock(machines_mutex_);
  if (!settings_.record.empty()) {
    recorder_ = std::make_unique<Recorder>(settings_.record);
    recorder_->begin(scheduler_options());
    recorder_->begin(worker_options(settings_, executor_.slot_count(), budget_bytes_, resources, resource_ids_));
  }
  WorkerJoined joined;
  joined.worker = 0;
  joined.slots = executor_.slot_count();
  joined.budget_bytes = budget_bytes_;
  for (const auto& [name, amount] : resources) joined.resources.push_back({resource_ids_.at(name), amount});
  tell_scheduler(std::move(joined));
  pump();
  set_graph_limit(machine::graph_limit(settings_, budget_bytes_));
  open();
}

LocalRuntime::~LocalRuntime() {
  close();
  memory_->set_listener(nullptr);
  boxes::remove_memory(memory_);
  if (settings_.check_transfer) detail::check_transfer.fetch_sub(1, std::memory_order_relaxed);
  unlist();
}

Nanoseconds LocalRuntime::now() const {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// --- Launching -------------------------------------------------------------------------------------------------------

PacketId LocalRuntime::take_packet_id() {
  if (!free_packets_.empty()) {
    // The lowest first, so that the packets of a batch follow each other.
    const PacketId packet = free_packets_.top();
    free_packets_.pop();
    return packet;
  }
  packets_.resize(next_packet_ + 1);
  return next_packet_++;
}

std::uint32_t LocalRuntime::needs_index(const TaskOptions& options) {
  Needs needs = resource_needs(options, resource_ids_);
  add_worker_needs(options, needs);
  if (needs.nothing()) return kNone;
  submission_.needs.push_back(std::move(needs));
  return static_cast<std::uint32_t>(submission_.needs.size() - 1);
}

void LocalRuntime::add_worker_needs(const TaskOptions& options, Needs& needs) {
  if (options.workers.empty() || options.allow_other_workers) return;  // there is only one to choose from
  const WorkerInfo here = worker_infos().front();
  for (const std::string& name : options.workers) {
    if (name == here.name || name == here.host) return;
  }
  for (const std::string& name : options.workers) {
    auto known = std::find(absent_workers_.begin(), absent_workers_.end(), name);
    if (known == absent_workers_.end()) known = absent_workers_.insert(known, name);
    needs.workers.push_back(kNotHere + static_cast<WorkerId>(known - absent_workers_.begin()));
  }
}

void LocalRuntime::submit_packet(PacketId packet, TaskId first_task, std::uint32_t tasks, bool roots,
                                 const TaskOptions* options, const Turn& turn) {
  packets_[packet].first_task = first_task;
  packets_[packet].tasks = tasks;
  packets_[packet].holders = 2;
  PacketSpec spec;
  spec.first_task = first_task;
  spec.task_count = tasks;
  // Wanted until its end is reported: what is kept of it is counted task by task, not here.
  spec.flags = static_cast<std::uint8_t>(packet_flags::kWanted | (roots ? packet_flags::kRoots : 0));
  if (options != nullptr) {
    spec.priority = options->priority;
    spec.peak_bytes = options->memory_bytes;
    spec.needs = needs_index(*options);
    if (spec.priority != 0 || spec.needs != kNone || options->fifo_timeout.count() > 0) {
      // Numbers of packets are used again, so they are no ages here.
      spec.flags |= packet_flags::kAged;
      spec.age = ages_.of(options->fifo_timeout, turn, next_age_++);
      spec.turn = turn.number;
    }
  }
  // A batch is one run of packet numbers; a recycled number may break it.
  if (!submission_.packets.empty() && packet != submission_.first_packet + submission_.packets.size())
    flush_submission();
  if (submission_.packets.empty()) submission_.first_packet = packet;
  submission_.packets.push_back(spec);
}

void LocalRuntime::flush_submission() {
  if (submission_.packets.empty()) return;
  tell_scheduler(std::exchange(submission_, {}));
  pump();
}

void LocalRuntime::launch(TaskId task, const TaskOptions* given) {
  const LaunchOptions options(task, given);
  options.keep(task, static_cast<std::uint64_t>(settings_.retries));
  tasks_total_.fetch_add(1, std::memory_order_relaxed);
  if (!options.own_packet()) return executor_.inside() ? executor_.launch_child(task) : launch_call(task);
  // The machines order it against what they know: an open packet would look like work under way.
  end_calls(false);
  {
    const std::lock_guard lock(machines_mutex_);
    const PacketId packet = take_packet_id();
    arena::task(task).packet = packet;
    executor_.prepare(packet, 1, {}, true);
    submit_packet(packet, task, 1, arena::task(task).input_count == 0, options.get(), options.turn());
    flush_submission();
  }
  executor_.release_guard(task);
}

void LocalRuntime::launch(const std::vector<TaskId>& all, const TaskOptions* options) {
  if ((options != nullptr && !options->plain()) || settings_.retries != 0) {
    for (const TaskId task : all) launch(task, options);
    return;
  }
  // Those with options of their own go one by one.
  std::vector<TaskId> tasks;
  tasks.reserve(all.size());
  for (const TaskId task : all) {
    if ((arena::task(task).word.load(std::memory_order_relaxed) & task_word::kExtra) == 0) {
      tasks.push_back(task);
    } else {
      launch(task, options);
    }
  }
  if (tasks.empty()) return;
  tasks_total_.fetch_add(tasks.size(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(machines_mutex_);
    std::vector<std::tuple<PacketId, TaskId, std::uint32_t, bool>> batch;
    for (std::size_t first = 0; first < tasks.size(); first += kPacketTasks) {
      const std::size_t end = std::min(tasks.size(), first + kPacketTasks);
      const PacketId packet = take_packet_id();
      bool roots = false;
      for (std::size_t i = first; i < end; ++i) {
        arena::task(tasks[i]).packet = packet;
        roots = roots || arena::task(tasks[i]).input_count == 0;
      }
      const auto count = static_cast<std::uint32_t>(end - first);
      executor_.prepare(packet, count, {}, false);
      batch.push_back({packet, tasks[first], count, roots});
    }
    for (const auto& [packet, first, count, roots] : batch) submit_packet(packet, first, count, roots, nullptr);
    flush_submission();
  }
  for (const TaskId task : tasks) executor_.release_guard(task);
}

/// Waits, and shows progress once that takes long. A wait inside a task shows nothing: the one outside does.
template <class Done>
void LocalRuntime::wait_showing(TaskId task, const Done& done) {
  if (done()) return;
  if (executor_.inside()) return executor_.help_until(task, done);
  WaitDisplay::Wait shown(display_);
  executor_.help_until(task, [&] {
    shown.look();
    return done();
  });
}

ProgressSnapshot LocalRuntime::progress_snapshot() {
  ProgressSnapshot snapshot;
  const Counts now = counts();
  snapshot.done = now.tasks_done;
  snapshot.total = now.tasks_total;
  snapshot.memory_bytes = memory_->used_bytes();
  snapshot.memory_limit_bytes = budget_bytes_;
  snapshot.failed = now.tasks_failed;
  for (unsigned i = 0; i < executor_.slot_count(); ++i) snapshot.running += executor_.slot(i).leased() ? 1 : 0;
  return snapshot;
}

void LocalRuntime::wait_for(const detail::GraphParts& graph) {
  wait_showing(Executor::kGraphs, [&] { return graph.packets_left.load(std::memory_order_acquire) == 0; });
}

void LocalRuntime::wait(TaskId task) {
  const std::atomic<std::uint64_t>& word = arena::task(task).word;
  wait_showing(task, [&] { return (word.load(std::memory_order_acquire) & task_word::kDone) != 0; });
}

void LocalRuntime::cancel(TaskId task) {
  failing::request_cancel(task);
  executor_.retry_held();
}

void LocalRuntime::help(TaskId task, DoneFunction done, const void* argument) {
  executor_.help_until(task, [=] { return done(argument); });
}

// --- Carrying actions ------------------------------------------------------------------------------------------------

/// Counts what the machines take.
struct LocalRuntime::Deciding {
  explicit Deciding(Ticks& sum) : ticks(sum) { inject::delay(Phase::Schedule); }
  ~Deciding() { ticks += ticks_now() - begin; }
  Ticks& ticks;
  const Ticks begin = ticks_now();
};

void LocalRuntime::tell_scheduler(SchedulerEventBody body) {
  const Deciding deciding(machine_ticks_);
  const SchedulerEvent event{now(), std::move(body)};
  const std::size_t first_action = scheduler_actions_.list.size();
  scheduler_.handle(event, scheduler_actions_);
  if (recorder_ != nullptr) recorder_->record(event, scheduler_actions_, first_action);
}

void LocalRuntime::tell_worker(WorkerEventBody body) {
  const Deciding deciding(machine_ticks_);
  const WorkerEvent event{now(), std::move(body)};
  const std::size_t first_action = worker_actions_.list.size();
  worker_.handle(event, worker_actions_);
  if (recorder_ != nullptr) recorder_->record(0, event, worker_actions_, first_action);
}

void LocalRuntime::pump() {
  for (;;) {
    if (!scheduler_actions_.list.empty()) {
      SchedulerActions actions = std::exchange(scheduler_actions_, {});
      PacketsDealt dealt;
      for (const SchedulerAction& action : actions.list) {
        if (const Deal* deal = std::get_if<Deal>(&action)) {
          scheduler_.describe_deal(*deal, actions, dealt);
        } else {
          carry(action);
        }
      }
      if (!dealt.packets.empty()) tell_worker(std::move(dealt));
    } else if (!worker_actions_.list.empty()) {
      const WorkerActions actions = std::exchange(worker_actions_, {});
      for (const WorkerAction& action : actions.list) carry(action);
    } else if (!finished_.empty()) {
      tell_scheduler(PacketsFinished{0, std::exchange(finished_, {})});
    } else if (!released_.empty()) {
      tell_scheduler(OutputsReleased{std::exchange(released_, {})});
    } else {
      return;
    }
  }
}

void LocalRuntime::carry(const SchedulerAction& action) {
  if (const Recall* recall = std::get_if<Recall>(&action)) {
    tell_worker(RecallAsked{recall->packet, recall->attempt, recall->cancel});
  } else if (const Drop* drop = std::get_if<Drop>(&action)) {
    tell_worker(DropAsked{drop->packet, drop->attempt});
  } else if (const Refuse* refused = std::get_if<Refuse>(&action)) {
    refuse(refused->packet, refused->reason, refused->detail);
  } else if (const Report* report = std::get_if<Report>(&action)) {
    if (report->state == PacketState::InMemory || report->state == PacketState::Failed)
      released_.push_back(report->packet);
  } else if (const Forget* forget = std::get_if<Forget>(&action)) {
    let_go(forget->packet);
  }
  // Relocate and Replicate need a second worker.
}

void LocalRuntime::carry(const WorkerAction& action) {
  if (const Activate* activate = std::get_if<Activate>(&action)) {
    packets_[activate->packet].attempt = activate->attempt;
    executor_.activate(activate->packet, submitter_helps_);
  } else if (const SendFinished* finished = std::get_if<SendFinished>(&action)) {
    finished_.push_back(finished->finished);
  } else if (std::holds_alternative<HoldRoots>(action)) {
    executor_.hold_roots(true);
  } else if (const ReleaseRoots* release = std::get_if<ReleaseRoots>(&action)) {
    if (release->count == kNone) {
      executor_.hold_roots(false);
    } else {
      executor_.allow_roots(release->count);
    }
  } else if (const Spill* spill = std::get_if<Spill>(&action)) {
    memory_->store().spill_soon(spill->bytes);
  } else if (const SendFailed* failed = std::get_if<SendFailed>(&action)) {
    tell_scheduler(PacketFailed{0, failed->packet, failed->attempt, failed->error, failed->reason, failed->retriable});
  } else if (const SendReturned* returned = std::get_if<SendReturned>(&action)) {
    tell_scheduler(PacketReturned{0, returned->packet, returned->attempt, returned->from_task, kNone});
  } else if (const SendRefused* refused = std::get_if<SendRefused>(&action)) {
    tell_scheduler(RecallRefused{0, refused->packet, refused->attempt});
  } else if (const SendPaused* paused = std::get_if<SendPaused>(&action)) {
    tell_scheduler(WorkerPaused{0, paused->spilling});
  } else if (std::holds_alternative<SendResumed>(action)) {
    tell_scheduler(WorkerResumed{0});
  } else if (const Stuck* stuck = std::get_if<Stuck>(&action)) {
    refuse(stuck->packet, stuck->reason, stuck->detail);
  }
}

void LocalRuntime::let_go(PacketId packet) {
  if (--packets_[packet].holders != 0) return;
  packets_[packet] = {};
  free_packets_.push(packet);
}

void LocalRuntime::packet_done(PacketId packet) noexcept {
  PacketEntry& entry = executor_.entry(packet);
  const std::uint32_t failed = entry.failed.load(std::memory_order_relaxed);
  detail::GraphParts* graph = nullptr;
  {
    const std::lock_guard lock(machines_mutex_);
    PacketInfo& info = packets_[packet];
    graph = info.graph;
    tasks_done_.fetch_add(info.tasks + entry.children.load(std::memory_order_relaxed), std::memory_order_relaxed);
    tasks_failed_.fetch_add(failed, std::memory_order_relaxed);
    if (!info.refused) {
      tell_worker(PacketDone{packet, info.attempt, entry.bytes.load(), 0, failed});
    }
    let_go(packet);
    pump();
  }
  if (graph != nullptr) {
    graph->failed.fetch_add(failed, std::memory_order_relaxed);
    if (graph->packets_left.fetch_sub(1, std::memory_order_acq_rel) == 1) executor_.wake_waiters();
  }
}

void LocalRuntime::packet_ready(PacketId packet) noexcept {
  const Aside aside(Phase::Schedule);
  const std::lock_guard lock(machines_mutex_);
  tell_worker(ReadyTasks{packet});
  pump();
}

void LocalRuntime::task_failed(PacketId, TaskId task) noexcept {
  if (!closing()) note_failure(serial(), task);
}

void LocalRuntime::packet_held(PacketId packet) noexcept {
  const Aside aside(Phase::Schedule);
  const std::lock_guard lock(machines_mutex_);
  tell_worker(PacketHeld{packet, packets_[packet].attempt});
  pump();
}

std::string LocalRuntime::out_of_time() {
  if (!executor_.time_left().known() || !executor_.somebody_waits() || executor_.something_to_do()) return "";
  for (unsigned i = 0; i < executor_.slot_count(); ++i) {
    if (executor_.slot(i).running() != kNone) return "";
  }
  const std::vector<HeldTasks> held = held_here(executor_);
  return held.empty() ? "" : held_text(held);
}

void LocalRuntime::polled() noexcept {
  const Aside aside(Phase::Schedule);
  // Calls from now on are admitted anew, with the memory as it is now.
  end_calls(false);
  const std::lock_guard lock(machines_mutex_);
  tell_worker(MemoryState{memory_->used_bytes(), budget_bytes_, memory_->store().spillable_bytes()});
  pump();
}

void LocalRuntime::room_changed() noexcept {
  executor_.request_poll();
  executor_.wake_all_slots();
  executor_.wake_waiters();
}

void LocalRuntime::memory_moved() noexcept { executor_.request_poll(); }

void LocalRuntime::starved() noexcept {
  const Aside aside(Phase::Schedule);
  const std::lock_guard lock(machines_mutex_);
  tell_worker(SlotsIdle{executor_.slot_count()});
  pump();
}

void LocalRuntime::refuse(PacketId packet, Reason reason, std::uint32_t detail) {
  PacketInfo& info = packets_[packet];
  if (info.refused) return;
  info.refused = true;
  auto failure = std::make_shared<TaskFailure>();
  failure->kind = TaskFailure::Kind::Refused;
  failure->message = refusal_text(reason, detail, [&](std::uint32_t id) {
    for (const auto& [name, number] : resource_ids_) {
      if (number == id) return name;
    }
    return std::string("?");
  });
  if (reason == Reason::NoAllowedWorker && detail >= kNotHere) {
    const WorkerInfo here = worker_infos().front();
    failure->message = "may only run on the worker \"" + absent_workers_[detail - kNotHere] +
                       "\", which is not here: this client has \"" + here.name + "\" on host \"" + here.host +
                       "\"; name one of them, or set allow_other_workers";
  }
  describe_task(info.first_task, *failure);
  extras::change(info.first_task, [&](TaskExtra& extra) {
    extra.cancelled = true;
    extra.failure = failure;
  });
  tell_scheduler(PacketsCancelled{{packet}});
  executor_.activate(packet);
}

bool LocalRuntime::close() {
  if (closing_.exchange(true)) return true;
  executor_.drain();
  executor_.wake_waiters();
  end_calls(false);
  {
    const std::lock_guard lock(machines_mutex_);
    for (PacketId packet = 0; packet < next_packet_; ++packet) {
      if (packets_[packet].holders == 2) executor_.activate(packet);
    }
  }
  executor_.help_until(kNone, [&] {
    return tasks_done_.load(std::memory_order_acquire) >= tasks_total_.load(std::memory_order_acquire);
  });
  display_.stop();
  executor_.stop();
  plugins::take_all_down(executor_);
  return close_books(settings_, ledger());
}

// --- Books -----------------------------------------------------------------------------------------------------------

void LocalRuntime::book_client(Phase phase, Ticks ticks) {
  const std::lock_guard lock(client_book_mutex_);
  client_book_.book(phase, ticks);
}

LedgerReport LocalRuntime::ledger() {
  const std::lock_guard lock(client_book_mutex_);
  return ledger_.report();
}

void LocalRuntime::reset_ledger() {
  const std::lock_guard lock(client_book_mutex_);
  ledger_.restart();
}

MemoryReport LocalRuntime::memory_report() const {
  MemoryReport report = memory_->store().report();
  report.used_bytes += boxes::small_bytes();
  return report;
}

std::vector<WorkerInfo> LocalRuntime::worker_infos() {
  std::vector<WorkerInfo> here = Runtime::worker_infos();
  here.front().resources = resources_;
  for (unsigned i = 0; i < executor_.slot_count(); ++i) here.front().running += executor_.slot(i).leased() ? 1 : 0;
  return here;
}

std::vector<WorkerLook> LocalRuntime::look(const LookOrder& order) {
  const std::string name = Runtime::worker_infos().front().name;
  return {look_here(name, executor_, memory_report(), tasks_done_.load(std::memory_order_relaxed), order,
                    order.first_unknown(name, 0))};
}

}  // namespace weft
