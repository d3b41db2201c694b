#include <weft/cluster.hpp>

#include "core/config/values.hpp"
#include "mpi_launch/batch/script.hpp"
#include "mpi_launch/elastic/adaptive.hpp"
#include "mpi_launch/elastic/processes.hpp"
#include "mpi_launch/elastic/specs.hpp"
#include "mpi_launch/start/cluster.hpp"
#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/supervise/worker_main.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <fmt/format.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

namespace weft {

namespace {

const logging::Room kLog("launch");

/// How long workers may take to end by themselves when the cluster ends.
constexpr double kGrace_s = 2;
/// How long one that has started looks for the address file: its folder may be of a slow file system.
constexpr int kFindFile_s = 20;

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string folder_in(std::string parent) {
  if (parent.empty()) {
    const char* const scratch = std::getenv("TMPDIR");
    parent = scratch != nullptr && *scratch != '\0' ? scratch : "/tmp";
  }
  std::error_code error;
  std::string path = std::filesystem::absolute(parent, error).lexically_normal().string() + "/weft-cluster-XXXXXX";
  if (path.find_first_of(",\n") != std::string::npos)
    throw ConfigError("the folder of a cluster has no comma and no line break in its name: " + path);
  if (::mkdtemp(path.data()) == nullptr)
    throw Error("the cluster can make no folder in '" + parent + "': " + std::strerror(errno) +
                "; name one with .folder");
  return path;
}

std::string executable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace

/// The workers, and the thread that looks after them.
///
/// What it does in a turn (`turn`):
///  1. `look`: which workers have joined, which have ended; those that ended by themselves are counted and told.
///  2. `adaptive` decides how many there should be: a fixed number is a minimum and a maximum that are equal.
///  3. Missing ones are started, waiting ones that are too many stopped.
///  4. Without the lock (`pass_on`): workers are retired.
struct Cluster::Parts {
  struct Worker {
    std::string id;
    std::string label;
    std::string name;       // for messages
    std::string joined_as;  // as clients call it; empty until it has joined
    bool here = false;      // is connected
    bool was_here = false;
    bool leaving = false;  // this cluster has told it to end, which is nothing to speak of
    bool left = false;     // it goes in peace, as somebody else has asked it to
    double started_s = 0;
    double next_look_s = 0;
    double next_news_s = 0;
    double patience_s = 0;
  };
  /// What the scheduler is to hear.
  struct News {
    std::vector<std::string> retire;
    std::string no_more = {};
  };

  Parts(WorkerSpec given, ClusterOptions wanted) : spec(std::move(given)), options(std::move(wanted)) {
    if (!spec.start || !spec.ended || !spec.stop)
      throw ConfigError("a WorkerSpec needs three functions: start, ended and stop");
    memory_bytes = parse_bytes(options.memory.text());
    folder = folder_in(options.folder);
    try {
      open();
    } catch (...) {
      std::error_code none;
      std::filesystem::remove_all(folder, none);
      throw;
    }
  }

  ~Parts() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
    launch::close_cluster();
    end_workers();
    keeper.reset();
    std::error_code none;
    std::filesystem::remove_all(folder, none);
  }

  void open() {
    Options mine = client_options();
    const Settings settings = resolve(mine);
    keeper = std::make_unique<launch::Keeper>();
    keep();
    runtime = launch::open_cluster(settings, options.resources);
    if (spec.reads_input) input = launch::meeting_text(launch::read_running(address_file(), 0));
    thread = std::thread([this] { serve(); });
  }

  std::string address_file() const { return folder + "/address"; }

  Options client_options() const {
    Options mine = options.options;
    mine.scheduler = "mpi";
    mine.address_file = address_file();
    if (!options.interface.empty()) mine.interface = options.interface;
    return mine;
  }

