#pragma once

#include <weft/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

class Client;

/// What tasks of one name did to the memory of one process.
struct TracedMemory {
  std::string worker;
  /// Of the tasks, without their numbers.
  std::string name;
  std::uint64_t tasks = 0;
  double seconds = 0;
  /// The most that the process had while one of them ran; 0: none ran long enough to be seen.
  std::size_t highest_bytes = 0;
  /// By how much the process grew while tasks of this name alone ran there, in all.
  std::int64_t growth_bytes = 0;
};

struct MemoryTraceOptions {
  /// How often processes are looked at.
  Seconds interval{0.02};
  /// Looks at the workers' processes, too, not at the program's alone.
  bool workers = true;
};

/// Tells which tasks memory goes up with, in the program's process and in those of its workers, while it lives:
///
///     {
///       MemoryTrace trace(client, "memory.csv");          // or "memory.html"
///       client.compute(work);
///     }
///
/// It looks at what processes have from time to time, and at which tasks ran then. It does not see single allocations,
/// as a profiler that stands between a program and malloc does: tasks shorter than the interval show in `tasks` and
/// `seconds` alone, and growth while several kinds ran side by side is nobody's.
/// Owns: a ResourceProfile and a TaskStream.  Threading: any thread; one ends it.
class MemoryTrace {
 public:
  /// `path`: written at its end, unless empty; what goes wrong then is logged.
  explicit MemoryTrace(const Client& client, std::string path = {}, const MemoryTraceOptions& options = {});
  ~MemoryTrace();
  MemoryTrace(const MemoryTrace&) = delete;
  MemoryTrace& operator=(const MemoryTrace&) = delete;

  /// Returns what was seen so far, what has grown most first. A line with an empty name is a process as a whole.
  std::vector<TracedMemory> seen() const;
  /// Writes it: a line each, or a table that needs no other file where the path ends with ".html". Throws ConfigError
  /// where it cannot be written.
  void write(const std::string& path) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weft
