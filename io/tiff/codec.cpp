// What the pieces of TIFF files go through: packing, differences between neighbours, the file's order of bytes.
#include "io/tiff/pages.hpp"

#include "io/codecs/filters.hpp"
#include "io/formats/chunk_box.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::io::tiff {
namespace {

[[noreturn]] void damaged(const std::string& path, const char* what) {
  fail(path, std::string("a piece's ") + what + " bytes are damaged");
}

void unpack_bits(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  std::size_t at = 0, done = 0;
  while (done < out.size()) {
    if (at >= from.size()) damaged(path, "PackBits");
    const auto head = static_cast<std::int8_t>(from[at++]);
    if (head == -128) continue;
    const std::size_t count = head < 0 ? static_cast<std::size_t>(1 - head) : static_cast<std::size_t>(head) + 1;
    // Some writers run over the end of the last row.
    const std::size_t room = std::min(count, out.size() - done);
    if (head < 0) {
      if (at >= from.size()) damaged(path, "PackBits");
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(done), room, from[at++]);
    } else {
      if (room > from.size() - at) damaged(path, "PackBits");
      std::memcpy(out.data() + done, from.data() + at, room);
      at += count;
    }
    done += room;
  }
}

/// Codes of 9 to 12 bits, the high bit first. Each code is a sequence seen before, told by where in the output it
/// began: the sequence of code n is that of the code before it and one byte more.
class Lzw {
 public:
  Lzw(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out)
      : path_(path), from_(from), out_(out) {}

  void run() {
    static constexpr unsigned kClear = 256, kEnd = 257;
    if (from_.size() >= 2 && from_[0] == std::byte{0} && (from_[1] & std::byte{1}) != std::byte{0})
      fail(path_, "is packed by the LZW of before TIFF 6, which weft does not read");
    while (done_ < out_.size()) {
      const unsigned code = next();
      if (code == kEnd) break;
      if (code == kClear) {
        count_ = 258;
        bits_ = 9;
        last_bytes_ = 0;
        continue;
      }
      put(code);
    }
    if (done_ < out_.size()) damaged(path_, "LZW");
  }

 private:
  static constexpr unsigned kMostCodes = 4096;

  unsigned next() {
    while (held_bits_ < bits_) {
      if (at_ >= from_.size()) damaged(path_, "LZW");
      held_ = held_ << 8 | static_cast<std::uint32_t>(from_[at_++]);
      held_bits_ += 8;
    }
    held_bits_ -= bits_;
    return held_ >> held_bits_ & ((1u << bits_) - 1);
  }

  void put(unsigned code) {
    const std::size_t begin = done_;
    std::size_t bytes = 1;
    if (code < 256) {
      out_[done_++] = static_cast<std::byte>(code);
    } else {
      // The code that is just being made is the last sequence and its own first byte.
      const bool fresh = code == count_ && last_bytes_ > 0;
      if (!fresh && code >= count_) damaged(path_, "LZW");
      const std::size_t source = fresh ? last_begin_ : begins_[code - 258];
      bytes = fresh ? last_bytes_ + 1 : lengths_[code - 258];
      for (std::size_t i = 0; i < bytes && done_ < out_.size(); ++i) out_[done_++] = out_[source + i];
    }
    if (last_bytes_ > 0 && count_ < kMostCodes) {
      begins_[count_ - 258] = last_begin_;
      lengths_[count_ - 258] = last_bytes_ + 1;
      ++count_;
      // A code earlier than they would have to, codes become longer.
      if (count_ + 1 >= (1u << bits_) && bits_ < 12) ++bits_;
    }
    last_begin_ = begin;
    last_bytes_ = bytes;
  }

  const std::string& path_;
  const std::span<const std::byte> from_;
  const std::span<std::byte> out_;
  std::size_t at_ = 0, done_ = 0;
  std::uint32_t held_ = 0;
  unsigned held_bits_ = 0, bits_ = 9, count_ = 258;
  std::size_t last_begin_ = 0, last_bytes_ = 0;
  std::size_t begins_[kMostCodes - 258] = {}, lengths_[kMostCodes - 258] = {};
};

void reverse_bits(std::span<std::byte> bytes) {
  for (std::byte& one : bytes) {
    auto value = static_cast<unsigned>(one);
    value = (value & 0xf0) >> 4 | (value & 0x0f) << 4;
    value = (value & 0xcc) >> 2 | (value & 0x33) << 2;
    one = static_cast<std::byte>((value & 0xaa) >> 1 | (value & 0x55) << 1);
  }
}

/// Samples of fewer than eight bits, each row from a byte of its own, become bytes.
void widen(const Page& page, std::int64_t rows, std::span<const std::byte> packed, std::byte* out) {
  const auto count = static_cast<std::uint64_t>(page.piece_columns * page.piece_samples());
  const unsigned mask = (1u << page.bits) - 1, each = 8 / page.bits;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::byte* const from = packed.data() + static_cast<std::uint64_t>(row) * page.row_bytes();
    for (std::uint64_t i = 0; i < count; ++i) {
      const unsigned shift = 8 - page.bits * static_cast<unsigned>(i % each + 1);
      *out++ = static_cast<std::byte>(static_cast<unsigned>(from[i / each]) >> shift & mask);
    }
  }
}

template <class T>
void add_neighbours(std::byte* row, std::size_t count, std::size_t samples) {
  for (std::size_t i = samples; i < count; ++i) {
    T before, here;
    std::memcpy(&before, row + (i - samples) * sizeof(T), sizeof(T));
    std::memcpy(&here, row + i * sizeof(T), sizeof(T));
    here = static_cast<T>(here + before);
    std::memcpy(row + i * sizeof(T), &here, sizeof(T));
  }
}

