#include "mpi_launch/layout/layout.hpp"

#include "core/memory/bytes_text.hpp"
#include "mpi_launch/layout/node.hpp"

#include <weft/error.hpp>
#include <weft/version.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace weft::launch {

namespace {

/// Results may take this share of what a worker has; the rest is for its programs, stacks and allocators.
constexpr double kShareOfLimit = 0.7;

/// With more slots a core than this, whoever looks for work keeps others from theirs, however politely.
constexpr std::uint32_t kMostSpinning = 2;

using Members = std::vector<std::uint32_t>;  // ranks of one node, in order

std::map<std::string, Members> by_host(const std::vector<Hello>& hellos) {
  std::map<std::string, Members> nodes;
  for (const Hello& hello : hellos) nodes[hello.node.host].push_back(hello.rank);
  return nodes;
}

std::string values_text(const std::vector<std::string>& values) {
  std::vector<std::string> different;
  for (const std::string& value : values) {
    if (std::find(different.begin(), different.end(), value) == different.end()) different.push_back(value);
  }
  if (different.size() == 1) return values.size() == 1 ? different.front() : different.front() + " each";
  std::string text;
  for (std::size_t i = 0; i < different.size(); ++i) {
    if (i == 4) return text + ", ...";
    text += (i == 0 ? "" : ", ") + different[i];
  }
  return text;
}

std::string origin_of(const Settings& settings, const char* option, const std::string& otherwise) {
  const Origin& origin = settings.origin(option);
  return origin.source == Source::Default ? otherwise + "; --weft-" + option + " changes it" : origin.where;
}

/// What is known of a node's folder, as its first rank has measured it, and who chose it.
std::string scratch_source(const Settings& settings, const std::vector<Hello>& hellos, const std::string& host) {
  const auto first =
      std::find_if(hellos.begin(), hellos.end(), [&](const Hello& one) { return one.node.host == host; });
  const Origin& origin = settings.origin("spill-dir");
  return first->node.scratch_note + "; " +
         (origin.source == Source::Default ? "--weft-spill-dir changes it" : origin.where);
}

/// Returns why a fast network of that node is not used, or "".
std::string fast_network_unused(const Settings& settings, const NodeFacts& node) {
  if (node.fast_networks.empty()) return "";
  if (settings.transport == "tcp") return settings.origin("transport").where + " leaves it out";
  if (settings.tls != "off") return settings.origin("tls").where + " leaves it out: UCX encrypts nothing";
  return node.fast_network_problem;
}

bool same_processors(const std::vector<Hello>& hellos, const Members& members) {
  return std::all_of(members.begin(), members.end(), [&](std::uint32_t rank) {
    return hellos[rank].node.processors == hellos[members.front()].node.processors;
  });
}

/// Gives each worker of one node its share of cores, memory and GPUs.
void divide_node(const Settings& settings, const std::vector<Hello>& hellos, const Members& members,
                 std::vector<WorkerPlan>& workers) {
  const auto count = static_cast<std::uint32_t>(members.size());
  const NodeFacts& first = hellos[members.front()].node;
  const bool together = same_processors(hellos, members);
  const std::vector<int> processors = near_order(first.processors);
  std::uint32_t slots_of_node = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const NodeFacts& facts = hellos[members[i]].node;
    WorkerPlan plan;
    plan.place = members[i];
    plan.host = facts.host;
    const std::uint32_t cores = together ? std::max(1u, facts.cores / count) : facts.cores;
    plan.slots = settings.threads > 0 ? static_cast<std::uint32_t>(settings.threads) : cores;
    // Neighbouring processors together, where the launcher has not bound the ranks and there are enough.
    if (together && settings.pin != "off" && facts.cores >= count && processors.size() == facts.cores &&
        plan.slots <= cores) {
      const std::size_t begin = processors.size() * i / count;
      const std::size_t end = processors.size() * (i + 1) / count;
      plan.processors.assign(processors.begin() + static_cast<std::ptrdiff_t>(begin),
                             processors.begin() + static_cast<std::ptrdiff_t>(end));
      plan.slots = settings.threads > 0 ? plan.slots : static_cast<std::uint32_t>(end - begin);
    }
    plan.memory_bytes = facts.memory_bytes / count;
    plan.budget_bytes = settings.memory.automatic()
                            ? static_cast<std::uint64_t>(kShareOfLimit * static_cast<double>(plan.memory_bytes))
                            : settings.memory.of(plan.memory_bytes);
    for (std::uint32_t gpu = facts.gpus * i / count; gpu < facts.gpus * (i + 1) / count; ++gpu)
      plan.gpus.push_back(gpu);
    if (facts.gpus > 0 && facts.gpus < count && plan.gpus.empty()) plan.gpus.push_back(i % facts.gpus);
    plan.scratch = facts.scratch;
    slots_of_node += plan.slots;
    workers.push_back(std::move(plan));
  }
  const std::uint32_t cores = together ? first.cores : first.cores * count;
  for (WorkerPlan& plan : workers) {
    if (plan.host != first.host) continue;
    plan.crowded = slots_of_node > cores;
    plan.spins = slots_of_node <= kMostSpinning * cores;
  }
}

