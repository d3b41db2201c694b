// What Zarr's chunks go through besides HDF5's filters, in both directions.
#include "io/codecs/packers.hpp"

#include "io/files/open_file.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#if WEFT_HAS_LIBDEFLATE
#include <libdeflate.h>
#endif
#if WEFT_HAS_ZSTD
#include <zstd.h>
#endif
#if WEFT_HAS_LZ4
#include <lz4.h>
#endif
#if WEFT_HAS_BLOSC
#include <blosc.h>
#endif

namespace weft::io {
namespace {

constexpr std::size_t kMostUnsized = std::size_t{1} << 30;

[[noreturn]] void damaged(const std::string& path, const char* codec) {
  fail(path, std::string("a chunk's ") + codec + " bytes are damaged");
}

[[noreturn]] void lacks(const std::string& path, const Filter& filter) {
  fail(path, "what is stored " + missing_codec(filter));
}

std::uint32_t number_at(std::span<const std::byte> from, std::size_t place) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint32_t>(from[place + i]);
  return value;
}

void append_number(std::vector<std::byte>& to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i));
}

/// The remainders of all bytes, for a polynomial whose bits are in reverse.
constexpr std::array<std::array<std::uint32_t, 256>, 8> remainders(std::uint32_t polynomial) {
  std::array<std::array<std::uint32_t, 256>, 8> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? polynomial : 0);
    table[0][byte] = value;
  }
  for (std::size_t later = 1; later < 8; ++later) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      table[later][byte] = table[later - 1][byte] >> 8 ^ table[0][table[later - 1][byte] & 255];
    }
  }
  return table;
}

/// Eight bytes at a time.
std::uint32_t cyclic_sum(std::span<const std::byte> bytes, const std::array<std::array<std::uint32_t, 256>, 8>& table,
                         std::uint32_t before = 0) {
  std::uint32_t sum = ~before;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const std::uint32_t low = number_at(bytes, at) ^ sum;
    const std::uint32_t high = number_at(bytes, at + 4);
    sum = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
          table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
  }
  for (; at < bytes.size(); ++at) {
    sum = sum >> 8 ^ table[0][(sum ^ static_cast<std::uint32_t>(bytes[at])) & 255];
  }
  return ~sum;
}

#if WEFT_HAS_LIBDEFLATE
/// How many bytes come out is not stored, or not to be trusted: more room is tried until they fit.
std::vector<std::byte> inflate_unsized(const std::string& path, std::span<const std::byte> from, bool gzip) {
  struct Inflater {
    libdeflate_decompressor* handle = libdeflate_alloc_decompressor();
    ~Inflater() { libdeflate_free_decompressor(handle); }
  } inflater;
  if (inflater.handle == nullptr) throw MemoryError("no memory for a decompressor");
  const auto unpack = gzip ? libdeflate_gzip_decompress : libdeflate_zlib_decompress;
  std::vector<std::byte> out;
  for (std::size_t room = std::max<std::size_t>(4096, from.size() * 4); room <= 2 * kMostUnsized; room *= 2) {
    out.resize(std::min(room, kMostUnsized));
    std::size_t got = 0;
    const libdeflate_result result = unpack(inflater.handle, from.data(), from.size(), out.data(), out.size(), &got);
    if (result == LIBDEFLATE_SUCCESS) {
      out.resize(got);
      return out;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE) damaged(path, "deflated");
    if (out.size() == kMostUnsized) break;
  }
  fail(path, "a chunk of texts takes more than 1 GiB");
}

std::vector<std::byte> deflate(std::span<const std::byte> from, const Filter& filter) {
  struct Deflater {
    libdeflate_compressor* handle;
    ~Deflater() { libdeflate_free_compressor(handle); }
  } deflater{libdeflate_alloc_compressor(filter.values.empty() ? 6 : static_cast<int>(filter.values[0]))};
  if (deflater.handle == nullptr) throw MemoryError("no memory for a compressor");
  const bool gzip = filter.id == Filter::kGzip;
  const std::size_t room = gzip ? libdeflate_gzip_compress_bound(deflater.handle, from.size())
                                : libdeflate_zlib_compress_bound(deflater.handle, from.size());
  std::vector<std::byte> out(room);
  const auto pack = gzip ? libdeflate_gzip_compress : libdeflate_zlib_compress;
  out.resize(pack(deflater.handle, from.data(), from.size(), out.data(), out.size()));
  return out;
}
#endif

