#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

using Sha256Digest = std::array<std::byte, 32>;

/// SHA-256 (FIPS 180-4) of several pieces, one behind the other.
/// Owns: its state. Threading: one thread at a time.
class Sha256 {
 public:
  void add(std::span<const std::byte> bytes);
  Sha256Digest finish();

 private:
  void block(const std::byte* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> rest_{};
  std::uint64_t total_ = 0;
};

/// HMAC-SHA-256 (RFC 2104) of `bytes` under a key of any length.
Sha256Digest keyed_sha256(std::span<const std::byte> key, std::span<const std::byte> bytes);

}  // namespace weft
