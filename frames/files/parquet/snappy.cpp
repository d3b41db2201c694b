// Snappy's format: the length, then literals and copies, told apart by the two lowest bits of a byte.
#include "frames/files/parquet/codecs.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::frames::parquet {
namespace {

using Byte = std::uint8_t;

/// Takes the number in front: how many bytes come out.
bool take_length(const Byte*& from, const Byte* end, std::uint64_t& length) {
  length = 0;
  for (int shift = 0; shift < 35 && from != end; shift += 7) {
    const Byte byte = *from++;
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Copies what lies `back` bytes before; near copies repeat themselves. May write kSlack bytes too many.
void copy_back(Byte* to, std::size_t back, std::size_t length) {
  const Byte* from = to - back;
  Byte* const end = to + length;
  if (back >= 16) {
    do {
      std::memcpy(to, from, 16);
      to += 16;
      from += 16;
    } while (to < end);
  } else if (back >= 8) {
    do {
      std::memcpy(to, from, 8);
      to += 8;
      from += 8;
    } while (to < end);
  } else {
    while (to < end) *to++ = *from++;
  }
}

constexpr std::size_t kBlock = 1 << 16;

std::uint32_t word_at(const Byte* at) {
  std::uint32_t word;
  std::memcpy(&word, at, 4);
  return word;
}

void add_literal(std::vector<std::byte>& out, const Byte* from, std::size_t length) {
  if (length == 0) return;
  const std::size_t stored = length - 1;
  if (stored < 60) {
    out.push_back(static_cast<std::byte>(stored << 2));
  } else {
    // Blocks are of 64 KiB: two bytes do.
    const bool two = stored >= 256;
    out.push_back(static_cast<std::byte>((two ? 61 : 60) << 2));
    out.push_back(static_cast<std::byte>(stored & 0xff));
    if (two) out.push_back(static_cast<std::byte>(stored >> 8));
  }
  const auto* const begin = reinterpret_cast<const std::byte*>(from);
  out.insert(out.end(), begin, begin + length);
}

void add_copy(std::vector<std::byte>& out, std::size_t back, std::size_t length) {
  while (length > 0) {
    // The last part must not be shorter than 4 where it may be the short kind; this kind takes any length.
    const std::size_t part = std::min<std::size_t>(length, 64);
    if (part >= 4 && part < 12 && back < 2048) {
      out.push_back(static_cast<std::byte>(1 | (part - 4) << 2 | (back >> 8) << 5));
      out.push_back(static_cast<std::byte>(back & 0xff));
    } else {
      out.push_back(static_cast<std::byte>(2 | (part - 1) << 2));
      out.push_back(static_cast<std::byte>(back & 0xff));
      out.push_back(static_cast<std::byte>(back >> 8));
    }
    length -= part;
  }
}

void pack_block(std::vector<std::byte>& out, const Byte* block, std::size_t size) {
  constexpr int kBits = 14;
  std::vector<std::uint16_t> last(std::size_t{1} << kBits, 0);
  std::size_t at = 1, literal = 0, misses = 32;
  while (at + 4 <= size) {
    const std::uint32_t word = word_at(block + at);
    std::uint16_t& slot = last[(word * 0x1e35a7bdu) >> (32 - kBits)];
    const std::size_t before = slot;
    slot = static_cast<std::uint16_t>(at);
    if (word_at(block + before) != word || before >= at) {
      // Where nothing repeats, fewer places are looked at.
      at += misses++ >> 5;
      continue;
    }
    misses = 32;
    std::size_t length = 4;
    while (at + length < size && block[before + length] == block[at + length]) ++length;
    add_literal(out, block + literal, at - literal);
    add_copy(out, at - before, length);
    at += length;
    literal = at;
  }
  add_literal(out, block + literal, size - literal);
}

}  // namespace

bool unpack_snappy(std::span<const std::byte> packed, std::byte* to, std::size_t bytes) {
  const Byte* from = reinterpret_cast<const Byte*>(packed.data());
  const Byte* const end = from + packed.size();
  std::uint64_t length = 0;
  if (!take_length(from, end, length) || length != bytes) return false;
  Byte* out = reinterpret_cast<Byte*>(to);
  Byte* const begin = out;
  Byte* const out_end = out + bytes;
  while (from < end) {
    const unsigned tag = *from++;
    if ((tag & 3) == 0) {
      std::size_t count = (tag >> 2) + 1;
      if (count <= 16 && out_end - out >= 16 && end - from >= 16) {
        std::memcpy(out, from, 16);
      } else {
        if (count > 60) {
          const std::size_t more = count - 60;
          if (static_cast<std::size_t>(end - from) < more) return false;
          count = 0;
          for (std::size_t i = 0; i < more; ++i) count |= static_cast<std::size_t>(from[i]) << (8 * i);
          ++count;
          from += more;
        }
        if (count > static_cast<std::size_t>(end - from) || count > static_cast<std::size_t>(out_end - out))
          return false;
        std::memcpy(out, from, count);
      }
      from += count;
      out += count;
      continue;
    }
    std::size_t count = (tag >> 2) + 1, back = 0;
    const std::size_t more = (tag & 3) == 3 ? 4 : tag & 3;
    if (static_cast<std::size_t>(end - from) < more) return false;
    for (std::size_t i = 0; i < more; ++i) back |= static_cast<std::size_t>(from[i]) << (8 * i);
    from += more;
    if ((tag & 3) == 1) {
      count = (tag >> 2 & 7) + 4;
      back |= static_cast<std::size_t>(tag >> 5) << 8;
    }
    if (back == 0 || back > static_cast<std::size_t>(out - begin) || count > static_cast<std::size_t>(out_end - out))
      return false;
    copy_back(out, back, count);
    out += count;
  }
  return out == out_end;
}

std::vector<std::byte> pack_snappy(std::span<const std::byte> from) {
  std::vector<std::byte> out;
  out.reserve(from.size() / 2 + 64);
  std::size_t length = from.size();
  for (; length >= 0x80; length >>= 7) out.push_back(static_cast<std::byte>(length | 0x80));
  out.push_back(static_cast<std::byte>(length));
  for (std::size_t at = 0; at < from.size(); at += kBlock) {
    pack_block(out, reinterpret_cast<const Byte*>(from.data()) + at, std::min(kBlock, from.size() - at));
  }
  return out;
}

}  // namespace weft::frames::parquet
