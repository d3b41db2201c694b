#include "core/memory/pool.hpp"

#include "core/diagnostics/assert.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(place, bytes) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(place, bytes) static_cast<void>(0)
#endif

namespace weft {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHeaderBytes = sizeof(detail::BufferBlock);
// From here on a block is aligned for transparent huge pages: a fault then brings 2 MiB and not 4 KiB.
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kHugeFrom = 2 * kHugePage;
// More than any machine has; also catches sizes that wrapped around below zero.
constexpr std::size_t kLargestBytes = std::size_t{1} << 46;

enum Kind : std::uint32_t { kSmall, kLarge, kAdopted, kOther };

[[noreturn]] void no_memory(std::size_t bytes, const char* why) {
  throw MemoryError("cannot allocate a buffer of " + bytes_text(bytes) + ": " + why +
                    "; use smaller chunks, fewer slots or a lower --weft-memory");
}

}  // namespace

// Stands at the begin of each span; objects follow from kFirst on.
struct Pool::Span {
  static constexpr std::size_t kFirst = 128;

  std::uint32_t shard = 0;
  std::uint32_t small = 0;
  std::uint32_t used = 0;
  std::uint32_t room = 0;
  // Objects never handed out begin here, so that pages are first touched when needed.
  std::size_t fresh = kFirst;
  FreeNode* free = nullptr;
  Span* next = nullptr;
  Span* previous = nullptr;

  bool full() const { return used == room; }
};

Pool& Pool::global() {
  alignas(Pool) static std::byte storage[sizeof(Pool)];
  static Pool* const pool = ::new (static_cast<void*>(storage)) Pool;
  return *pool;
}

std::size_t Pool::small_class(std::size_t bytes) noexcept {
  if (bytes <= 512) return (bytes + 63) / 64 - 1;
  const std::size_t log = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^log < bytes <= 2^(log+1)
  const std::size_t step = std::size_t{1} << (log - 2);
  return 8 + (log - 9) * 4 + (bytes - (std::size_t{1} << log) + step - 1) / step - 1;
}

std::size_t Pool::small_class_bytes(std::size_t small) noexcept {
  if (small < 8) return (small + 1) * 64;
  const std::size_t log = 9 + (small - 8) / 4;
  return (std::size_t{1} << log) + ((small - 8) % 4 + 1) * (std::size_t{1} << (log - 2));
}

std::size_t Pool::large_class(std::size_t bytes) noexcept {
  if (bytes <= kLargeBytes) return 0;
  const std::size_t log = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t step = std::size_t{1} << (log - 3);
  return (log - 15) * 8 + (bytes - (std::size_t{1} << log) + step - 1) / step;
}

std::size_t Pool::large_class_bytes(std::size_t large) noexcept {
  const std::size_t log = 15 + large / 8;
  return (std::size_t{1} << log) + large % 8 * (std::size_t{1} << (log - 3));
}

std::size_t Pool::shard_of_thread() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t shard = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
  return shard;
}

void Pool::count(std::int64_t bytes, std::int64_t buffers) noexcept {
  Shard& shard = shards_[shard_of_thread()];
  shard.live_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (buffers != 0) shard.live_buffers.fetch_add(buffers, std::memory_order_relaxed);
}

detail::BufferBlock* Pool::allocate(std::size_t bytes) {
  if (bytes > kLargestBytes) no_memory(bytes, "no machine has that much; the size may have wrapped around");
  if (bytes < kLargeBytes) {
    const std::size_t small = small_class(bytes + kHeaderBytes);
    auto* const block = ::new (take_small(small)) detail::BufferBlock;
    block->kind = kSmall;
    block->data = reinterpret_cast<std::byte*>(block) + kHeaderBytes;
    block->size = bytes;
    block->capacity = small_class_bytes(small);
    count(static_cast<std::int64_t>(block->capacity), 1);
    return block;
  }
  const std::size_t large = large_class(bytes);
  void* const header = take_small(0);
  void* data = nullptr;
  try {
    data = take_large(large);
  } catch (...) {
    give_small(header);
    throw;
  }
  auto* const block = ::new (header) detail::BufferBlock;
  block->kind = kLarge;
  block->data = static_cast<std::byte*>(data);
  block->size = bytes;
  block->capacity = large_class_bytes(large);
  count(static_cast<std::int64_t>(block->capacity + kHeaderBytes), 1);
  return block;
}

