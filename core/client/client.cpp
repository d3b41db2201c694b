#include <weft/client.hpp>

#include "core/client/live_page.hpp"
#include "core/coordination/named_objects.hpp"
#include "core/coordination/notes.hpp"
#include "core/diagnostics/resource_profile.hpp"
#include "core/diagnostics/terminal.hpp"
#include "core/diagnostics/watch.hpp"
#include "core/executor/clock.hpp"
#include "core/graph/content.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/graph_size.hpp"
#include "core/graph/launch_options.hpp"
#include "core/graph/task_name.hpp"
#include "core/journal/journal.hpp"
#include "core/runtime/layout.hpp"
#include "core/runtime/machine.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/this_task.hpp>
#include <weft/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace weft {
namespace {

thread_local int no_compute_depth = 0;

/// The open clients, oldest first. Never destroyed: a client may be a global object.
struct OpenClients {
  std::mutex mutex;
  std::vector<const Client*> all;
};
OpenClients& open_clients() {
  static OpenClients* const instance = new OpenClients;
  return *instance;
}

/// Returns whether the calling thread is in a task that waiting for all tasks of the client would wait for.
bool runs_caller(Runtime& runtime) {
  return runtime.runs_this_thread() || (runtime.far_client() != nullptr && this_task::running());
}

/// Launches the lazy values that a graph takes from outside. Throws where waiting for one would have no end.
void start_outside(Runtime& runtime, const detail::GraphParts& parts) {
  for (const TaskId task : parts.with_foreign) {
    const TaskRecord& record = arena::task(task);
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      const TaskId producer = arena::edge(record.first_input + k).producer;
      if (arena::task(producer).packet == parts.serial) continue;
      if (const TaskId of_graph = detail::unrun_task_needed(producer); of_graph != kNone) {
        throw Error("Client::run: task " + task_name(of_graph) + ", which task " + task_name(task) +
                    " needs, is of another Graph that has not run: run that first");
      }
      runtime.launch_needed(producer, nullptr);
    }
  }
}

bool has_value_here(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const std::uint64_t word = record.word.load(std::memory_order_acquire);
  if ((word & (task_word::kDone | task_word::kFailed)) != task_word::kDone) return false;
  if (site(record.site).type->result->in_record) return true;
  Box* box = nullptr;
  std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
  return box != nullptr;
}

/// Waits until each of these lies at so many workers, or at as many as there are; what lies at none is kept by the
/// client. Gives up when no copy has come for a while: a worker without room takes none.
void await_copies(Runtime& runtime, const std::vector<TaskId>& tasks, std::size_t copies) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience(2);
  if (runtime.alone() || this_task::running()) return;
  std::size_t most = 0;
  for (Clock::time_point give_up = Clock::now() + kPatience; Clock::now() < give_up;) {
    const std::size_t wanted = std::min(copies, runtime.worker_infos().size());
    std::size_t there = 0;
    bool missing = false;
    for (const TaskId task : tasks) {
      const std::size_t holders = runtime.who_has(task).size();
      there += holders;
      missing = missing || (holders != 0 && holders < wanted);
    }
    if (!missing) return;
    if (there > most) give_up = Clock::now() + kPatience;
    most = std::max(most, there);
    const Clock::time_point next_look = Clock::now() + std::chrono::milliseconds(1);
    runtime.help_until(kNone, [&] { return Clock::now() >= next_look; });
  }
}

/// Returns what reaches the client's own process where that is another one.
detail::FarClient* far_client(const std::shared_ptr<Runtime>& runtime) {
  return runtime == nullptr ? nullptr : runtime->far_client();
}

/// A client without a command line has no program to end.
Settings refuse_dry_run(Settings settings) {
  if (settings.dry_run) {
    throw ConfigError("--weft-dry-run (" + settings.origin("dry-run").where +
                      "): only weft::run and a client opened with the command line, Client client(argc, argv), can end "
                      "the program; plan(x) tells what one computation would take");
  }
  return settings;
}

/// Ends a dry run: tells what the program would run on and goes, before its body.
Settings end_dry_run(Settings settings) {
  if (settings.dry_run) {
    std::printf("weft: a dry run, nothing is computed\n%s", layout_text(settings).c_str());
    std::fflush(stdout);
    std::exit(0);
  }
  return settings;
}

}  // namespace

