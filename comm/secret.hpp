#pragma once

#include "core/encode/sha256.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::comm {

/// What every process of a job knows and nobody else: 32 random bytes, dealt by the launcher.
using Secret = std::array<std::byte, 32>;
using Digest = Sha256Digest;

/// Fills `bytes` from the system's random source. Throws Error if there is none.
void fill_random(std::span<std::byte> bytes);

/// HMAC-SHA-256 (RFC 2104) of `bytes` under the secret.
inline Digest keyed_digest(const Secret& secret, std::span<const std::byte> bytes) {
  return keyed_sha256(secret, bytes);
}

/// Compares in a time that does not depend on where they differ.
bool equal_digests(const Digest& a, const Digest& b);

}  // namespace weft::comm
