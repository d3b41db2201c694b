#include "io/codecs/filters.hpp"

#include <weft/storage.hpp>

#include "io/codecs/bit_filters.hpp"
#include "io/codecs/packers.hpp"
#include "io/files/open_file.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#if WEFT_HAS_LIBDEFLATE
#include <libdeflate.h>
#endif
#if WEFT_HAS_ZSTD
#include <zstd.h>
#endif
#if WEFT_HAS_LZ4
#include <lz4.h>
#endif
#if WEFT_HAS_SZIP
extern "C" {
#include <szlib.h>
}
#endif
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weft::io {
namespace {

/// Memory that a thread uses again and again; grows only.
struct Scratch {
  std::unique_ptr<std::byte[]> data;
  std::size_t size = 0;
  std::span<std::byte> take(std::size_t bytes) {
    if (bytes > size) {
      data = std::make_unique_for_overwrite<std::byte[]>(bytes);
      size = bytes;
    }
    return {data.get(), bytes};
  }
  /// What one odd chunk needed is given back.
  void trim() {
    if (size > (std::size_t{64} << 20)) {
      data.reset();
      size = 0;
    }
  }
};

#if WEFT_HAS_LIBDEFLATE
struct Inflater {
  libdeflate_decompressor* handle = libdeflate_alloc_decompressor();
  ~Inflater() { libdeflate_free_decompressor(handle); }
};

void inflate(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out, bool gzip) {
  thread_local Inflater inflater;
  if (inflater.handle == nullptr) throw MemoryError("no memory for a decompressor");
  std::size_t got = 0;
  const auto unpack = gzip ? libdeflate_gzip_decompress : libdeflate_zlib_decompress;
  const libdeflate_result result = unpack(inflater.handle, from.data(), from.size(), out.data(), out.size(), &got);
  if (result != LIBDEFLATE_SUCCESS || got != out.size()) {
    fail(path, "a chunk's deflated bytes are damaged");
  }
}
#else
void inflate(const std::string&, std::span<const std::byte>, std::span<std::byte>, bool) {}
#endif

#if WEFT_HAS_ZSTD
void unpack_zstd(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), from.data(), from.size());
  if (ZSTD_isError(got) != 0 || got != out.size()) fail(path, "a chunk's zstd bytes are damaged");
}
#else
void unpack_zstd(const std::string&, std::span<const std::byte>, std::span<std::byte>) {}
#endif

#if WEFT_HAS_LZ4
std::uint64_t big_endian(const std::byte* from, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint64_t>(from[i]);
  return value;
}

/// Total bytes (8), bytes of a block (4), then blocks: stored bytes (4) and the block; equal sizes mean not packed.
void unpack_lz4(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  const auto damaged = [&] { fail(path, "a chunk's lz4 bytes are damaged"); };
  if (from.size() < 12 || big_endian(from.data(), 8) != out.size()) damaged();
  const std::uint64_t block = big_endian(from.data() + 8, 4);
  if (block == 0 && !out.empty()) damaged();
  from = from.subspan(12);
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t bytes = std::min<std::size_t>(block, out.size() - done);
    if (from.size() < 4) damaged();
    const std::uint64_t stored = big_endian(from.data(), 4);
    from = from.subspan(4);
    if (stored > from.size() || bytes > 0x7e000000u) damaged();
    if (stored == bytes) {
      std::memcpy(out.data() + done, from.data(), bytes);
    } else {
      const int got =
          LZ4_decompress_safe(reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(out.data() + done),
                              static_cast<int>(stored), static_cast<int>(bytes));
      if (got < 0 || static_cast<std::size_t>(got) != bytes) damaged();
    }
    from = from.subspan(stored);
    done += bytes;
  }
}
#else
void unpack_lz4(const std::string&, std::span<const std::byte>, std::span<std::byte>) {}
#endif

