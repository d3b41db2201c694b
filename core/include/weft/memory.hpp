#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weft {

/// One bound that was found, and where: "cgroup v2 /sys/fs/cgroup/job/memory.max", "SLURM_MEM_PER_NODE".
struct FoundLimit {
  std::size_t value = 0;
  std::string source;
};

/// What this process may use of its machine.
struct MemoryLimits {
  /// The least of `memory`, in bytes, and which one it was.
  std::size_t bytes = 0;
  std::string bytes_source;
  /// The least of `cores`, never 0, and which one it was.
  std::size_t usable_cores = 1;
  std::string cores_source;
  /// Every bound that was looked at and set, in the order of looking.
  std::vector<FoundLimit> memory;
  std::vector<FoundLimit> cores;
};

/// Returns what cgroups, the batch system, affinity and the machine leave to this process. Reads files: some 100 us.
MemoryLimits memory_limits();

/// Where the bytes of a client's results are, at one moment.
struct MemoryReport {
  /// What results may hold in memory before they are spilled or held back.
  std::size_t budget_bytes = 0;
  /// Charged to the budget now: reserved for tasks, held as results, and seen outside weft's pools.
  std::size_t used_bytes = 0;
  std::size_t peak_bytes = 0;
  /// Part of `used_bytes`: resident memory that is in no pool of weft's.
  std::size_t unmanaged_bytes = 0;
  /// Results in memory that may be spilled, and that may not (their type cannot travel, or they are tiny).
  std::size_t held_bytes = 0;
  std::size_t not_spillable_bytes = 0;
  /// Free blocks that the pool keeps for reuse; given back before anything is spilled.
  std::size_t cached_bytes = 0;
  /// Resident memory of the process, and its high-water mark (VmHWM).
  std::size_t resident_bytes = 0;
  std::size_t peak_resident_bytes = 0;

  /// On disk now; written and read since the start.
  std::size_t spilled_bytes = 0;
  std::size_t spill_written_bytes = 0;
  std::size_t spill_read_bytes = 0;
  std::size_t spilled_objects = 0;
  /// Bytes a second while writing and reading; 0 before the first.
  double spill_write_rate = 0;
  double spill_read_rate = 0;
  /// Folder and file system that spill goes to; empty, with the reason, where there is none.
  std::string spill_directory;
  std::string spill_file_system;
  std::string spill_note;
};

}  // namespace weft
