// metg: Task Bench's patterns as stored tasks; protocol in metg.hpp, definitions in patterns.hpp.

#include <weft/client.hpp>
#include <weft/graph.hpp>

#include <sched.h>

#include <array>

#include "bench/cases.hpp"
#include "bench/metg.hpp"
#include "bench/work.hpp"

namespace weft::bench {
namespace {

using Output16 = Delayed<Payload>;

Output16 add_point(Graph& graph, GridPoint at, const std::vector<const Output16*>& in) {
  switch (in.size()) {
    case 0:
      return graph.add(&grid_task_0, at);
    case 1:
      return graph.add(&grid_task_1, at, *in[0]);
    case 2:
      return graph.add(&grid_task_2, at, *in[0], *in[1]);
    case 3:
      return graph.add(&grid_task_3, at, *in[0], *in[1], *in[2]);
    case 4:
      return graph.add(&grid_task_4, at, *in[0], *in[1], *in[2], *in[3]);
    case 5:
      return graph.add(&grid_task_5, at, *in[0], *in[1], *in[2], *in[3], *in[4]);
    default:
      break;
  }
  static_assert(kSingleInputs == 5);
  std::vector<Output16> all;
  all.reserve(in.size());
  for (const Output16* one : in) all.push_back(*one);
  return graph.add(&grid_task_many, at, std::move(all));
}

void add_points(Graph& graph, const Pattern& pattern, std::vector<Output16>& tasks) {
  const auto width = static_cast<std::size_t>(pattern.width());
  tasks.resize(width * static_cast<std::size_t>(pattern.steps()));
  std::vector<const Output16*> inputs;
  for (std::int64_t step = 0; step < pattern.steps(); ++step) {
    const std::size_t row = static_cast<std::size_t>(step) * width;
    for (std::int64_t point = 0; point < pattern.width_at(step); ++point) {
      inputs.clear();
      pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
        inputs.push_back(&tasks[row - width + static_cast<std::size_t>(dependency)]);
      });
      tasks[row + static_cast<std::size_t>(point)] =
          add_point(graph, {static_cast<std::int32_t>(step), static_cast<std::int32_t>(point)}, inputs);
    }
  }
}

/// Builds, runs, checks and frees the pattern's graph; returns the seconds without the check.
double run_pattern(const Client& client, const Pattern& pattern, std::int64_t edges, std::int64_t iterations) {
  grid_work = {&pattern, iterations};
  if (client.info().scheduler == "mpi") {
    client.run_on_workers(&set_grid_work, GridSetting{static_cast<std::int32_t>(pattern.kind()),
                                                      static_cast<std::int32_t>(pattern.radix()), pattern.width(),
                                                      pattern.steps(), iterations});
  }
  double seconds = 0;
  double freeing = 0;
  const double start = seconds_now();
  {
    Graph graph;
    std::vector<Output16> tasks;
    add_points(graph, pattern, tasks);
    client.run(graph);
    seconds = seconds_now() - start;
    std::int64_t valid = 0;
    for (const Output16& task : tasks) {
      if (task.valid()) valid += task.value().valid_inputs;
    }
    if (valid != edges) wrong_result(std::to_string(valid) + " of " + std::to_string(edges) + " inputs were right");
    freeing = seconds_now();
  }
  return seconds + (seconds_now() - freeing);
}

void run_metg(const Case& self, const Arguments& arguments, const Output& output) {
  keep_freed_memory();
  const std::string name = arguments.text("pattern");
  const Pattern pattern(pattern_kind(name), arguments.integer("width", 1), arguments.integer("steps", 1),
                        arguments.integer("radix", 1));
  const std::int64_t edges = pattern.edge_count();
  // The kernel alone first: its threads would inherit a slot's core.
  cpu_set_t allowed;
  int cores = static_cast<int>(arguments.integer("threads"));
  if (arguments.text("scheduler") == "sync") cores = 1;
  if (cores == 0) cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  MetgOptions options;
  options.seconds_per_iteration = kernel_seconds_per_iteration(cores);
  const Client client(client_options(arguments));
  options.cores = static_cast<int>(client.slots());
  options.tasks = pattern.task_count();
  options.repetitions = static_cast<int>(arguments.integer("repeat", 1));
  options.max_seconds = arguments.real("max-seconds");
  const MetgResult result =
      find_metg(options, [&](std::int64_t iterations) { return run_pattern(client, pattern, edges, iterations); });
  Samples empty;
  for (int i = 0; i < options.repetitions; ++i) empty.add(run_pattern(client, pattern, edges, 0));

  Line line(self.name);
  line.param("pattern", name).param("width", pattern.width()).param("radix", pattern.radix());
  line.param("steps", pattern.steps()).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots()).param("repeat", options.repetitions).seconds(empty);
  line.integer("tasks", options.tasks).integer("edges_validated", edges);
  line.number("us_per_task", result.floor_us).number("metg_us", result.metg_us).flag("complete", result.complete);
  line.number("ns_per_iteration", options.seconds_per_iteration * 1e9).peak();
  output.print(line);
}

}  // namespace

std::vector<Case> metg_cases() {
  return {{"metg",
           "METG(50%) of a Task Bench pattern; us_per_task is in core-microseconds with an empty kernel",
           {{"pattern", "stencil_1d", "trivial no_comm stencil_1d fft nearest spread tree all_to_all"},
            {"width", "8", "points of a step"},
            {"radix", "5", "inputs of nearest and spread"},
            {"steps", "1000", "steps"},
            kScheduler,
            kThreads,
            {"repeat", "5", "runs of each size; the least counts"},
            {"max-seconds", "30", "the scan stops then"}},
           &run_metg}};
}

}  // namespace weft::bench
