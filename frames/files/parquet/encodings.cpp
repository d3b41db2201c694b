#include "frames/files/parquet/encodings.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace weft::frames::parquet {
namespace {

template <class Word>
Word load(const std::uint8_t* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

template <unsigned Width>
void unpack_width(const std::uint8_t* from, std::size_t count, std::uint32_t* out) {
  if constexpr (Width == 0) {
    std::memset(out, 0, count * 4);
  } else {
    constexpr std::uint64_t kMask = (std::uint64_t{1} << Width) - 1;
    for (std::size_t i = 0; i < count; i += 8, from += Width, out += 8) {
      if constexpr (Width <= 8) {
        const auto word = load<std::uint64_t>(from);
        for (unsigned k = 0; k < 8; ++k) out[k] = static_cast<std::uint32_t>(word >> (k * Width) & kMask);
      } else {
        for (unsigned k = 0; k < 8; ++k)
          out[k] = static_cast<std::uint32_t>(load<std::uint64_t>(from + k * Width / 8) >> (k * Width % 8) & kMask);
      }
    }
  }
}

using Unpack = void (*)(const std::uint8_t*, std::size_t, std::uint32_t*);
template <unsigned... Widths>
constexpr std::array<Unpack, 33> unpackers(std::integer_sequence<unsigned, Widths...>) {
  return {unpack_width<Widths>...};
}
constexpr std::array<Unpack, 33> kUnpack = unpackers(std::make_integer_sequence<unsigned, 33>{});

/// One number of up to 64 bits.
std::uint64_t bits_at(const std::uint8_t* from, std::size_t bit, unsigned width) {
  if (width == 0) return 0;
  const std::uint8_t* const at = from + bit / 8;
  const unsigned shift = bit % 8;
  std::uint64_t word = load<std::uint64_t>(at) >> shift;
  if (shift + width > 64) word |= static_cast<std::uint64_t>(at[8]) << (64 - shift);
  return width == 64 ? word : word & ((std::uint64_t{1} << width) - 1);
}

/// Differences from the value before, in blocks, each less the least of its block and in as few bits as that takes.
template <class T>
void delta(PageBytes& bytes, std::size_t count, T* out) {
  using Whole = std::make_unsigned_t<T>;
  const std::uint64_t block = bytes.varint(), parts = bytes.varint(), total = bytes.varint();
  auto value = static_cast<Whole>(bytes.zigzag());
  if (count == 0) return;
  if (total < count || block == 0 || block > (1u << 24) || parts == 0 || block % parts != 0 || block / parts % 8 != 0)
    bytes.damaged("a page of differences has a head that is none");
  const std::size_t each = block / parts;
  std::size_t done = 0;
  out[done++] = static_cast<T>(value);
  // Those that the caller does not want still lie in front of what follows.
  std::uint64_t left = total - 1;
  std::uint32_t batch[512];
  while (left > 0) {
    const auto least = static_cast<Whole>(bytes.zigzag());
    const std::uint8_t* const widths = bytes.take(parts);
    for (std::uint64_t part = 0; part < parts && left > 0; ++part) {
      const unsigned width = widths[part];
      if (width > sizeof(T) * 8) bytes.damaged("a page of differences has a width that is none");
      const std::size_t here = std::min<std::uint64_t>(each, left);
      // The last one may be cut short behind its last number.
      const std::uint8_t* const from = bytes.take(
          std::min<std::uint64_t>(each * width / 8, std::max<std::uint64_t>(bytes.left(), (here * width + 7) / 8)));
      for (std::size_t i = 0; i < here && done < count;) {
        const std::size_t some = std::min({here - i, count - done, std::size_t{512}});
        if (width <= 32) {
          unpack_bits(from + i * width / 8, width, (some + 7) / 8 * 8, batch);
          for (std::size_t k = 0; k < some; ++k)
            out[done++] = static_cast<T>(value = static_cast<Whole>(value + least + batch[k]));
        } else {
          for (std::size_t k = 0; k < some; ++k)
            out[done++] = static_cast<T>(
                value = static_cast<Whole>(value + least + static_cast<Whole>(bits_at(from, (i + k) * width, width))));
        }
        i += some;
      }
      left -= here;
    }
  }
  if (done < count) bytes.damaged("a page of differences holds fewer than it says");
}

}  // namespace

void PageBytes::damaged(const char* what) const { io::fail(*path, std::string(what) + ": the file is damaged"); }

const std::uint8_t* PageBytes::take(std::uint64_t bytes) {
  if (bytes > left()) damaged("a page ends before its last value");
  const std::uint8_t* const from = at;
  at += bytes;
  return from;
}

std::uint64_t PageBytes::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = *take(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  damaged("a number in a page has no end");
}

std::int64_t PageBytes::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::uint32_t PageBytes::u32() { return load<std::uint32_t>(take(4)); }

void unpack_bits(const std::uint8_t* from, unsigned width, std::size_t count, std::uint32_t* out) {
  kUnpack[width](from, count, out);
}

RunReader::RunReader(PageBytes bytes, unsigned width) : bytes_(bytes), width_(width) {
  if (width > 32) bytes_.damaged("a page's numbers have more than 32 bits");
}

RunReader::Stretch RunReader::next(std::size_t most) {
  if (batch_at_ == batch_size_ && equal_left_ == 0 && packed_left_ == 0) {
    const std::uint64_t head = bytes_.varint();
    if ((head & 1) != 0) {
      // A last group may be cut short; what is missing are numbers that nobody asks for.
      const std::uint64_t groups = head >> 1;
      if (groups == 0 || (width_ != 0 && groups > (bytes_.left() + width_ - 1) / width_))
        bytes_.damaged("a run of packed numbers is longer than its page");
      packed_left_ = static_cast<std::size_t>(std::min<std::uint64_t>(groups, std::uint64_t{1} << 40) * 8);
    } else {
      equal_left_ = static_cast<std::size_t>(head >> 1);
      if (equal_left_ == 0) bytes_.damaged("a run of numbers is empty");
      const unsigned size = (width_ + 7) / 8;
      const std::uint8_t* const from = bytes_.take(size);
      value_ = 0;
      for (unsigned i = 0; i < size; ++i) value_ |= std::uint32_t{from[i]} << (8 * i);
    }
  }
  if (equal_left_ != 0) {
    const std::size_t count = std::min(most, equal_left_);
    equal_left_ -= count;
    return {count, true, value_, nullptr};
  }
  if (batch_at_ == batch_size_) {
    batch_size_ = std::min(packed_left_, kBatch);
    batch_at_ = 0;
    const std::size_t bytes = batch_size_ / 8 * width_;
    unpack_bits(bytes_.at, width_, batch_size_, batch_);
    // A group that was cut short has fewer numbers than eight.
    const std::size_t there = std::min(bytes, bytes_.left());
    if (there < bytes) batch_size_ = there * 8 / width_;
    packed_left_ = there < bytes ? 0 : packed_left_ - batch_size_;
    bytes_.at += there;
    if (batch_size_ == 0) bytes_.damaged("a page ends before its last value");
  }
  const std::size_t count = std::min(most, batch_size_ - batch_at_);
  const std::uint32_t* const values = batch_ + batch_at_;
  batch_at_ += count;
  return {count, false, 0, values};
}

char* TextRun::more(const std::string& path, std::uint64_t bytes) {
  if (bytes > most_bytes_ - std::min<std::uint64_t>(most_bytes_, used_))
    io::fail(path, "a column's strings take more than " + std::to_string(most_bytes_) +
                       " bytes, more than the file can hold: it is damaged, or its row groups are too large");
  if (used_ + bytes + kSlack > room_) {
    const std::size_t room = used_ + bytes + kSlack + room_ / 2;
    auto larger = std::make_unique_for_overwrite<char[]>(room);
    if (used_ != 0) std::memcpy(larger.get(), data_.get(), used_);
    data_ = std::move(larger);
    room_ = room;
  }
  return data_.get() + used_;
}

void decode_delta(PageBytes& bytes, std::size_t count, std::int64_t* out) { delta(bytes, count, out); }
void decode_delta(PageBytes& bytes, std::size_t count, std::int32_t* out) { delta(bytes, count, out); }

void decode_plain_texts(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run) {
  if (count > bytes.left() / 4) bytes.damaged("a page ends before its last value");
  char* const begin = run.more(*bytes.path, bytes.left());
  char* to = begin;
  auto end = static_cast<std::int64_t>(run.size_bytes());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t size = bytes.u32();
    const std::uint8_t* const from = bytes.take(size);
    if (size <= 16) {
      std::memcpy(to, from, 16);
    } else {
      std::memcpy(to, from, size);
    }
    to += size;
    ends[i] = end += size;
  }
  run.used(static_cast<std::size_t>(to - begin));
}

