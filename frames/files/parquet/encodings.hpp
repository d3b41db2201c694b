#pragma once

#include "frames/files/parquet/codecs.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::frames::parquet {

/// Bytes of a page that are still to be decoded; kSlack bytes behind them may be read.
/// Owns: nothing.  Threading: one thread.
struct PageBytes {
  const std::string* path = nullptr;
  const std::uint8_t* at = nullptr;
  const std::uint8_t* end = nullptr;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }
  /// Takes bytes; throws FileError where there are not so many.
  const std::uint8_t* take(std::uint64_t bytes);
  std::uint64_t varint();
  std::int64_t zigzag();
  std::uint32_t u32();
  [[noreturn]] void damaged(const char* what) const;
};

/// Spreads `count` numbers of `width` bits, at most 32, lying one behind the other. `count` is a multiple of 8.
void unpack_bits(const std::uint8_t* from, unsigned width, std::size_t count, std::uint32_t* out);

/// Takes numbers from runs and packed bits.
/// Owns: nothing.  Threading: one thread.
class RunReader {
 public:
  /// A stretch of equal numbers, or of different ones.
  struct Stretch {
    std::size_t count = 0;
    bool equal = false;
    std::uint32_t value = 0;                ///< of equal ones
    const std::uint32_t* values = nullptr;  ///< of different ones; until the next call
  };
  RunReader(PageBytes bytes, unsigned width);
  /// Returns the next stretch, of `most` numbers at most. Throws FileError where there are none left.
  Stretch next(std::size_t most);

 private:
  static constexpr std::size_t kBatch = 1024;
  PageBytes bytes_;
  unsigned width_;
  std::size_t equal_left_ = 0, packed_left_ = 0;
  std::uint32_t value_ = 0;
  std::uint32_t batch_[kBatch];
  std::size_t batch_size_ = 0, batch_at_ = 0;
};

/// Strings one behind the other.
/// Owns: the bytes, kSlack of them more than it says.  Threading: one thread.
class TextRun {
 public:
  /// Where the strings' bytes may reach at most: what damaged files claim is not tried.
  explicit TextRun(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  std::size_t size_bytes() const { return used_; }
  const char* data() const { return data_.get(); }
  /// Returns room for more bytes, and kSlack behind.
  char* more(const std::string& path, std::uint64_t bytes);
  void used(std::size_t bytes) { used_ += bytes; }
  void clear() { used_ = 0; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t used_ = 0, room_ = 0;
  std::uint64_t most_bytes_;
};

/// Each decodes `count` values. Throws FileError where the bytes are damaged.
void decode_delta(PageBytes& bytes, std::size_t count, std::int64_t* out);
void decode_delta(PageBytes& bytes, std::size_t count, std::int32_t* out);
/// Strings: `ends` are in the run's bytes.
void decode_plain_texts(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run);
void decode_fixed_texts(PageBytes& bytes, std::size_t width, std::size_t count, std::int64_t* ends, TextRun& run);
void decode_delta_lengths(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run);
void decode_delta_texts(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run);
/// Bits of flags into bytes.
void decode_flags(PageBytes& bytes, std::size_t count, std::uint8_t* out);

}  // namespace weft::frames::parquet
