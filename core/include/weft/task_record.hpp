#pragma once

#include <weft/ids.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weft {

/// An edge of the task graph: `consumer` takes a result of `producer`. A consumer's edges lie side by side; a producer
/// finds its consumers through `next`.
struct Edge {
  TaskId producer;
  TaskId consumer;
  std::uint32_t next;
};

/// The one word of a task that several threads write: the head of its consumers' list, its flags, and how many uses
/// still need it (handles, consumers that have not finished, and the task itself until it has run).
///
/// Bits: 0-24 uses, 25-31 flags, 32-63 the newest edge to a consumer plus one (0: none).
namespace task_word {
inline constexpr std::uint64_t kUse = 1;
inline constexpr std::uint64_t kUses = (std::uint64_t{1} << 25) - 1;
/// Neither its closure nor its result has anything to destroy. Constant.
inline constexpr std::uint64_t kPlain = std::uint64_t{1} << 25;
/// Given to the scheduler; its inputs may no longer change.
inline constexpr std::uint64_t kLaunched = std::uint64_t{1} << 26;
/// Ended: the result is there, or kFailed says that there is none. No consumer may be added to the list any more.
inline constexpr std::uint64_t kDone = std::uint64_t{1} << 27;
inline constexpr std::uint64_t kFailed = std::uint64_t{1} << 28;
/// Somebody sleeps until this task has ended.
inline constexpr std::uint64_t kWatched = std::uint64_t{1} << 29;
/// An entry of the side table belongs to it: options, an error, a request to cancel.
inline constexpr std::uint64_t kExtra = std::uint64_t{1} << 30;
/// Belongs to a Graph, which keeps the record (not the result) until it is destroyed.
inline constexpr std::uint64_t kKept = std::uint64_t{1} << 31;
inline constexpr unsigned kEdgeShift = 32;

inline constexpr std::uint32_t edge_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> kEdgeShift); }
inline constexpr std::uint64_t uses_of(std::uint64_t word) { return word & kUses; }
}  // namespace task_word

inline constexpr std::uint32_t kTookInput = kNone - 1;

/// A task, in one cache line.
///
/// Invariants:
///  1. `join` counts the inputs that have not ended, plus one while the task must not start yet (a guard).
///  2. Whoever brings `join` to zero, and nobody else, makes the task ready.
///  3. Before it runs the payload holds the closure from its start; when it has ended without a failure, the result (or
///     the pointer to it) lies at its end. They never overlap.
///  4. The record is free when its uses are zero; then nothing refers to it.
struct alignas(64) TaskRecord {
  static constexpr std::size_t kPayloadBytes = 32;

  std::atomic<std::uint64_t> word;
  std::atomic<std::uint32_t> join;
  /// What runs and where the user wrote it: an index into the table of sites.
  std::uint32_t site;
  /// First of `input_count` edges.
  std::uint32_t first_input;
  std::uint32_t input_count : 31;
  /// Holds no use of its inputs: they are plain tasks of the Graph it belongs to, which keeps them for all runs.
  std::uint32_t borrows : 1;
  PacketId packet;
  /// Links parked tasks of a packet; kTookInput of one that runs and has moved an input out; otherwise free.
  std::uint32_t link;
  alignas(8) std::byte payload[kPayloadBytes];
};

static_assert(sizeof(TaskRecord) == 64, "a task must stay one cache line");

}  // namespace weft