detail::BufferBlock* Pool::allocate(std::size_t bytes, MemoryResource& resource) {
  void* const header = take_small(0);
  void* data = nullptr;
  try {
    if (bytes != 0) data = resource.allocate(bytes);
  } catch (...) {
    give_small(header);
    throw;
  }
  auto* const block = ::new (header) detail::BufferBlock;
  block->kind = kOther;
  block->data = static_cast<std::byte*>(data);
  block->size = bytes;
  block->capacity = bytes;
  block->resource = &resource;
  count(static_cast<std::int64_t>(kHeaderBytes), 1);
  shards_[shard_of_thread()].resource_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  return block;
}

detail::BufferBlock* Pool::adopt(void* data, std::size_t bytes, std::shared_ptr<const void> owner) {
  auto* const block = ::new (take_small(0)) detail::BufferBlock;
  block->kind = kAdopted;
  block->data = static_cast<std::byte*>(data);
  block->size = bytes;
  block->capacity = bytes;
  block->owner = std::move(owner);
  count(static_cast<std::int64_t>(kHeaderBytes), 1);
  shards_[shard_of_thread()].adopted_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  return block;
}

void Pool::free(detail::BufferBlock* block) noexcept {
  const auto capacity = static_cast<std::int64_t>(block->capacity);
  constexpr auto kHeader = static_cast<std::int64_t>(kHeaderBytes);
  switch (block->kind) {
    case kSmall:
      count(-capacity, -1);
      break;
    case kLarge:
      count(-capacity - kHeader, -1);
      give_large(block->data, block->capacity);
      break;
    case kAdopted:
      count(-kHeader, -1);
      shards_[shard_of_thread()].adopted_bytes.fetch_sub(capacity, std::memory_order_relaxed);
      break;
    case kOther:
      count(-kHeader, -1);
      shards_[shard_of_thread()].resource_bytes.fetch_sub(capacity, std::memory_order_relaxed);
      if (block->data != nullptr) block->resource->deallocate(block->data, block->size);
      break;
    default:
      WEFT_ASSERT(false, "a buffer is freed once, and nobody writes before its first byte");
  }
  block->~BufferBlock();
  give_small(block);
}

// --- small objects -----------------------------------------------------------------------------------------------

void* Pool::take_small(std::size_t small) {
  const std::size_t at = shard_of_thread();
  Shard& shard = shards_[at];
  const std::lock_guard lock(shard.mutex);
  Span* span = shard.open[small];
  if (span == nullptr) {
    span = open_span(at, small);
    shard.open[small] = span;
  }
  void* place = nullptr;
  if (span->free != nullptr) {
    place = span->free;
    span->free = span->free->next;
  } else {
    place = reinterpret_cast<std::byte*>(span) + span->fresh;
    span->fresh += small_class_bytes(small);
  }
  ++span->used;
  if (span->full()) {
    shard.open[small] = span->next;
    if (span->next != nullptr) span->next->previous = nullptr;
    span->next = nullptr;
  }
  ASAN_UNPOISON_MEMORY_REGION(place, small_class_bytes(small));
  return place;
}

void Pool::give_small(void* place) noexcept {
  auto* const span = reinterpret_cast<Span*>(reinterpret_cast<std::uintptr_t>(place) & ~(kSpanBytes - 1));
  Shard& shard = shards_[span->shard];
  const std::lock_guard lock(shard.mutex);
  auto* const node = static_cast<FreeNode*>(place);
  node->next = span->free;
  span->free = node;
  ASAN_POISON_MEMORY_REGION(node + 1, small_class_bytes(span->small) - sizeof(FreeNode));
  Span*& open = shard.open[span->small];
  if (span->full()) {
    span->next = open;
    span->previous = nullptr;
    if (open != nullptr) open->previous = span;
    open = span;
  }
  --span->used;
  // A class's only span stays though empty, so that a lone buffer made and freed in turn costs no system call.
  if (span->used == 0 && (open != span || span->next != nullptr)) unlink_and_close(span);
}

void Pool::unlink_and_close(Span* span) noexcept {
  if (span->next != nullptr) span->next->previous = span->previous;
  (span->previous != nullptr ? span->previous->next : shards_[span->shard].open[span->small]) = span->next;
  close_span(span);
}

