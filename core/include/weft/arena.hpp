#pragma once

#include <weft/task_record.hpp>

namespace weft::arena {

/// The process's store of task records and edges: two reserved address ranges that never move, filled in segments of
/// 256 records. A segment is given out again when all of its records are free, so long streams of tasks stay small.
/// Owns: the ranges, for the life of the process. Threading: any thread; a cursor belongs to one thread at a time.

inline constexpr unsigned kSegmentShift = 8;
inline constexpr std::uint32_t kSegmentTasks = 1u << kSegmentShift;
inline constexpr std::uint32_t kBlockEdges = 256;

/// A place in the segments and edge blocks that somebody fills: a thread's own, or a graph's.
struct Cursor {
  TaskId next_task = 0;
  TaskId end_task = 0;
  /// End of the segments reserved for this cursor; end_task is the end of the one it is in.
  TaskId run_end = 0;
  std::uint32_t next_edge = 0;
  std::uint32_t end_edge = 0;
  /// How many segments the next refill asks for: grows, so that big graphs lie in one piece.
  std::uint32_t refill_segments = 1;
};

extern TaskRecord* const tasks;
extern Edge* const edges;

/// Returns the calling thread's own cursor. It is closed when the thread ends.
Cursor& thread_cursor();
/// Gives the cursor new segments. Throws MemoryError when the reserved range is full.
void refill_tasks(Cursor& cursor);
/// Gives the cursor room for `count` edges side by side.
void refill_edges(Cursor& cursor, std::uint32_t count);
/// Hands back what the cursor has not filled. The records it gave out stay.
void close(Cursor& cursor) noexcept;

/// Returns a fresh record's id. The caller fills the record at once.
inline TaskId allocate_task(Cursor& cursor) {
  if (cursor.next_task == cursor.end_task) [[unlikely]]
    refill_tasks(cursor);
  return cursor.next_task++;
}

/// Returns the first of `count` edges that lie side by side. They belong to the segment of the task allocated next:
/// call this first, then allocate_task.
inline std::uint32_t allocate_edges(Cursor& cursor, std::uint32_t count) {
  if (cursor.next_task == cursor.end_task) [[unlikely]]
    refill_tasks(cursor);
  if (cursor.end_edge - cursor.next_edge < count) [[unlikely]]
    refill_edges(cursor, count);
  const std::uint32_t first = cursor.next_edge;
  cursor.next_edge += count;
  return first;
}

inline TaskRecord& task(TaskId id) { return tasks[id]; }
inline Edge& edge(std::uint32_t id) { return edges[id]; }

/// Adds a use. The caller already owns one.
inline void add_use(TaskId id) noexcept { task(id).word.fetch_add(task_word::kUse, std::memory_order_relaxed); }

/// Destroys what a task without uses holds, and frees its record.
void last_use_gone(TaskId id, std::uint64_t word) noexcept;

/// Gives up a use; the last one destroys the result and frees the record.
inline void drop_use(TaskId id) noexcept {
  TaskRecord& record = task(id);
  std::uint64_t word = record.word.load(std::memory_order_acquire);
  // The common case of a big graph: its Graph keeps the record, and there is nothing to destroy.
  constexpr std::uint64_t told = task_word::kUses | task_word::kPlain | task_word::kDone | task_word::kFailed |
                                 task_word::kExtra | task_word::kKept;
  if ((word & told) == (task_word::kUse | task_word::kPlain | task_word::kDone | task_word::kKept)) {
    record.word.store(word - task_word::kUse, std::memory_order_release);
    return;
  }
  // A sole owner needs no atomic: nobody else can add a use without owning one.
  if (task_word::uses_of(word) != 1) {
    word = record.word.fetch_sub(task_word::kUse, std::memory_order_acq_rel);
    if (task_word::uses_of(word) != 1) return;
  }
  last_use_gone(id, word);
}

/// Gives a record's place back. The record holds nothing any more.
void free_record(TaskId id) noexcept;
/// As free_record, for `count` records of the segment of `id`.
void free_records(TaskId id, std::uint32_t count) noexcept;
/// Passes on the frees that this thread has counted but not yet told.
void flush_frees() noexcept;

struct Usage {
  /// Records given out and not free, those a cursor has not filled yet included.
  std::size_t live_tasks = 0;
  std::size_t resident_bytes = 0;
};
/// Returns how many records are given out, and the bytes of memory behind the two ranges.
Usage usage();

/// The packet that every record of a segment belongs to; kNone where each record names its own, kApart where some of a
/// graph's are in packets of their own.
extern PacketId* const segment_packets;
inline constexpr PacketId kApart = kNone - 1;
/// Puts `packet`, which the other records of the segment of `id` belong to, and the fact that some do not.
void set_apart(TaskId id, PacketId packet) noexcept;
PacketId packet_in_part(TaskId id) noexcept;

inline PacketId packet_of(TaskId id) {
  const PacketId packet = segment_packets[id >> kSegmentShift];
  if (packet < kApart) [[likely]]
    return packet;
  return packet == kNone ? task(id).packet : packet_in_part(id);
}

}  // namespace weft::arena
