#pragma once

#include "mpi_launch/control/tls_terms.hpp"
#include "mpi_launch/layout/layout.hpp"
#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/start/hub.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <weft/config.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weft::launch {

/// The processes of one job, as rank 0 sees them.
///
/// For: the cluster behind a client. Owns: the hub, and the thread that supervises rank 0's own worker.
/// Threading: any thread; the calls of `Watcher` come from the hub's thread.
///
/// How a job starts:
///  1. `enter` reads the launcher's variables; rank 0 makes the secret, and certificates if links are encrypted, and
///     listens; the ranks meet (by MPI or a file).
///  2. On other ranks `enter` supervises a worker until rank 0 says so or is gone, and ends the process.
///  3. Rank 0 waits for all, compares their programs, lays the job out and prints the block.
///  4. `start_workers`, once there is a scheduler whose address the workers can be given.
class Job : private Hub::Listener {
 public:
  /// Hears of the worker processes. `key` tells one life of a worker from all others.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    /// Returns what a worker said of its tasks with the numbers that the client has for them.
    virtual std::string in_own_numbers(const std::string& text) = 0;
    virtual void worker_died(const std::string& key, const std::string& cause) = 0;
    virtual void no_more_workers(const std::string& why) = 0;
    /// Writes what stands where, in lines; called by a thread of its own.
    virtual void dump(const std::function<void(std::string_view)>& write) = 0;
  };

  /// Returns the job on rank 0, null where this process is alone and nobody may join it; never returns on other ranks.
  /// `only_scheduler`: rank 0 alone, without a worker. Throws Error where the ranks do not come together.
  static std::unique_ptr<Job> enter(const Settings& settings, bool only_scheduler = false);
  ~Job() override;

  const Layout& layout() const { return layout_; }
  const std::string& secret() const { return secret_; }
  const JobTls& tls() const { return tls_; }
  /// Where other processes reach this one: a host or an address, without port.
  const std::string& listening_host() const { return host_; }
  const Ranks& ranks() const { return ranks_; }
  /// Workers and clients may join while it runs: an address file was asked for.
  bool may_be_joined() const { return !settings_.address_file.empty(); }
  /// The start block, one line a row.
  std::string block() const;

  void set_watcher(Watcher* watcher);
  /// Starts all workers. `options` become the settings of each, before what the layout gives it.
  void start_workers(const std::string& scheduler_address, const std::vector<std::string>& options,
                     const std::map<std::string, std::uint32_t>& resources = {});
  /// Writes the address file by which others join, if one was asked for.
  void open_to_others(const std::string& scheduler_address);
  /// What joins it is given by that file.
  const std::string& address_file() const { return meeting_file_; }
  /// Returns the workers that a cluster of this process has started, by its names for them, as they are called here.
  std::map<std::string, std::string> workers_by_label();
  /// Why the job cannot start, as the first failing rank said it, or "".
  std::string start_problem();
  /// Workers that live or will be started again.
  std::size_t workers_left();
  /// From now on the end of a worker is nothing to speak of.
  void begin_end() { ending_.store(true); }
  /// Ends all workers and all other ranks; at most 2 s. Called once.
  void end();

  /// What people and messages call the worker of a place, and one life of it.
  static std::string worker_name(const WorkerPlan& plan);
  static std::string worker_key(std::uint32_t place, std::uint32_t generation);

 private:
  Job(const Settings& settings, Ranks ranks, bool only_scheduler);
  void meet();
  void supervise_own(const Meeting& meeting);
  void worker_started(std::uint32_t place, std::uint32_t generation) override;
  void worker_ended(std::uint32_t place, std::uint32_t generation, const Death& death, bool comes_back) override;
  void worker_wrote(std::uint32_t place, int stream, const std::string& text) override;
  std::string in_own_numbers(const std::string& text);
  void asked_to_join(std::uint32_t place, const JoinAsked& asked) override;
  void asked_to_dump(std::uint64_t asker) override;
  StartWorker order_for(const WorkerPlan& plan) const;

  const Settings settings_;
  const Ranks ranks_;
  const bool only_scheduler_;
  std::string host_;
  std::string secret_;
  std::string tls_terms_;
  JobTls tls_;
  std::unique_ptr<Hub> hub_;
  std::thread own_;
  std::vector<std::thread> dumps_;  // of the hub's thread, until it has ended
  Layout layout_;
  std::vector<Hello> hellos_;  // of the ranks
  std::string meeting_file_;
  // What all workers are told: constant once they have been started.
  std::string scheduler_address_;
  std::vector<std::string> options_;
  std::map<std::string, std::uint32_t> resources_;

  std::mutex mutex_;
  Watcher* watcher_ = nullptr;                   // guarded by mutex_
  std::vector<bool> alive_;                      // guarded by mutex_; by place: lives or comes back
  std::map<std::uint32_t, Hello> joined_;        // guarded by mutex_; by place
  std::map<std::string, std::string> by_label_;  // guarded by mutex_
  std::string start_problem_;                    // guarded by mutex_
  std::atomic<bool> ending_{false};
  bool ended_ = false;
};

/// What `weft worker` is told.
struct JoinWords {
  /// "-": its text comes on the standard input.
  std::string address_file;
  /// 0: the cores of this host; memory that results may hold, 0: as for ranks.
  std::uint32_t slots = 0;
  std::uint64_t budget_bytes = 0;
  std::string spill_dir;
  /// How long to wait for the address file and for rank 0.
  double seconds = 60;
  /// As JoinAsked's.
  std::string label = {};
};
/// Runs a worker for a job that runs, until that ends, or this process is asked to leave by SIGTERM or SIGINT: then the
/// worker's results move to others first; a second signal ends it at once. Throws Error where the job does not take it,
/// is gone, or the worker dies for good.
void join_job(const JoinWords& words);

/// Asks the job of an address file what stands where, and passes it on, piece by piece. Throws Error where the job is
/// not there, or is gone before it has told all.
void ask_for_dump(const std::string& address_file, double seconds, const std::function<void(std::string_view)>& write);

/// Writes what workers print: whole lines, so that nothing lands in the middle of another.
void show_output(int stream, const std::string& text);

}  // namespace weft::launch
