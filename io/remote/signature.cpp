#include "io/remote/signature.hpp"

#include "core/encode/sha256.hpp"

#include <ctime>

namespace weft::io::remote {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string hex(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : digest) {
    out += kDigits[static_cast<unsigned>(byte) >> 4];
    out += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return out;
}

}  // namespace

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hex(hash.finish());
}

std::string signing_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[20];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

std::vector<std::string> signed_headers(const ToSign& request, const Keys& keys) {
  std::vector<std::string> lines = {"host:" + request.host, "x-amz-content-sha256:" + request.body_sum,
                                    "x-amz-date:" + request.time};
  std::string names = "host;x-amz-content-sha256;x-amz-date";
  if (!keys.token.empty()) {
    lines.push_back("x-amz-security-token:" + keys.token);
    names += ";x-amz-security-token";
  }
  std::string canonical = request.method + "\n" + request.path + "\n" + request.query + "\n";
  for (const std::string& line : lines) canonical += line + "\n";
  canonical += "\n" + names + "\n" + request.body_sum;
  const std::string day = request.time.substr(0, 8);
  const std::string scope = day + "/" + request.region + "/s3/aws4_request";
  const std::string text = "AWS4-HMAC-SHA256\n" + request.time + "\n" + scope + "\n" + sha256_hex(bytes_of(canonical));
  Sha256Digest key = keyed_sha256(bytes_of("AWS4" + keys.secret), bytes_of(day));
  for (const std::string& step : {request.region, std::string("s3"), std::string("aws4_request")}) {
    key = keyed_sha256(key, bytes_of(step));
  }
  lines.erase(lines.begin());  // the library writes the host itself
  lines.push_back("Authorization: AWS4-HMAC-SHA256 Credential=" + keys.id + "/" + scope + ", SignedHeaders=" + names +
                  ", Signature=" + hex(keyed_sha256(key, bytes_of(text))));
  return lines;
}

}  // namespace weft::io::remote