#if WEFT_HAS_ZSTD
std::vector<std::byte> unpack_zstd_unsized(const std::string& path, std::span<const std::byte> from) {
  struct Stream {
    ZSTD_DCtx* handle = ZSTD_createDCtx();
    ~Stream() { ZSTD_freeDCtx(handle); }
  } stream;
  if (stream.handle == nullptr) throw MemoryError("no memory for a decompressor");
  std::vector<std::byte> out(std::max<std::size_t>(4096, from.size() * 4));
  ZSTD_inBuffer in{from.data(), from.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (;;) {
    const std::size_t left = ZSTD_decompressStream(stream.handle, &to, &in);
    if (ZSTD_isError(left) != 0) damaged(path, "zstd");
    if (left == 0 && in.pos == in.size) break;
    if (to.pos < to.size) damaged(path, "zstd");
    if (out.size() >= kMostUnsized) fail(path, "a chunk of texts takes more than 1 GiB");
    out.resize(out.size() * 2);
    to.dst = out.data();
    to.size = out.size();
  }
  out.resize(to.pos);
  return out;
}

std::vector<std::byte> pack_zstd(const std::string& path, std::span<const std::byte> from, const Filter& filter) {
  std::vector<std::byte> out(ZSTD_compressBound(from.size()));
  const int level = filter.values.empty() ? ZSTD_CLEVEL_DEFAULT : static_cast<int>(filter.values[0]);
  const std::size_t got = ZSTD_compress(out.data(), out.size(), from.data(), from.size(), level);
  if (ZSTD_isError(got) != 0) fail(path, std::string("zstd failed: ") + ZSTD_getErrorName(got));
  out.resize(got);
  return out;
}
#endif

#if WEFT_HAS_LZ4
std::vector<std::byte> pack_sized_lz4(const std::string& path, std::span<const std::byte> from) {
  if (from.size() > static_cast<std::size_t>(LZ4_MAX_INPUT_SIZE)) fail(path, "a chunk is too large for lz4: take zstd");
  std::vector<std::byte> out;
  append_number(out, static_cast<std::uint32_t>(from.size()));
  const int room = LZ4_compressBound(static_cast<int>(from.size()));
  out.resize(4 + static_cast<std::size_t>(room));
  const int got = LZ4_compress_default(reinterpret_cast<const char*>(from.data()),
                                       reinterpret_cast<char*>(out.data() + 4), static_cast<int>(from.size()), room);
  out.resize(4 + static_cast<std::size_t>(got));
  return out;
}
#endif

#if WEFT_HAS_BLOSC
/// values: level, what to shuffle (0 nothing, 1 bytes, 2 bits), packer (0 lz4, 1 zstd).
std::vector<std::byte> pack_blosc(const std::string& path, std::span<const std::byte> from, const Filter& filter,
                                  std::size_t element_bytes) {
  if (from.size() > BLOSC_MAX_BUFFERSIZE) fail(path, "a chunk of 2 GiB or more is too large for blosc: take zstd");
  std::vector<std::byte> out(from.size() + BLOSC_MAX_OVERHEAD);
  const int got = blosc_compress_ctx(static_cast<int>(filter.values.at(0)), static_cast<int>(filter.values.at(1)),
                                     std::min<std::size_t>(element_bytes, BLOSC_MAX_TYPESIZE), from.size(), from.data(),
                                     out.data(), out.size(), filter.values.at(2) == 0 ? "lz4" : "zstd", 0, 1);
  if (got <= 0) fail(path, "blosc failed");
  out.resize(static_cast<std::size_t>(got));
  return out;
}
#endif

/// Gathers the bytes of each place in an element: the opposite of unshuffle.
std::vector<std::byte> shuffle(std::span<const std::byte> from, std::size_t element_bytes) {
  std::vector<std::byte> out(from.size());
  const std::size_t count = from.size() / element_bytes;
  for (std::size_t plane = 0; plane < element_bytes; ++plane) {
    for (std::size_t i = 0; i < count; ++i) out[plane * count + i] = from[i * element_bytes + plane];
  }
  std::copy(from.begin() + static_cast<std::ptrdiff_t>(count * element_bytes), from.end(),
            out.begin() + static_cast<std::ptrdiff_t>(count * element_bytes));
  return out;
}

std::vector<std::byte> apply_one(const std::string& path, const Filter& filter, std::size_t element_bytes,
                                 std::span<const std::byte> from) {
  const std::string missing = missing_codec(filter);
  if (!missing.empty()) fail(path, "cannot be written: it " + missing);
  switch (filter.id) {
    case Filter::kShuffle:
      return shuffle(from, std::max<std::size_t>(1, filter.values.empty() ? element_bytes : filter.values[0]));
    case Filter::kCrc32c: {
      std::vector<std::byte> out(from.begin(), from.end());
      append_number(out, crc32c(from));
      return out;
    }
#if WEFT_HAS_LIBDEFLATE
    case Filter::kDeflate:
    case Filter::kGzip:
      return deflate(from, filter);
#endif
#if WEFT_HAS_ZSTD
    case Filter::kZstd:
      return pack_zstd(path, from, filter);
#endif
#if WEFT_HAS_LZ4
    case Filter::kSizedLz4:
      return pack_sized_lz4(path, from);
#endif
#if WEFT_HAS_BLOSC
    case Filter::kBlosc:
      return pack_blosc(path, from, filter, element_bytes);
#endif
    default:
      fail(path, "weft does not write '" + filter.text() + "'");
  }
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr auto kTable = remainders(0x82f63b78u);
  return cyclic_sum(bytes, kTable);
}

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) {
  static constexpr auto kTable = remainders(0xedb88320u);
  return cyclic_sum(bytes, kTable, before);
}

