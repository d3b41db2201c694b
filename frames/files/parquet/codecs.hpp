#pragma once

#include "frames/files/parquet/footer.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weft::frames::parquet {

/// Bytes that may be read and written behind any block that is decoded here: loops then move whole words.
inline constexpr std::size_t kSlack = 64;

/// Memory that is used page after page; grows only, keeps nothing, and has kSlack bytes behind it.
/// Owns: the bytes.  Threading: one thread.
class Room {
 public:
  std::byte* take(std::size_t bytes) {
    if (bytes + kSlack > size_) {
      size_ = bytes + kSlack + size_ / 2;
      data_ = std::make_unique_for_overwrite<std::byte[]>(size_);
    }
    return data_.get();
  }
  template <class T>
  T* take_of(std::size_t count) {
    return reinterpret_cast<T*>(take(count * sizeof(T)));
  }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// Throws FileError naming what this build lacks, or a codec that weft does not read.
void check_codec(const std::string& path, const std::string& column, Codec codec);
/// Unpacks a page into `bytes` bytes at `out`; kSlack bytes behind both are touched. Throws FileError where they are
/// damaged.
void unpack(const std::string& path, Codec codec, std::span<std::byte> from, std::byte* out, std::size_t bytes);
/// How many bytes so many packed ones can become at most.
std::uint64_t most_unpacked(Codec codec, std::uint64_t packed);
/// Returns the codec that a user's word names; throws weft::Error naming those there are.
Codec codec_of(const std::string& name);
std::vector<std::byte> pack(const std::string& path, Codec codec, std::span<const std::byte> from);

/// Snappy's blocks: lengths of literals, and copies of what went before. False where they are damaged.
bool unpack_snappy(std::span<const std::byte> from, std::byte* out, std::size_t bytes);
std::vector<std::byte> pack_snappy(std::span<const std::byte> from);

}  // namespace weft::frames::parquet
