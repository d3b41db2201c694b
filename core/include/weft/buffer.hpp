#pragma once

#include <weft/encode.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

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
  bool unique() const noexcept { return block_ != nullptr && block_->references.load(std::memory_order_acquire) == 1; }
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

/// Returns the bytes that a buffer or chunk holds; every one that shares them is charged with all of them.
inline std::size_t weft_size_of(const Buffer& buffer) { return sizeof buffer + buffer.size(); }
template <class T>
std::size_t weft_size_of(const Chunk<T>& chunk) {
  return sizeof chunk + chunk.size_bytes();
}

/// Bytes travel as their count and themselves. Only memory that the processor may read can be sent this way.
template <>
struct Codec<Buffer> {
  using Parts = Types<>;
  static void write(Writer& writer, const Buffer& buffer) {
    if (!buffer.host_accessible()) detail::must_stay("weft::Buffer of device memory");
    writer.reserve(buffer.size() + 10);
    writer.count(buffer.size());
    writer.bytes(buffer.data(), buffer.size());
  }
  static void read(Reader& reader, Buffer& buffer) {
    buffer = Buffer::allocate(reader.elements(1, "weft::Buffer"));
    reader.bytes(buffer.data(), buffer.size(), "weft::Buffer");
  }
};

template <class T>
struct Codec<Chunk<T>> {
  using Parts = Types<T>;
  static void write(Writer& writer, const Chunk<T>& chunk) {
    if (!chunk.buffer().host_accessible()) detail::must_stay(type_name<Chunk<T>>());
    writer.reserve(chunk.size_bytes() + 10);
    writer.count(chunk.size());
    detail::write_elements(writer, chunk.data(), chunk.size());
  }
  static void read(Reader& reader, Chunk<T>& chunk) {
    chunk = Chunk<T>(reader.elements(detail::least_bytes<T>(), type_name<Chunk<T>>()));
    detail::read_elements(reader, chunk.data(), chunk.size());
  }
};

/// How the one block of bytes behind a value is reached, for types that are little more than such a block: they go to
/// disk from where they lie, and come back to where they will lie, without being encoded or copied.
struct PayloadOps {
  /// Returns the bytes, null where the processor may not read them.
  const void* (*data)(const void* value);
  std::size_t (*size)(const void* value);
  /// Tells whether destroying the value would free them: false while others share them.
  bool (*sole)(const void* value);
  /// Makes a value with room for `bytes` at `place`, and returns where they are to be read to. May throw.
  void* (*make)(void* place, std::size_t bytes);
};

namespace detail {

template <class T>
struct Payload {
  static constexpr const PayloadOps* ops = nullptr;
};

template <>
struct Payload<Buffer> {
  static const Buffer& of(const void* value) { return *static_cast<const Buffer*>(value); }
  static constexpr PayloadOps table{
      [](const void* value) -> const void* { return of(value).host_accessible() ? of(value).data() : nullptr; },
      [](const void* value) { return of(value).size(); },
      [](const void* value) { return of(value).unique() && !of(value).adopted(); },
      [](void* place, std::size_t bytes) -> void* { return (::new (place) Buffer(Buffer::allocate(bytes)))->data(); }};
  static constexpr const PayloadOps* ops = &table;
};

// A chunk is a buffer and nothing else.
template <class T>
struct Payload<Chunk<T>> : Payload<Buffer> {
  static_assert(sizeof(Chunk<T>) == sizeof(Buffer));
};

template <class T, class A>
requires(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool> &&
         std::is_default_constructible_v<T>) struct Payload<std::vector<T, A>> {
  using Vector = std::vector<T, A>;
  static const Vector& of(const void* value) { return *static_cast<const Vector*>(value); }
  static constexpr PayloadOps table{
      [](const void* value) -> const void* { return of(value).data(); },
      [](const void* value) { return of(value).size() * sizeof(T); }, [](const void*) { return true; },
      [](void* place, std::size_t bytes) -> void* { return (::new (place) Vector(bytes / sizeof(T)))->data(); }};
  static constexpr const PayloadOps* ops = &table;
};

}  // namespace detail

/// The payload of `T`, or null for types that are encoded instead.
template <class T>
inline constexpr const PayloadOps* payload_ops = detail::Payload<T>::ops;

}  // namespace weft