void add_notes(const Settings& settings, const std::vector<Hello>& hellos, const std::map<std::string, Members>& nodes,
               Layout& layout) {
  for (const auto& [host, members] : nodes) {
    const NodeFacts& facts = hellos[members.front()].node;
    // A SLURM or cgroup limit hides cores too, and rightly: only a binding of the launcher is worth a word.
    if (facts.hidden_cores > 0 && facts.cores_source == "affinity of the process") {
      layout.notes.push_back(fmt::format(
          "rank {} on {} is bound to {} of {} cores; to use all: mpirun --bind-to none, or srun --cpu-bind=none",
          members.front(), host, facts.processors.size(), facts.processors.size() + facts.hidden_cores));
      break;
    }
  }
  for (const WorkerPlan& plan : layout.workers) {
    if (!plan.crowded) continue;
    layout.notes.push_back(fmt::format("{} has more slots than cores: slots take turns{}", plan.host,
                                       plan.spins ? "" : ", and nothing spins"));
    break;
  }
  for (const Hello& hello : hellos) {
    const std::string why = fast_network_unused(settings, hello.node);
    if (why.empty() || nodes.size() < 2) continue;
    layout.notes.push_back(fmt::format("{} has a faster network than TCP makes use of ({}), and it is not used: {}",
                                       hello.node.host, hello.node.fast_networks, why));
    break;
  }
  for (const Hello& hello : hellos) {
    if (!hello.node.scratch.empty()) continue;
    layout.notes.push_back(
        fmt::format("rank {} on {} does not spill: {}", hello.rank, hello.node.host, hello.node.scratch_note));
    break;
  }
}

void add_row(Layout& layout, const std::string& name, const std::string& value, const std::string& source) {
  layout.rows.push_back(fmt::format("  {:<9} {:<34} {}", name, value, source));
}

template <class Value>
std::string values_of(const std::vector<WorkerPlan>& workers, const Value& value) {
  std::vector<std::string> texts;
  for (const WorkerPlan& plan : workers) texts.push_back(value(plan));
  return values_text(texts);
}

/// Returns how workers will talk: inside a node, and between nodes where there are several.
std::string network_text(const Settings& settings, const NodeFacts& node, std::size_t nodes) {
  const std::string inside = settings.transport == "tcp" || settings.tls == "on" ? "" : "shared memory inside the node";
  if (settings.tls == "on") return "TLS over TCP";
  if (settings.tls != "off" && (inside.empty() || nodes > 1))
    return inside.empty() ? "TLS over TCP" : inside + ", TLS over TCP between nodes";
  if (nodes < 2) return inside.empty() ? "TCP" : inside;
  const bool ucx =
      settings.transport == "ucx" || (!node.fast_networks.empty() && fast_network_unused(settings, node).empty());
  return inside + (inside.empty() ? "" : ", ") + (ucx ? "UCX" : "TCP") + " between nodes";
}