template <class T>
void subtract_neighbours(std::byte* row, std::size_t count, std::size_t samples) {
  for (std::size_t i = count; i-- > samples;) {
    T before, here;
    std::memcpy(&before, row + (i - samples) * sizeof(T), sizeof(T));
    std::memcpy(&here, row + i * sizeof(T), sizeof(T));
    here = static_cast<T>(here - before);
    std::memcpy(row + i * sizeof(T), &here, sizeof(T));
  }
}

/// Calls with a number of as many bytes.
template <class F>
void with_unsigned(unsigned bytes, F f) {
  if (bytes == 1) return f(std::uint8_t{});
  if (bytes == 2) return f(std::uint16_t{});
  if (bytes == 4) return f(std::uint32_t{});
  f(std::uint64_t{});
}

/// The bytes of a row's floats lie apart, the highest of all first, as differences.
void join_bytes(std::byte* row, std::size_t count, std::size_t samples, unsigned bytes, std::vector<std::byte>& held) {
  add_neighbours<std::uint8_t>(row, count * bytes, samples);
  held.assign(row, row + count * bytes);
  const bool little = std::endian::native == std::endian::little;
  for (std::size_t i = 0; i < count; ++i) {
    for (unsigned b = 0; b < bytes; ++b) row[i * bytes + (little ? bytes - 1 - b : b)] = held[b * count + i];
  }
}

void split_bytes(std::byte* row, std::size_t count, std::size_t samples, unsigned bytes, std::vector<std::byte>& held) {
  held.assign(row, row + count * bytes);
  const bool little = std::endian::native == std::endian::little;
  for (std::size_t i = 0; i < count; ++i) {
    for (unsigned b = 0; b < bytes; ++b) row[b * count + i] = held[i * bytes + (little ? bytes - 1 - b : b)];
  }
  subtract_neighbours<std::uint8_t>(row, count * bytes, samples);
}

void unpack(const std::string& path, const Page& page, std::span<std::byte> packed, std::span<std::byte> out) {
  switch (page.compression) {
    case kNone:
      if (packed.size() < out.size()) fail(path, "a piece is shorter than its extents say: the file is damaged");
      std::memcpy(out.data(), packed.data(), out.size());
      return;
    case kLzw:
      return Lzw(path, packed, out).run();
    case kPackBits:
      return unpack_bits(path, packed, out);
    case kZstd:
      return undo_filters(path, {{Filter::kZstd, {}}}, 0, packed, out);
    default:
      return undo_filters(path, {{Filter::kDeflate, {}}}, 0, packed, out);
  }
}

}  // namespace

void decode_piece(const std::string& path, const Page& page, std::int64_t rows, std::span<std::byte> packed,
                  std::span<std::byte> out) {
  const std::uint64_t row_bytes = page.row_bytes();
  const auto samples = static_cast<std::size_t>(page.piece_samples());
  const std::size_t count = static_cast<std::size_t>(page.piece_columns) * samples;
  if (page.bits_reversed) reverse_bits(packed);
  if (page.bits < 8) {
    std::vector<std::byte> bits(row_bytes * static_cast<std::uint64_t>(rows));
    unpack(path, page, packed, bits);
    return widen(page, rows, bits, out.data());
  }
  const std::span<std::byte> samples_out = out.first(row_bytes * static_cast<std::uint64_t>(rows));
  unpack(path, page, packed, samples_out);
  if (page.predictor == 3) {
    std::vector<std::byte> held;
    for (std::int64_t row = 0; row < rows; ++row)
      join_bytes(samples_out.data() + static_cast<std::uint64_t>(row) * row_bytes, count, samples, page.type.bytes,
                 held);
    return;
  }
  const bool complex = page.type.kind == ElementKind::Complex;
  if (page.swapped)
    swap_bytes(samples_out.data(), samples_out.size() / page.type.bytes * (complex ? 2 : 1),
               page.type.bytes / (complex ? 2 : 1));
  if (page.predictor != 2) return;
  with_unsigned(page.type.bytes, [&]<class T>(T) {
    for (std::int64_t row = 0; row < rows; ++row)
      add_neighbours<T>(samples_out.data() + static_cast<std::uint64_t>(row) * row_bytes, count, samples);
  });
}

std::vector<std::byte> encode_piece(const std::string& path, const Page& page, std::int64_t rows, int level,
                                    std::span<std::byte> samples) {
  const std::uint64_t row_bytes = page.row_bytes();
  const auto each = static_cast<std::size_t>(page.piece_samples());
  const std::size_t count = static_cast<std::size_t>(page.piece_columns) * each;
  std::vector<std::byte> held;
  for (std::int64_t row = 0; row < rows && page.predictor != 1; ++row) {
    std::byte* const at = samples.data() + static_cast<std::uint64_t>(row) * row_bytes;
    if (page.predictor == 3) {
      split_bytes(at, count, each, page.type.bytes, held);
    } else {
      with_unsigned(page.type.bytes, [&]<class T>(T) { subtract_neighbours<T>(at, count, each); });
    }
  }
  if (page.compression == kNone) return {samples.begin(), samples.end()};
  const std::uint32_t id = page.compression == kZstd ? Filter::kZstd : Filter::kDeflate;
  std::vector<std::uint32_t> values;
  if (level >= 0) values = {static_cast<std::uint32_t>(level)};
  return apply_filters(path, {{id, values}}, 1, samples);
}

}  // namespace weft::io::tiff
