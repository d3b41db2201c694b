#pragma once

#include <weft/cluster.hpp>

#include <string>
#include <vector>

namespace weft::launch {

/// Returns how workers are started as processes of this machine, by `ssh`, and as batch jobs. The last two throw
/// ConfigError where the options make no sense.
WorkerSpec local_spec();
WorkerSpec ssh_spec(const std::vector<std::string>& hosts, const std::vector<std::string>& run_before);
WorkerSpec job_spec(const JobOptions& options);

/// Returns what the clusters of that kind are opened with.
ClusterOptions local_options(std::size_t workers, ClusterOptions options);
ClusterOptions ssh_options(const std::vector<std::string>& hosts, ClusterOptions options);
ClusterOptions job_options(const JobOptions& options);

}  // namespace weft::launch
