#pragma once

#include <weft/ids.hpp>
#include <weft/memory.hpp>
#include <weft/watch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

class Executor;

/// Which of a worker's tasks are known: those with a smaller number, of one process. Where another one has come in its
/// place, numbers begin anew.
struct KnownTasks {
  std::uint32_t process = 0;
  std::uint64_t next = 0;

  std::uint64_t next_of(std::uint32_t its_process) const { return process == its_process ? next : 0; }
};

/// What somebody wants to know of workers.
struct LookOrder {
  bool running = false;
  /// What each worker was dealt is compared with what it knows of; what it does not know is dealt again.
  bool compare = false;
  bool log = false;
  /// Tasks that have run: each worker notes them from now on (On), or no more (Off).
  enum class Stream : std::uint8_t { None, On, Off };
  Stream stream = Stream::None;
  /// By the workers' names.
  std::map<std::string, KnownTasks> known = {};

  /// Returns the number of the first task that is not known of a worker.
  std::uint64_t first_unknown(const std::string& worker, std::uint32_t process) const {
    const auto found = known.find(worker);
    return found == known.end() ? 0 : found->second.next_of(process);
  }
};

/// Tasks of one kind that a worker does not start, because they would not end before the program has to.
struct HeldTasks {
  std::string name;  // of the first one
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t tasks = 0;
  double expected_seconds = 0;
};

/// What a worker tells of itself when it is looked at.
struct WorkerLook {
  std::string worker;
  /// Tells the processes apart that had this name, one after the other; whoever asked knows it.
  std::uint32_t process = 0;
  /// Of its process: time of processors since it began, and memory.
  double processor_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t spilled_bytes = 0;
  std::uint64_t tasks_done = 0;
  /// Of values that came from other processes.
  std::uint64_t fetched_bytes = 0;
  std::vector<RunningTask> running = {};
  std::vector<HeldTasks> held = {};  // told with those that run
  /// Of packets that were dealt to it and that it did not know of.
  std::uint32_t dealt_again = 0;
  /// Numbered from `first_ran` on; those before that were asked for and not kept are left out.
  std::vector<RanTask> ran = {};
  std::uint64_t first_ran = 0;
  std::uint64_t next_ran = 0;
  std::vector<std::string> log = {};
};

/// Looks at the worker of this process. `known`: what the order says of it.
WorkerLook look_here(const std::string& worker, Executor& executor, const MemoryReport& memory,
                     std::uint64_t tasks_done, const LookOrder& order, std::uint64_t known);

/// Returns the kinds of tasks that this process holds.
std::vector<HeldTasks> held_here(const Executor& executor);
/// Returns a sentence about what is held, kinds of the same line counted together: "4 tasks would not end in time:
/// ...".
std::string held_text(const std::vector<HeldTasks>& held);

/// Notes in the client that a task has failed for good, if it did by itself and was not cancelled.
void note_failure(std::uint32_t client, TaskId task) noexcept;

/// Returns what this process's threads have used of processors.
double processor_seconds();

}  // namespace weft