Pool::Span* Pool::open_span(std::size_t shard, std::size_t small) {
  void* place = nullptr;
  {
    const std::lock_guard lock(spans_.mutex);
    if (spans_.free != nullptr) {
      place = spans_.free;
      spans_.free = spans_.free->next;
      cached_bytes_.fetch_sub(kSpanBytes, std::memory_order_relaxed);
    }
  }
  if (place == nullptr) place = map(kSpanBytes, kSpanBytes);
#if defined(__SANITIZE_ADDRESS__)
  __lsan_register_root_region(place, kSpanBytes);
#endif
  Span* const span = ::new (place) Span;
  static_assert(sizeof(Span) <= Span::kFirst);
  span->shard = static_cast<std::uint32_t>(shard);
  span->small = static_cast<std::uint32_t>(small);
  span->room = static_cast<std::uint32_t>((kSpanBytes - Span::kFirst) / small_class_bytes(small));
  return span;
}

void Pool::close_span(Span* span) noexcept {
  ASAN_UNPOISON_MEMORY_REGION(span, kSpanBytes);
#if defined(__SANITIZE_ADDRESS__)
  __lsan_unregister_root_region(span, kSpanBytes);
#endif
  if (cached_bytes() + kSpanBytes > cache_cap_.load(std::memory_order_relaxed)) {
    unmap(span, kSpanBytes);
    return;
  }
  const std::lock_guard lock(spans_.mutex);
  auto* const node = ::new (static_cast<void*>(span)) FreeNode{spans_.free};
  spans_.free = node;
  cached_bytes_.fetch_add(kSpanBytes, std::memory_order_relaxed);
}

// --- large blocks ------------------------------------------------------------------------------------------------

void* Pool::take_large(std::size_t large) {
  const std::size_t capacity = large_class_bytes(large);
  {
    LargeClass& cache = large_[large];
    const std::lock_guard lock(cache.mutex);
    if (cache.free != nullptr) {
      void* const place = cache.free;
      cache.free = cache.free->next;
      cached_bytes_.fetch_sub(capacity, std::memory_order_relaxed);
      ASAN_UNPOISON_MEMORY_REGION(place, capacity);
      return place;
    }
  }
  void* const place = map(capacity, capacity >= kHugeFrom ? kHugePage : kPage);
  // The tail below a whole huge page keeps small pages, so that no more becomes resident than was asked for.
  if (capacity >= kHugeFrom) ::madvise(place, capacity / kHugePage * kHugePage, MADV_HUGEPAGE);
  return place;
}

void Pool::give_large(void* place, std::size_t capacity) noexcept {
  const std::size_t cap = cache_cap_.load(std::memory_order_relaxed);
  if (capacity > cap) {
    unmap(place, capacity);
    return;
  }
  // Old sizes make way for the present one: they may never be asked for again.
  if (cached_bytes() + capacity > cap) trim(cap - capacity);
  LargeClass& cache = large_[large_class(capacity)];
  const std::lock_guard lock(cache.mutex);
  cache.free = ::new (place) FreeNode{cache.free};
  cached_bytes_.fetch_add(capacity, std::memory_order_relaxed);
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(place) + sizeof(FreeNode), capacity - sizeof(FreeNode));
}

bool Pool::drop_one_large(std::size_t large) noexcept {
  LargeClass& cache = large == kLargeClasses ? spans_ : large_[large];
  const std::size_t capacity = large == kLargeClasses ? kSpanBytes : large_class_bytes(large);
  FreeNode* place = nullptr;
  {
    const std::lock_guard lock(cache.mutex);
    place = cache.free;
    if (place == nullptr) return false;
    cache.free = place->next;
    cached_bytes_.fetch_sub(capacity, std::memory_order_relaxed);
  }
  ASAN_UNPOISON_MEMORY_REGION(place, capacity);
  unmap(place, capacity);
  return true;
}

std::size_t Pool::trim(std::size_t keep_bytes) noexcept {
  const std::size_t before = mapped_bytes_.load(std::memory_order_relaxed);
  if (keep_bytes == 0) {
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      for (Span* const first : shard.open) {
        for (Span *span = first, *next = nullptr; span != nullptr; span = next) {
          next = span->next;
          if (span->used == 0) unlink_and_close(span);
        }
      }
    }
  }
  // Round about the classes, where the last trim stopped: none of them is emptied again and again for the others.
  std::size_t empty = 0;
  while (cached_bytes() > keep_bytes && empty <= kLargeClasses) {
    const std::size_t at = drop_cursor_.load(std::memory_order_relaxed) % (kLargeClasses + 1);
    if (drop_one_large(at)) {
      empty = 0;
    } else {
      ++empty;
      drop_cursor_.store(at + 1, std::memory_order_relaxed);
    }
  }
  const std::size_t after = mapped_bytes_.load(std::memory_order_relaxed);
  return before > after ? before - after : 0;
}

