#pragma once

#include <weft/ids.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// The bones of something described: its tasks with their inputs, without arguments and results.
///
/// Invariants:
///  1. A task's inputs stand before it; tasks[i]'s are inputs[first_input[i]] up to inputs[first_input[i + 1]].
///  2. Layers stand before those that read them.
struct Outline {
  enum class State : std::uint8_t { Described, Running, Finished, Failed };

  /// What a task calls, and where the user wrote it.
  struct Kind {
    std::string name;
    std::string file;
    std::uint32_t line = 0;
    std::string result;
    /// Of a result that is not there yet.
    std::uint64_t result_bytes = 0;
    bool estimated = false;
  };
  struct Task {
    std::uint32_t kind = 0;
    State state = State::Described;
    /// Somebody holds its result until the end.
    bool kept = false;
    /// Of its result.
    std::uint64_t bytes = 0;
  };
  /// A formula's layer, all of its tasks as one.
  struct Layer {
    std::string name;
    std::string file;
    std::uint32_t line = 0;
    std::uint64_t tasks = 0;
    /// Of one result.
    std::uint64_t result_bytes = 0;
    bool estimated = false;
    /// Regions its tasks read, over all tasks.
    std::uint64_t edges = 0;
    std::vector<std::uint32_t> sources;
  };
  /// A task that evaluates part of a formula.
  struct Part {
    std::uint32_t task = 0;
    std::uint32_t layer = 0;
    std::uint64_t values = 0;
    std::uint64_t combinations = 0;
    std::uint64_t peak_bytes = 0;
    std::uint32_t depth = 0;
  };

  std::vector<Kind> kinds;
  std::vector<Task> tasks;
  std::vector<std::uint64_t> first_input{0};
  std::vector<std::uint32_t> inputs;
  std::vector<Layer> layers;
  std::vector<Part> parts;
  /// The tasks' records, while they are known to stand; empty for a file.
  std::vector<TaskId> ids;
  /// Packets that the scheduler would be given.
  std::uint64_t packets = 0;
  /// Tasks that have ended run again, as those of a graph do.
  bool reruns = false;

  /// Returns whether the task has a result that the next run only reads.
  bool is_there(std::size_t task) const { return !reruns && tasks[task].state >= State::Finished; }
  std::uint64_t count_of_inputs(std::size_t task) const { return first_input[task + 1] - first_input[task]; }
};

}  // namespace weft
