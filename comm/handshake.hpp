#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/secret.hpp"

namespace weft::comm {

/// Raised whenever frames, introductions or rings change: processes of different protocols refuse each other.
inline constexpr std::uint32_t kProtocol = 2;

/// Proves to each side of a new connection that the other knows the job's secret, before anything else is believed.
///
///   connector -> acceptor   magic, protocol, nonce C
///   acceptor  -> connector  magic, protocol, nonce A, HMAC(secret, "acceptor", C, A)
///   connector -> acceptor   HMAC(secret, "connector", C, A)
///
/// For: NetworkTransport's connections. A pure machine: bytes in, bytes out.
/// Owns: its state. Threading: one thread at a time.
class Handshake {
 public:
  enum class Role : std::uint8_t { Connector, Acceptor };
  enum class State : std::uint8_t { Waiting, Done, Refused };

  Handshake(Role role, const Secret& secret, const Digest& nonce, std::uint32_t protocol = kProtocol);

  /// Returns what goes out before anything has come in.
  std::vector<std::byte> opening() const;
  /// Looks at all bytes that have come and are not used up; says how many it has used, and appends what goes out.
  State take(std::span<const std::byte> in, std::size_t& used, std::vector<std::byte>& out);
  /// A sentence's end, once Refused.
  const std::string& why() const { return why_; }

 private:
  State refuse(std::string why);
  std::vector<std::byte> greeting() const;
  Digest proof(Role of) const;
  State check_greeting(std::span<const std::byte> in);

  const Role role_;
  const Secret& secret_;
  const Digest nonce_;
  const std::uint32_t protocol_;
  Digest other_nonce_{};
  bool greeted_ = false;
  State state_ = State::Waiting;
  std::string why_;
};

}  // namespace weft::comm
