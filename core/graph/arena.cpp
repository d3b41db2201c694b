#include <weft/arena.hpp>

#include "core/diagnostics/assert.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/graph_size.hpp"
#include "core/graph/release.hpp"
#include "core/journal/segment_keys.hpp"

#include <weft/error.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <vector>

namespace weft::arena {
namespace {

constexpr std::uint64_t kMostTasks = std::uint64_t{1} << 28;
constexpr std::uint64_t kMostEdges = std::uint64_t{1} << 29;
constexpr std::uint32_t kMostSegments = static_cast<std::uint32_t>(kMostTasks >> kSegmentShift);
constexpr std::uint32_t kMostBlocks = static_cast<std::uint32_t>(kMostEdges / kBlockEdges);
constexpr std::uint32_t kLongestRun = 256;
/// Free segments beyond these keep their addresses but give their memory back.
constexpr std::size_t kCachedSegments = (std::size_t{512} << 20) / (sizeof(TaskRecord) * kSegmentTasks);

template <class T>
T* reserve(std::uint64_t count) {
  void* const place =
      ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  WEFT_ASSERT(place != MAP_FAILED, "address space for the task arena must be available (ulimit -v too small?)");
  ::madvise(place, count * sizeof(T), MADV_HUGEPAGE);
  return static_cast<T*>(place);
}

/// The book of segments and edge blocks. Threading: guarded by mutex, but for the live counters.
struct Book {
  std::mutex mutex;
  std::deque<std::uint32_t> free_segments;
  std::vector<std::uint32_t> free_blocks;
  // Written under the mutex, read by anybody.
  std::atomic<std::uint32_t> fresh_segment = 0;
  std::atomic<std::uint32_t> fresh_block = 0;
  std::uint32_t most_segments = 0;
  // One entry a segment: records not yet free, first block of its edges.
  std::atomic<std::uint32_t>* live = reserve<std::atomic<std::uint32_t>>(kMostSegments);
  std::uint32_t* first_block = reserve<std::uint32_t>(kMostSegments);
  // One entry a block: the next one of the same segment.
  std::uint32_t* next_block = reserve<std::uint32_t>(kMostBlocks);
};

/// Lives as long as the process: handles may be destroyed by static destructors.
Book& book() {
  static Book* const instance = new Book;
  return *instance;
}

/// A thread's cursor and its frees not yet told. Trivial, so that reading it costs no check.
struct ThreadPart {
  Cursor cursor;
  std::uint32_t freed_segment;
  std::uint32_t freed_count;
  bool registered;
};
constinit thread_local ThreadPart part{{}, kNone, 0, false};

struct ThreadEnd {
  ~ThreadEnd() {
    close(part.cursor);
    flush_frees();
    part.registered = true;
  }
};

void register_thread() {
  thread_local ThreadEnd end;
  static_cast<void>(end);
  part.registered = true;
}

void recycle_segment(std::uint32_t segment) {
  if (journal::any_keys.load(std::memory_order_relaxed)) journal::forget_keys(segment);
  Book& b = book();
  const std::lock_guard lock(b.mutex);
  for (std::uint32_t block = b.first_block[segment]; block != kNone; block = b.next_block[block]) {
    b.free_blocks.push_back(block);
  }
  b.first_block[segment] = kNone;
  segment_packets[segment] = kNone;
  if (b.free_segments.size() > kCachedSegments) {
    ::madvise(&tasks[segment << kSegmentShift], sizeof(TaskRecord) * kSegmentTasks, MADV_DONTNEED);
  }
  b.free_segments.push_back(segment);
}

void give_back(std::uint32_t segment, std::uint32_t count) {
  if (book().live[segment].fetch_sub(count, std::memory_order_acq_rel) == count) recycle_segment(segment);
}

/// Takes up to `wanted` segments that lie side by side; returns the first and how many.
std::pair<std::uint32_t, std::uint32_t> take_segments(std::uint32_t wanted) {
  Book& b = book();
  const std::lock_guard lock(b.mutex);
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  if (!b.free_segments.empty()) {
    first = b.free_segments.front();
    while (count < wanted && !b.free_segments.empty() && b.free_segments.front() == first + count) {
      b.free_segments.pop_front();
      ++count;
    }
  } else {
    if (b.fresh_segment + wanted > kMostSegments) {
      throw MemoryError(
          "no room for more tasks: 268,435,456 are described and not yet released; release futures, "
          "or describe the work as a layer (weft/layer.hpp), which stores no tasks");
    }
    first = b.fresh_segment;
    count = wanted;
    b.fresh_segment += wanted;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    b.first_block[first + i] = kNone;
    segment_packets[first + i] = kNone;
  }
  return {first, count};
}

}  // namespace

TaskRecord* const tasks = reserve<TaskRecord>(kMostTasks);
Edge* const edges = reserve<Edge>(kMostEdges);
PacketId* const segment_packets = reserve<PacketId>(kMostSegments);

namespace {
/// Of segments that are kApart: what most of their records belong to.
PacketId* const part_packets = reserve<PacketId>(kMostSegments);
}  // namespace

void set_apart(TaskId id, PacketId packet) noexcept {
  part_packets[id >> kSegmentShift] = packet;
  segment_packets[id >> kSegmentShift] = kApart;
}

PacketId packet_in_part(TaskId id) noexcept {
  PacketId packet = kNone;
  if ((task(id).word.load(std::memory_order_relaxed) & task_word::kExtra) != 0) {
    extras::read(id, [&](const TaskExtra& extra) { packet = extra.packet; });
  }
  return packet != kNone ? packet : part_packets[id >> kSegmentShift];
}

Cursor& thread_cursor() {
  if (!part.registered) [[unlikely]]
    register_thread();
  return part.cursor;
}

void refill_tasks(Cursor& cursor) {
  if (cursor.next_task == cursor.run_end) {
    const auto [first, count] = take_segments(cursor.refill_segments);
    cursor.next_task = first << kSegmentShift;
    cursor.run_end = (first + count) << kSegmentShift;
    cursor.refill_segments = std::min(cursor.refill_segments * 2, kLongestRun);
  }
  // Its records count as given out only now; the rest of the run is merely kept for this cursor.
  book().live[cursor.next_task >> kSegmentShift].store(kSegmentTasks, std::memory_order_relaxed);
  cursor.end_task = cursor.next_task + kSegmentTasks;
  // Edges belong to a segment, so a new segment starts a new block.
  cursor.next_edge = cursor.end_edge = 0;
}

void refill_edges(Cursor& cursor, std::uint32_t count) {
  Book& b = book();
  const std::uint32_t segment = cursor.next_task >> kSegmentShift;
  const std::uint32_t blocks = (count + kBlockEdges - 1) / kBlockEdges;
  const std::lock_guard lock(b.mutex);
  std::uint32_t first = 0;
  if (blocks == 1 && !b.free_blocks.empty()) {
    first = b.free_blocks.back();
    b.free_blocks.pop_back();
  } else {
    if (b.fresh_block + blocks > kMostBlocks) {
      throw MemoryError("no room for more task inputs: 536,870,912 are described and not yet released");
    }
    first = b.fresh_block;
    b.fresh_block += blocks;
  }
  for (std::uint32_t i = 0; i < blocks; ++i) {
    b.next_block[first + i] = b.first_block[segment];
    b.first_block[segment] = first + i;
  }
  cursor.next_edge = first * kBlockEdges;
  cursor.end_edge = (first + blocks) * kBlockEdges;
}

void close(Cursor& cursor) noexcept {
  if (cursor.next_task != cursor.end_task)
    give_back(cursor.next_task >> kSegmentShift, cursor.end_task - cursor.next_task);
  for (TaskId at = cursor.end_task; at != cursor.run_end; at += kSegmentTasks) {
    recycle_segment(at >> kSegmentShift);
  }
  cursor = Cursor{};
}

void free_record(TaskId id) noexcept {
  const std::uint32_t segment = id >> kSegmentShift;
  if (part.freed_segment != segment) {
    if (!part.registered) [[unlikely]]
      register_thread();
    flush_frees();
    part.freed_segment = segment;
  }
  ++part.freed_count;
}

void free_records(TaskId id, std::uint32_t count) noexcept {
  if (count != 0) give_back(id >> kSegmentShift, count);
}

void flush_frees() noexcept {
  if (part.freed_count != 0) give_back(part.freed_segment, part.freed_count);
  part.freed_segment = kNone;
  part.freed_count = 0;
}

void last_use_gone(TaskId id, std::uint64_t word) noexcept { release_task(id, word); }

std::size_t most_bytes() noexcept {
  const Book& b = book();
  return (b.fresh_segment.load(std::memory_order_relaxed) * sizeof(TaskRecord) * kSegmentTasks) +
         (b.fresh_block.load(std::memory_order_relaxed) * sizeof(Edge) * std::size_t{kBlockEdges});
}

std::size_t live_bytes() {
  Book& b = book();
  const std::lock_guard lock(b.mutex);
  return most_bytes() - b.free_segments.size() * sizeof(TaskRecord) * kSegmentTasks -
         b.free_blocks.size() * sizeof(Edge) * std::size_t{kBlockEdges};
}

Usage usage() {
  Book& b = book();
  const std::lock_guard lock(b.mutex);
  Usage usage;
  for (std::uint32_t segment = 0; segment < b.fresh_segment; ++segment) {
    usage.live_tasks += b.live[segment].load(std::memory_order_relaxed);
  }
  usage.resident_bytes = (b.fresh_segment * sizeof(TaskRecord) * kSegmentTasks) +
                         (b.fresh_block * sizeof(Edge) * std::size_t{kBlockEdges});
  return usage;
}

}  // namespace weft::arena