// --- the system --------------------------------------------------------------------------------------------------

void* Pool::map(std::size_t bytes, std::size_t align) {
  const std::size_t cap = resident_cap_.load(std::memory_order_relaxed);
  const std::size_t mapped = mapped_bytes_.load(std::memory_order_relaxed);
  if (mapped + bytes > cap) {
    const std::size_t excess = mapped + bytes - cap;
    const std::size_t cached = cached_bytes();
    if (cached != 0) trim(cached > excess ? cached - excess : 1);
  }
  const std::size_t slack = align > kPage ? align : 0;
  void* place = MAP_FAILED;
  for (int round = 0; round < 2 && place == MAP_FAILED; ++round) {
    if (round == 1 && trim(1) == 0) break;
    place = ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  if (place == MAP_FAILED) no_memory(bytes, std::strerror(errno));
  auto* begin = static_cast<std::byte*>(place);
  if (slack != 0) {
    const std::size_t head = (align - reinterpret_cast<std::uintptr_t>(begin) % align) % align;
    if (head != 0) ::munmap(begin, head);
    if (slack != head) ::munmap(begin + head + bytes, slack - head);
    begin += head;
  }
  const std::size_t now = mapped_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::size_t peak = peak_mapped_bytes_.load(std::memory_order_relaxed);
  while (peak < now && !peak_mapped_bytes_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return begin;
}

void Pool::unmap(void* place, std::size_t bytes) noexcept {
  const int failed = ::munmap(place, bytes);
  WEFT_ASSERT(failed == 0, "a mapping of the pool is unmapped once");
  mapped_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

std::size_t Pool::live_bytes() const noexcept {
  std::int64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.live_bytes.load(std::memory_order_relaxed);
  return sum > 0 ? static_cast<std::size_t>(sum) : 0;
}

PoolCounts Pool::counts() const noexcept {
  std::int64_t live = 0;
  std::int64_t buffers = 0;
  std::int64_t adopted = 0;
  std::int64_t resource = 0;
  for (const Shard& shard : shards_) {
    live += shard.live_bytes.load(std::memory_order_relaxed);
    buffers += shard.live_buffers.load(std::memory_order_relaxed);
    adopted += shard.adopted_bytes.load(std::memory_order_relaxed);
    resource += shard.resource_bytes.load(std::memory_order_relaxed);
  }
  const auto not_negative = [](std::int64_t n) { return n > 0 ? static_cast<std::size_t>(n) : 0; };
  PoolCounts counts;
  counts.live_bytes = not_negative(live);
  counts.live_buffers = not_negative(buffers);
  counts.adopted_bytes = not_negative(adopted);
  counts.resource_bytes = not_negative(resource);
  counts.cached_bytes = cached_bytes();
  counts.mapped_bytes = mapped_bytes_.load(std::memory_order_relaxed);
  counts.peak_mapped_bytes = peak_mapped_bytes_.load(std::memory_order_relaxed);
  return counts;
}

void Pool::set_cache_cap(std::size_t bytes) noexcept {
  cache_cap_.store(bytes, std::memory_order_relaxed);
  if (cached_bytes() > bytes) trim(bytes);
}

void Pool::set_resident_cap(std::size_t bytes) noexcept { resident_cap_.store(bytes, std::memory_order_relaxed); }

// --- Buffer ------------------------------------------------------------------------------------------------------

void detail::free_block(BufferBlock* block) noexcept { Pool::global().free(block); }

Buffer Buffer::allocate(std::size_t bytes) { return bytes == 0 ? Buffer() : Buffer(Pool::global().allocate(bytes)); }

Buffer Buffer::allocate(std::size_t bytes, MemoryResource& resource) {
  return Buffer(Pool::global().allocate(bytes, resource));
}

Buffer Buffer::adopt(void* data, std::size_t bytes, std::shared_ptr<const void> owner) {
  return Buffer(Pool::global().adopt(data, bytes, std::move(owner)));
}

Buffer Buffer::copy() const {
  Buffer result = allocate(size());
  if (!empty()) std::memcpy(result.data(), data(), size());
  return result;
}

}  // namespace weft
