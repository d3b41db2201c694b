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

/// What somebody wants to know of workers.
struct LookOrder {
  bool running = false;
  bool log = false;
  /// Tasks that have run: each worker notes them from now on (On), or no more (Off).
  enum class Stream : std::uint8_t { None, On, Off };
  Stream stream = Stream::None;
  /// Those with a smaller number are known, by the workers' names.
  std::map<std::string, std::uint64_t> known = {};
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
