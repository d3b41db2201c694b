#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// Requests to stores that ask who one is, signed as AWS asks for it (Signature Version 4).
namespace weft::io::remote {

struct Keys {
  std::string id, secret, token;
  bool any() const { return !id.empty(); }
};

/// What of a request is signed.
struct ToSign {
  std::string method, host;
  /// As it stands in the request, percent-encoded.
  std::string path;
  /// "a=1&b=2": sorted, percent-encoded.
  std::string query;
  /// The SHA-256 of the body, or "UNSIGNED-PAYLOAD".
  std::string body_sum;
  std::string region;
  /// "20130524T000000Z".
  std::string time;
};

/// The header lines that a signed request has beyond its own.
std::vector<std::string> signed_headers(const ToSign& request, const Keys& keys);

std::string sha256_hex(std::span<const std::byte> bytes);
/// Now, as ToSign::time has it.
std::string signing_time();

}  // namespace weft::io::remote
