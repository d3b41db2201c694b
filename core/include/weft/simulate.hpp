#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// What depends on what in a simulated graph.
enum class SimulationShape : std::uint8_t {
  Independent,  ///< No task needs another.
  Tree,         ///< A pairwise reduction.
  Stencil,      ///< Steps over a row of cells; a cell needs itself and its neighbours of the step before.
  RandomDag,    ///< Each task needs up to two earlier ones.
  ForkJoin,   ///< Waves of independent tasks; each wave is joined, in two steps, by one task that the next wave needs.
  MapReduce,  ///< Rounds: eight maps for each reducer, which needs sixteen of any; the next round's maps need a reducer
              ///< each.
  Chains,     ///< Two chains for each core.
};

/// Names for command lines: independent, tree, stencil, random-dag, fork-join, map-reduce, chains.
[[nodiscard]] const char* to_string(SimulationShape shape) noexcept;
/// Returns the shape of that name; throws weft::Error naming the known ones.
[[nodiscard]] SimulationShape simulation_shape(const std::string& name);

/// A cluster that is pretended, run by the scheduler and worker machines that run a real one.
struct SimulationOptions {
  std::uint32_t cores = 20'000;
  std::uint32_t slots_per_worker = 32;
  /// Mean; durations are lognormal.
  double task_seconds = 1;
  /// Of the logarithm of the durations: 0.5 makes the longest of a million about ten times the mean.
  double sigma = 0.5;
  SimulationShape shape = SimulationShape::RandomDag;
  /// 0: fifty for each core.
  std::uint32_t tasks = 0;
  std::uint32_t tasks_per_packet = 1;
  std::uint64_t seed = 1;

  double latency_seconds = 20e-6;
  /// Of each worker's line.
  double bytes_per_second = 10e9;
  /// Of each task.
  std::uint32_t output_bytes = 256 << 10;

  /// What each decision costs in virtual time. Negative: as long as it took here, measured; otherwise the run is
  /// reproducible.
  double charge_seconds = -1;

  /// Tell the scheduler machine all events once more after the run, for alone_us_per_task. Takes 50 bytes an event.
  bool replay = false;
};

/// What became of the simulated run.
struct SimulationReport {
  std::uint64_t tasks = 0;
  std::uint32_t workers = 0;
  std::uint32_t cores = 0;
  double makespan_seconds = 0;
  double work_seconds = 0;
  /// Work over the core-seconds in which a core ran a task or could have: at each instant, as many cores as there are
  /// tasks that run or whose inputs are finished, at most all. What the graph itself leaves idle (the tip of a tree,
  /// the last stragglers) counts for nobody.
  double busy_fraction = 0;
  /// Work over all core-seconds from the first instant to the last.
  double plain_busy_fraction = 0;
  /// The longest chain of tasks: no schedule ends earlier, nor before work_seconds / cores.
  double critical_seconds = 0;
  /// The makespan of a greedy schedule of the same durations with free decisions and free transfers, over this one.
  double ideal_over_makespan = 0;
  /// Time inside the scheduler machine, and making its messages, for each task: the one place where all are decided.
  double machine_us_per_task = 0;
  /// The same without the simulation beside it, which takes the processor's cache between two decisions; 0 unless
  /// SimulationOptions::replay was set.
  double alone_us_per_task = 0;
  /// Time inside the worker machines, all together, for each task. In a cluster each has its own processor and cache.
  double worker_us_per_task = 0;
  /// Share of the makespan that the scheduler spent deciding.
  double scheduler_load = 0;
  std::uint64_t scheduler_events = 0;
  std::uint64_t scheduler_peak_bytes = 0;
  std::uint64_t messages = 0;
  std::uint64_t sent_bytes = 0;
  /// Wall time of the simulation itself.
  double wall_seconds = 0;
};

/// Runs the production machines in virtual time and checks every result. Throws weft::Error if the run went wrong.
[[nodiscard]] SimulationReport simulate(const SimulationOptions& options);

}  // namespace weft
