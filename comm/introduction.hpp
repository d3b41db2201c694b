#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/shared_segment.hpp"

namespace weft::comm {

inline constexpr std::size_t kMostHelloBytes = std::size_t{1} << 20;

/// What the sides of a connection tell each other once the secret is proven: the connector first, with what it offers;
/// the acceptor with what it takes of it.
struct Introduction {
  std::string hello;
  /// From the connector: a segment that the acceptor may map.
  std::optional<SegmentName> segment;
  /// From the acceptor: the lane that carries messages and blocks.
  enum class Taken : std::uint8_t { Wire = 0, Segment = 1, Fabric = 2 };
  Taken taken = Taken::Wire;
  /// From whoever offers or takes a fabric: its address, empty if none, and the lane's token.
  std::string fabric_address;
  std::uint64_t fabric_token = 0;
  /// A bit for each codec that this side can read (compression.hpp).
  std::uint8_t codecs = 0;
  /// Why something offered was not taken; for the log.
  std::string remark;

  std::vector<std::byte> encode() const;
  /// Nullopt if the bytes are no introduction.
  static std::optional<Introduction> decode(std::span<const std::byte> bytes);
};

}  // namespace weft::comm
