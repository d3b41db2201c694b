#include "core/memory/limits.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace weft {

namespace {

std::optional<std::string> file_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// Reads the number a text begins with, after blanks; nothing for "max" and for what is no number.
std::optional<std::size_t> number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// Reads the number behind a word at the begin of a line, as in "oom_kill 3" and "VmRSS:  12 kB".
std::optional<std::size_t> number_of_line(const std::string& text, std::string_view word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view view = line;
    if (view.starts_with(word) && view.size() > word.size() &&
        (view[word.size()] == ' ' || view[word.size()] == '\t')) {
      return number(view.substr(word.size()));
    }
  }
  return std::nullopt;
}

/// Tells whether one of the words between commas is `word`.
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// A folder of the cgroup tree in which this process is, and how far up one may look.
struct CgroupPlace {
  std::string mount;
  std::string below;

  /// Returns the folders from the process's own up to the mount.
  std::vector<std::string> folders() const {
    std::vector<std::string> result;
    std::string rest = below;
    while (!rest.empty() && rest != "/") {
      result.push_back(mount + rest);
      rest.erase(rest.rfind('/'));
    }
    result.push_back(mount);
    return result;
  }
};

struct Mount {
  std::string root;
  std::string point;
};

/// Finds where a controller of version 1, or (controller empty) the tree of version 2, is mounted.
std::optional<Mount> find_mount(const HostView& host, std::string_view controller) {
  std::ifstream mounts(host.root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skip;
    Mount mount;
    words >> skip >> skip >> skip >> mount.root >> mount.point;
    while (words >> skip && skip != "-") {
    }
    std::string type;
    std::string options;
    words >> type >> skip >> options;
    const bool found = controller.empty() ? type == "cgroup2" : type == "cgroup" && has_word(options, controller);
    if (found) return mount;
  }
  return std::nullopt;
}

/// Finds the cgroup of this process. In a container the tree is mounted at the container's own folder, and the path in
/// /proc/self/cgroup may be the host's: what is not below the mounted root is looked up at the mount itself.
std::optional<CgroupPlace> find_cgroup(const HostView& host, std::string_view controller) {
  const std::optional<Mount> mount = find_mount(host, controller);
  if (!mount) return std::nullopt;
  CgroupPlace place{mount->point, ""};
  std::ifstream groups(host.root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    if (controller.empty() ? !names.empty() : !has_word(names, controller)) continue;
    std::string path = line.substr(second + 1);
    if (mount->root != "/") {
      if (path.compare(0, mount->root.size(), mount->root) != 0) return place;
      path.erase(0, mount->root.size());
    }
    if (path.find("/..") == std::string::npos) place.below = path;
    break;
  }
  return place;
}

void add_memory_cgroups(const HostView& host, std::size_t machine, std::vector<FoundLimit>& found) {
  struct Version {
    const char* controller;
    const char* file;
    const char* label;
  };
  for (const Version& version :
       {Version{"", "memory.max", "cgroup v2 "}, Version{"memory", "memory.limit_in_bytes", "cgroup v1 "}}) {
    const std::optional<CgroupPlace> place = find_cgroup(host, version.controller);
    if (!place) continue;
    for (const std::string& folder : place->folders()) {
      const std::string path = folder + "/" + version.file;
      const std::optional<std::string> text = file_text(host.root + path);
      const std::optional<std::size_t> bytes = text ? number(*text) : std::nullopt;
      // Version 1 says "no limit" by a number larger than any machine.
      if (bytes && (machine == 0 || *bytes < machine)) found.push_back({*bytes, version.label + path});
    }
  }
}

void add_core_cgroups(const HostView& host, std::vector<FoundLimit>& found) {
  const auto add = [&found](std::optional<std::size_t> quota, std::optional<std::size_t> period, std::string source) {
    if (!quota || !period || *quota == 0 || *period == 0) return;
    found.push_back({std::max<std::size_t>(1, *quota / *period), std::move(source)});
  };
  if (const std::optional<CgroupPlace> place = find_cgroup(host, "")) {
    for (const std::string& folder : place->folders()) {
      const std::string path = folder + "/cpu.max";
      const std::optional<std::string> text = file_text(host.root + path);
      if (!text) continue;
      const std::size_t blank = text->find(' ');
      if (blank != std::string::npos) add(number(*text), number(text->substr(blank)), "cgroup v2 " + path);
    }
  }
  if (const std::optional<CgroupPlace> place = find_cgroup(host, "cpu")) {
    for (const std::string& folder : place->folders()) {
      const std::optional<std::string> quota = file_text(host.root + folder + "/cpu.cfs_quota_us");
      const std::optional<std::string> period = file_text(host.root + folder + "/cpu.cfs_period_us");
      if (quota && period) add(number(*quota), number(*period), "cgroup v1 " + folder + "/cpu.cfs_quota_us");
    }
  }
}

std::size_t machine_bytes(const HostView& host) {
  const std::optional<std::string> text = file_text(host.root + "/proc/meminfo");
  const std::optional<std::size_t> kib = text ? number_of_line(*text, "MemTotal:") : std::nullopt;
  return kib ? *kib * 1024 : 0;
}

/// SLURM counts in MiB; 0 stands for all of the node, and the machine's total says that already.
void add_slurm_memory(const HostView& host, std::vector<FoundLimit>& found) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  if (const auto node = number(host.variable("SLURM_MEM_PER_NODE")); node && *node != 0) {
    found.push_back({*node * kMiB, "SLURM_MEM_PER_NODE"});
  }
  const auto per_cpu = number(host.variable("SLURM_MEM_PER_CPU"));
  if (!per_cpu || *per_cpu == 0) return;
  for (const char* name : {"SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE", "SLURM_CPUS_PER_TASK"}) {
    if (const auto cpus = number(host.variable(name)); cpus && *cpus != 0) {
      found.push_back({*per_cpu * *cpus * kMiB, std::string("SLURM_MEM_PER_CPU x ") + name});
      return;
    }
  }
}

