#include "mpi_launch/control/secret.hpp"

#include <weft/error.hpp>

#include <cstring>
#include <span>

namespace weft::launch {

namespace {

comm::Digest digest_of_proof(Side side, const std::string& secret, const std::string& server_random,
                             const std::string& client_random) {
  const std::string text = std::string("weft ") + static_cast<char>(side) + server_random + client_random;
  return comm::keyed_digest(secret_of(secret), std::as_bytes(std::span(text)));
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  comm::fill_random(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

comm::Secret secret_of(const std::string& bytes) {
  comm::Secret secret;
  if (bytes.size() != secret.size()) throw Error("what should be the secret of the job has not its length");
  std::memcpy(secret.data(), bytes.data(), secret.size());
  return secret;
}

std::string proof_of(Side side, const std::string& secret, const std::string& server_random,
                     const std::string& client_random) {
  const comm::Digest digest = digest_of_proof(side, secret, server_random, client_random);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool proves(const std::string& proof, Side side, const std::string& secret, const std::string& server_random,
            const std::string& client_random) {
  comm::Digest given{};
  if (proof.size() != given.size()) return false;
  std::memcpy(given.data(), proof.data(), given.size());
  return comm::equal_digests(given, digest_of_proof(side, secret, server_random, client_random));
}

}  // namespace weft::launch
