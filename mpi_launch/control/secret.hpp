#pragma once

#include "comm/secret.hpp"

#include <string>

namespace weft::launch {

inline constexpr std::size_t kSecretBytes = sizeof(comm::Secret);

/// Returns fresh random bytes of the kernel; throws Error where it has none.
std::string random_bytes(std::size_t count);

/// Returns the job's secret as the transports take it; throws Error where it is not one.
comm::Secret secret_of(const std::string& bytes);

/// Who proves that it knows the secret of the job: each side over the other's random bytes and its own, so that a proof
/// is worth nothing in the other direction or on another connection.
enum class Side : char { Server = 'S', Client = 'C' };

/// Returns the proof of `side`: HMAC-SHA-256 over the side and both random texts under the secret.
std::string proof_of(Side side, const std::string& secret, const std::string& server_random,
                     const std::string& client_random);
/// Tells whether `proof` is the one that `side` must give.
bool proves(const std::string& proof, Side side, const std::string& secret, const std::string& server_random,
            const std::string& client_random);

}  // namespace weft::launch