namespace detail {

void check_may_compute(const char* what) {
  if (no_compute_depth != 0) {
    throw Error(std::string(what) + ": nothing may be computed here: a NoCompute scope is open in this thread");
  }
}

void wait_if_foreign(const Handle& handle, std::uint32_t client) {
  if (!handle.valid() || handle.client_serial() == 0 || handle.client_serial() == client) return;
  if (Runtime* const other = Runtime::find(handle.client_serial()); other != nullptr) other->wait(handle.task_id());
}

std::size_t most_ahead(std::uint32_t client, std::size_t bytes_each) {
  Runtime* const runtime = Runtime::find(client);
  if (runtime == nullptr) return 1;
  constexpr std::size_t kMost = 8192;
  const std::size_t fit = bytes_each == 0 ? kMost : runtime->memory_report().budget_bytes / 8 / bytes_each;
  return std::max<std::size_t>(2 * runtime->slots(), std::min(fit, kMost));
}

void Submitting::require_room() const {
  check_may_compute("Client::submit");
  require_open();
  if (arena::most_bytes() > runtime_->graph_limit()) [[unlikely]]
    check_live_size(runtime_->graph_limit());
}

void Submitting::require_room_for(const std::source_location& where, std::uint64_t tasks) const {
  require_open();
  check_more_tasks(where, tasks, runtime_->graph_limit());
}

void Submitting::require_open() const {
  if (Runtime::find(serial_) != runtime_) {
    throw Error("this client has been closed: open another weft::Client before submitting to it");
  }
}

namespace {

/// Lazy values that a submitted task needs begin with it.
void launch_described(Runtime& runtime, TaskId task) {
  constexpr std::uint64_t settled = task_word::kLaunched | task_word::kDone | task_word::kKept;
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId input = arena::edge(record.first_input + k).producer;
    if ((arena::task(input).word.load(std::memory_order_acquire) & settled) == 0) runtime.launch_needed(input, nullptr);
  }
}

}  // namespace

TaskId Submitting::launch(TaskId task) const {
  const TaskId id = known(task);
  if (id != task) return id;
  launch_described(*runtime_, task);
  runtime_->launch(task, options_.get());
  return id;
}

Submitting::MapCall Submitting::begin_map() const {
  MapCall call;
  if (options_ == nullptr && !annotating()) return call;
  const TaskOptions options = options_ != nullptr ? merge_options(annotations(), *options_) : annotations();
  if (options.batch_size != 0) {
    call.most = options.batch_size;
    call.grows = false;
  }
  if (options.fifo_timeout.count() > 0) call.begin_ns = now_ns();
  return call;
}

void Submitting::launch(const std::vector<TaskId>& tasks, MapCall& call) const {
  // Small first, so that work begins at once; then large enough for the cost of a launch to vanish.
  constexpr std::size_t kMost = 4096;
  if (call.grows && call.most < kMost) call.most *= 2;
  for (const TaskId task : tasks) launch_described(*runtime_, task);
  if (call.begin_ns != 0) {
    for (const TaskId task : tasks)
      extras::change(task, [&](TaskExtra& extra) { extra.turn = {call.begin_ns, call.turn++}; });
  }
  runtime_->launch(tasks, options_.get());
}

void Gathering::wait_for(const Handle& handle) const { runtime_->wait(handle.task_id()); }

}  // namespace detail

/// What outlives a client's runtime when it is opened again.
struct Client::Notes {
  const std::shared_ptr<detail::Notes> noted = std::make_shared<detail::Notes>();  // shared with questions about them
  // Constant after construction: for opening again.
  std::map<std::string, std::uint32_t> resources;
  std::unique_ptr<LivePage> page;
  // While it is open, where its process has the scheduler.
  std::unique_ptr<journal::Describing> journal;
  std::unique_ptr<journal::Writing> written;
};

Client::Client(Settings settings, std::map<std::string, std::uint32_t> resources)
    : Gathering(nullptr, 0, nullptr), notes_(std::make_unique<Notes>()) {
  for (const auto& [name, amount] : resources) {
    if (name.empty()) throw ConfigError("Client: a resource needs a name, as \"licence\"");
    if (name == "slots") throw ConfigError("Client: \"slots\" is the name of a worker's slots: set .threads instead");
  }
  notes_->resources = std::move(resources);
  open(refuse_dry_run(std::move(settings)));
}

void Client::open(Settings settings) {
  owned_ = make_runtime(std::move(settings), notes_->resources);
  runtime_ = owned_.get();
  serial_ = owned_->serial();
  detail::list_notes(serial_, notes_->noted);
  try {
    if (owned_->far_client() == nullptr) {
      notes_->journal = std::make_unique<journal::Describing>(owned_->settings(), !owned_->alone());
      if (owned_->alone()) notes_->written = std::make_unique<journal::Writing>(owned_->settings());
    }
    notes_->page = make_live_page(*this);
  } catch (...) {
    notes_->journal.reset();
    owned_->close();
    detail::unlist_notes(serial_);
    owned_.reset();
    throw;
  }
  OpenClients& clients = open_clients();
  const std::lock_guard lock(clients.mutex);
  clients.all.push_back(this);
}