void add_address_space(const HostView& host, std::vector<FoundLimit>& found) {
  std::optional<std::size_t> bytes = host.address_space_bytes;
  if (!bytes && host.root.empty()) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) bytes = limit.rlim_cur;
  }
  if (bytes) found.push_back({*bytes, "RLIMIT_AS (ulimit -v)"});
}

std::size_t affinity_cores(const HostView& host) {
  if (host.affinity_cores) return *host.affinity_cores;
  // The kernel refuses a mask smaller than its own; machines beyond 1,024 cores need several tries.
  for (int cpus = 1024; cpus <= (1 << 20); cpus *= 2) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    const bool fits = ::sched_getaffinity(0, bytes, set) == 0;
    const int count = fits ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return static_cast<std::size_t>(count);
  }
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<std::size_t>(online) : 1;
}

const FoundLimit* least(const std::vector<FoundLimit>& found) {
  const auto at = std::min_element(found.begin(), found.end(),
                                   [](const FoundLimit& a, const FoundLimit& b) { return a.value < b.value; });
  return at == found.end() ? nullptr : &*at;
}

}  // namespace

std::string HostView::variable(const std::string& name) const {
  if (environment) {
    const auto at = environment->find(name);
    return at == environment->end() ? std::string() : at->second;
  }
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

MemoryLimits read_limits(const HostView& host) {
  MemoryLimits limits;
  const std::size_t machine = machine_bytes(host);
  if (machine != 0) limits.memory.push_back({machine, "MemTotal of /proc/meminfo"});
  add_memory_cgroups(host, machine, limits.memory);
  add_slurm_memory(host, limits.memory);
  add_address_space(host, limits.memory);
  if (const FoundLimit* const memory = least(limits.memory)) {
    limits.bytes = memory->value;
    limits.bytes_source = memory->source;
  }
  limits.cores.push_back({std::max<std::size_t>(1, affinity_cores(host)), "affinity of the process"});
  add_core_cgroups(host, limits.cores);
  if (const auto slurm = number(host.variable("SLURM_CPUS_PER_TASK")); slurm && *slurm != 0) {
    limits.cores.push_back({*slurm, "SLURM_CPUS_PER_TASK"});
  }
  const FoundLimit* const cores = least(limits.cores);
  limits.usable_cores = cores->value;
  limits.cores_source = cores->source;
  return limits;
}

MemoryLimits memory_limits() { return read_limits({}); }

ResidentMemory read_resident(const HostView& host) {
  ResidentMemory memory;
  const std::optional<std::string> text = file_text(host.root + "/proc/self/status");
  if (!text) return memory;
  memory.resident_bytes = number_of_line(*text, "VmRSS:").value_or(0) * 1024;
  memory.peak_bytes = number_of_line(*text, "VmHWM:").value_or(0) * 1024;
  return memory;
}

std::size_t read_resident_bytes(const HostView& host) {
  const std::optional<std::string> text = file_text(host.root + "/proc/self/statm");
  if (!text) return 0;
  const std::size_t blank = text->find(' ');
  const std::size_t pages = blank == std::string::npos ? 0 : number(text->substr(blank)).value_or(0);
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<OomCount> read_oom_count(const HostView& host) {
  struct Version {
    const char* controller;
    const char* file;
  };
  for (const Version& version : {Version{"", "memory.events"}, Version{"memory", "memory.oom_control"}}) {
    const std::optional<CgroupPlace> place = find_cgroup(host, version.controller);
    if (!place) continue;
    const std::string path = place->folders().front() + "/" + version.file;
    const std::optional<std::string> text = file_text(host.root + path);
    const std::optional<std::size_t> kills = text ? number_of_line(*text, "oom_kill") : std::nullopt;
    if (kills) return OomCount{*kills, path};
  }
  return std::nullopt;
}

std::optional<MemoryRoom> read_memory_room(const HostView& host) {
  std::optional<MemoryRoom> least;
  const auto add = [&](std::size_t limit, std::size_t used, const std::string& source) {
    const std::size_t left = limit > used ? limit - used : 0;
    if (!least || left < least->left_bytes) least = MemoryRoom{left, limit, source};
  };
  std::size_t machine = 0;
  if (const auto text = file_text(host.root + "/proc/meminfo")) {
    const std::size_t total = number_of_line(*text, "MemTotal:").value_or(0) * 1024;
    const std::optional<std::size_t> available = number_of_line(*text, "MemAvailable:");
    if (available && *available * 1024 <= total) add(total, total - *available * 1024, "MemTotal of /proc/meminfo");
    machine = total;
  }
  std::vector<FoundLimit> limits;
  add_memory_cgroups(host, machine, limits);
  for (const FoundLimit& limit : limits) {
    const std::string path = limit.source.substr(limit.source.find('/'));
    const auto text = file_text(host.root + path.substr(0, path.rfind('/')) + "/memory.stat");
    if (!text) continue;
    const bool second = limit.source.starts_with("cgroup v2");
    const std::size_t own = number_of_line(*text, second ? "anon" : "total_rss").value_or(0);
    const std::size_t shared = number_of_line(*text, second ? "shmem" : "total_shmem").value_or(0);
    add(limit.value, own + shared, limit.source);
  }
  return least;
}

}  // namespace weft
