#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace weft::io {

[[noreturn]] void fail(const std::string& path, const std::string& text);

/// Takes values from a piece of a file's description, one after the other. Throws FileError at the end of the piece.
/// Owns: nothing; the bytes and the path must outlive it.  Threading: one thread.
class Cursor {
 public:
  Cursor(const std::string& path, const std::byte* data, std::uint64_t bytes, bool big_endian = false)
      : path_(&path), data_(data), bytes_(bytes), big_endian_(big_endian) {}

  std::uint64_t left() const { return bytes_ - place_; }
  std::uint64_t place() const { return place_; }
  const std::byte* take(std::uint64_t bytes) {
    if (bytes > left()) fail("a description ends too early: the file is damaged");
    const std::byte* const here = data_ + place_;
    place_ += bytes;
    return here;
  }
  void skip(std::uint64_t bytes) { take(bytes); }
  /// Moves on to a multiple of `unit` from the beginning of the piece.
  void align(std::uint64_t unit) {
    const std::uint64_t over = place_ % unit;
    if (over != 0) skip(unit - over);
  }
  /// Takes an unsigned number of 1 to 8 bytes.
  std::uint64_t number(unsigned bytes) {
    const std::byte* const from = take(bytes);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      const auto byte = static_cast<std::uint64_t>(from[big_endian_ ? bytes - 1 - i : i]);
      value |= byte << (8 * i);
    }
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(*take(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::string text(std::uint64_t bytes) {
    const std::byte* const from = take(bytes);
    return {reinterpret_cast<const char*>(from), static_cast<std::size_t>(bytes)};
  }
  /// Takes the bytes up to a zero, and the zero.
  std::string zero_ended() {
    const char* const from = reinterpret_cast<const char*>(data_ + place_);
    const void* const end = left() == 0 ? nullptr : std::memchr(from, 0, left());
    if (end == nullptr) fail("a name has no end: the file is damaged");
    const auto length = static_cast<std::uint64_t>(static_cast<const char*>(end) - from);
    place_ += length + 1;
    return {from, static_cast<std::size_t>(length)};
  }
  [[noreturn]] void fail(const std::string& text) const { io::fail(*path_, text); }

 private:
  const std::string* path_;
  const std::byte* data_;
  std::uint64_t bytes_;
  std::uint64_t place_ = 0;
  bool big_endian_;
};

}  // namespace weft::io
