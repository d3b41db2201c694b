#include "mpi_launch/start/cluster.hpp"

#include "comm/network_transport.hpp"
#include "core/client/live_page.hpp"
#include "core/cluster/cluster.hpp"
#include "core/cluster/origins.hpp"
#include "core/config/option_table.hpp"
#include "core/runtime/layout.hpp"
#include "dashboard/live_page.hpp"
#include "gpu/driver/driver.hpp"
#include "mpi_launch/control/connection.hpp"
#include "mpi_launch/control/secret.hpp"
#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/start/job.hpp"
#include "mpi_launch/start/ranks.hpp"
#include "mpi_launch/supervise/child.hpp"
#include "mpi_launch/supervise/worker_main.hpp"

#include <weft/client.hpp>
#include <weft/config.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/run.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>

namespace weft::launch {

namespace {

const logging::Room kLog("launch");

std::unique_ptr<Transport> open_transport(const Settings& settings, const std::string& secret, const JobTls& tls,
                                          const std::string& listen_on) {
  comm::NetworkOptions options;
  options.secret = secret_of(secret);
  options.listen_on = listen_on;
  options.shared_memory = settings.transport != "tcp";
  if (settings.transport == "tcp") options.ucx = comm::UseUcx::Never;
  if (settings.transport == "ucx") options.ucx = comm::UseUcx::Always;
  options.tls = tls.context;
  if (tls.context != nullptr && !tls.between_nodes) options.shared_memory = false;
  if (settings.compress == "off") options.compression = comm::Compression::Off;
  if (settings.compress == "lz4") options.compression = comm::Compression::Lz4;
  if (settings.compress == "zstd") options.compression = comm::Compression::Zstd;
  return comm::open_network_transport(options);
}

/// Makes this process a second client of a job that runs.
std::shared_ptr<Runtime> attach(const Settings& settings) {
  const Meeting meeting = read_running(settings.attach, 0);
  const JobTls tls = open_terms(meeting.tls);
  if (tls.context == nullptr && settings.tls != "off")
    throw ConfigError(settings.origin("tls").where + " asks for encryption, and the job of '" + settings.attach +
                      "' does not encrypt: start the job with --weft-tls");
  // The address of this host that the job is reached from.
  const std::string own =
      connect_to(meeting.endpoint, meeting.secret, settings.start_timeout, tls.context.get()).own_host();
  return attach_client(settings, open_transport(settings, meeting.secret, tls, own), meeting.scheduler_address);
}

/// The life of a worker process: the settings come from rank 0, the tasks from its scheduler.
void work(const WorkerOrders& orders) {
  std::vector<std::string> words = orders.options;
  words.insert(words.begin(), "weft-worker");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  Settings settings = resolve(argc, argv.data());
  logging::set_levels(settings.log_level);
  logging::set_file(settings.log_file);
  WorkerIdentity identity;
  identity.name = orders.host + ":" + std::to_string(orders.place);
  identity.key = Job::worker_key(orders.place, orders.generation);
  identity.rank = orders.place;
  identity.resources = orders.resources;
  identity.tell_restart = &worker_restarts;
  std::unique_ptr<Transport> transport =
      open_transport(settings, orders.secret, open_terms(orders.tls), orders.listen_on);
  struct sigaction leave {};
  leave.sa_handler = [](int) { leave_soon(); };
  ::sigaction(SIGTERM, &leave, nullptr);
  set_page_maker([](const Client&) { return nullptr; });
  gpu::set_failure_listener([](const std::string& why) { cut_off(why.c_str()); });
  worker_is_ready();
  switch (run_worker(std::move(settings), std::move(transport), orders.scheduler_address, std::move(identity))) {
    case WorkerEnd::Told:
      return;
    case WorkerEnd::Lost:
      return cut_off("it was cut off from rank 0");
    case WorkerEnd::Refused:
      throw Error("rank 0 refused it");
  }
}

/// The cluster of this process: there is one, for one client after the other.
/// Owns: the job and the runtime. Threading: any thread; `open` and `end` under mutex_.
class Cluster : public Job::Watcher {
 public:
  /// Outlives static objects, because clients may.
  static Cluster& instance() {
    static Cluster* const kept = new Cluster;
    return *kept;
  }

