#pragma once

#include "core/executor/roots.hpp"

#include <weft/graph.hpp>
#include <weft/task_options.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weft::detail {

/// Counts the graphs that there are.
struct GraphCount {
  GraphCount() { open.fetch_add(1, std::memory_order_relaxed); }
  ~GraphCount() { open.fetch_sub(1, std::memory_order_relaxed); }
  GraphCount(const GraphCount&) = delete;
  GraphCount& operator=(const GraphCount&) = delete;
  static inline std::atomic<std::uint32_t> open{0};
};

/// What a Graph knows of its tasks besides their records.
/// Threading: the thread that builds and runs the graph; `running` also by the runtime that runs it.
struct GraphParts {
  const GraphCount counted;
  PacketId serial = kNone;
  std::vector<TaskRange> ranges;
  /// Tasks with inputs from outside, which a run must take the guard off.
  std::vector<TaskId> guarded;
  /// Tasks with inputs from outside: they keep their uses of those for all runs.
  std::vector<TaskId> with_foreign;
  /// Tasks that were described in an Annotate scope, with its options, which are for all runs.
  std::map<TaskId, std::shared_ptr<const TaskOptions>> annotated;
  /// Each name keeps its task's result.
  std::map<std::string, Handle, std::less<>> names;
  /// Time spent adding tasks, by samples, not yet booked.
  std::uint64_t build_ticks = 0;
  std::uint64_t sample_begin = 0;
  bool ran = false;
  /// How many tasks it had when it ran last.
  std::uint32_t tasks_run = 0;
  std::atomic<std::uint32_t> packets_left{0};
  std::atomic<std::uint32_t> failed{0};
  std::atomic<bool> running{false};

  // Refreshed by parts_of().
  std::vector<TaskRange> roots;
  std::uint32_t task_count() const {
    std::uint32_t count = 0;
    for (const TaskRange range : ranges) count += range.size();
    return count;
  }
};

/// Returns a task that a described one needs and whose Graph has not run and does not run, so that waiting for it would
/// have no end; kNone where there is none. Looks at what has not been launched; costs nothing while there are no
/// graphs.
TaskId unrun_task_needed(TaskId wanted);

/// Gives the tasks of a graph that is about to run the options they were described with.
void arm(const GraphParts& parts, std::uint64_t default_retries);

/// A graph's run: takes it, makes it ready, and lets it go at the end. Throws Error where it runs already, or inside of
/// a task; MemoryError where its records take more than `limit_bytes`.
class GraphTurn {
 public:
  GraphTurn(GraphParts& graph, bool inside_task, std::uint64_t limit_bytes, std::uint64_t default_retries);
  ~GraphTurn() { graph_.running.store(false); }
  GraphTurn(const GraphTurn&) = delete;
  GraphTurn& operator=(const GraphTurn&) = delete;

 private:
  GraphParts& graph_;
};

/// Makes a graph that has run ready to run again: results are dropped, counters stand as after building.
void rewind(GraphParts& parts);

}  // namespace weft::detail