  void serve() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "weft cluster");
    std::unique_lock lock(mutex);
    while (!stopping) {
      News news;
      try {
        news = turn(false);
      } catch (const std::exception& error) {
        kLog.warning("the cluster's workers could not be looked at: ", error.what());
      }
      lock.unlock();
      pass_on(news);
      lock.lock();
      changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return stopping; });
    }
  }

  /// Returns what the scheduler is to hear. `at_once`: decides now, whatever the interval; then what cannot be started
  /// is thrown.
  News turn(bool at_once) {
    const double now = now_s();
    const bool changed_now = look(now);
    const bool may_start_again = start_again_s != 0 && now >= start_again_s;
    if (!adaptive || !(at_once || changed_now || may_start_again || now >= next_decision_s)) return {};
    next_decision_s = now + interval_s;
    const launch::Adaptive::Wish wish = adaptive->decide(now, runtime->demand(), count_coming());
    if (may_start_again) start_again_s = 0;
    for (std::size_t i = 0; i != wish.start && failures <= options.replacements && now >= start_again_s; ++i) {
      try {
        start(now);
      } catch (const std::exception& error) {
        if (at_once && workers.empty()) throw;
        fail(fmt::format("a worker could not be started: {}", error.what()), now);
        break;
      }
    }
    stop_waiting(wish.cancel);
    mark_leaving(wish.retire);
    keep();
    News news{wish.retire, {}};
    const bool any_here = std::any_of(workers.begin(), workers.end(), [](const Worker& one) { return one.here; });
    if (failures > options.replacements && !any_here && count_coming() == 0 && !told_no_more) {
      told_no_more = true;
      news.no_more = gave_up();
    }
    return news;
  }

  /// Returns whether one has ended.
  bool look(double now) {
    const std::map<std::string, std::string> joined = launch::workers_by_label();
    std::map<std::string, WorkerStanding> standings;  // of several lives of a worker the last
    for (WorkerStanding& standing : runtime->workers()) standings[standing.identity.name] = std::move(standing);
    for (Worker& worker : workers) {
      const auto label = joined.find(worker.label);
      if (label == joined.end()) continue;
      worker.joined_as = label->second;
      const auto standing = standings.find(worker.joined_as);
      worker.here = standing != standings.end() && standing->second.present;
      worker.was_here |= worker.here;
      worker.left = standing != standings.end() && standing->second.leaving;
    }
    return std::erase_if(workers, [&](Worker& worker) { return has_ended(worker, now); }) != 0;
  }

  /// Tells of one that does not come; of one that has ended by itself, too.
  bool has_ended(Worker& worker, double now) {
    if (worker.here || now < worker.next_look_s) return false;
    // A job that waits for hours is not asked for every second.
    const double age = worker.was_here ? 0 : now - worker.started_s;
    worker.next_look_s = now + std::max(spec.look.count(), std::min(30.0, age / 10));
    const std::string how = spec.ended(worker.id);
    if (how.empty()) {
      if (!worker.was_here && !worker.leaving && now >= worker.next_news_s) tell_waiting(worker, now);
      return false;
    }
    if (worker.leaving) return true;
    if (worker.left) {
      kLog.warning(worker.name, " was asked to leave, and has: it ", how,
                   "; another one takes its place where one is wanted");
    } else {
      fail(fmt::format("{} {}{}", worker.name, how, worker.was_here ? "" : "; it had not joined"), now);
    }
    return true;
  }

  void tell_waiting(Worker& worker, double now) {
    const std::string what = spec.waits_for ? spec.waits_for(worker.id) : "";
    kLog.warning(worker.name, " has not joined after ", static_cast<int>(now - worker.started_s), " s",
                 what.empty() ? "" : ": " + what, "; what is to be run waits for it, or for others");
    worker.patience_s *= 2;
    worker.next_news_s = worker.started_s + worker.patience_s;
  }

  /// The sooner they fail, the later the next one is started.
  void fail(const std::string& what, double now) {
    ++failures;
    last_failure = what;
    const double pause = std::min(10.0, 0.1 * static_cast<double>(1u << std::min<std::uint32_t>(failures, 7)));
    start_again_s = now + pause;
    const bool again = failures <= options.replacements;
    kLog.warning(what,
                 again ? "; another one takes its place where one is wanted"
                       : "; no more workers are started: " + std::to_string(failures) + " have ended by themselves");
  }

  std::string gave_up() const {
    return std::to_string(failures) + " workers of the cluster have ended by themselves, the last: " + last_failure;
  }

  /// One whose process has died comes again: what supervises it starts another.
  std::size_t count_coming() const {
    return static_cast<std::size_t>(std::count_if(
        workers.begin(), workers.end(), [](const Worker& one) { return !one.here && !one.leaving && !one.left; }));
  }

  void start(double now) {
    WorkerOrder order;
    order.number = next_number++;
    order.folder = folder;
    order.input = input;
    order.words = {"env",
                   fmt::format("{}={},{},{},{},{}", launch::kJoinVariable, order.number, options.slots, memory_bytes,
                               kFindFile_s, spec.reads_input ? "-" : address_file()),
                   executable()};
    for (const std::string& word : order.words)
      order.line += (order.line.empty() ? "" : " ") + launch::shell_word(word);
    Worker worker;
    worker.name = spec.name ? spec.name(order) : "worker " + std::to_string(order.number) + " of the cluster";
    worker.label = std::to_string(order.number);
    worker.id = spec.start(order);
    worker.started_s = now;
    worker.next_look_s = now + spec.look.count();
    worker.patience_s = options.patience.count();
    worker.next_news_s = now + worker.patience_s;
    kLog.info(worker.name, " is started: ", worker.id);
    workers.push_back(std::move(worker));
    keep();
  }

  /// The last ones that were started are the furthest from joining.
  void stop_waiting(std::size_t count) {
    for (std::size_t i = workers.size(); i-- != 0 && count != 0;) {
      if (workers[i].was_here || workers[i].leaving) continue;
      workers[i].leaving = true;
      spec.stop(workers[i].id);
      --count;
    }
  }

  void mark_leaving(const std::vector<std::string>& names) {
    for (Worker& worker : workers) {
      if (std::find(names.begin(), names.end(), worker.joined_as) != names.end()) worker.leaving = true;
    }
  }

  /// Without the lock: callbacks of results may run, and use the cluster.
  void pass_on(const News& news) {
    for (const std::string& name : news.retire) {
      try {
        runtime->retire(name);
      } catch (const Error& error) {
        kLog.info("a worker was to leave: ", error.what());  // it has gone by itself
      }
    }
    if (!news.no_more.empty()) runtime->no_more_workers(news.no_more);
  }

  /// Tells the keeper what is to be done should this process be gone.
  void keep() {
    std::string line;
    for (const Worker& worker : workers) {
      if (spec.stop_line) line += spec.stop_line(worker.id) + " ";
    }
    line += "rm -rf " + launch::shell_word(folder);
    if (line != kept) keeper->keep(line);
    kept = line;
  }

  /// They have been told to end, or hear that their scheduler is gone.
  void end_workers() noexcept {
    const double until = now_s() + kGrace_s;
    for (const Worker& worker : workers) {
      try {
        while (worker.was_here && spec.reads_input && now_s() < until && spec.ended(worker.id).empty())
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        spec.stop(worker.id);
      } catch (const std::exception& error) {
        kLog.warning(worker.name, " could not be stopped: ", error.what());
      }
    }
    workers.clear();
  }

  void aim(const launch::Adaptive::Bounds& bounds, Seconds interval) {
    runtime->no_more_workers("");  // they come again
    News news;
    {
      const std::lock_guard lock(mutex);
      told_no_more = false;
      failures = 0;
      start_again_s = 0;
      interval_s = interval.count();
      adaptive.emplace(bounds);
      try {
        news = turn(true);
      } catch (...) {
        adaptive.reset();
        throw;
      }
    }
    pass_on(news);
  }

  WorkerSpec spec;
  const ClusterOptions options;
  std::uint64_t memory_bytes = 0;
  std::string folder;
  std::string input;
  std::shared_ptr<ClusterRuntime> runtime;  // shared with the clients of this process

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::vector<Worker> workers;
  std::optional<launch::Adaptive> adaptive;
  std::unique_ptr<launch::Keeper> keeper;
  std::string kept;
  std::uint32_t next_number = 0;
  std::uint32_t failures = 0;
  std::string last_failure;
  double start_again_s = 0;
  double interval_s = 1;
  double next_decision_s = 0;
  bool told_no_more = false;
  bool stopping = false;

  std::thread thread;
};

