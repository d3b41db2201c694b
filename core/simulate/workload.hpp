#pragma once

#include <cstdint>
#include <vector>

#include "core/messages/event.hpp"
#include "core/simulate/random.hpp"

#include <weft/simulate.hpp>

namespace weft::sim {

/// What a pretended task gives: a mix of its number and its inputs' values, so that one wrong, missing or stale input
/// shows.
using Value = std::uint64_t;
inline constexpr Value kFailedBit = 1ull << 63;

enum class Fate : std::uint8_t {
  Runs,    ///< Gives its value.
  Throws,  ///< Gives an error in place of a value; so does all that depends on it. The packet goes on.
  Flaky,   ///< Breaks its whole packet as often as the packet has retries, then runs.
  Breaks,  ///< Breaks its whole packet each time.
};

/// A packet before it is submitted: a range of tasks, and what the specification says of it.
struct PlannedPacket {
  TaskId first_task = 0;
  std::uint32_t task_count = 1;
  std::uint32_t needs = kNone;
  std::uint32_t affinity = kNone;
  std::int32_t priority = 0;
  std::uint8_t max_retries = 0;
  /// Told of each task; 0: not known.
  Nanoseconds expected_ns = 0;
  /// kRoots is found, not given.
  std::uint8_t flags = packet_flags::kRetriable;
};

/// A graph of pretended tasks, cut into packets. Tasks are in topological order, so are packets.
/// Owns: the tables.  Threading: none.
struct Workload {
  // A task: its inputs are inputs[first_input[t]] up to inputs[first_input[t + 1]].
  std::vector<std::uint32_t> first_input{0};
  std::vector<TaskId> inputs;
  std::vector<Nanoseconds> run_ns;
  std::vector<std::uint32_t> output_bytes;
  std::vector<Fate> fates;

  /// Those that were cut, then tails that were split off.
  std::vector<PlannedPacket> packets;
  PacketId submitted_packets = 0;
  std::vector<Needs> needs;
  /// By task; changes when a packet is split.
  std::vector<PacketId> packet_of;
  /// By packet: the last of those that read it, kNone if none does.
  std::vector<PacketId> last_reader;

  [[nodiscard]] std::uint32_t task_count() const { return static_cast<std::uint32_t>(run_ns.size()); }
  [[nodiscard]] bool is_root(TaskId task) const { return first_input[task] == first_input[task + 1]; }

  /// Adds a task whose inputs were just appended to `inputs`.
  TaskId add_task(Nanoseconds run, std::uint32_t bytes);
  /// Cuts the tasks into packets of `tasks_per_packet`.
  void cut(std::uint32_t tasks_per_packet);
  /// Ends the packet before `from_task`; the rest becomes the returned packet.
  PacketId split(PacketId packet, TaskId from_task);
  /// Makes the message that submits packets [first, end). Those that later ones read are wanted meanwhile, or they
  /// would be released before their readers come: the client lets go of held_until(first, end) when it has submitted
  /// this.
  [[nodiscard]] PacketsSubmitted submission(PacketId first, PacketId end) const;
  /// Returns the packets before `first`, wanted by nobody, whose last reader is in [first, end).
  [[nodiscard]] std::vector<PacketId> held_until(PacketId first, PacketId end) const;
  [[nodiscard]] std::uint64_t bytes_of(PacketId packet) const;

  /// Returns the value of `task` whose inputs' values are value_of(input).
  template <typename Lookup>
  [[nodiscard]] Value evaluate(TaskId task, Lookup&& value_of) const {
    Value value = mix(task);
    Value failed = 0;
    for (std::uint32_t i = first_input[task]; i < first_input[task + 1]; ++i) {
      const Value input = value_of(inputs[i]);
      if (failed == 0 && (input & kFailedBit) != 0) failed = input;
      value = mix(value ^ input) + value;
    }
    if (failed != 0) return failed;
    return fates[task] == Fate::Throws ? value | kFailedBit : value & ~kFailedBit;
  }
  /// The values of all tasks, evaluated one after the other: what every run must give.
  [[nodiscard]] std::vector<Value> evaluate_all() const;
};

struct WorkloadOptions {
  SimulationShape shape = SimulationShape::Independent;
  /// About; shapes end with a whole step.
  std::uint32_t tasks = 100;
  /// How many tasks a step has, for shapes that go in steps.
  std::uint32_t width = 10;
  double task_seconds = 1;
  double sigma = 0.5;
  std::uint32_t output_bytes = 1000;
  std::uint64_t seed = 1;
};

/// Makes the tasks of one shape, not cut into packets yet.
[[nodiscard]] Workload make_workload(const WorkloadOptions& options);

}  // namespace weft::sim
