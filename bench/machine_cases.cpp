// scheduler-only, simulate: the machines without a task being run.

#include <weft/measure.hpp>
#include <weft/simulate.hpp>

#include <algorithm>
#include <stdexcept>

#include "bench/cases.hpp"

namespace weft::bench {
namespace {

std::uint32_t count_of(const Arguments& arguments, std::string_view option, std::int64_t least) {
  const std::int64_t value = arguments.integer(option, least);
  if (value > (std::int64_t{1} << 30)) throw std::invalid_argument("--" + std::string(option) + " is at most 2^30");
  return static_cast<std::uint32_t>(value);
}

void run_scheduler_only(const Case& self, const Arguments& arguments, const Output& output) {
  measure::SchedulerLoad load;
  load.workers = count_of(arguments, "workers", 1);
  load.tasks = count_of(arguments, "tasks", 2);
  load.reach = count_of(arguments, "reach", 0);
  load.batch = count_of(arguments, "batch", 0);
  const std::string packets = arguments.text("packets");
  if (packets != "single" && packets != "auto")
    throw std::invalid_argument("--packets is single or auto, not '" + packets + "'");
  load.tasks_per_packet = packets == "single" ? 1 : 0;
  // As for the graphs: the first repetition pays for its pages, the others use them again.
  keep_freed_memory();
  // Once with every deal checked, on a smaller graph; not timed.
  measure::SchedulerLoad checked = load;
  checked.verify = true;
  checked.tasks = std::min(load.tasks, 200'000u);
  static_cast<void>(measure::scheduler_only(checked));
  Samples samples;
  double cold = 0;
  measure::SchedulerCost best;
  for (std::int64_t i = 0; i < arguments.integer("repeat", 1); ++i) {
    const measure::SchedulerCost cost = measure::scheduler_only(load);
    if (i == 0) cold = cost.seconds;
    if (samples.count() == 0 || cost.seconds < best.seconds) best = cost;
    samples.add(cost.seconds);
  }
  const double tasks = load.tasks;
  Line line(self.name);
  line.param("workers", load.workers).param("tasks", load.tasks).param("packets", packets).param("reach", load.reach);
  line.param("batch", load.batch);
  line.seconds(samples).integer("tasks", load.tasks).number("tasks_per_second", tasks / best.seconds);
  line.number("us_per_task", best.seconds * 1e6 / tasks)
      .number("us_per_task_cold", cold * 1e6 / tasks)
      .number("machine_us_per_task", best.machine_seconds * 1e6 / tasks);
  line.number("submit_us_per_task", best.submit_seconds * 1e6 / tasks)
      .number("finish_us_per_task", best.finish_seconds * 1e6 / tasks)
      .number("release_us_per_task", best.release_seconds * 1e6 / tasks);
  line.number("cut_us_per_task", best.cut_seconds * 1e6 / tasks).integer("packets", best.packets);
  line.integer("tasks_per_packet", best.tasks_per_packet)
      .integer("packet_edges", static_cast<std::int64_t>(best.edges));
  line.integer("events", static_cast<std::int64_t>(best.events))
      .integer("actions", static_cast<std::int64_t>(best.actions));
  line.number("bytes_per_task", static_cast<double>(best.memory_bytes) / tasks).peak();
  output.print(line);
}

void run_simulated_shape(const Case& self, const Arguments& arguments, SimulationShape shape, const Output& output) {
  SimulationOptions options;
  options.cores = count_of(arguments, "cores", 1);
  options.slots_per_worker = count_of(arguments, "slots", 1);
  options.task_seconds = arguments.real("task-seconds");
  options.shape = shape;
  options.tasks = count_of(arguments, "tasks", 0);
  options.tasks_per_packet = count_of(arguments, "tasks-per-packet", 1);
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed"));
  options.replay = true;
  const SimulationReport report = simulate(options);
  Samples samples;
  samples.add(report.wall_seconds);
  Line line(self.name);
  line.param("cores", report.cores).param("workers", report.workers).param("shape", to_string(shape));
  line.param("task_seconds", arguments.text("task-seconds")).param("tasks", static_cast<std::int64_t>(report.tasks));
  line.param("tasks_per_packet", options.tasks_per_packet);
  line.seconds(samples).integer("tasks", static_cast<std::int64_t>(report.tasks));
  line.number("busy_fraction", report.busy_fraction).number("plain_busy_fraction", report.plain_busy_fraction);
  line.number("ideal_over_makespan", report.ideal_over_makespan);
  line.number("critical_seconds", report.critical_seconds).number("work_seconds", report.work_seconds);
  line.number("machine_us_per_task", report.machine_us_per_task);
  line.number("machine_alone_us_per_task", report.alone_us_per_task);
  line.number("worker_us_per_task", report.worker_us_per_task).number("scheduler_load", report.scheduler_load);
  line.number("virtual_seconds", report.makespan_seconds);
  line.integer("scheduler_peak_bytes", static_cast<std::int64_t>(report.scheduler_peak_bytes));
  line.integer("messages", static_cast<std::int64_t>(report.messages)).peak();
  output.print(line);
}

void run_simulate(const Case& self, const Arguments& arguments, const Output& output) {
  if (arguments.text("shape") != "all") {
    run_simulated_shape(self, arguments, simulation_shape(arguments.text("shape")), output);
    return;
  }
  for (const SimulationShape shape :
       {SimulationShape::Independent, SimulationShape::Chains, SimulationShape::Tree, SimulationShape::Stencil,
        SimulationShape::RandomDag, SimulationShape::ForkJoin, SimulationShape::MapReduce}) {
    run_simulated_shape(self, arguments, shape, output);
  }
}

}  // namespace

std::vector<Case> machine_cases() {
  return {
      {"scheduler-only",
       "the scheduler machine alone: a random graph with two inputs a task, dealt to pretended workers",
       {{"workers", "1000", "pretended workers"},
        {"tasks", "1000000", "tasks of the graph"},
        {"packets", "single", "single: a task a packet; auto: as many as a cluster of that size would get"},
        {"reach", "0", "how many tasks back inputs lie at most; 0: anywhere"},
        {"batch", "0", "packets of one submission; 0: two for each worker"},
        {"repeat", "5", "repetitions"}},
       &run_scheduler_only},
      {"simulate",
       "the production machines in virtual time, charged with their measured decision time",
       {{"cores", "20000", "cores of the pretended cluster"},
        {"slots", "32", "cores of a worker"},
        {"task-seconds", "1", "mean of the lognormal durations"},
        {"shape", "random-dag", "independent chains tree stencil random-dag fork-join map-reduce, or all"},
        {"tasks", "0", "0: fifty for each core"},
        {"tasks-per-packet", "1", "tasks of a packet"},
        {"seed", "1", "of the durations and the graph"}},
       &run_simulate},
  };
}

}  // namespace weft::bench
