#include "frames/files/parquet/codecs.hpp"

#include <weft/error.hpp>

#include "io/codecs/filters.hpp"
#include "io/codecs/packers.hpp"

#include <algorithm>
#include <cstring>

namespace weft::frames::parquet {
namespace {

using io::Filter;

Filter filter_of(Codec codec) {
  switch (codec) {
    case Codec::Gzip:
      return {Filter::kGzip, {6}};
    case Codec::Zstd:
      return {Filter::kZstd, {1}};
    case Codec::Lz4:
    case Codec::Lz4Raw:
      return {Filter::kSizedLz4, {}};
    case Codec::None:
    case Codec::Snappy:
    case Codec::Lzo:
    case Codec::Brotli:
      break;
  }
  return {};
}

std::uint32_t big_endian(const std::byte* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint32_t>(at[i]);
  return value;
}

/// A block of lz4 alone: the reader of such blocks wants their size in front.
void unpack_lz4(const std::string& path, std::span<const std::byte> from, std::byte* out, std::size_t bytes) {
  std::vector<std::byte> sized(from.size() + 4);
  const auto size = static_cast<std::uint32_t>(bytes);
  std::memcpy(sized.data(), &size, 4);
  if (!from.empty()) std::memcpy(sized.data() + 4, from.data(), from.size());
  io::unpack_sized_lz4(path, sized, {out, bytes});
}

/// The older kind: blocks, each behind its size and its packed size. Some writers left those out.
void unpack_framed_lz4(const std::string& path, std::span<const std::byte> from, std::byte* out, std::size_t bytes) {
  std::size_t at = 0, done = 0;
  while (from.size() - at >= 8) {
    const std::size_t size = big_endian(from.data() + at), packed = big_endian(from.data() + at + 4);
    if (size > bytes - done || packed > from.size() - at - 8) break;
    at += 8 + packed;
    done += size;
  }
  if (at != from.size() || done != bytes) return unpack_lz4(path, from, out, bytes);
  for (at = 0, done = 0; at < from.size();) {
    const std::size_t size = big_endian(from.data() + at), packed = big_endian(from.data() + at + 4);
    unpack_lz4(path, from.subspan(at + 8, packed), out + done, size);
    at += 8 + packed;
    done += size;
  }
}

}  // namespace

void check_codec(const std::string& path, const std::string& column, Codec codec) {
  const std::string what = "column '" + column + "' ";
  switch (codec) {
    case Codec::None:
    case Codec::Snappy:
      return;
    case Codec::Gzip:
    case Codec::Zstd:
    case Codec::Lz4:
    case Codec::Lz4Raw: {
      const std::string missing = io::missing_codec(filter_of(codec));
      if (!missing.empty()) io::fail(path, what + missing);
      return;
    }
    case Codec::Brotli:
      io::fail(path, what + "is packed by brotli, which weft does not read: write it with zstd, snappy or gzip");
    case Codec::Lzo:
      io::fail(path, what + "is packed by lzo, which weft does not read: write it with zstd, snappy or gzip");
  }
  io::fail(path, what + "names a codec that is none: the file is damaged");
}

std::uint64_t most_unpacked(Codec codec, std::uint64_t packed) {
  switch (codec) {
    case Codec::None:
      return packed;
    case Codec::Snappy:
      return packed * 64;
    case Codec::Gzip:
      return packed * 1040;
    case Codec::Lz4:
    case Codec::Lz4Raw:
      return packed * 256;
    case Codec::Zstd:
      return packed * 65536;
    case Codec::Lzo:
    case Codec::Brotli:
      break;
  }
  return 0;
}

void unpack(const std::string& path, Codec codec, std::span<std::byte> from, std::byte* out, std::size_t bytes) {
  switch (codec) {
    case Codec::None:
      if (from.size() != bytes)
        io::fail(path, "a page has another size than its description says: the file is damaged");
      if (bytes != 0) std::memcpy(out, from.data(), bytes);
      return;
    case Codec::Snappy:
      if (!unpack_snappy(from, out, bytes)) io::fail(path, "a page's snappy bytes are damaged");
      return;
    case Codec::Lz4:
      return unpack_framed_lz4(path, from, out, bytes);
    case Codec::Lz4Raw:
      return unpack_lz4(path, from, out, bytes);
    case Codec::Gzip:
    case Codec::Zstd:
      return io::undo_filters(path, {filter_of(codec)}, 0, from, {out, bytes});
    case Codec::Lzo:
    case Codec::Brotli:
      break;
  }
}

Codec codec_of(const std::string& name) {
  if (name == "none") return Codec::None;
  if (name == "snappy") return Codec::Snappy;
  if (name == "gzip") return Codec::Gzip;
  if (name == "zstd") return Codec::Zstd;
  throw Error("Parquet has no compression '" + name + "' that weft writes: there are none, snappy, gzip, zstd");
}

std::vector<std::byte> pack(const std::string& path, Codec codec, std::span<const std::byte> from) {
  if (codec == Codec::None) return {from.begin(), from.end()};
  if (codec == Codec::Snappy) return pack_snappy(from);
  return io::apply_filters(path, {filter_of(codec)}, 1, from);
}

}  // namespace weft::frames::parquet
