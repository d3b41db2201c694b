#pragma once

#include <cstdint>

/// Measurements of weft's inner parts, for weft_bench and for whoever wants to know what this machine can decide.
namespace weft::measure {

/// A stored random graph that pretended workers complete: every task takes two random earlier ones.
struct SchedulerLoad {
  std::uint32_t workers = 1000;
  std::uint32_t tasks = 1'000'000;
  /// Tasks of one packet; 0: as a cluster of that size would cut the graph, some packets for each worker.
  std::uint32_t tasks_per_packet = 1;
  /// Packets of one submission; 0: two for each worker, which is what they can begin.
  std::uint32_t batch = 0;
  /// How far back a task's inputs lie at most; 0: anywhere before it.
  std::uint32_t reach = 0;
  std::uint64_t seed = 1;
  /// Also checks that each packet is dealt once, after its inputs, and is told where they are. Takes time of its own.
  bool verify = false;
};

struct SchedulerCost {
  std::uint32_t packets = 0;
  std::uint32_t tasks_per_packet = 0;
  std::uint64_t edges = 0;  ///< Between packets.
  std::uint64_t events = 0;
  std::uint64_t actions = 0;
  /// Wall time of all of it, and the parts of it spent cutting the graph and inside the machine.
  double seconds = 0;
  double cut_seconds = 0;
  double machine_seconds = 0;
  /// Parts of the time inside the machine: taking submissions with the deals they lead to, ends of packets, releases.
  double submit_seconds = 0;
  double finish_seconds = 0;
  double release_seconds = 0;
  /// Most resident bytes of the machine's tables that were seen.
  std::uint64_t memory_bytes = 0;
};

/// Cuts the graph into packets and takes them through the scheduler machine: submitted in batches, dealt to workers by
/// the place of their inputs, finished by all workers at once, reported, released and forgotten.
/// Throws weft::Error if a packet was not dealt, finished and forgotten exactly once. Threading: none.
[[nodiscard]] SchedulerCost scheduler_only(const SchedulerLoad& load);

}  // namespace weft::measure
