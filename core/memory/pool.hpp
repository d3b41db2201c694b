#pragma once

#include <weft/buffer.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace weft {

/// What the pool holds at one moment.
struct PoolCounts {
  /// Bytes of living buffers, rounding and headers included; adopted bytes are counted apart.
  std::size_t live_bytes = 0;
  std::size_t live_buffers = 0;
  std::size_t adopted_bytes = 0;
  /// Bytes of living buffers in other kinds of memory.
  std::size_t resource_bytes = 0;
  /// Free bytes kept for the next buffers.
  std::size_t cached_bytes = 0;
  /// Bytes mapped from the system: live, cached and partly used spans.
  std::size_t mapped_bytes = 0;
  std::size_t peak_mapped_bytes = 0;
};

/// Where the bytes of buffers come from, so that they can be counted, bounded and given back to the system.
///
/// Small buffers (below 32 KiB) lie with their header in spans of 256 KiB, each cut for one size class and belonging to
/// the shard of the thread that made it. Large ones are mapped by themselves in eight classes a doubling, page-aligned
/// so that spilling can write them past the page cache, and kept for reuse up to a cap.
/// Owns: every byte it mapped; lives until the process ends.  Threading: any thread; a mutex a shard or size class.
class Pool {
 public:
  static constexpr std::size_t kLargeBytes = 32 * 1024;
  static constexpr std::size_t kSpanBytes = 256 * 1024;

  /// Returns the process's pool. It is never destroyed: buffers in static storage may outlive everything else.
  static Pool& global();

  detail::BufferBlock* allocate(std::size_t bytes);
  detail::BufferBlock* allocate(std::size_t bytes, MemoryResource& resource);
  detail::BufferBlock* adopt(void* data, std::size_t bytes, std::shared_ptr<const void> owner);
  void free(detail::BufferBlock* block) noexcept;

  PoolCounts counts() const noexcept;
  std::size_t cached_bytes() const noexcept { return cached_bytes_.load(std::memory_order_relaxed); }
  /// Returns the bytes of living buffers in host memory: a sum over the shards, cheap enough to sample.
  std::size_t live_bytes() const noexcept;

  /// Gives cached bytes back to the system until at most `keep_bytes` stay. Called at the end of a graph, when idle,
  /// and before anything is spilled. Returns the bytes given back.
  std::size_t trim(std::size_t keep_bytes = 0) noexcept;
  /// Sets how many free bytes may be kept at all.
  void set_cache_cap(std::size_t bytes) noexcept;
  /// Sets what live and cached bytes may reach together: beyond it the cache shrinks before anything new is mapped.
  void set_resident_cap(std::size_t bytes) noexcept;

 private:
  Pool() = default;

  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kSmallClasses = 33;
  static constexpr std::size_t kLargeClasses = 8 * 33;

  struct Span;
  struct FreeNode {
    FreeNode* next;
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    // Guarded by mutex: spans with room, by class.
    std::array<Span*, kSmallClasses> open{};
    // Counted apart from the spans: each thread adds to its own shard, so a sum may pass through negative parts.
    alignas(64) std::atomic<std::int64_t> live_bytes{0};
    std::atomic<std::int64_t> live_buffers{0};
    std::atomic<std::int64_t> adopted_bytes{0};
    std::atomic<std::int64_t> resource_bytes{0};
  };
  struct LargeClass {
    std::mutex mutex;
    // Guarded by mutex: free blocks of this capacity, linked through their first word.
    FreeNode* free = nullptr;
  };

  static std::size_t small_class(std::size_t bytes) noexcept;
  static std::size_t small_class_bytes(std::size_t small) noexcept;
  static std::size_t large_class(std::size_t bytes) noexcept;
  static std::size_t large_class_bytes(std::size_t large) noexcept;
  static std::size_t shard_of_thread() noexcept;

  void* take_small(std::size_t small);
  void give_small(void* place) noexcept;
  Span* open_span(std::size_t shard, std::size_t small);
  void unlink_and_close(Span* span) noexcept;
  void close_span(Span* span) noexcept;
  void* take_large(std::size_t large);
  void give_large(void* place, std::size_t capacity) noexcept;
  bool drop_one_large(std::size_t large) noexcept;
  void* map(std::size_t bytes, std::size_t align);
  void unmap(void* place, std::size_t bytes) noexcept;
  void count(std::int64_t bytes, std::int64_t buffers) noexcept;

  std::array<Shard, kShards> shards_;
  std::array<LargeClass, kLargeClasses> large_;
  // Empty spans kept for reuse, one class as it were.
  LargeClass spans_;
  std::atomic<std::size_t> cached_bytes_{0};
  std::atomic<std::size_t> mapped_bytes_{0};
  std::atomic<std::size_t> peak_mapped_bytes_{0};
  std::atomic<std::size_t> cache_cap_{std::size_t{256} << 20};
  std::atomic<std::size_t> resident_cap_{~std::size_t{0}};
  std::atomic<std::size_t> drop_cursor_{0};
};

}  // namespace weft
