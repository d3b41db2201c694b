#pragma once

#include <weft/memory.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace weft {

/// Where limits are read from: the machine, or a folder and variables that a test made up.
struct HostView {
  /// Stands before /proc and /sys.
  std::string root;
  /// Replaces the environment.
  std::optional<std::map<std::string, std::string>> environment;
  /// Replaces the affinity mask and the resource limits of the process.
  std::optional<std::size_t> affinity_cores;
  std::optional<std::size_t> address_space_bytes;

  /// Returns the variable, or "" where it is not set.
  std::string variable(const std::string& name) const;
};

/// Reads every bound on memory and cores. The memory bounds are of the machine, of the cgroup and its ancestors (v1 and
/// v2), of SLURM, and of `ulimit -v`; they hold for all processes in that cgroup or job on the node, so whoever starts
/// several of them divides. A quota of cores is rounded down, because a throttled spinner is worse than an idle share.
MemoryLimits read_limits(const HostView& host);

/// Resident memory of this process.
struct ResidentMemory {
  std::size_t resident_bytes = 0;
  /// The highest it has been (VmHWM).
  std::size_t peak_bytes = 0;
};
ResidentMemory read_resident(const HostView& host = {});

/// Returns resident bytes only: one small file, for sampling.
std::size_t read_resident_bytes(const HostView& host = {});

/// How often the kernel killed a process of this cgroup for memory.
struct OomCount {
  std::size_t kills = 0;
  std::string source;
};
/// Returns nothing where no cgroup counts.
std::optional<OomCount> read_oom_count(const HostView& host = {});

/// What is left before the system kills a process for memory.
struct MemoryRoom {
  std::size_t left_bytes = 0;
  std::size_t limit_bytes = 0;
  /// Which limit it is.
  std::string source;
};
/// Returns the least room below the limits of the cgroups and the machine. What files take in their caches counts as
/// left, because the system takes it back.
std::optional<MemoryRoom> read_memory_room(const HostView& host = {});

}  // namespace weft
