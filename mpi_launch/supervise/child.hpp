#pragma once

#include "mpi_launch/control/messages.hpp"
#include "mpi_launch/supervise/status_page.hpp"

#include <memory>
#include <optional>
#include <string>

namespace weft::launch {

/// The variable by which a fresh process learns that it is a worker: "<pid of the supervisor>,<descriptor>".
inline constexpr const char* kWorkerVariable = "WEFT_INTERNAL_WORKER";
/// Where a worker finds its orders and its status page; 0, 1, 2 are its standard streams.
inline constexpr int kOrdersDescriptor = 3;
inline constexpr int kStatusDescriptor = 4;

/// A worker process: started from the executable of the job, and dead when the thread that started it ends.
///
/// For: supervisors. Owns: the process (until reaped), the read ends of its output, its status page.
/// Threading: the thread that made it, which must live as long as the worker should.
class Child {
 public:
  /// Starts the process and gives it its orders. `executable`: empty for this program's own. Throws Error where no
  /// process can be started.
  explicit Child(const WorkerOrders& orders, const std::string& executable = {});
  /// Kills the process and what it left in its process group, and reaps it.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int pid() const { return pid_; }
  /// Becomes readable when the process ends; -1 on kernels before 5.3, where `reap` must be asked now and then.
  int ended_descriptor() const { return process_; }
  int output_descriptor(int stream) const { return stream == 1 ? output_ : errors_; }
  StatusPage& page() { return status_.page(); }

  /// Kills the worker and every process it started and that has not left its group.
  void kill(const std::string& why);
  /// Asks it to leave the job in peace.
  void ask_to_leave();
  /// Returns how the process ended, once it has; never waits.
  std::optional<Death> reap();

 private:
  void write_orders(int descriptor, const WorkerOrders& orders);

  StatusMapping status_;
  int pid_ = -1;
  int process_ = -1;
  int output_ = -1;
  int errors_ = -1;
  bool reaped_ = false;
  std::string killed_because_;
  std::string oom_source_;
  std::size_t oom_kills_ = 0;
};

/// Kills the process group of the last child that was started; for signal handlers.
void kill_last_child_group() noexcept;

/// Returns the environment of a worker: this process's without what launchers set for their own processes.
std::vector<std::string> worker_environment(char** variables);
/// Tells OpenMP and the usual BLAS libraries in a worker how many threads each of its slots may have, unless the user
/// has said so: else every slot would take all cores.
void share_library_threads(std::vector<std::string>& variables, const WorkerOrders& orders);

}  // namespace weft::launch
