#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace weft {

/// Fills one kind of memory: the hook by which a room adds pinned or device memory to buffers.
/// Owns: nothing by contract.  Threading: every function may be called from any thread at once.
class MemoryResource {
 public:
  virtual ~MemoryResource() = default;
  /// Returns `bytes` (never 0), aligned to 64; throws MemoryError where there is no room.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* data, std::size_t bytes) noexcept = 0;
  /// Returns a word for reports, as "host" or "cuda:0".
  virtual const char* name() const noexcept = 0;
  /// Tells whether the processor may read and write the bytes; only such buffers can be spilled directly.
  virtual bool host_accessible() const noexcept = 0;
};

namespace detail {

/// What stands behind every copy of a Buffer: the count and the way back. One cache line.
struct alignas(64) BufferBlock {
  std::atomic<std::uint32_t> references{1};
  /// How the block is given back: a size class of the pool, or one of the kinds in buffer.cpp.
  std::uint32_t kind = 0;
  std::byte* data = nullptr;
  std::size_t size = 0;
  /// Bytes taken from the pool or the resource, the rounding included.
  std::size_t capacity = 0;
  MemoryResource* resource = nullptr;
  /// Keeps adopted bytes alive; whoever exported them knows how they are freed.
  std::shared_ptr<const void> owner;
};
static_assert(sizeof(BufferBlock) == 64);

void free_block(BufferBlock* block) noexcept;

}  // namespace detail

/// A block of bytes that tasks hand to each other without copying.
/// Owns: one count of the block; copies share the bytes, and the last one gives them back to weft's pool.
/// Threading: copies may live on different threads; the bytes themselves are the user's to order.
class Buffer {
 public:
  /// Makes an empty buffer: no bytes, data() is null.
  Buffer() noexcept = default;
  Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() {
    // acq_rel: what other owners did with the bytes happens before they are given back.
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      detail::free_block(block_);
    }
  }

  /// Returns `bytes` uninitialised bytes, aligned to 64 (to a page from 32 KiB on); throws MemoryError.
  static Buffer allocate(std::size_t bytes);
  /// The same from another kind of memory; `resource` must outlive the buffer.
  static Buffer allocate(std::size_t bytes, MemoryResource& resource);
  /// Takes over bytes that somebody else made, without copying; they live until `owner` is let go.
  static Buffer adopt(void* data, std::size_t bytes, std::shared_ptr<const void> owner);

  std::byte* data() noexcept { return block_ != nullptr ? block_->data : nullptr; }
  const std::byte* data() const noexcept { return block_ != nullptr ? block_->data : nullptr; }
  std::size_t size() const noexcept { return block_ != nullptr ? block_->size : 0; }
  bool empty() const noexcept { return size() == 0; }
  /// Tells whether no other copy shares the bytes: the holder may then write into them.
  bool unique() const noexcept {
    return block_ != nullptr && block_->references.load(std::memory_order_acquire) == 1;
  }
  /// Tells whether the bytes came from outside by adopt().
  bool adopted() const noexcept { return block_ != nullptr && block_->owner != nullptr; }
  /// Tells whether the processor may touch the bytes.
  bool host_accessible() const noexcept {
    return block_ == nullptr || block_->resource == nullptr || block_->resource->host_accessible();
  }
  /// Returns a buffer of its own with the same bytes.
  Buffer copy() const;

 private:
  explicit Buffer(detail::BufferBlock* block) noexcept : block_(block) {}

  detail::BufferBlock* block_ = nullptr;
};

/// An array of T in a Buffer: what a task returns when its result is large.
/// Owns: a share of the bytes; copies are cheap and see the same elements.  Threading: as Buffer.
template <class T>
class Chunk {
  static_assert(std::is_trivially_copyable_v<T>,
                "weft: Chunk<T> holds plain values only; use std::vector<T> for types with pointers or destructors");

 public:
  using value_type = T;

  Chunk() noexcept = default;
  /// Makes `count` uninitialised elements.
  explicit Chunk(std::size_t count) : buffer_(Buffer::allocate(bytes_of(count))) {}
  Chunk(std::size_t count, const T& value) : Chunk(count) {
    T* const first = data();
    for (std::size_t i = 0; i < count; ++i) first[i] = value;
  }
  /// Views a buffer as elements; its size must be a multiple of sizeof(T), or the rest is not seen.
  explicit Chunk(Buffer buffer) noexcept : buffer_(std::move(buffer)) {}

  T* data() noexcept { return reinterpret_cast<T*>(buffer_.data()); }
  const T* data() const noexcept { return reinterpret_cast<const T*>(buffer_.data()); }
  std::size_t size() const noexcept { return buffer_.size() / sizeof(T); }
  std::size_t size_bytes() const noexcept { return buffer_.size(); }
  bool empty() const noexcept { return size() == 0; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size(); }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size(); }
  T& operator[](std::size_t i) noexcept { return data()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }

  /// Tells whether no other copy sees the elements.
  bool unique() const noexcept { return buffer_.unique(); }
  /// Returns a chunk of its own with equal elements.
  Chunk copy() const { return Chunk(buffer_.copy()); }
  const Buffer& buffer() const noexcept { return buffer_; }
  Buffer& buffer() noexcept { return buffer_; }

  friend bool operator==(const Chunk& a, const Chunk& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!(a[i] == b[i])) return false;
    }
    return true;
  }

 private:
  // A count whose bytes do not fit 64 bits asks for all of them, which the pool refuses with a sentence.
  static std::size_t bytes_of(std::size_t count) noexcept {
    return count > ~std::size_t{0} / sizeof(T) ? ~std::size_t{0} : count * sizeof(T);
  }

  Buffer buffer_;
};

}  // namespace weft
