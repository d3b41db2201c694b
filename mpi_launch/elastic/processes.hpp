#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace weft::launch {

/// Commands that this process has started and looks after, by their process numbers.
/// Owns: the processes; kills those that are left.  Threading: any thread.
class Processes {
 public:
  Processes() = default;
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// Starts it in a process group of its own, with `input` to read and what it writes in the file `log`. Throws Error.
  std::string start(const std::vector<std::string>& words, const std::string& input, const std::string& log);
  /// Returns "" while it runs, else "ended with exit code 255: ssh: connect to host ...".
  std::string ended(const std::string& id);
  void stop(const std::string& id);
  /// Returns the line for `sh` that kills it where it is still there in a second: by then it should have seen by itself
  /// that this process is gone.
  static std::string stop_line(const std::string& id);

 private:
  std::mutex mutex_;
  std::map<std::string, std::pair<int, std::string>> running_;  // guarded by mutex_; process and log, by id
};

/// Returns the end of a log, in one line, for who is told that something has failed; empty where it says nothing.
std::string last_words(const std::string& log);

/// Runs a line of `sh` and returns its exit code and all that it wrote.
std::pair<int, std::string> call_shell(const std::string& line);

/// A process that runs a line of `sh` when this one is gone, whatever ended it.
/// Owns: the process.  Threading: one thread at a time.
class Keeper {
 public:
  /// Throws Error where it cannot be started.
  Keeper();
  /// Lets it go without running anything.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// From now on this is what is run. `line` has no line break.
  void keep(const std::string& line);

 private:
  int channel_ = -1;
  int pid_ = -1;
};

}  // namespace weft::launch
