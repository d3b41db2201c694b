#pragma once

#include "mpi_launch/control/connection.hpp"
#include "mpi_launch/control/messages.hpp"
#include "mpi_launch/supervise/child.hpp"
#include "mpi_launch/supervise/output.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace weft::launch {

/// Starts the worker of one rank, watches it, tells rank 0 how it ends, and starts it again.
///
/// For: every rank, rank 0 included, and `weft worker`. Owns: the connection to rank 0 and the worker process.
/// Threading: one thread, which lives as long as the worker; nothing else in the process is touched.
///
/// What it does, in turns of `step`:
///  1. StartWorker: spawns the worker (`start`).
///  2. Passes lines of output on; looks at the worker's beat: a silent one is killed, and only then told as ended.
///  3. The worker ends (`ended`): tells rank 0, and starts it again after a while, unless it cannot start, has been
///     ended by its client, or dies at once again and again.
///  4. EndWorkers, or rank 0 is gone: first no more starts, then the worker's end is awaited, at last forced.
class Supervisor {
 public:
  enum class End { Told, LostRankZero };

  /// `launcher`: the process whose end ends the job too, 0: none.
  Supervisor(Connection connection, std::uint32_t rank, int launcher);
  ~Supervisor();

  /// Makes it one that has joined a job: it ends with its worker, and the first of the counted `signals` makes the
  /// worker leave in peace, the second at once.
  void join(const std::atomic<int>& signals) { signals_ = &signals; }
  /// Returns when rank 0 says so or is gone; then no worker is left.
  End run();
  /// Of one that has joined: why rank 0 does not want it, or how the worker ended if not in peace; else "".
  const std::string& complaint() const { return complaint_; }

 private:
  void step();
  void wait();
  void take_messages();
  void take(const ToSupervisor& message);
  void start();
  void look_at_child();
  void ended(Death death);
  void read_output(int stream);
  void finish_output();
  void look_at_beat();
  void end_child();
  void look_at_signals();
  void say(const ToHub& message);
  std::string prefix() const;

  Connection connection_;
  std::uint32_t rank_;  // of one that joins: its place, once it is known
  const int launcher_;
  bool connected_ = true;
  double last_said_s_ = 0;
  double last_heard_s_ = 0;

  StartWorker plan_;
  bool wanted_ = false;
  std::uint32_t generation_ = 0;
  std::unique_ptr<Child> child_;
  std::unique_ptr<OutputLines> lines_[2];
  /// Streams that the worker has closed, or that are not there.
  bool closed_[2] = {true, true};
  OutputFile file_;
  std::string kept_output_;
  double started_s_ = 0;
  /// When to start again, or 0.
  double start_again_s_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint32_t quick_deaths_ = 0;

  std::optional<EndWorkers> ending_;
  double end_by_s_ = 0;
  bool left_ = false;

  // Of one that has joined.
  const std::atomic<int>* signals_ = nullptr;
  int signals_seen_ = 0;
  std::string complaint_;
};

}  // namespace weft::launch
