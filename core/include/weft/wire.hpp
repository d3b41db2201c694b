#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace weft {

static_assert(std::endian::native == std::endian::little, "weft: the wire format is that of little-endian machines");

namespace detail {
/// Recursive values deeper than this are refused on both sides, before they use up a slot's stack.
inline constexpr std::uint32_t kMostLevels = 2'000;
[[noreturn]] void nested_too_deep(std::string_view type);
}  // namespace detail

/// Collects the bytes of encoded values.
/// Owns: its growing buffer (not initialised before it is written). Threading: one thread at a time.
class Writer {
 public:
  Writer() = default;
  Writer(Writer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        level_(std::exchange(other.level_, 0)) {}
  Writer& operator=(Writer&& other) noexcept {
    Writer taken(std::move(other));
    std::swap(data_, taken.data_);
    std::swap(size_, taken.size_);
    std::swap(capacity_, taken.capacity_);
    std::swap(level_, taken.level_);
    return *this;
  }
  ~Writer();

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Forgets the bytes and keeps the memory.
  void clear() { size_ = 0; }
  /// Makes room for `more` bytes at once, so that a large value is not copied while the buffer grows.
  void reserve(std::size_t more) {
    if (capacity_ - size_ < more) grow(more);
  }

  /// Appends `count` bytes and returns their place, to be filled by the caller before the next append.
  std::byte* append(std::size_t count) {
    reserve(count);
    std::byte* const place = data_ + size_;
    size_ += count;
    return place;
  }
  void bytes(const void* from, std::size_t count) {
    if (count != 0) std::memcpy(append(count), from, count);
  }
  /// Appends the object representation of a number.
  template <class T>
  void number(T value) {
    std::memcpy(append(sizeof value), &value, sizeof value);
  }
  /// Appends a size in one to ten bytes: seven bits a byte, the lowest first, the top bit set on all but the last.
  void count(std::uint64_t value) {
    while (value >= 0x80) {
      number(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    number(static_cast<std::uint8_t>(value));
  }

  /// How deep the object being written lies inside others; see Nesting.
  std::uint32_t& level() { return level_; }

 private:
  void grow(std::size_t more);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t level_ = 0;
};

/// Walks over encoded bytes. Whatever they hold, it never reads outside of them, and it throws weft::Error (naming the
/// type, the offset and what was wrong) where they are not what they should be.
/// Owns: nothing; the bytes must outlive it. Threading: one thread at a time.
class Reader {
 public:
  Reader(const void* bytes, std::size_t size) : data_(static_cast<const std::byte*>(bytes)), size_(size) {}
  explicit Reader(const Writer& writer) : Reader(writer.data(), writer.size()) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return size_ - offset_; }

  /// Returns the next `count` bytes in place. `type` is named if they are not there.
  const std::byte* view(std::size_t count, std::string_view type) {
    if (remaining() < count) too_short(type, count);
    const std::byte* const place = data_ + offset_;
    offset_ += count;
    return place;
  }
  void bytes(void* to, std::size_t count, std::string_view type) {
    const std::byte* const from = view(count, type);
    if (count != 0) std::memcpy(to, from, count);
  }
  template <class T>
  T number(std::string_view type) {
    T value;
    std::memcpy(&value, view(sizeof value, type), sizeof value);
    return value;
  }
  std::uint64_t count(std::string_view type) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = number<std::uint8_t>(type);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    damaged(type, "a count has more than ten bytes");
  }
  /// Returns a count of elements, refused unless the remaining bytes can hold so many of `least_bytes` each: a damaged
  /// count never makes the caller allocate.
  std::size_t elements(std::size_t least_bytes, std::string_view type) {
    const std::uint64_t value = count(type);
    if (value > remaining() / least_bytes) too_many(type, value);
    return static_cast<std::size_t>(value);
  }

  /// How deep the object being read lies inside others; see Nesting.
  std::uint32_t& level() { return level_; }

  /// Throws weft::Error: what is wrong at the present offset, while reading a `type`.
  [[noreturn]] void damaged(std::string_view type, std::string_view what) const;

 private:
  [[noreturn]] void too_short(std::string_view type, std::size_t needed) const;
  [[noreturn]] void too_many(std::string_view type, std::uint64_t count) const;

  const std::byte* const data_;
  const std::size_t size_;
  std::size_t offset_ = 0;
  std::uint32_t level_ = 0;
};

/// Brackets the fields of one object; throws weft::Error when objects lie too deep in each other.
/// Owns: one level of a Writer or Reader, until it is destroyed. Threading: that of the Writer or Reader.
class Nesting {
 public:
  Nesting(std::uint32_t& level, std::string_view type) : level_(level) {
    if (level_ >= detail::kMostLevels) detail::nested_too_deep(type);
    ++level_;
  }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --level_; }

 private:
  std::uint32_t& level_;
};

}  // namespace weft
