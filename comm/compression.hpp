#pragma once

#include <weft/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::comm {

/// When blocks are compressed on sockets. Auto: where the connection is measured to be slower than compressing.
enum class Compression : std::uint8_t { Auto, Off, Lz4, Zstd };

/// How a piece of a block was compressed; on the wire.
enum class Codec : std::uint8_t { None = 0, Lz4 = 1, Zstd = 2 };

/// A bit for each codec that this build has.
using CodecSet = std::uint8_t;
inline constexpr CodecSet bit_of(Codec codec) { return static_cast<CodecSet>(1u << static_cast<unsigned>(codec)); }
CodecSet codecs_here();

/// Appends the compressed bytes to `out`. False, and `out` as it was, if they are not at least an eighth shorter, or
/// the codec is not here.
bool compress(Codec codec, std::span<const std::byte> bytes, std::vector<std::byte>& out);
/// Fills `to` exactly. False if the bytes make no sense; nothing outside of `to` is ever written.
bool decompress(Codec codec, std::span<const std::byte> bytes, std::span<std::byte> to);

/// Decides which pieces of blocks a socket compresses.
///
/// For: WireLane. How: while the socket holds its sender up, the bytes it takes a second are the speed of the
/// connection. A slow one is worth the processor's time: lz4 compresses some 400 MB/s on one core, zstd 200 MB/s.
/// Data that hardly shrinks is left alone for more and more pieces. Owns: nothing. Threading: that of its lane.
class Packing {
 public:
  /// Slower connections than this, in bytes a second, are helped by it.
  static constexpr double kWorthLz4 = 200e6;
  static constexpr double kWorthZstd = 25e6;

  Packing() = default;
  Packing(Compression wish, CodecSet both) : wish_(wish), both_(both) {}

  /// Nothing waits to be sent: what passes until something does again says nothing about the connection.
  void idle() { since_ = 0; }
  void wrote(std::size_t bytes) { bytes_ += bytes; }
  /// The socket takes no more now.
  void full(Nanoseconds now);
  /// Whether pieces are compressed at all at present.
  bool active() const { return wanted() != Codec::None; }
  /// Returns how the next piece goes.
  Codec next();
  /// What came of a piece that `next` wanted compressed.
  void tried(bool shrank);
  /// Bytes a second; 0: not known.
  double speed() const { return speed_; }

 private:
  Codec wanted() const;
  bool has(Codec codec) const { return (both_ & bit_of(codec)) != 0; }

  Compression wish_ = Compression::Off;
  CodecSet both_ = 0;
  double speed_ = 0;
  std::size_t bytes_ = 0;  // since since_
  Nanoseconds since_ = 0;  // when the socket was first full; 0: it has not been since it was idle
  std::uint32_t skip_ = 0;
  std::uint32_t vain_ = 0;  // attempts in a row
};

}  // namespace weft::comm
