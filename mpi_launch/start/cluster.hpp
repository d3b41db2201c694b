#pragma once

#include <weft/config.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace weft {
class ClusterRuntime;
}

namespace weft::launch {

/// Makes every client whose scheduler is `mpi` or `auto` run on the ranks of this job, where there are several; called
/// before `main` by what <weft/run.hpp> defines.
void install_cluster_maker();

/// Ends the workers and the other ranks, if this process has any; at most 2 s. Called when the process exits, and by
/// whoever leaves it in another way.
void end_cluster() noexcept;

/// Makes this process the scheduler of a job without workers, before a client is opened, and returns what clients will
/// run on. Throws Error where it has a job already. `close_cluster` ends it as `end_cluster` does; another one may
/// follow.
std::shared_ptr<ClusterRuntime> open_cluster(const Settings& settings,
                                             const std::map<std::string, std::uint32_t>& resources);
void close_cluster() noexcept;
/// Returns the workers that were started for it, by the labels they were given, as clients name them.
std::map<std::string, std::string> workers_by_label();

}  // namespace weft::launch
