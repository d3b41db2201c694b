#include "mpi_launch/elastic/specs.hpp"

#include "core/config/values.hpp"
#include "mpi_launch/batch/job_commands.hpp"
#include "mpi_launch/elastic/processes.hpp"
#include "mpi_launch/layout/node.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace weft::launch {

namespace {

/// What both kinds of processes have in common.
WorkerSpec process_spec(const std::shared_ptr<Processes>& processes) {  // shared by the functions
  WorkerSpec spec;
  spec.reads_input = true;
  spec.look = Seconds(0.05);
  spec.ended = [processes](const std::string& id) { return processes->ended(id); };
  spec.stop = [processes](const std::string& id) { processes->stop(id); };
  spec.stop_line = &Processes::stop_line;
  return spec;
}

std::string log_of(const WorkerOrder& order) {
  return order.folder + "/worker-" + std::to_string(order.number) + ".log";
}

std::string here() {
  std::error_code gone;
  return std::filesystem::current_path(gone).string();
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// Each host as often as it is named; of those with the fewest workers the one that failed least.
struct Hosts {
  struct Host {
    std::string name;
    std::uint32_t workers = 0;
    std::uint32_t started = 0;
  };
  std::vector<Host> all;
  std::map<std::string, std::size_t> by_id;

  std::size_t next() const {
    const auto less = [](const Host& a, const Host& b) {
      return a.workers != b.workers ? a.workers < b.workers : a.started < b.started;
    };
    return static_cast<std::size_t>(std::min_element(all.begin(), all.end(), less) - all.begin());
  }
  void gone(const std::string& id) {
    const auto found = by_id.find(id);
    if (found == by_id.end()) return;
    --all[found->second].workers;
    by_id.erase(found);
  }
};

bool is_this_machine(const std::string& host) { return host == "localhost" || host == "127.0.0.1" || host == "::1"; }

}  // namespace

WorkerSpec local_spec() {
  const auto processes = std::make_shared<Processes>();  // shared by the functions
  WorkerSpec spec = process_spec(processes);
  spec.start = [processes](const WorkerOrder& order) {
    return processes->start(order.words, order.input, log_of(order));
  };
  return spec;
}

WorkerSpec ssh_spec(const std::vector<std::string>& names, const std::vector<std::string>& run_before) {
  if (names.empty()) throw ConfigError("SshCluster: it needs at least one host");
  const auto hosts = std::make_shared<Hosts>();  // shared by the functions
  for (const std::string& name : names) {
    if (name.empty() || name[0] == '-' || name.find_first_of(" \n\t") != std::string::npos)
      throw ConfigError("SshCluster: \"" + name + "\" is no name of a host");
    hosts->all.push_back({name});
  }
  const auto processes = std::make_shared<Processes>();
  WorkerSpec spec = process_spec(processes);
  spec.name = [hosts](const WorkerOrder&) { return "the worker on " + hosts->all[hosts->next()].name; };
  spec.start = [hosts, processes, before = joined(run_before)](const WorkerOrder& order) {
    const std::size_t at = hosts->next();
    // The shell of the user there may be any: it is told one word.
    const std::string lines = "cd " + shell_word(here()) + " 2>/dev/null\n" + before + "exec " + order.line;
    const std::string id =
        processes->start({"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "--",
                          hosts->all[at].name, "exec sh -c " + shell_word(lines)},
                         order.input, log_of(order));
    ++hosts->all[at].workers;
    ++hosts->all[at].started;
    hosts->by_id[id] = at;
    return id;
  };
  spec.ended = [hosts, processes](const std::string& id) {
    const std::string how = processes->ended(id);
    if (!how.empty()) hosts->gone(id);
    return how;
  };
  return spec;
}

WorkerSpec job_spec(const JobOptions& options) {
  const BatchSystem system = batch_system(options.scheduler);
  BatchJob job;
  job.name = options.name;
  job.cores_per_rank = options.slots;
  job.gpus_per_node = options.gpus;
  job.memory_per_node = options.memory;
  job.queue = options.queue;
  job.account = options.account;
  job.walltime_s = static_cast<std::uint64_t>(parse_duration(options.walltime.text()));
  job.plain = true;
  job.prologue = options.cluster.run_before;
  job.prologue.insert(job.prologue.begin(), "cd " + shell_word(here()));
  job.command = {"true"};
  static_cast<void>(batch_script(system, job));  // complains at once
  WorkerSpec spec;
  const auto folder = std::make_shared<std::string>();  // shared by the functions
  spec.look = Seconds(2);
  spec.start = [=](const WorkerOrder& order) {
    BatchJob mine = job;
    mine.command = order.words;
    *folder = order.folder;
    const std::string file = "worker-" + std::to_string(order.number) + ".sh";
    std::ofstream(order.folder + "/" + file) << batch_script(system, mine);
    std::filesystem::permissions(order.folder + "/" + file, std::filesystem::perms::owner_all);
    std::string line = "cd " + shell_word(order.folder) + " &&";
    for (const std::string& word : submit_command(system, file)) line += " " + shell_word(word);
    const auto [code, said] = call_shell(line);
    const std::string id = job_number(system, said);
    if (code == 0 && !id.empty()) return id;
    throw Error("no worker's job could be handed in (exit code " + std::to_string(code) + "): " + said +
                "; is this a host that jobs are submitted from?");
  };
  spec.ended = [=](const std::string& id) -> std::string {
    const auto [code, said] = call_shell(state_line(system, id));
    const JobState state = job_state(system, code, said);
    if (!state.ended) return "";
    std::string words;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(*folder, none)) {
      const std::string name = entry.path().filename().string();
      if (name.find(id.substr(0, id.find('.'))) != std::string::npos && !name.ends_with(".sh"))
        words = last_words(entry.path().string());
    }
    return "has ended with job " + id + (state.text.empty() ? "" : " (" + state.text + ")") +
           (words.empty() ? "" : ": " + words);
  };
  spec.stop = [=](const std::string& id) { call_shell(cancel_line(system, id)); };
  spec.stop_line = [=](const std::string& id) { return cancel_line(system, id) + ";"; };
  spec.waits_for = [=](const std::string& id) {
    const auto [code, said] = call_shell(state_line(system, id));
    const std::string text = job_state(system, code, said).text;
    return "job " + id + (text.empty() ? "" : " is " + text);
  };
  return spec;
}

/// They share the cores and the memory of the machine.
ClusterOptions local_options(std::size_t workers, ClusterOptions options) {
  const NodeFacts node = read_node("");
  const auto count = static_cast<std::uint32_t>(std::max<std::size_t>(1, workers));
  if (options.slots == 0) options.slots = std::max(1u, node.cores / count);
  if (parse_bytes(options.memory.text()) == 0)
    options.memory = static_cast<std::uint64_t>(0.7 * static_cast<double>(node.memory_bytes) / count);
  if (options.interface.empty()) options.interface = "lo";
  return options;
}

ClusterOptions ssh_options(const std::vector<std::string>& hosts, ClusterOptions options) {
  const bool alone = std::all_of(hosts.begin(), hosts.end(), is_this_machine);
  if (options.interface.empty() && alone) options.interface = "lo";
  return options;
}

ClusterOptions job_options(const JobOptions& options) {
  ClusterOptions cluster = options.cluster;
  cluster.slots = options.slots;
  if (cluster.folder.empty()) cluster.folder = ".";
  return cluster;
}

}  // namespace weft::launch