Client::Client(const Options& options, std::map<std::string, std::uint32_t> resources)
    : Client(resolve(options), std::move(resources)) {}

Client::Client(int& argc, char** argv, const Options& options, std::map<std::string, std::uint32_t> resources)
    : Client(end_dry_run(resolve(argc, argv, options)), std::move(resources)) {}

Client::~Client() {
  if (owned_ == nullptr) return;
  if (!runs_caller(*owned_)) {
    close();
    return;
  }
  logging::error("client", "a client was destroyed by a task that it runs: its tasks go on, until the program ends");
  {
    OpenClients& clients = open_clients();
    const std::lock_guard lock(clients.mutex);
    std::erase(clients.all, this);
  }
  static_cast<void>(new std::shared_ptr<Runtime>(std::move(owned_)));  // ending it here would wait for the caller
}

bool Client::close() {
  if (owned_ == nullptr) return true;
  if (runs_caller(*owned_)) {
    throw Error(
        "Client::close: a task cannot close the client that runs it: closing would wait for the task; close it where "
        "it "
        "was opened");
  }
  notes_->page.reset();
  stop_profiles(serial_);
  stop_streams(serial_);
  const bool within_budget = owned_->close();
  if (notes_->journal != nullptr) {
    if (const std::string told = notes_->journal->summary(); !told.empty()) terminal::write_lines(told);
    notes_->journal.reset();
  }
  detail::forget_pure(serial_);
  detail::unlist_notes(serial_);
  detail::forget_named(serial_);
  {
    OpenClients& clients = open_clients();
    const std::lock_guard lock(clients.mutex);
    std::erase(clients.all, this);
  }
  owned_.reset();
  notes_->written.reset();
  return within_budget;
}

void Client::restart() {
  require_open();
  Settings settings = owned_->settings();
  close();
  open(std::move(settings));
}

Annotated Client::with(TaskOptions options) const {
  return Annotated(runtime_, serial_, std::make_shared<const TaskOptions>(std::move(options)));
}

void Client::run(Graph& graph) const {
  detail::check_may_compute("Client::run");
  require_open();
  detail::GraphParts& parts = detail::parts_of(graph);
  start_outside(*runtime_, parts);
  runtime_->run(parts);
}

void Client::launch_needed(const Handle& handle, bool waits) const {
  require_open();
  if (!handle.valid()) throw Error("this handle is empty: it was moved from or never assigned");
  if (const TaskId of_graph = waits ? detail::unrun_task_needed(handle.task_id()) : kNone; of_graph != kNone) {
    throw Error("Client::compute: task " + task_name(of_graph) +
                ", which is needed, is of a Graph that has not run: run that first, client.run(graph)");
  }
  runtime_->launch_needed(handle.task_id(), nullptr);
}

void Client::launch_all_needed(const std::vector<Handle>& handles, bool waits) const {
  require_open();
  std::vector<TaskId> wanted;
  for (const Handle& handle : handles) {
    if (handle.valid()) wanted.push_back(handle.task_id());
  }
  machine::check_needed(wanted, settings());
  for (const Handle& handle : handles) launch_needed(handle, waits);
}

void Client::wait_for_workers(std::size_t count, Seconds longest) const {
  require_open();
  const auto deadline = detail::deadline_after(longest);
  // In one process nobody will come.
  const bool alone = runtime_->alone();
  for (;;) {
    const std::size_t here = runtime_->worker_infos().size();
    if (here >= count) return;
    const bool late = std::chrono::steady_clock::now() >= deadline;
    if (alone || late) {
      throw TimeoutError("Client::wait_for_workers: there are " + std::to_string(here) + " of " +
                         std::to_string(count) + " workers" +
                         (alone ? ", and this client runs in one process: start the program with mpirun or srun"
                                : "; wait longer, or look at why the others did not start"));
    }
    const auto next_look = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    runtime_->help_until(kNone, [&] { return std::chrono::steady_clock::now() >= next_look; });
  }
}

ClientInfo Client::info() const {
  require_open();
  ClientInfo info;
  info.version = WEFT_VERSION_STRING;
  info.scheduler = settings().scheduler;
  if (info.scheduler == "auto") info.scheduler = runtime_->alone() ? "threads" : "mpi";
  info.slots = slots();
  info.counts = counts();
  info.workers = runtime_->worker_infos();
  return info;
}

