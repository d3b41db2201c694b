#pragma once

#include <weft/client_info.hpp>
#include <weft/config.hpp>
#include <weft/ids.hpp>
#include <weft/ledger.hpp>
#include <weft/memory.hpp>
#include <weft/task_options.hpp>
#include <weft/timeout.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

namespace detail {
class FarClient;
struct GraphParts;
}  // namespace detail

struct LookOrder;
struct WorkerLook;

/// What a client runs on: machines and an executor in this process, or a cluster of processes.
///
/// For: client code, which knows nothing else. Owns: its serial number, while it is open.
/// Threading: any thread, but for opening and destroying.
class Runtime {
 public:
  /// For help_until: waits for one of many things, or has an end of its own.
  static constexpr TaskId kOnlyLook = kNone - 2;

  virtual ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Returns the runtime of a client that is still open, or null.
  static Runtime* find(std::uint32_t serial) noexcept;
  std::uint32_t serial() const { return serial_; }
  virtual const Settings& settings() const = 0;

  /// Launches one described task whose guard still stands. Throws if no worker could ever run it.
  virtual void launch(TaskId task, const TaskOptions* options) = 0;
  /// Launches described tasks; `tasks` is in an order in which producers come before consumers.
  virtual void launch(const std::vector<TaskId>& tasks, const TaskOptions* options) = 0;
  /// Launches all that a described task needs and that has not been launched, itself included.
  void launch_needed(TaskId task, const TaskOptions* options);
  /// Runs a graph and returns when all of its tasks have ended. Throws what the first failed task threw.
  virtual void run(detail::GraphParts& graph) = 0;
  /// Waits until the task has ended, and its value, if it has one, lies in this process.
  virtual void wait(TaskId task) = 0;
  /// Asks that the task does not start; one that runs is told through this_task::cancelled().
  virtual void cancel(TaskId task) = 0;
  /// Ends everything: tasks not begun end as cancelled. Returns whether an enforced budget a task was kept.
  virtual bool close() = 0;
  virtual bool closing() const = 0;

  /// Makes progress on the calling thread, or sleeps, until `done()` holds. `task`: whose end decides, or
  /// kOnlyLook: where others run tasks it runs none, which might outlast it or wait for what the caller does next,
  /// or kNone: then whoever makes `done` true must call `wake_waiters`. May return early while the runtime closes.
  template <class Done>
  void help_until(TaskId task, const Done& done) {
    if (!done())
      help(
          task, [](const void* call) { return (*static_cast<const Done*>(call))(); }, &done);
  }
  virtual void wake_waiters() noexcept = 0;

  struct Counts {
    std::uint64_t tasks_done = 0;
    std::uint64_t tasks_total = 0;
    std::uint64_t tasks_failed = 0;
  };
  virtual Counts counts() = 0;
  virtual std::uint32_t slots() const = 0;
  virtual LedgerReport ledger() = 0;
  virtual void reset_ledger() = 0;
  virtual MemoryReport memory_report() const = 0;
  /// Returns the processes that run tasks; without an override, this one.
  virtual std::vector<WorkerInfo> worker_infos();
  /// Looks at the workers. One that does not answer soon is left out. Throws Error where they cannot be looked at.
  virtual std::vector<WorkerLook> look(const LookOrder& order);
  /// The program has to end in so long: from now on no task is started that is expected to take longer.
  virtual void set_time_left(double) {}
  /// Returns a sentence about the tasks that would not end in time, while somebody waits, nothing runs, and nothing
  /// else is left that could; else "". Asked from time to time by whoever has set the time.
  virtual std::string out_of_time() { return ""; }
  /// Returns whether no other process can ever run tasks of it.
  virtual bool alone() const { return true; }
  /// Returns the names of the workers that hold the task's result.
  virtual std::vector<std::string> who_has(TaskId task);
  /// Has results that are there copied until so many workers hold each, or all do. In one process they do.
  virtual void replicate(const std::vector<TaskId>& tasks, std::size_t copies);
  /// Lets a worker go, named as people do. Throws Error where there is none of that name, or where it is this process.
  virtual void retire(std::string_view name);
  /// Ends the processes of workers and waits until they are back. Throws Error for a name that no worker has, or where
  /// the worker is this process; TimeoutError.
  virtual void restart_workers(const std::vector<std::string>& names, Seconds longest);
  /// Has every worker that joins from now on call a plugin's setup before its first task; the description is that of
  /// plugins.hpp. In one process nobody joins. Throws Error where the client's process is another one.
  virtual void add_plugin(const std::string& name, const std::string& description);
  virtual void remove_plugin(const std::string& name) noexcept;
  /// Returns what the records of tasks may take. Constant once the runtime is open.
  std::uint64_t graph_limit() const { return graph_limit_; }
  /// Waits until the task has ended; its value stays where it is.
  virtual void wait_there(TaskId task) { wait(task); }
  /// Has the results of ended tasks moved until all workers hold about the same. Where there is one worker there is
  /// nothing to do.
  virtual void rebalance(const std::vector<TaskId>&) {}
  /// Returns what reaches the named objects of a client whose process is another one; null where they live here.
  virtual detail::FarClient* far_client() noexcept { return nullptr; }
  /// Returns whether the calling thread runs a task of this runtime now.
  virtual bool runs_this_thread() const { return false; }

 protected:
  using DoneFunction = bool (*)(const void*);

  Runtime() = default;
  /// Gives this runtime a fresh serial number under which `find` knows it. Throws if too many clients are open.
  void open();
  void set_graph_limit(std::uint64_t bytes) { graph_limit_ = bytes; }
  /// From now on `find` does not know it.
  void unlist() noexcept;
  virtual void help(TaskId task, DoneFunction done, const void* argument) = 0;

 private:
  std::uint32_t serial_ = 0;
  std::uint64_t graph_limit_ = ~std::uint64_t{0};
};

/// Makes what a client runs on. Whoever starts processes sets it, so that a client finds the cluster that is there.
using RuntimeMaker =
    std::function<std::shared_ptr<Runtime>(const Settings& settings, const std::map<std::string, std::uint32_t>&)>;
/// Sets the maker for clients whose scheduler is "mpi" or "auto"; an empty one is none. It may return null: then the
/// client runs on this process alone. Call it while no client is being opened.
void set_runtime_maker(RuntimeMaker maker);
/// Returns the runtime for a new client: the maker's, else one of this process.
std::shared_ptr<Runtime> make_runtime(Settings settings, std::map<std::string, std::uint32_t> resources);

}  // namespace weft