Cluster::Cluster(WorkerSpec spec, ClusterOptions options)
    : parts_(std::make_unique<Parts>(std::move(spec), std::move(options))) {}

Cluster::~Cluster() = default;

void Cluster::scale(std::size_t workers) {
  parts_->aim({.minimum = workers, .maximum = workers, .idle_s = 0, .slots = parts_->options.slots}, Seconds(1));
}

void Cluster::adapt(std::size_t minimum, std::size_t maximum, AdaptOptions options) {
  if (minimum > maximum)
    throw ConfigError("Cluster::adapt: the minimum " + std::to_string(minimum) + " is above the maximum " +
                      std::to_string(maximum));
  parts_->aim({.minimum = minimum,
               .maximum = maximum,
               .idle_s = options.idle.count(),
               .worth_s = options.worth.count(),
               .slots = parts_->options.slots},
              options.interval);
}

void Cluster::wait(std::size_t workers, Seconds longest) {
  const auto deadline = detail::deadline_after(longest);
  for (;;) {
    const std::size_t joined = here();
    if (joined >= workers) return;
    std::string why;
    {
      const std::lock_guard lock(parts_->mutex);
      if (parts_->failures > parts_->options.replacements) throw Error("Cluster::wait: " + parts_->gave_up());
      if (!parts_->last_failure.empty()) why = "; the last that failed: " + parts_->last_failure;
    }
    if (std::chrono::steady_clock::now() >= deadline)
      throw TimeoutError("Cluster::wait: " + std::to_string(joined) + " of " + std::to_string(workers) +
                         " workers have joined, " + std::to_string(coming()) + " are to come" + why);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::size_t Cluster::here() const {
  const std::lock_guard lock(parts_->mutex);
  const std::vector<WorkerStanding> all = parts_->runtime->workers();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& one) { return one.present; }));
}

std::size_t Cluster::coming() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->count_coming();
}

Cluster::operator Options() const { return parts_->client_options(); }

std::string Cluster::address_file() const { return parts_->address_file(); }

LocalCluster::LocalCluster(std::size_t workers, ClusterOptions options)
    : Cluster(launch::local_spec(), launch::local_options(workers, std::move(options))) {
  scale(workers);
}

SshCluster::SshCluster(std::vector<std::string> hosts, ClusterOptions options)
    : Cluster(launch::ssh_spec(hosts, options.run_before), launch::ssh_options(hosts, options)) {
  scale(hosts.size());
}

JobCluster::JobCluster(const JobOptions& options) : Cluster(launch::job_spec(options), launch::job_options(options)) {}

}  // namespace weft