#if WEFT_HAS_SZIP
void unpack_szip(const std::string& path, const Filter& filter, std::span<const std::byte> from,
                 std::span<std::byte> out) {
  if (from.size() < 4 || filter.values.size() < 4) fail(path, "a chunk's szip bytes are damaged");
  // The first four bytes tell how many come out.
  std::uint32_t bytes = 0;
  for (int i = 3; i >= 0; --i) bytes = bytes << 8 | static_cast<std::uint32_t>(from[static_cast<std::size_t>(i)]);
  if (bytes != out.size()) fail(path, "a chunk's szip bytes are damaged");
  SZ_com_t options{};
  options.options_mask = static_cast<int>(filter.values[0]);
  options.pixels_per_block = static_cast<int>(filter.values[1]);
  options.bits_per_pixel = static_cast<int>(filter.values[2]);
  options.pixels_per_scanline = static_cast<int>(filter.values[3]);
  std::size_t got = out.size();
  const int result = SZ_BufftoBuffDecompress(out.data(), &got, from.data() + 4, from.size() - 4, &options);
  if (result != SZ_OK || got != out.size()) fail(path, "a chunk's szip bytes are damaged");
}
#else
void unpack_szip(const std::string&, const Filter&, std::span<const std::byte>, std::span<std::byte>) {}
#endif

bool is_checksum(std::uint32_t id) {
  return id == Filter::kFletcher32 || id == Filter::kCrc32c || id == Filter::kCrc32 || id == Filter::kAdler32;
}

bool has_codec(std::uint32_t id) {
  switch (id) {
    case Filter::kDeflate:
      return WEFT_HAS_LIBDEFLATE;
    case Filter::kShuffle:
    case Filter::kFletcher32:
    case Filter::kCrc32c:
    case Filter::kCrc32:
    case Filter::kAdler32:
    case Filter::kDelta:
    case Filter::kNbit:
    case Filter::kScaleOffset:
      return true;
    case Filter::kGzip:
      return WEFT_HAS_LIBDEFLATE;
    case Filter::kBlosc:
      return has_blosc();
    case Filter::kSizedLz4:
      return WEFT_HAS_LZ4;
    case Filter::kSzip:
      return WEFT_HAS_SZIP;
    case Filter::kLz4:
      return WEFT_HAS_LZ4;
    case Filter::kZstd:
      return WEFT_HAS_ZSTD;
    default:
      return false;
  }
}

std::uint32_t little_endian(std::span<const std::byte> from) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint32_t>(from[i]);
  return value;
}

/// Returns the bytes without their checksum, once it is seen to be right.
std::span<std::byte> checked(const std::string& path, const Filter& filter, std::span<std::byte> bytes) {
  if (bytes.size() < 4) fail(path, "a chunk is shorter than its checksum: the file is damaged");
  const bool before = filter.id != Filter::kFletcher32 && !filter.values.empty() && filter.values[0] == 1;
  const std::span<std::byte> body = before ? bytes.subspan(4) : bytes.first(bytes.size() - 4);
  const std::uint32_t stored = little_endian(before ? bytes.first(4) : bytes.last(4));
  const std::uint32_t sum = filter.id == Filter::kCrc32c    ? crc32c(body)
                            : filter.id == Filter::kCrc32   ? crc32(body)
                            : filter.id == Filter::kAdler32 ? adler32(body)
                                                            : fletcher32(body.data(), body.size());
  // Old writers swapped the bytes of each half of a fletcher32 on some machines; readers take both.
  const std::uint32_t swapped = (sum & 0x00ff00ffu) << 8 | (sum >> 8 & 0x00ff00ffu);
  if (stored != sum && (filter.id != Filter::kFletcher32 || stored != swapped)) {
    fail(path, "the checksum of a chunk is wrong: its bytes changed after they were written");
  }
  return body;
}

