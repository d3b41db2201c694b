#pragma once

#include <cstdint>
#include <vector>

#include "core/messages/ids.hpp"

namespace weft {

/// The six states of a packet, the same in the scheduler and in a worker.
enum class PacketState : std::uint8_t {
  Released,  ///< Known, but its outputs are not wanted now and nowhere kept.
  Waiting,   ///< Some producer has not been dealt yet.
  Ready,     ///< Each producer is dealt or in memory; waits for a worker's capacity.
  Running,   ///< Dealt to a worker, which pulls the inputs.
  InMemory,  ///< Finished; its owner keeps the outputs.
  Failed,    ///< Will not be run again.
};

inline constexpr int kPacketStateCount = 6;

/// Stands in for a worker where the scheduler's own process keeps a copy of a small result.
inline constexpr WorkerId kKeeper = kNone - 1;

/// The bits of PacketSpec::flags.
namespace packet_flags {
/// Holds tasks without inputs: withheld while a worker has enough.
inline constexpr std::uint8_t kRoots = 1;
/// May be run again after its outputs are lost.
inline constexpr std::uint8_t kRetriable = 2;
/// A client holds a handle: outputs stay until OutputsReleased; the end of the packet is reported.
inline constexpr std::uint8_t kWanted = 4;
/// Data put there by the client, no tasks: in memory at PacketSpec::home from the start and without lineage.
inline constexpr std::uint8_t kScattered = 8;
/// Has an age and a turn of its own.
inline constexpr std::uint8_t kAged = 16;
}  // namespace packet_flags

/// An amount of a named resource; the runtime maps names to dense ids.
struct ResourceAmount {
  std::uint32_t resource = 0;
  std::uint32_t amount = 0;
  bool operator==(const ResourceAmount&) const = default;
};

/// What a packet needs of a worker besides time and bytes. Few distinct values exist; packets refer to them by index.
struct Needs {
  std::uint32_t slots = 1;
  std::vector<ResourceAmount> resources;
  /// Empty: any worker. Otherwise only these, or, when `preferred`, these first.
  std::vector<WorkerId> workers;
  bool preferred = false;
  bool operator==(const Needs&) const = default;
  /// Returns whether any worker will do, and one slot of it.
  bool nothing() const { return slots <= 1 && resources.empty() && workers.empty(); }
};

/// An edge between packets: `bytes` is the size of the region that the consumer reads.
struct ProducerEdge {
  PacketId producer = kNone;
  std::uint64_t bytes = 0;
  bool operator==(const ProducerEdge&) const = default;
};

/// Describes a packet once, when it is submitted; the attempt travels beside it.
struct PacketSpec {
  TaskId first_task = 0;
  std::uint32_t task_count = 1;
  std::uint32_t layer = kNone;
  /// Slice of PacketsSubmitted::producers. Meaningless in a worker's event.
  std::uint32_t first_producer = 0;
  std::uint32_t producer_count = 0;
  /// Index into the `needs` beside the spec, kNone for one slot and no resource.
  std::uint32_t needs = kNone;
  /// Packets of one affinity go to one worker if that costs nothing else; kNone for no preference.
  std::uint32_t affinity = kNone;
  /// The worker that holds scattered data; kNone otherwise.
  WorkerId home = kNone;
  /// Of a tail: the packet that it was split off, the first one if that was a tail itself. It comes right after that
  /// one in the order of packets, ahead of its consumers, though its id is later. kNone otherwise.
  PacketId head = kNone;
  /// Higher goes first. Ties go by packet id, the order of submission, or by age where it has one.
  std::int32_t priority = 0;
  /// With kAged: the packet that it counts as old as, and its turn among those of that age.
  PacketId age = kNone;
  std::uint32_t turn = 0;
  std::uint8_t max_retries = 0;
  std::uint8_t flags = packet_flags::kRetriable;
  /// Whole packet on one slot. 0 if unknown: then what the layer has shown so far.
  Nanoseconds expected_ns = 0;
  std::uint64_t output_bytes = 0;
  /// Reserved while it runs: outputs and scratch, without inputs.
  std::uint64_t peak_bytes = 0;

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  bool operator==(const PacketSpec&) const = default;
};

/// Where a consumer finds one of its inputs: it asks `owner` for (producer, attempt).
struct InputSource {
  PacketId producer = kNone;
  WorkerId owner = kNone;
  Attempt attempt = 0;
  std::uint64_t bytes = 0;
  bool operator==(const InputSource&) const = default;
};

/// A packet as it travels to a worker. `first_input` and `input_count` slice the inputs beside it.
struct DealtPacket {
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::uint32_t first_input = 0;
  std::uint32_t input_count = 0;
  PacketSpec spec;
  bool operator==(const DealtPacket&) const = default;
};

/// Why a packet ended without its outputs, or can not be run now.
enum class Reason : std::uint8_t {
  None,             ///< Nothing is wrong.
  TaskFailed,       ///< Its code failed; `error` names the runtime's record of it.
  InputFailed,      ///< A packet it needs has failed; `cause` names the first one.
  Cancelled,        ///< The client cancelled it, or a packet it needs.
  KilledWorkers,    ///< Three workers died while it ran.
  Unrecoverable,    ///< Its outputs were lost and it may not be run again (scattered or not retriable).
  NoSuchResource,   ///< No present worker has the named resource in this amount; `detail` is its id.
  NotEnoughSlots,   ///< No present worker has that many slots; `detail` is the number asked for.
  NoAllowedWorker,  ///< None of the workers it is restricted to is present; `detail` is the first of them.
  TooLarge,         ///< Its peak is more than any present worker's budget; `detail` is the peak in MiB, rounded up.
  MemoryFull,       ///< All memory is taken by outputs that are needed, and nothing runs; `detail` as for TooLarge.
};

inline constexpr int kReasonCount = 11;

/// Names for logs and scenario files.
[[nodiscard]] const char* to_string(PacketState state) noexcept;
[[nodiscard]] const char* to_string(Reason reason) noexcept;

}  // namespace weft