  std::shared_ptr<Runtime> open(const Settings& settings, const std::map<std::string, std::uint32_t>& resources) {
    if (!settings.attach.empty()) return attach(settings);
    const std::lock_guard lock(mutex_);
    if (ended_) throw Error("the ranks of this job have ended; open the client earlier");
    if (runtime_ == nullptr && !start(settings, resources)) return nullptr;
    runtime_->open_for_client(settings);
    return runtime_;
  }

  /// Before it is opened: this process holds the scheduler, and no worker of its own.
  void be_only_scheduler() { only_scheduler_ = true; }

  std::shared_ptr<ClusterRuntime> open_alone(const Settings& settings,
                                             const std::map<std::string, std::uint32_t>& resources) {
    const std::lock_guard lock(mutex_);
    if (read_ranks().several())
      throw Error(
          "a program that mpirun or srun has started has its workers already: start it by itself, or leave out the "
          "cluster object");
    if (job_ != nullptr)
      throw Error("this process has a cluster or a client of several processes already: one at a time");
    only_scheduler_ = true;
    start(settings, resources);
    return runtime_;
  }

  /// As if there had been none. Clients that are open still share the runtime, which is closed.
  void forget() noexcept {
    end();
    const std::lock_guard lock(mutex_);
    if (::getpid() != pid_) return;
    std::atomic_store(&watched_, std::shared_ptr<ClusterRuntime>());
    runtime_.reset();
    job_.reset();
    only_scheduler_ = ended_ = false;
  }

  std::map<std::string, std::string> workers_by_label() {
    const std::lock_guard lock(mutex_);
    return job_ != nullptr ? job_->workers_by_label() : std::map<std::string, std::string>();
  }

  void end() noexcept {
    const std::lock_guard lock(mutex_);
    if (ended_ || job_ == nullptr || ::getpid() != pid_) return;
    ended_ = true;
    job_->begin_end();
    if (runtime_ != nullptr) runtime_->end(500'000'000);
    job_->end();
    job_->set_watcher(nullptr);
  }

  std::string in_own_numbers(const std::string& text) override {
    const auto runtime = std::atomic_load(&watched_);
    return runtime != nullptr ? runtime->in_own_numbers(text) : cluster::with_numbers(text, {});
  }
  void worker_died(const std::string& key, const std::string& cause) override {
    if (const auto runtime = std::atomic_load(&watched_)) runtime->worker_died(key, cause);
  }
  void no_more_workers(const std::string& why) override {
    if (const auto runtime = std::atomic_load(&watched_)) runtime->no_more_workers(why);
  }
  void dump(const std::function<void(std::string_view)>& write) override {
    if (const auto runtime = std::atomic_load(&watched_)) runtime->dump(write);
  }

 private:
  bool start(const Settings& settings, const std::map<std::string, std::uint32_t>& resources) {
    job_ = Job::enter(settings, only_scheduler_);
    if (job_ == nullptr) {
      if (settings.workers > 1) throw ConfigError(too_many_workers(settings));
      return false;
    }
    pid_ = ::getpid();
    std::atexit([] { end_cluster(); });
    try {
      start_workers(settings, resources);
      job_->open_to_others(runtime_->address());
    } catch (...) {
      job_->end();
      ended_ = true;
      throw;
    }
    return true;
  }

  void start_workers(const Settings& settings, const std::map<std::string, std::uint32_t>& resources) {
    Settings mine = settings;
    for (const WorkerPlan& plan : job_->layout().workers) {
      if (plan.place == 0 && !plan.spins && settings.origin("spin-us").source == Source::Default) mine.spin_us = 0;
    }
    runtime_ =
        ClusterRuntime::start(mine, open_transport(settings, job_->secret(), job_->tls(), job_->listening_host()));
    std::atomic_store(&watched_, runtime_);
    job_->set_watcher(this);
    Settings theirs = settings;
    theirs.record.clear();
    theirs.progress = "off";
    theirs.ledger = "off";
    theirs.page = "off";
    theirs.config = "none";
    theirs.address_file.clear();
    if (!theirs.journal.empty()) theirs.journal = std::filesystem::absolute(theirs.journal).lexically_normal().string();
    job_->start_workers(runtime_->address(), option_words(theirs), resources);
    const auto all = static_cast<std::uint32_t>(job_->layout().workers.size());
    const auto count = enough_of(all, settings.min_workers);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(settings.start_timeout);
    for (;;) {
      const std::uint32_t here = runtime_->wait_for_workers(count, 20'000'000);
      if (here >= count) {
        if (here < all) kLog.info(here, " of ", all, " workers are here: the job begins (--weft-min-workers)");
        return;
      }
      const std::string problem = job_->start_problem();
      if (!problem.empty() && job_->workers_left() < count) throw Error(problem);
      if (std::chrono::steady_clock::now() < deadline) continue;
      if (here == 0) throw Error("no worker has joined within --weft-start-timeout");
      kLog.warning("only ", here, " of ", count, " workers have joined so far; the job begins with them");
      return;
    }
  }

