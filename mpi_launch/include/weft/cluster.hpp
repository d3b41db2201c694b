#pragma once

#include <weft/config.hpp>
#include <weft/run.hpp>
#include <weft/timeout.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Clusters that a program starts by itself: without mpirun, from its own main. A header of its own, not in weft.hpp.

namespace weft {

/// What starts one worker: a command that stays until the worker has ended.
struct WorkerOrder {
  /// 0, 1, 2, ...: never used twice by one cluster.
  std::uint32_t number = 0;
  /// The program's own executable as a worker, with all it needs: {"env", "WEFT_INTERNAL_JOIN=...", "/path/program"}.
  /// Secrets are not among the words, but in the address file that they name.
  std::vector<std::string> words;
  /// The same for a shell.
  std::string line;
  /// What the command is to find on its standard input, where the spec `reads_input`.
  std::string input;
  /// A folder that is removed with the cluster, for scripts and logs.
  std::string folder;
};

/// How the workers of a cluster are started, looked at and stopped. Called by one thread at a time.
struct WorkerSpec {
  /// What messages call it: "the worker on host7".
  std::function<std::string(const WorkerOrder& order)> name = {};
  /// Starts a worker and returns what the others are given: a process's or a job's number. Throws Error where none can
  /// be started.
  std::function<std::string(const WorkerOrder& order)> start;
  /// Returns "" while it runs or waits for its turn, else how it ended, for people.
  std::function<std::string(const std::string& id)> ended;
  /// Ends it, whatever it does. It may have ended already.
  std::function<void(const std::string& id)> stop;
  /// Returns a line for `sh` that does what `stop` does, for when the program is killed; may be left out.
  std::function<std::string(const std::string& id)> stop_line = {};
  /// Returns what it waits for ("PENDING, Priority"), where it has not come yet; may be left out.
  std::function<std::string(const std::string& id)> waits_for = {};
  /// The address comes on the standard input of the words, not by a file: for hosts that do not see the folder.
  bool reads_input = false;
  /// How often `ended` may be asked.
  Seconds look = Seconds(1);
};

/// What all workers of a cluster are, and what they may cost. What is left out is chosen by weft.
struct ClusterOptions {
  /// Tasks at once in each worker. 0: the cores that it finds.
  std::uint32_t slots = 0;
  /// Memory that results may hold in each; 0: as for ranks.
  Quantity memory = 0;
  /// Network interface, or an address of this host, on which this program listens; the option of that name.
  std::string interface = {};
  /// Folder that holds the address file (it has the secret in it), scripts and logs while the cluster lives. For jobs
  /// one that all nodes see: the current one. Else one of the scratch folder.
  std::string folder = {};
  /// Lines of a shell that run before each worker: module loads, environments. Not for LocalCluster.
  std::vector<std::string> run_before = {};
  /// Named amounts that each worker has, for tasks that ask for them.
  std::map<std::string, std::uint32_t> resources = {};
  /// How many workers that end by themselves are replaced in all.
  std::uint32_t replacements = 10;
  /// How long a worker may take to come before that is told; told again after twice as long.
  Seconds patience = Seconds(60);
  /// Any other option, for this program and its workers.
  Options options = {};
};

/// When `Cluster::adapt` starts and ends workers.
struct AdaptOptions {
  /// How often it looks.
  Seconds interval = Seconds(1);
  /// A worker that had nothing to do for so long may go; so may one that has not come.
  Seconds idle = Seconds(5);
  /// What will have ended within this time, at the pace of now, is not worth another worker.
  Seconds worth = Seconds(5);
};

/// Workers that this program starts, on whatever a WorkerSpec reaches, and the scheduler that they dial back to, which
/// is in this process:
///
///     int main(int argc, char** argv) {
///       weft::JobCluster cluster({.scheduler = "slurm", .slots = 8, .memory = "16GiB", .walltime = "2h"});
///       cluster.scale(4);                            // or cluster.adapt(0, 20)
///       weft::Client client(argc, argv, cluster);
///       ...
///     }
///
/// A client opened while it exists runs its tasks there; it is closed before. Workers are this very program; its main
/// is not run in them. What a worker that ends unasked held is computed again, and another one takes its place. At the
/// end of the cluster, or of the program in whatever way (killed, too), all workers and waiting jobs are ended.
/// Owns: the workers, the folder.  Threading: any thread. One at a time in a process.
class Cluster {
 public:
  explicit Cluster(WorkerSpec spec, ClusterOptions options = {});
  /// Ends all workers: at most some seconds.
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// From now on there are to be so many workers. Those that are missing are started before it returns, but have not
  /// joined yet; those that are too many leave: idle ones first, and others take over what they hold. Throws Error
  /// where the first one cannot be started.
  void scale(std::size_t workers);
  /// From now on there are to be between `minimum` and `maximum` workers: more while tasks wait for one, fewer while
  /// some are idle. The last worker stays while results lie there.
  void adapt(std::size_t minimum, std::size_t maximum, AdaptOptions options = {});
  /// Waits until so many workers have joined. Throws TimeoutError, and Error as soon as too many have failed to come,
  /// with what they said.
  void wait(std::size_t workers, Seconds longest = Seconds(60));
  /// Returns how many workers have joined and how many are still to come.
  std::size_t here() const;
  std::size_t coming() const;

  /// What a client that runs on it is opened with: `Client client(cluster)`.
  operator Options() const;
  /// The file by which `weft worker` and further clients find it.
  std::string address_file() const;

  struct Parts;

 private:
  std::unique_ptr<Parts> parts_;
};

/// Worker processes on this machine: what each one crashes costs nobody else.
class LocalCluster : public Cluster {
 public:
  explicit LocalCluster(std::size_t workers, ClusterOptions options = {});
};

/// A worker on each of these hosts, reached by `ssh` without a password; a host named twice has two. The program must
/// lie under the same path there. `scale` and `adapt` use the hosts in turn.
class SshCluster : public Cluster {
 public:
  explicit SshCluster(std::vector<std::string> hosts, ClusterOptions options = {});
};

/// What a worker's batch job asks for.
struct JobOptions {
  /// slurm, pbs, lsf, sge, htcondor, oar: any that `weft submit` knows.
  std::string scheduler;
  std::uint32_t slots = 1;
  /// Of the job, as its system writes it ("16G"); empty: the system's default.
  std::string memory = {};
  /// Of the job.
  Quantity walltime = "1h";
  std::uint32_t gpus = 0;
  std::string queue = {};
  std::string account = {};
  /// What queues list; one word.
  std::string name = "weft-worker";
  ClusterOptions cluster = {};
};

/// Workers that are jobs of a batch system, one each. There are none until `scale` or `adapt`.
class JobCluster : public Cluster {
 public:
  explicit JobCluster(const JobOptions& options);
};

}  // namespace weft