void decode_fixed_texts(PageBytes& bytes, std::size_t width, std::size_t count, std::int64_t* ends, TextRun& run) {
  if (count > bytes.left() / width) bytes.damaged("a page ends before its last value");
  char* const to = run.more(*bytes.path, count * width);
  std::memcpy(to, bytes.take(count * width), count * width);
  auto end = static_cast<std::int64_t>(run.size_bytes());
  for (std::size_t i = 0; i < count; ++i) ends[i] = end += static_cast<std::int64_t>(width);
  run.used(count * width);
}

void decode_delta_lengths(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run) {
  decode_delta(bytes, count, ends);
  const std::size_t room = bytes.left();
  auto end = static_cast<std::int64_t>(run.size_bytes());
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (ends[i] < 0 || static_cast<std::uint64_t>(ends[i]) > room - all)
      bytes.damaged("a string is longer than its page");
    all += static_cast<std::uint64_t>(ends[i]);
    ends[i] = end += ends[i];
  }
  char* const to = run.more(*bytes.path, all);
  if (all != 0) std::memcpy(to, bytes.take(all), all);
  run.used(all);
}

void decode_delta_texts(PageBytes& bytes, std::size_t count, std::int64_t* ends, TextRun& run) {
  std::vector<std::int64_t> prefixes(count), lengths(count);
  decode_delta(bytes, count, prefixes.data());
  decode_delta(bytes, count, lengths.data());
  std::uint64_t all = 0;
  std::int64_t before = 0;
  std::uint64_t suffixes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (prefixes[i] < 0 || prefixes[i] > before || lengths[i] < 0 ||
        static_cast<std::uint64_t>(lengths[i]) > bytes.left() - suffixes)
      bytes.damaged("a string is longer than its page");
    suffixes += static_cast<std::uint64_t>(lengths[i]);
    before = prefixes[i] + lengths[i];
    all += static_cast<std::uint64_t>(before);
  }
  auto end = static_cast<std::int64_t>(run.size_bytes());
  char* to = run.more(*bytes.path, all);
  const char* last = to;
  for (std::size_t i = 0; i < count; ++i) {
    const auto prefix = static_cast<std::size_t>(prefixes[i]), length = static_cast<std::size_t>(lengths[i]);
    if (prefix != 0) std::memcpy(to, last, prefix);
    if (length != 0) std::memcpy(to + prefix, bytes.take(length), length);
    last = to;
    to += prefix + length;
    ends[i] = end += static_cast<std::int64_t>(prefix + length);
  }
  run.used(all);
}

void decode_flags(PageBytes& bytes, std::size_t count, std::uint8_t* out) {
  const std::uint8_t* const from = bytes.take((count + 7) / 8);
  for (std::size_t i = 0; i < count; ++i) out[i] = from[i / 8] >> (i % 8) & 1;
}

}  // namespace weft::frames::parquet