/// Adds up differences in place.
void undo_delta(std::span<std::byte> bytes, std::size_t element_bytes) {
  const auto each = [&]<class T>(T sum) {
    for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
      T value;
      std::memcpy(&value, bytes.data() + at, sizeof(T));
      sum = static_cast<T>(sum + value);
      std::memcpy(bytes.data() + at, &sum, sizeof(T));
    }
  };
  if (element_bytes == 1) each(std::uint8_t{});
  if (element_bytes == 2) each(std::uint16_t{});
  if (element_bytes == 4) each(std::uint32_t{});
  if (element_bytes == 8) each(std::uint64_t{});
}

#if defined(__SSE2__)
/// Sixteen elements of four bytes at a time.
std::size_t unshuffle4(const std::byte* from, std::size_t count, std::byte* out) {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const auto load = [&](std::size_t plane) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + plane * count + i));
    };
    const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
    const __m128i ab0 = _mm_unpacklo_epi8(a, b), ab1 = _mm_unpackhi_epi8(a, b);
    const __m128i cd0 = _mm_unpacklo_epi8(c, d), cd1 = _mm_unpackhi_epi8(c, d);
    __m128i* const to = reinterpret_cast<__m128i*>(out + i * 4);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(ab0, cd0));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(ab0, cd0));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(ab1, cd1));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(ab1, cd1));
  }
  return i;
}

std::size_t unshuffle2(const std::byte* from, std::size_t count, std::byte* out) {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + count + i));
    __m128i* const to = reinterpret_cast<__m128i*>(out + i * 2);
    _mm_storeu_si128(to, _mm_unpacklo_epi8(a, b));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi8(a, b));
  }
  return i;
}

std::size_t unshuffle8(const std::byte* from, std::size_t count, std::byte* out) {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m128i bytes[8];
    for (std::size_t plane = 0; plane < 8; ++plane) {
      bytes[plane] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + plane * count + i));
    }
    __m128i pairs[8];
    for (std::size_t k = 0; k < 4; ++k) {
      pairs[k] = _mm_unpacklo_epi8(bytes[2 * k], bytes[2 * k + 1]);
      pairs[k + 4] = _mm_unpackhi_epi8(bytes[2 * k], bytes[2 * k + 1]);
    }
    __m128i* const to = reinterpret_cast<__m128i*>(out + i * 8);
    for (std::size_t half = 0; half < 2; ++half) {
      const __m128i* const p = pairs + 4 * half;
      const __m128i low01 = _mm_unpacklo_epi16(p[0], p[1]), high01 = _mm_unpackhi_epi16(p[0], p[1]);
      const __m128i low23 = _mm_unpacklo_epi16(p[2], p[3]), high23 = _mm_unpackhi_epi16(p[2], p[3]);
      _mm_storeu_si128(to + 4 * half, _mm_unpacklo_epi32(low01, low23));
      _mm_storeu_si128(to + 4 * half + 1, _mm_unpackhi_epi32(low01, low23));
      _mm_storeu_si128(to + 4 * half + 2, _mm_unpacklo_epi32(high01, high23));
      _mm_storeu_si128(to + 4 * half + 3, _mm_unpackhi_epi32(high01, high23));
    }
  }
  return i;
}
#endif

}  // namespace

void unshuffle(const std::byte* from, std::size_t bytes, std::size_t element_bytes, std::byte* out) {
  // One element lies as it did, and damaged files tell of elements of gigabytes.
  if (element_bytes <= 1 || bytes / element_bytes <= 1) {
    std::copy_n(from, bytes, out);
    return;
  }
  const std::size_t count = bytes / element_bytes;
  std::size_t first = 0;
#if defined(__SSE2__)
  if (element_bytes == 2) first = unshuffle2(from, count, out);
  if (element_bytes == 4) first = unshuffle4(from, count, out);
  if (element_bytes == 8) first = unshuffle8(from, count, out);
#endif
  for (std::size_t plane = 0; plane < element_bytes; ++plane) {
    const std::byte* const row = from + plane * count;
    for (std::size_t i = first; i < count; ++i) out[i * element_bytes + plane] = row[i];
  }
  // What is no whole element was not shuffled.
  std::copy(from + count * element_bytes, from + bytes, out + count * element_bytes);
}