std::string Client::dashboard_link() const {
  require_open();
  return notes_->page == nullptr ? "" : notes_->page->link();
}

std::vector<std::string> Client::who_has(const Handle& future) const {
  detail::require_client(future);
  std::vector<std::string> names = runtime_->who_has(future.task_id());
  // What no worker holds and can be read is kept in this process: small results are.
  if (names.empty() && has_value_here(future.task_id())) names.emplace_back("client");
  return names;
}

void Client::replicate_tasks(const std::vector<Handle>& futures, std::size_t copies) const {
  require_open();
  std::vector<TaskId> tasks;
  for (const Handle& future : futures) {
    detail::require_client(future);
    if (future.client_serial() != serial_) throw Error("Client::replicate: the result is another client's");
    runtime_->wait_there(future.task_id());
    tasks.push_back(future.task_id());
  }
  runtime_->replicate(tasks, copies);
  await_copies(*runtime_, tasks, copies);
}

void Client::rebalance_tasks(const std::vector<Handle>& futures) const {
  require_open();
  std::vector<TaskId> tasks;
  for (const Handle& future : futures) {
    detail::require_client(future);
    if (future.client_serial() != serial_) throw Error("Client::rebalance: the result is another client's");
    runtime_->wait_there(future.task_id());
    tasks.push_back(future.task_id());
  }
  runtime_->rebalance(tasks);
}

std::map<std::string, std::vector<std::string>> Client::held_by_workers(const std::vector<Handle>& futures) const {
  require_open();
  std::map<std::string, std::vector<std::string>> held;
  for (const WorkerInfo& worker : runtime_->worker_infos()) held[worker.name];
  for (const Handle& future : futures) {
    for (const std::string& worker : who_has(future)) held[worker].push_back(task_name(future.task_id()));
  }
  return held;
}

void Client::retire_workers(const std::vector<std::string>& names) const {
  this_task::has_effect();
  require_open();
  for (const std::string& name : names) runtime_->retire(name);
}

void Client::restart_workers(const std::vector<std::string>& names, Seconds longest) const {
  this_task::has_effect();
  require_open();
  runtime_->restart_workers(names, longest);
}

void Client::require_scheduler() const {
  this_task::has_effect();
  require_open();
  if (runtime_->far_client() == nullptr) return;
  throw Error(
      "Client::run_on_scheduler: the scheduler is in another process, that of the program which opened the job's "
      "client: "
      "call it there");
}

const Client& Client::current() {
  OpenClients& clients = open_clients();
  const std::lock_guard lock(clients.mutex);
  for (const Client* client : clients.all) {
    if (client->runtime_->runs_this_thread()) return *client;
  }
  if (clients.all.empty()) {
    throw Error("Client::current: no client is open in this process: open a weft::Client first");
  }
  return *clients.all.back();
}

void Client::set_metadata(const std::string& key, std::string text) const {
  this_task::has_effect();
  if (detail::FarClient* const far = far_client(owned_)) return detail::set_far_note(*far, key, text);
  notes_->noted->set(key, std::move(text));
}

std::optional<std::string> Client::metadata(const std::string& key) const {
  this_task::has_effect();
  if (detail::FarClient* const far = far_client(owned_)) return detail::far_note(*far, key);
  return notes_->noted->find(key);
}

void Client::log_event(const std::string& topic, std::string text) const {
  this_task::has_effect();
  if (detail::FarClient* const far = far_client(owned_)) return detail::log_far_event(*far, topic, text);
  notes_->noted->log(topic, std::move(text));
}

std::vector<LoggedEvent> Client::events(const std::string& topic) const {
  this_task::has_effect();
  if (detail::FarClient* const far = far_client(owned_)) return detail::far_events(*far, topic);
  return notes_->noted->events(topic);
}

unsigned Client::slots() const {
  require_open();
  return runtime_->slots();
}

RunCounts Client::counts() const {
  require_open();
  const Runtime::Counts counts = runtime_->counts();
  return {counts.tasks_done, counts.tasks_total, counts.tasks_failed};
}

const Settings& Client::settings() const {
  require_open();
  return runtime_->settings();
}

MemoryReport Client::memory() const {
  require_open();
  return runtime_->memory_report();
}

LedgerReport Client::ledger() const {
  require_open();
  return runtime_->ledger();
}

JournalReport Client::journal() const {
  require_open();
  return notes_->journal == nullptr ? JournalReport{} : notes_->journal->report();
}

void Client::reset_ledger() const {
  require_open();
  runtime_->reset_ledger();
}

NoCompute::NoCompute() { ++no_compute_depth; }
NoCompute::~NoCompute() { --no_compute_depth; }

}  // namespace weft
