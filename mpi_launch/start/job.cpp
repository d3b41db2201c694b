#include "mpi_launch/start/job.hpp"

#include "mpi_launch/control/secret.hpp"
#include "mpi_launch/layout/node.hpp"
#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/start/interface.hpp"
#include "mpi_launch/supervise/supervisor.hpp"

#include "core/cluster/origins.hpp"
#include "core/diagnostics/terminal.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/version.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <set>

namespace weft::launch {

namespace {

const logging::Room kLog("launch");

std::string executable() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "(unknown)";
}

Hello say_hello(const Ranks& ranks, const std::string& scratch) {
  Hello hello;
  hello.rank = ranks.rank;
  hello.pid = ::getpid();
  hello.executable = executable();
  hello.image_digest = image_digest();
  hello.task_digest = registry_digest();
  hello.version = WEFT_VERSION_STRING;
  hello.node = read_node(scratch);
  return hello;
}

Supervisor::End supervise(const Meeting& meeting, const JobTls& tls, const Hello& hello, double seconds, int launcher) {
  Connection connection = connect_to(meeting.endpoint, meeting.secret, seconds, tls.context.get());
  connection.send(encode_message(ToHub(hello)));
  return Supervisor(std::move(connection), hello.rank, launcher).run();
}

/// Returns the process that started this rank and whose end must end it: mpirun, its daemon, or SLURM's; 0 where ranks
/// are started by hand, from shells that may go away.
int launcher_of(const Ranks& ranks) {
  return ranks.launcher.empty() || ranks.launcher == "WEFT_RANK" ? 0 : static_cast<int>(::getppid());
}

/// Rank 0 runs the user's program: it gets the signal by which launchers end programs. Called by the thread that opens
/// the client.
void die_with_launcher(const Ranks& ranks) {
  if (launcher_of(ranks) != 0) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void end_on_signal(int signal) {
  kill_last_child_group();
  ::_exit(128 + signal);
}

/// A rank that only supervises leaves as soon as it is told to, and takes what its worker started with it.
void leave_on_signals() {
  struct sigaction action {};
  action.sa_handler = &end_on_signal;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

/// Ends the process of a rank other than 0: what its main has open is closed, its static objects are left alone.
[[noreturn]] void leave(int code) {
  finish_applications_mpi();
  std::fflush(nullptr);
  ::_exit(code);
}

[[noreturn]] void be_supervisor(const Ranks& ranks, const Settings& settings, const Meeting& meeting) {
  leave_on_signals();
  const Hello hello = say_hello(ranks, settings.spill_dir);
  const Supervisor::End end =
      supervise(meeting, open_terms(meeting.tls), hello, settings.start_timeout, launcher_of(ranks));
  // Under MPI the launcher judges the death of rank 0 by itself.
  leave(end == Supervisor::End::Told || ranks.mpi ? 0 : 1);
}

}  // namespace

namespace {

std::atomic<int> leave_signals{0};

/// The worker gets a chance to move what it holds; the supervisor notices.
void note_leave_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { leave_signals.fetch_add(1); };
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

void join_job(const JoinWords& words) {
  const Meeting meeting = words.address_file == "-" ? parse_meeting({std::istreambuf_iterator<char>(std::cin), {}},
                                                                    "what came on the standard input")
                                                    : read_running(words.address_file, words.seconds);
  JoinAsked asked;
  asked.hello = say_hello(Ranks{}, words.spill_dir);
  asked.slots = words.slots;
  asked.budget_bytes = words.budget_bytes;
  asked.label = words.label;
  const JobTls tls = open_terms(meeting.tls);
  // Until here a signal ends this process at once: it may wait long for a rank 0 that is gone.
  Connection connection = connect_to(meeting.endpoint, meeting.secret, words.seconds, tls.context.get());
  note_leave_signals();
  connection.send(encode_message(ToHub(asked)));
  Supervisor supervisor(std::move(connection), 0, 0);
  supervisor.join(leave_signals);
  const Supervisor::End end = supervisor.run();
  if (!supervisor.complaint().empty()) throw Error(supervisor.complaint());
  if (end == Supervisor::End::LostRankZero)
    throw Error("rank 0 of the job is gone, or was cut off; the worker has ended");
}

void ask_for_dump(const std::string& address_file, double seconds, const std::function<void(std::string_view)>& write) {
  const Meeting meeting = read_running(address_file, seconds);
  const JobTls tls = open_terms(meeting.tls);
  Connection connection = connect_to(meeting.endpoint, meeting.secret, std::max(seconds, 5.0), tls.context.get());
  connection.send(encode_message(ToHub(DumpAsked{})));
  std::vector<std::string> frames;
  for (bool open = true; open;) {
    pollfd watched{connection.descriptor(), static_cast<short>(connection.has_unsent() ? POLLIN | POLLOUT : POLLIN), 0};
    ::poll(&watched, 1, 1000);
    connection.flush();
    frames.clear();
    open = connection.receive(frames);
    for (const std::string& frame : frames) {
      const ToSupervisor message = decode_to_supervisor(frame);
      if (const auto* piece = std::get_if<DumpText>(&message)) {
        write(piece->text);
        if (piece->is_last) return;
      }
    }
  }
  throw Error("the job of '" + address_file + "' is gone before it has told all");
}

void show_output(int stream, const std::string& text) {
  if (stream == 2) return terminal::write_lines(text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string Job::worker_name(const WorkerPlan& plan) { return plan.host + ":" + std::to_string(plan.place); }

std::string Job::worker_key(std::uint32_t place, std::uint32_t generation) {
  return std::to_string(place) + "." + std::to_string(generation);
}

std::unique_ptr<Job> Job::enter(const Settings& settings, bool only_scheduler) {
  Ranks ranks = read_ranks();
  if (!ranks.several()) {
    if (settings.address_file.empty()) return nullptr;
    ranks = {};
  }
  std::unique_ptr<Job> job(new Job(settings, ranks, only_scheduler));
  job->meet();
  return job;
}

Job::Job(const Settings& settings, Ranks ranks, bool only_scheduler)
    : settings_(settings), ranks_(std::move(ranks)), only_scheduler_(only_scheduler) {}

Job::~Job() { end(); }

void Job::meet() {
  const bool by_mpi = ranks_.mpi && ranks_.several();
  meeting_file_ = settings_.address_file.empty() && !by_mpi ? meeting_file() : settings_.address_file;
  if (!by_mpi && meeting_file_.empty()) {
    throw ConfigError("the ranks cannot find each other: " + ranks_.launcher +
                      " connects no MPI; name a file that all nodes see with --weft-address-file");
  }
  Meeting mine;
  if (ranks_.rank == 0) {
    tls_terms_ = tls_terms(settings_);
    tls_ = open_terms(tls_terms_);
    host_ = ranks_.one_node && settings_.interface.empty() ? "127.0.0.1" : address_of_interface(settings_.interface);
    secret_ = random_bytes(kSecretBytes);
    hub_ = std::make_unique<Hub>(host_, secret_, tls_.context, ranks_.count, settings_.worker_timeout);
    mine = {hub_->endpoint(), secret_, tls_terms_};
  }
  const Meeting meeting =
      by_mpi ? meet_by_mpi(ranks_, mine) : meet_by_file(ranks_, mine, meeting_file_, settings_.start_timeout);
  if (ranks_.rank != 0) be_supervisor(ranks_, settings_, meeting);
  die_with_launcher(ranks_);
  hub_->set_listener(this);
  supervise_own(meeting);
  try {
    hellos_ = hub_->wait_for_all(settings_.start_timeout, [this](const std::string& news) {
      if (settings_.start_block) terminal::write_lines("weft: " + news + "\n");
    });
    check_same_program(hellos_);
    layout_ = make_layout(settings_, ranks_, hellos_);
    if (only_scheduler_) layout_.workers.clear();
  } catch (const Error& error) {
    hub_->refuse(error.what());
    throw;
  }
  if (settings_.start_block && ranks_.several()) terminal::write_lines(block());
  alive_.assign(ranks_.count, false);
}

std::string Job::block() const {
  std::set<std::string> nodes;
  for (const Hello& hello : hellos_) nodes.insert(hello.node.host);
  return launch::layout_text(ranks_, layout_, nodes.size());
}

/// The thread lives until `end`, because the worker dies with the thread that started it.
void Job::supervise_own(const Meeting& meeting) {
  const Hello hello = say_hello(ranks_, settings_.spill_dir);
  own_ = std::thread([this, meeting, hello] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "weft supervisor");
    try {
      // Rank 0 is ended by a signal when its launcher is gone; see `die_with_launcher`.
      supervise(meeting, tls_, hello, settings_.start_timeout, 0);
    } catch (const std::exception& error) {
      kLog.error("rank 0 cannot supervise its worker: ", error.what());
    }
  });
}

void Job::set_watcher(Watcher* watcher) {
  const std::lock_guard lock(mutex_);
  watcher_ = watcher;
}

void Job::start_workers(const std::string& scheduler_address, const std::vector<std::string>& options,
                        const std::map<std::string, std::uint32_t>& resources) {
  scheduler_address_ = scheduler_address;
  options_ = options;
  resources_ = resources;
  {
    const std::lock_guard lock(mutex_);
    for (const WorkerPlan& plan : layout_.workers) alive_[plan.place] = true;
  }
  for (const WorkerPlan& plan : layout_.workers) hub_->start_worker(plan.place, order_for(plan));
}

StartWorker Job::order_for(const WorkerPlan& plan) const {
  StartWorker order;
  WorkerOrders& orders = order.orders;
  orders.secret = secret_;
  orders.tls = tls_terms_;
  orders.scheduler_address = scheduler_address_;
  orders.place = plan.place;
  orders.host = plan.host;
  orders.slots = plan.slots;
  orders.processors = plan.processors;
  orders.memory_bytes = plan.memory_bytes;
  orders.gpus = plan.gpus;
  orders.scratch = plan.scratch;
  orders.resources = resources_;
  if (!plan.gpus.empty()) orders.resources.try_emplace("GPU", static_cast<std::uint32_t>(plan.gpus.size()));
  orders.options = options_;
  orders.options.push_back("--weft-threads=" + std::to_string(plan.slots));
  orders.options.push_back("--weft-memory=" + std::to_string(plan.budget_bytes));
  orders.options.push_back("--weft-spill-dir=" + plan.scratch);
  if (plan.scratch.empty()) orders.options.push_back("--weft-spill=off");
  if (!plan.spins && settings_.origin("spin-us").source == Source::Default)
    orders.options.push_back("--weft-spin-us=0");
  if (plan.crowded && settings_.pin == "auto") orders.options.push_back("--weft-pin=off");
  order.silent_seconds = settings_.worker_timeout;
  order.most_restarts = static_cast<std::uint32_t>(settings_.worker_restarts);
  order.most_lines_a_second = static_cast<double>(settings_.output_rate);
  order.output_folder = settings_.output_dir;
  return order;
}

void Job::open_to_others(const std::string& scheduler_address) {
  if (!may_be_joined()) return;
  write_meeting({hub_->endpoint(), secret_, tls_terms_, executable(), scheduler_address}, meeting_file_);
  hub_->open_to_others();
}

/// Whoever joins is laid out as if it were the only rank of its node.
void Job::asked_to_join(std::uint32_t place, const JoinAsked& asked) {
  try {
    if (asked.hello.version != WEFT_VERSION_STRING)
      throw Error("the job runs weft " WEFT_VERSION_STRING ", this is weft " + asked.hello.version);
    Hello hello = asked.hello;
    hello.rank = place;
    if (!asked.label.empty()) check_same_program({hellos_.front(), hello});
    Settings settings = settings_;
    settings.workers = 0;
    settings.threads = asked.slots;
    settings.pin = "off";
    hello.rank = 0;
    WorkerPlan plan = make_layout(settings, Ranks{}, {hello}).workers.front();
    plan.place = place;
    if (asked.budget_bytes != 0) plan.budget_bytes = asked.budget_bytes;
    plan.crowded = true;
    StartWorker order = order_for(plan);
    if (asked.label.empty()) order.executable = executable();
    order.output_folder.clear();
    {
      const std::lock_guard lock(mutex_);
      joined_[place] = asked.hello;
      if (!asked.label.empty()) by_label_[asked.label] = worker_name(plan);
      alive_.resize(std::max<std::size_t>(alive_.size(), place + 1), false);
      alive_[place] = true;
    }
    kLog.info("worker ", worker_name(plan), " joins with ", plan.slots, " slots");
    hub_->start_worker(place, std::move(order));
  } catch (const Error& error) {
    hub_->turn_away(place, error.what());
  }
}

/// A thread of its own: the hub's has supervisors to hear.
void Job::asked_to_dump(std::uint64_t asker) {
  dumps_.emplace_back([this, asker] {
    Watcher* watcher = nullptr;
    {
      const std::lock_guard lock(mutex_);
      watcher = watcher_;
    }
    if (watcher != nullptr)
      watcher->dump([&](std::string_view text) { hub_->send_dump(asker, std::string(text), false); });
    hub_->send_dump(asker, watcher != nullptr ? "" : "the job has not begun\n", true);
  });
}

void Job::worker_started(std::uint32_t, std::uint32_t) {}

void Job::worker_ended(std::uint32_t place, std::uint32_t generation, const Death& death, bool comes_back) {
  const std::lock_guard lock(mutex_);
  const std::string who = place < hellos_.size()
                              ? "the worker of rank " + std::to_string(place) + " on " + hellos_[place].node.host
                              : "worker " + joined_[place].node.host + ":" + std::to_string(place);
  const std::string told = who + " " + death_sentence(death);
  const std::string cause = watcher_ != nullptr ? watcher_->in_own_numbers(told) : cluster::with_numbers(told, {});
  const bool worth_telling = !death.expected && !ending_.load();
  if (place < alive_.size() && !comes_back) alive_[place] = false;
  if (death.cannot_start && start_problem_.empty() && place < hellos_.size()) start_problem_ = cause;
  const bool none_left = std::none_of(alive_.begin(), alive_.end(), [](bool alive) { return alive; });
  if (none_left && start_problem_.empty()) start_problem_ = cause;
  if (worth_telling && (!death.cannot_start || settings_.min_workers > 0)) {
    if (comes_back && was_restarted(death)) {
      kLog.info(cause, "; it is started again");
    } else {
      kLog.warning(cause, comes_back ? "; it is started again" : "; it is not started again");
    }
  }
  if (watcher_ == nullptr) return;
  watcher_->worker_died(worker_key(place, generation), cause);
  if (!none_left || ending_.load()) return;
  if (!by_label_.empty()) return;  // whoever starts workers knows what is to be said
  if (may_be_joined() && !ranks_.several()) {
    kLog.warning("no worker is left: what is to be run waits for one to join (weft worker ", meeting_file_, ")");
  } else {
    watcher_->no_more_workers(worth_telling ? cause + "; no worker is left" : "all workers have been let go");
  }
}

/// Lines of one worker; what stands before them may name its task in its own numbers.
void Job::worker_wrote(std::uint32_t, int stream, const std::string& text) {
  const std::size_t end = text.find("] ");
  if (end == std::string::npos || !text.starts_with('[') || text.find('<') > end) return show_output(stream, text);
  const std::string prefix = text.substr(0, end + 2);
  const std::string own = in_own_numbers(prefix);
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('\n', at), text.size() - 1) + 1;
    const bool has_prefix = text.compare(at, prefix.size(), prefix) == 0;
    if (has_prefix) shown += own;
    const std::size_t from = has_prefix ? at + prefix.size() : at;
    shown.append(text, from, next - from);
    at = next;
  }
  show_output(stream, shown);
}

std::string Job::in_own_numbers(const std::string& text) {
  const std::lock_guard lock(mutex_);
  return watcher_ != nullptr ? watcher_->in_own_numbers(text) : cluster::with_numbers(text, {});
}

std::map<std::string, std::string> Job::workers_by_label() {
  const std::lock_guard lock(mutex_);
  return by_label_;
}

std::string Job::start_problem() {
  const std::lock_guard lock(mutex_);
  return start_problem_;
}

std::size_t Job::workers_left() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(alive_.begin(), alive_.end(), true));
}

void Job::end() {
  if (std::exchange(ended_, true) || hub_ == nullptr) return;
  ending_.store(true);
  constexpr double kLongest_s = 1.5;
  for (const std::string& file : hub_->end(kLongest_s)) kLog.info("the full output of a worker is kept in ", file);
  hub_->set_listener(nullptr);
  for (std::thread& dump : dumps_) dump.join();
  hub_.reset();  // closes the connections: a supervisor that has not ended sees it
  if (own_.joinable()) own_.join();
  if (!meeting_file_.empty()) ::unlink(meeting_file_.c_str());
}

}  // namespace weft::launch