std::uint32_t adler32(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kModulus = 65521;
  std::uint32_t low = 1, high = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    // So many sums fit 32 bits before they must be reduced.
    const std::size_t end = std::min<std::size_t>(bytes.size(), at + 5552);
    for (; at < end; ++at) {
      low += static_cast<std::uint32_t>(bytes[at]);
      high += low;
    }
    low %= kModulus;
    high %= kModulus;
  }
  return high << 16 | low;
}

bool has_blosc() { return WEFT_HAS_BLOSC; }

#if WEFT_HAS_BLOSC
void unpack_blosc(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  std::size_t bytes = 0;
  if (blosc_cbuffer_validate(from.data(), from.size(), &bytes) != 0 || bytes != out.size()) damaged(path, "blosc");
  const int got = blosc_decompress_ctx(from.data(), out.data(), out.size(), 1);
  if (got < 0 || static_cast<std::size_t>(got) != out.size()) damaged(path, "blosc");
}
#else
void unpack_blosc(const std::string& path, std::span<const std::byte>, std::span<std::byte>) {
  lacks(path, {Filter::kBlosc, {}});
}
#endif

#if WEFT_HAS_LZ4
void unpack_sized_lz4(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (from.size() < 4 || number_at(from, 0) != out.size() || from.size() > kMost || out.size() > kMost) {
    damaged(path, "lz4");
  }
  const int got =
      LZ4_decompress_safe(reinterpret_cast<const char*>(from.data() + 4), reinterpret_cast<char*>(out.data()),
                          static_cast<int>(from.size() - 4), static_cast<int>(out.size()));
  if (got < 0 || static_cast<std::size_t>(got) != out.size()) damaged(path, "lz4");
}
#else
void unpack_sized_lz4(const std::string& path, std::span<const std::byte>, std::span<std::byte>) {
  lacks(path, {Filter::kSizedLz4, {}});
}
#endif

std::vector<std::byte> unpack_unsized(const std::string& path, const Filter& filter, std::span<const std::byte> from) {
  const auto sized = [&](std::size_t bytes, auto unpack) {
    if (bytes > kMostUnsized) fail(path, "a chunk of texts takes more than 1 GiB");
    std::vector<std::byte> out(bytes);
    unpack(path, from, std::span<std::byte>(out));
    return out;
  };
  switch (filter.id) {
#if WEFT_HAS_LIBDEFLATE
    case Filter::kDeflate:
    case Filter::kGzip:
      return inflate_unsized(path, from, filter.id == Filter::kGzip);
#endif
#if WEFT_HAS_ZSTD
    case Filter::kZstd:
      return unpack_zstd_unsized(path, from);
#endif
    case Filter::kSizedLz4:
      if (from.size() < 4) damaged(path, "lz4");
      return sized(number_at(from, 0), unpack_sized_lz4);
    case Filter::kBlosc:
      // Bytes 4 to 7 of blosc's sixteen in front.
      if (from.size() < 16) damaged(path, "blosc");
      return sized(number_at(from, 4), unpack_blosc);
    default:
      lacks(path, filter);
  }
}

std::vector<std::byte> apply_filters(const std::string& path, const std::vector<Filter>& filters,
                                     std::size_t element_bytes, std::span<const std::byte> from) {
  std::vector<std::byte> now;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    now = apply_one(path, filters[i], element_bytes, i == 0 ? from : std::span<const std::byte>(now));
  }
  if (filters.empty()) now.assign(from.begin(), from.end());
  return now;
}

}  // namespace weft::io
