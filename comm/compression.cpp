#include "comm/compression.hpp"

#include <algorithm>
#include <limits>

#if WEFT_HAS_LZ4
#include <lz4.h>
#endif
#if WEFT_HAS_ZSTD
#include <zstd.h>
#endif

namespace weft::comm {
namespace {

/// Shorter stretches say more about the socket's buffer than about the connection.
constexpr Nanoseconds kLeastStretch = 5'000'000;
constexpr std::uint32_t kMostSkipped = 64;

/// Returns the compressed size; 0 where it does not fit or the codec is not here.
std::size_t compress_into(Codec codec, std::span<const std::byte> bytes, std::byte* to, std::size_t room) {
  if (bytes.size() > std::numeric_limits<int>::max() || room > std::numeric_limits<int>::max()) return 0;
  switch (codec) {
    case Codec::Lz4: {
#if WEFT_HAS_LZ4
      const int size = ::LZ4_compress_default(reinterpret_cast<const char*>(bytes.data()), reinterpret_cast<char*>(to),
                                              static_cast<int>(bytes.size()), static_cast<int>(room));
      return size > 0 ? static_cast<std::size_t>(size) : 0;
#else
      break;
#endif
    }
    case Codec::Zstd: {
#if WEFT_HAS_ZSTD
      const std::size_t size = ::ZSTD_compress(to, room, bytes.data(), bytes.size(), 1);
      return ::ZSTD_isError(size) == 0 ? size : 0;
#else
      break;
#endif
    }
    case Codec::None:
      break;
  }
  static_cast<void>(to);
  return 0;
}

}  // namespace

CodecSet codecs_here() {
  CodecSet set = 0;
#if WEFT_HAS_LZ4
  set |= bit_of(Codec::Lz4);
#endif
#if WEFT_HAS_ZSTD
  set |= bit_of(Codec::Zstd);
#endif
  return set;
}

bool compress(Codec codec, std::span<const std::byte> bytes, std::vector<std::byte>& out) {
  const std::size_t room = bytes.size() - bytes.size() / 8;
  const std::size_t at = out.size();
  out.resize(at + room);
  const std::size_t size = compress_into(codec, bytes, out.data() + at, room);
  out.resize(at + size);
  return size > 0;
}

bool decompress(Codec codec, std::span<const std::byte> bytes, std::span<std::byte> to) {
  if (bytes.size() > std::numeric_limits<int>::max() || to.size() > std::numeric_limits<int>::max()) return false;
  switch (codec) {
    case Codec::Lz4: {
#if WEFT_HAS_LZ4
      const int size =
          ::LZ4_decompress_safe(reinterpret_cast<const char*>(bytes.data()), reinterpret_cast<char*>(to.data()),
                                static_cast<int>(bytes.size()), static_cast<int>(to.size()));
      return size >= 0 && static_cast<std::size_t>(size) == to.size();
#else
      break;
#endif
    }
    case Codec::Zstd: {
#if WEFT_HAS_ZSTD
      const std::size_t size = ::ZSTD_decompress(to.data(), to.size(), bytes.data(), bytes.size());
      return ::ZSTD_isError(size) == 0 && size == to.size();
#else
      break;
#endif
    }
    case Codec::None:
      break;
  }
  return false;
}

void Packing::full(Nanoseconds now) {
  const Nanoseconds stretch = now - since_;
  if (since_ != 0 && stretch < kLeastStretch) return;
  if (since_ != 0) {
    const double seen = static_cast<double>(bytes_) / (static_cast<double>(stretch) * 1e-9);
    speed_ = speed_ == 0 ? seen : 0.5 * (speed_ + seen);
  }
  since_ = now;
  bytes_ = 0;
}

Codec Packing::wanted() const {
  Codec codec = Codec::None;
  if (wish_ == Compression::Lz4 && has(Codec::Lz4)) codec = Codec::Lz4;
  if (wish_ == Compression::Zstd && has(Codec::Zstd)) codec = Codec::Zstd;
  if (wish_ == Compression::Auto && speed_ > 0) {
    if (speed_ < kWorthLz4 && has(Codec::Lz4)) codec = Codec::Lz4;
    if (speed_ < kWorthZstd && has(Codec::Zstd)) codec = Codec::Zstd;
  }
  return codec;
}

Codec Packing::next() {
  const Codec codec = wanted();
  if (codec == Codec::None || skip_ == 0) return codec;
  --skip_;
  return Codec::None;
}

void Packing::tried(bool shrank) {
  vain_ = shrank ? 0 : std::min(vain_ + 1, 16u);
  skip_ = shrank ? 0 : std::min(1u << vain_, kMostSkipped);
}

}  // namespace weft::comm
