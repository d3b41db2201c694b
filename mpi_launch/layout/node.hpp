#pragma once

#include "core/memory/limits.hpp"
#include "mpi_launch/control/messages.hpp"

#include <string>

namespace weft::launch {

/// Returns what this process sees of its node: cores, memory, GPUs, NUMA nodes, the folder for scratch files. Reads
/// files and asks hwloc where this build has it. `scratch`: the folder that was asked for, or "".
NodeFacts read_node(const std::string& scratch, const HostView& host = {});

/// Returns the processors in the order in which neighbours share the most (NUMA node, cache, core).
std::vector<int> near_order(std::vector<int> processors);

/// Returns the version of hwloc in this build, or "".
std::string hwloc_version_text();

}  // namespace weft::launch