  /// Returns how many of the workers must be there before the job begins.
  static std::uint32_t enough_of(std::uint32_t all, std::int64_t least) {
    return least == 0 ? all : static_cast<std::uint32_t>(std::min<std::int64_t>(all, least));
  }

  static std::string too_many_workers(const Settings& settings) {
    return settings.origin("workers").where + ": " + std::to_string(settings.workers) +
           " workers are asked for, but this is one process; start the program with mpirun -n " +
           std::to_string(settings.workers);
  }

  std::mutex mutex_;
  std::unique_ptr<Job> job_;                 // guarded by mutex_
  std::shared_ptr<ClusterRuntime> runtime_;  // guarded by mutex_
  std::shared_ptr<ClusterRuntime> watched_;  // atomic: the hub's thread reads it while `open` may hold the mutex
  bool ended_ = false;                       // guarded by mutex_
  bool only_scheduler_ = false;
  int pid_ = 0;
};

/// What `live_as_joiner` is: words are those of kJoinVariable.
void join(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; words.size() < 4 && at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = std::min(end + 1, text.size());
    if (words.size() == 4) words.push_back(text.substr(at));
  }
  if (words.size() != 5 || words.back().empty())
    throw Error(std::string(kJoinVariable) + " is not as a cluster writes it");
  JoinWords join;
  join.label = words[0];
  join.slots = static_cast<std::uint32_t>(std::strtoul(words[1].c_str(), nullptr, 10));
  join.budget_bytes = std::strtoull(words[2].c_str(), nullptr, 10);
  join.seconds = std::strtod(words[3].c_str(), nullptr);
  join.address_file = words[4];
  join_job(join);
}

/// Returns the block of a job that is not going to work: its ranks meet, say what they have, and leave.
std::string block_of_ranks(const Settings& settings) {
  Settings quiet = settings;
  quiet.start_block = false;
  const std::unique_ptr<Job> job = Job::enter(quiet);
  if (job == nullptr) return "";
  std::string text = job->block();
  job->begin_end();
  job->end();
  return text;
}

/// What `weft scheduler` makes of a program: its tasks are known here, its main is not run. Ends with a signal.
int schedule(int argc, char** argv) {
  sigset_t ends;
  ::sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&ends, signal);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // all threads to come
  Cluster::instance().be_only_scheduler();
  try {
    Options options;
    options.scheduler = "mpi";
    Client client(argc, argv, options);
    std::printf("weft scheduler: ready; workers join with: weft worker %s\n", client.settings().address_file.c_str());
    std::fflush(stdout);
    int signal = 0;
    while (::sigwait(&ends, &signal) != 0) {
    }
    client.close();
  } catch (const Error& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
  end_cluster();
  return 0;
}

}  // namespace

void install_cluster_maker() {
  dashboard::install_live_page();
  set_scheduler_body(&schedule);
  set_join_body(&join);
  set_layout_maker(&block_of_ranks);
  set_worker_body(&work);
  set_runtime_maker([](const Settings& settings, const std::map<std::string, std::uint32_t>& resources) {
    if (std::getenv(kWorkerVariable) != nullptr) live_as_worker();
    if (std::getenv(kJoinVariable) != nullptr) std::exit(live_as_joiner());
    return Cluster::instance().open(settings, resources);
  });
}

void end_cluster() noexcept { Cluster::instance().end(); }

std::shared_ptr<ClusterRuntime> open_cluster(const Settings& settings,
                                             const std::map<std::string, std::uint32_t>& resources) {
  return Cluster::instance().open_alone(settings, resources);
}
void close_cluster() noexcept { Cluster::instance().forget(); }
std::map<std::string, std::string> workers_by_label() { return Cluster::instance().workers_by_label(); }

}  // namespace weft::launch

namespace weft::detail {

bool install_launcher() {
  launch::install_cluster_maker();
  return true;
}

}  // namespace weft::detail
