#pragma once

#include <cstdint>
#include <string>

namespace weft::command::farm {

/// What a task needs to run a child process.
struct ChildOrders {
  /// For /bin/sh.
  std::string command;
  /// Seconds to wait before.
  double delay = 0;
  /// Seconds after which it is ended; 0: never.
  double longest = 0;
  /// Files that take its output; empty: it comes back.
  std::string out_file, err_file;
  /// It may use all processors of this process, not only that of its slot.
  bool many_cores = false;
};

/// How a child process ended.
struct ChildEnd {
  /// As a shell tells it: 128 and the signal where one ended it.
  std::int64_t code = 0;
  std::int64_t signal = 0;
  /// It was stopped because the run ends, and is to be run again.
  bool stopped = false;
  /// Why it counts as failed where the code does not say it.
  std::string trouble;
  double seconds = 0;
  std::string host;
  std::string out, err;

  bool good() const { return code == 0 && trouble.empty() && !stopped; }
};

/// Runs a command in a shell and waits for it: the body of a task. When the task is cancelled the command and what it
/// started get SIGTERM, ten seconds later SIGKILL. Throws Error where no process can be started.
ChildEnd run_child(const ChildOrders& orders);

}  // namespace weft::command::farm