std::uint32_t fletcher32(const std::byte* data, std::size_t bytes) {
  std::uint32_t low = 0, high = 0;
  std::size_t words = bytes / 2;
  while (words > 0) {
    std::size_t some = std::min<std::size_t>(words, 360);
    words -= some;
    for (; some > 0; --some, data += 2) {
      low += static_cast<std::uint32_t>(data[0]) << 8 | static_cast<std::uint32_t>(data[1]);
      high += low;
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
  }
  if (bytes % 2 != 0) {
    low += static_cast<std::uint32_t>(data[0]) << 8;
    high += low;
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
  }
  low = (low & 0xffff) + (low >> 16);
  high = (high & 0xffff) + (high >> 16);
  return high << 16 | low;
}

void swap_bytes(std::byte* data, std::size_t elements, std::size_t element_bytes) {
  const auto each = [&]<class T>(T) {
    for (std::size_t i = 0; i < elements; ++i) {
      T value;
      std::memcpy(&value, data + i * sizeof(T), sizeof(T));
      if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
      if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
      if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
      std::memcpy(data + i * sizeof(T), &value, sizeof(T));
    }
  };
  if (element_bytes == 2) each(std::uint16_t{});
  if (element_bytes == 4) each(std::uint32_t{});
  if (element_bytes == 8) each(std::uint64_t{});
}

std::string Filter::text() const {
  const std::string first = values.empty() ? "" : " " + std::to_string(values[0]);
  switch (id) {
    case kDeflate:
      return "deflate" + first;
    case kShuffle:
      return "shuffle";
    case kFletcher32:
      return "fletcher32";
    case kSzip:
      return "szip";
    case kNbit:
      return "nbit";
    case kScaleOffset:
      return "scaleoffset";
    case kLz4:
      return "lz4";
    case kBlosc:
      return "blosc";
    case kZstd:
      return "zstd" + first;
    case kGzip:
      return "gzip" + first;
    case kSizedLz4:
      return "lz4";
    case kCrc32c:
      return "crc32c";
    case kCrc32:
      return "crc32";
    case kAdler32:
      return "adler32";
    case kDelta:
      return "delta";
    default:
      return "filter " + std::to_string(id);
  }
}

std::string missing_codec(const Filter& filter) {
  if (has_codec(filter.id)) return {};
  switch (filter.id) {
    case Filter::kDeflate:
    case Filter::kGzip:
      return "is deflated, and this build of weft lacks libdeflate: install libdeflate-dev and build again";
    case Filter::kSzip:
      return "is packed by szip, and this build of weft lacks it: install libaec-dev and build again";
    case Filter::kBlosc:
      return "is packed by blosc, and this build of weft lacks it: install libblosc-dev and build again";
    case Filter::kLz4:
    case Filter::kSizedLz4:
      return "is packed by lz4, and this build of weft lacks it: install liblz4-dev and build again";
    case Filter::kZstd:
      return "is packed by zstd, and this build of weft lacks it: install libzstd-dev and build again";
    default:
      return "went through the filter '" + filter.text() + "' (number " + std::to_string(filter.id) +
             "), which weft does not know; h5repack can rewrite the file with deflate";
  }
}

void undo_filters(const std::string& path, const std::vector<Filter>& filters, std::uint32_t skipped,
                  std::span<std::byte> stored, std::span<std::byte> out) {
  thread_local Scratch scratch[2];
  std::vector<const Filter*> applied;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (i >= 32 || (skipped >> i & 1) == 0) applied.push_back(&filters[i]);
  }
  // The bytes before filter i was applied are the chunk's, plus four for each checksum that precedes it.
  std::vector<std::size_t> sizes(applied.size());
  std::size_t bytes = out.size();
  // Behind filters that keep only the bits that matter nobody knows the size.
  std::size_t unsized = applied.size();
  for (std::size_t i = 0; i < applied.size(); ++i) {
    sizes[i] = bytes;
    if (is_checksum(applied[i]->id)) bytes += 4;
    const bool bits = applied[i]->id == Filter::kNbit || applied[i]->id == Filter::kScaleOffset;
    if (bits && unsized == applied.size()) unsized = i + 1;
  }
  std::vector<std::byte> packed_bits;
  if (unsized < applied.size()) {
    std::vector<Filter> behind;
    for (std::size_t i = unsized; i < applied.size(); ++i) behind.push_back(*applied[i]);
    packed_bits = undo_filters_unsized(path, behind, stored);
    stored = packed_bits;
    applied.resize(unsized);
  }
  std::span<std::byte> now = stored;
  int turn = 0;
  for (std::size_t i = applied.size(); i-- > 0;) {
    const Filter& filter = *applied[i];
    const std::string missing = missing_codec(filter);
    if (!missing.empty()) fail(path, "a variable " + missing);
    if (is_checksum(filter.id)) {
      now = checked(path, filter, now);
      continue;
    }
    if (filter.id == Filter::kDelta) {
      undo_delta(now, filter.values[0]);
      continue;
    }
    const std::span<std::byte> to = i == 0 ? out : scratch[turn ^= 1].take(sizes[i]);
    if (filter.id == Filter::kShuffle) {
      if (now.size() != to.size()) fail(path, "a chunk has another size than its description says");
      unshuffle(now.data(), now.size(), filter.values.empty() ? 1 : filter.values[0], to.data());
    } else if (filter.id == Filter::kDeflate || filter.id == Filter::kGzip) {
      inflate(path, now, to, filter.id == Filter::kGzip);
    } else if (filter.id == Filter::kZstd) {
      unpack_zstd(path, now, to);
    } else if (filter.id == Filter::kLz4) {
      unpack_lz4(path, now, to);
    } else if (filter.id == Filter::kSizedLz4) {
      unpack_sized_lz4(path, now, to);
    } else if (filter.id == Filter::kBlosc) {
      unpack_blosc(path, now, to);
    } else if (filter.id == Filter::kNbit) {
      unpack_nbit(path, filter, now, to);
    } else if (filter.id == Filter::kScaleOffset) {
      unpack_scaleoffset(path, filter, now, to);
    } else {
      unpack_szip(path, filter, now, to);
    }
    now = to;
  }
  if (now.size() != out.size()) fail(path, "a chunk has another size than its description says");
  if (now.data() != out.data()) std::copy(now.begin(), now.end(), out.begin());
  for (Scratch& one : scratch) one.trim();
}

