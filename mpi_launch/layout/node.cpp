#include "mpi_launch/layout/node.hpp"

#include "comm/fabric.hpp"
#include "core/memory/spill_directory.hpp"

#include <weft/error.hpp>

#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <thread>

#if WEFT_HAS_HWLOC
#include <hwloc.h>
#endif

namespace weft::launch {

namespace {

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string_view text(name);
  return std::string(text.substr(0, text.find('.')));
}

std::vector<int> allowed_processors() {
  std::vector<int> processors;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

/// Counts /dev/nvidia0, /dev/nvidia1, ...: no library and no program of a driver is needed for that.
std::uint32_t device_files(const HostView& host) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir((host.root + "/dev").c_str()), &::closedir);
  std::uint32_t count = 0;
  while (folder != nullptr) {
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (!name.starts_with("nvidia") || name.size() == 6) continue;
    if (std::all_of(name.begin() + 6, name.end(), [](unsigned char letter) { return std::isdigit(letter); })) ++count;
  }
  return count;
}

void read_gpus(NodeFacts& facts, const HostView& host) {
  facts.gpus = device_files(host);
  facts.gpus_source = "/dev/nvidia*";
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "SLURM_GPUS_ON_NODE"}) {
    const std::string text = host.variable(name);
    if (text.empty() || facts.gpus == 0) continue;
    const bool list = std::string_view(name) == "CUDA_VISIBLE_DEVICES";
    const auto named = list ? static_cast<std::uint32_t>(std::count(text.begin(), text.end(), ',') + 1)
                            : static_cast<std::uint32_t>(std::atoi(text.c_str()));
    if (named < facts.gpus) {
      facts.gpus = named;
      facts.gpus_source = name;
    }
  }
}

void read_scratch(NodeFacts& facts, const std::string& wanted, const HostView& host) {
  try {
    const SpillDirectory folder = choose_spill_directory(wanted, false, host);
    facts.scratch = folder.path;
    // One rank of a node is enough to measure its disk, and all at once would measure each other.
    bool first = true;
    for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"}) {
      const std::string place = host.variable(name);
      first = first && (place.empty() || place == "0");
    }
    facts.scratch_note = folder.usable() ? spill_directory_text(folder, first) : folder.note;
    if (folder.usable() && folder.kind.shared) facts.scratch_note += "; " + folder.note;
  } catch (const Error& error) {
    facts.scratch_problem = error.what();
  }
}

#if WEFT_HAS_HWLOC
/// Owns a loaded topology. Threading: one thread.
class Topology {
 public:
  Topology() {
    if (::hwloc_topology_init(&topology_) != 0) return;
    loaded_ = ::hwloc_topology_load(topology_) == 0;
  }
  ~Topology() {
    if (topology_ != nullptr) ::hwloc_topology_destroy(topology_);
  }
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  std::uint32_t numa_nodes() const {
    const int count = loaded_ ? ::hwloc_get_nbobjs_by_type(topology_, HWLOC_OBJ_NUMANODE) : 1;
    return count > 0 ? static_cast<std::uint32_t>(count) : 1;
  }
  /// hwloc numbers processing units by nearness.
  std::vector<int> processors() const {
    std::vector<int> result;
    const int count = loaded_ ? ::hwloc_get_nbobjs_by_type(topology_, HWLOC_OBJ_PU) : 0;
    for (int i = 0; i < count; ++i) {
      const hwloc_obj_t unit = ::hwloc_get_obj_by_type(topology_, HWLOC_OBJ_PU, static_cast<unsigned>(i));
      if (unit != nullptr) result.push_back(static_cast<int>(unit->os_index));
    }
    return result;
  }

 private:
  hwloc_topology_t topology_ = nullptr;
  bool loaded_ = false;
};
#endif

}  // namespace

#if WEFT_HAS_HWLOC
std::vector<int> near_order(std::vector<int> processors) {
  const std::vector<int> order = Topology().processors();
  const auto place = [&order](int processor) {
    return std::find(order.begin(), order.end(), processor) - order.begin();
  };
  std::stable_sort(processors.begin(), processors.end(), [&](int a, int b) { return place(a) < place(b); });
  return processors;
}

std::string hwloc_version_text() {
  const unsigned version = ::hwloc_get_api_version();
  return std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) + "." + std::to_string(version & 255);
}
#else
std::vector<int> near_order(std::vector<int> processors) { return processors; }
std::string hwloc_version_text() { return ""; }
#endif

NodeFacts read_node(const std::string& scratch, const HostView& host) {
  NodeFacts facts;
  facts.host = host_name();
  const MemoryLimits limits = read_limits(host);
  facts.cores = static_cast<std::uint32_t>(limits.usable_cores);
  facts.cores_source = limits.cores_source;
  facts.memory_bytes = limits.bytes;
  facts.memory_source = limits.bytes_source;
  facts.processors = allowed_processors();
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  const std::size_t allowed = host.affinity_cores.value_or(facts.processors.size());
  if (online > 0 && static_cast<std::size_t>(online) > allowed) {
    facts.hidden_cores = static_cast<std::uint32_t>(static_cast<std::size_t>(online) - allowed);
  }
#if WEFT_HAS_HWLOC
  facts.numa_nodes = Topology().numa_nodes();
  facts.numa_source = "hwloc " + hwloc_version_text();
#else
  facts.numa_source = "this build has no hwloc";
#endif
  read_gpus(facts, host);
  read_scratch(facts, scratch, host);
  facts.fast_networks = comm::fast_networks(host.root);
  if (!facts.fast_networks.empty()) {
    const std::string tls = host.variable("UCX_TLS");
    facts.fast_network_problem = comm::why_no_fabric(tls.empty() ? nullptr : tls.c_str());
  }
  return facts;
}

}  // namespace weft::launch