void add_rows(const Settings& settings, const std::vector<Hello>& hellos, const Members& busiest, std::size_t nodes,
              Layout& layout) {
  const NodeFacts& node = hellos[busiest.front()].node;
  const std::string over = busiest.size() == 1 ? "" : fmt::format(" over {} ranks of the node", busiest.size());
  std::uint32_t slots = 0;
  for (const WorkerPlan& plan : layout.workers) slots += plan.slots;
  add_row(layout, "workers", std::to_string(layout.workers.size()), origin_of(settings, "workers", "one a rank"));
  add_row(layout, "slots",
          values_of(layout.workers, [](const WorkerPlan& plan) { return std::to_string(plan.slots); }) +
              fmt::format(", {} in all", slots),
          origin_of(settings, "threads",
                    fmt::format("{} core{} ({}){}", node.cores, node.cores == 1 ? "" : "s", node.cores_source,
                                same_processors(hellos, busiest) ? over : " for each rank")));
  const bool bound = std::any_of(layout.workers.begin(), layout.workers.end(),
                                 [](const WorkerPlan& plan) { return !plan.processors.empty(); });
  add_row(layout, "binding", bound ? fmt::format("each worker to its own cores") : "as the launcher bound the ranks",
          fmt::format("{} NUMA node{} ({}); --weft-pin=off binds nothing", node.numa_nodes,
                      node.numa_nodes == 1 ? "" : "s", node.numa_source));
  add_row(layout, "memory",
          values_of(layout.workers, [](const WorkerPlan& plan) { return bytes_text(plan.budget_bytes); }),
          origin_of(settings, "memory",
                    fmt::format("{} ({}){}, of it 70%", bytes_text(node.memory_bytes), node.memory_source, over)));
  add_row(layout, "GPUs",
          values_of(layout.workers, [](const WorkerPlan& plan) { return std::to_string(plan.gpus.size()); }),
          node.gpus_source);
  add_row(layout, "network", network_text(settings, node, nodes),
          origin_of(settings, settings.tls == "off" ? "transport" : "tls",
                    node.fast_networks.empty() ? "no fast network in /sys/class/infiniband" : node.fast_networks));
  add_row(
      layout, "scratch",
      values_of(layout.workers, [](const WorkerPlan& plan) { return plan.scratch.empty() ? "none" : plan.scratch; }),
      scratch_source(settings, hellos, node.host));
}

}  // namespace

void check_same_program(const std::vector<Hello>& hellos) {
  for (const Hello& hello : hellos) {
    const Hello& first = hellos.front();
    const auto side = [](const Hello& one, const std::string& what) {
      return fmt::format("rank {} on {} runs {} ({})", one.rank, one.node.host, one.executable, what);
    };
    if (hello.version != first.version) {
      throw Error(side(first, "weft " + first.version) + ", but " + side(hello, "weft " + hello.version) +
                  ": start all ranks from one build");
    }
    if (hello.image_digest != first.image_digest) {
      throw Error(side(first, fmt::format("digest {:016x}", first.image_digest)) + ", but " +
                  side(hello, fmt::format("digest {:016x}", hello.image_digest)) +
                  ": they are different programs; start all ranks from the same executable");
    }
    if (hello.task_digest != first.task_digest) {
      throw Error(side(first, fmt::format("task types {:016x}", first.task_digest)) + ", but " +
                  side(hello, fmt::format("task types {:016x}", hello.task_digest)) +
                  ": they know different tasks; do all ranks load the same libraries?");
    }
  }
}

Layout make_layout(const Settings& settings, const Ranks& ranks, const std::vector<Hello>& hellos) {
  const auto wanted = static_cast<std::size_t>(settings.workers);
  if (wanted > ranks.count) {
    throw ConfigError(
        fmt::format("{}: {} workers are asked for, but the launcher started {} rank{}, and each holds one; start "
                    "more ranks, or ask for at most {}",
                    settings.origin("workers").where, wanted, ranks.count, ranks.count == 1 ? "" : "s", ranks.count));
  }
  for (const Hello& hello : hellos) {
    if (!hello.node.scratch_problem.empty()) {
      throw MemoryError(fmt::format("rank {} on {}: {}", hello.rank, hello.node.host, hello.node.scratch_problem));
    }
  }
  // With fewer workers than ranks, the last ranks have them: rank 0 is then free for the client.
  std::vector<Hello> holders(hellos.begin() + static_cast<std::ptrdiff_t>(wanted == 0 ? 0 : hellos.size() - wanted),
                             hellos.end());
  Layout layout;
  Members busiest;
  const std::map<std::string, Members> nodes = by_host(holders);
  for (const auto& [host, members] : nodes) {
    divide_node(settings, hellos, members, layout.workers);
    if (members.size() > busiest.size()) busiest = members;
  }
  std::sort(layout.workers.begin(), layout.workers.end(),
            [](const WorkerPlan& a, const WorkerPlan& b) { return a.place < b.place; });
  add_rows(settings, hellos, busiest, nodes.size(), layout);
  add_notes(settings, hellos, nodes, layout);
  return layout;
}

std::string layout_text(const Ranks& ranks, const Layout& layout, std::size_t nodes) {
  std::string text = fmt::format("weft {}: {} rank{} on {} node{} ({}); rank 0 holds the scheduler and the client\n",
                                 WEFT_VERSION_STRING, ranks.count, ranks.count == 1 ? "" : "s", nodes,
                                 nodes == 1 ? "" : "s", ranks.launcher);
  for (const std::string& row : layout.rows) text += row + "\n";
  for (const std::string& note : layout.notes) text += "  note: " + note + "\n";
  return text;
}

}  // namespace weft::launch