std::vector<std::byte> undo_filters_unsized(const std::string& path, const std::vector<Filter>& filters,
                                            std::span<const std::byte> stored) {
  std::vector<std::byte> now(stored.begin(), stored.end());
  for (std::size_t i = filters.size(); i-- > 0;) {
    const Filter& filter = filters[i];
    const std::string missing = missing_codec(filter);
    if (!missing.empty()) fail(path, "a variable " + missing);
    if (is_checksum(filter.id)) {
      const std::span<std::byte> body = checked(path, filter, now);
      now = std::vector<std::byte>(body.begin(), body.end());
    } else if (filter.id == Filter::kShuffle) {
      std::vector<std::byte> out(now.size());
      unshuffle(now.data(), now.size(), filter.values.empty() ? 1 : filter.values[0], out.data());
      now = std::move(out);
    } else if (filter.id == Filter::kDelta) {
      undo_delta(now, filter.values[0]);
    } else {
      now = unpack_unsized(path, filter, now);
    }
  }
  return now;
}

std::vector<std::string> known_codecs() {
  std::vector<std::string> names;
  for (const std::uint32_t id :
       {Filter::kDeflate, Filter::kShuffle, Filter::kFletcher32, Filter::kSzip, Filter::kNbit, Filter::kScaleOffset,
        Filter::kLz4, Filter::kZstd, Filter::kBlosc, Filter::kGzip, Filter::kCrc32c}) {
    if (has_codec(id)) names.push_back(Filter{id, {}}.text());
  }
  return names;
}

}  // namespace weft::io
