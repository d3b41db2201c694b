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
  /// From the acceptor: the segment is mapped, messages go through it.
  bool takes_segment = false;
  /// Why something offered was not taken; for the log.
  std::string remark;

  std::vector<std::byte> encode() const;
  /// Nullopt if the bytes are no introduction.
  static std::optional<Introduction> decode(std::span<const std::byte> bytes);
};

}  // namespace weft::comm
