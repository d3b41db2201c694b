#pragma once

#include "core/runtime/runtime.hpp"
#include "core/transport/transport.hpp"

#include <weft/config.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The loops that run the two machines in different processes. Whoever starts the processes calls these; how each piece
// of a run travels is told in core/cluster/README.md.

namespace weft {

/// What a worker tells of itself when it joins.
struct WorkerIdentity {
  /// What people call it, as "node7:2"; tasks may be restricted to workers by name.
  std::string name;
  /// Tells this life of the process from all others: what its supervisor names when it reports the end.
  std::string key;
  std::uint32_t rank = 0;
  /// Named amounts it has, for tasks that ask for them.
  std::map<std::string, std::uint32_t> resources;
  /// It has a process of its own: then this_task::client() in its tasks is a client that runs them there. Tests run
  /// many workers in one process.
  bool own_process = true;
  /// Called before the process ends in order to be started again, so that its supervisor can tell that from a task
  /// that calls exit.
  void (*tell_restart)() noexcept = nullptr;
};

/// How a worker that is or was there stands.
struct WorkerStanding {
  WorkerId id = kNone;
  WorkerIdentity identity;
  std::uint32_t slots = 0;
  std::uint64_t budget_bytes = 0;
  bool present = false;
  /// It was told to go, or has asked to.
  bool leaving = false;
};

/// How much work a cluster has, for who starts and ends its workers.
struct ClusterDemand {
  struct AtWorker {
    std::string name;
    std::uint32_t slots = 0;
    /// Packets that it was dealt and that have not ended.
    std::uint64_t packets = 0;
    /// Results lie there that somebody may still read.
    bool keeps = false;
    bool leaving = false;
  };
  /// What a worker could run now if there were enough of them, and what they run.
  std::uint64_t runnable = 0;
  std::uint64_t tasks_left = 0;
  std::uint64_t tasks_done = 0;
  std::vector<AtWorker> workers;
};

/// The client's side of a cluster: the scheduler machine, the client's tasks, and the connections to the workers.
///
/// For: being the runtime behind `Client` where the tasks run in other processes. One client after the other may use
/// it. Owns: the machine, the transport, a thread that makes progress while nobody waits. Threading: any thread.
class ClusterRuntime : public Runtime {
 public:
  /// Starts listening; workers may join from now on.
  static std::shared_ptr<ClusterRuntime> start(Settings settings, std::unique_ptr<Transport> transport);

  /// What `run_worker` is given; opaque bytes.
  virtual std::string address() const = 0;
  /// Waits until `count` workers are there or the time is over, and returns how many are.
  virtual std::uint32_t wait_for_workers(std::uint32_t count, Nanoseconds longest) = 0;
  /// Opens it for the next client. Throws if one is open.
  virtual void open_for_client(Settings settings) = 0;
  /// Tells that the process of the worker with this key has ended (and cannot come back): what it held and ran is run
  /// again elsewhere. `cause` is a sentence: "was killed by signal 9 (out of memory: 3.1 GiB of 3 GiB)".
  virtual void worker_died(std::string_view key, std::string_view cause) = 0;
  /// Returns what a worker's process said of its tasks (core/cluster/origins.hpp) with this process's numbers of them.
  virtual std::string in_own_numbers(std::string_view text) = 0;
  /// Tells that no worker will join any more: with none left, what has not run fails, for this reason. Without a
  /// reason: some may join again.
  virtual void no_more_workers(std::string_view why) = 0;
  virtual std::vector<WorkerStanding> workers() = 0;
  /// Looks at every packet: for once a second, not for once a task.
  virtual ClusterDemand demand() = 0;
  /// Writes what stands where, in lines, piece by piece: counts, workers and what they run, packets that have not
  /// ended. The job goes on meanwhile. Called by a thread that does nothing else for it.
  virtual void dump(const std::function<void(std::string_view)>& write) = 0;
  /// Lets a worker go, named as people do: it is dealt nothing more, others take over what it keeps, then it ends.
  /// Returns at once; throws Error where there is none of that name.
  void retire(std::string_view name) override = 0;
  /// Tells all workers to end and waits for that, at most so long. Nothing runs after it.
  virtual void end(Nanoseconds longest = 2'000'000'000) = 0;
};

/// How a worker process's work ended.
enum class WorkerEnd : std::uint8_t {
  Told,     ///< The client is done.
  Lost,     ///< The client's process is gone or was cut off.
  Refused,  ///< It may not join: another binary or another version. The sentence has been logged.
};

/// With this status a worker's process ends that is to be started again, as the client asked; a task may use it too.
inline constexpr int kRestartStatus = 77;

/// Asks the worker of this process to leave as `ClusterRuntime::retire` does. For signal handlers.
void leave_soon() noexcept;

/// Runs tasks for the client at `scheduler_address` until told to end: what a worker process's main thread does.
WorkerEnd run_worker(Settings settings, std::unique_ptr<Transport> transport, std::string_view scheduler_address,
                     WorkerIdentity identity);

/// Attaches this process to the cluster at `scheduler_address` as a second client: its tasks run there, and named
/// objects and published results are those of the cluster's own client. Throws Error where it may not: another binary
/// or version, nobody there.
std::shared_ptr<Runtime> attach_client(Settings settings, std::unique_ptr<Transport> transport,
                                       std::string_view scheduler_address);

}  // namespace weft
