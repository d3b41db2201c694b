#include "comm/handshake.hpp"

#include <algorithm>
#include <cstring>

namespace weft::comm {
namespace {

constexpr std::string_view kMagic = "weft-tcp";
constexpr std::size_t kGreeting = 8 + 4 + 32;

void append(std::vector<std::byte>& out, const void* from, std::size_t bytes) {
  const std::size_t at = out.size();
  out.resize(at + bytes);
  std::memcpy(out.data() + at, from, bytes);
}

}  // namespace

Handshake::Handshake(Role role, const Secret& secret, const Digest& nonce, std::uint32_t protocol)
    : role_(role), secret_(secret), nonce_(nonce), protocol_(protocol) {}

std::vector<std::byte> Handshake::greeting() const {
  std::vector<std::byte> out;
  append(out, kMagic.data(), kMagic.size());
  append(out, &protocol_, sizeof protocol_);
  append(out, nonce_.data(), nonce_.size());
  return out;
}

std::vector<std::byte> Handshake::opening() const {
  return role_ == Role::Connector ? greeting() : std::vector<std::byte>{};
}

Digest Handshake::proof(Role of) const {
  const std::string_view name = of == Role::Connector ? "connector" : "acceptor";
  const Digest& connector = role_ == Role::Connector ? nonce_ : other_nonce_;
  const Digest& acceptor = role_ == Role::Connector ? other_nonce_ : nonce_;
  std::vector<std::byte> text;
  append(text, name.data(), name.size());
  append(text, &protocol_, sizeof protocol_);
  append(text, connector.data(), connector.size());
  append(text, acceptor.data(), acceptor.size());
  return keyed_digest(secret_, text);
}

Handshake::State Handshake::refuse(std::string why) {
  why_ = std::move(why);
  return state_ = State::Refused;
}

Handshake::State Handshake::check_greeting(std::span<const std::byte> in) {
  // The first wrong byte is enough: a stranger need not send the rest.
  const std::size_t seen = std::min(in.size(), kMagic.size());
  if (std::memcmp(in.data(), kMagic.data(), seen) != 0) return refuse("what it said is not weft's protocol");
  if (in.size() < kGreeting) return State::Waiting;
  std::uint32_t protocol;
  std::memcpy(&protocol, in.data() + 8, sizeof protocol);
  std::memcpy(other_nonce_.data(), in.data() + 12, other_nonce_.size());
  greeted_ = true;
  if (protocol != protocol_) {
    return refuse("it speaks protocol " + std::to_string(protocol) + " and this process " + std::to_string(protocol_) +
                  ": run the same weft on both sides");
  }
  return State::Waiting;
}

Handshake::State Handshake::take(std::span<const std::byte> in, std::size_t& used, std::vector<std::byte>& out) {
  used = 0;
  if (state_ != State::Waiting || in.empty()) return state_;
  if (!greeted_) {
    const State state = check_greeting(in);
    if (greeted_ && role_ == Role::Acceptor) {
      // Also when refused for the protocol, so that the other side can name both numbers.
      const std::vector<std::byte> answer = greeting();
      append(out, answer.data(), answer.size());
      if (state == State::Waiting) {
        const Digest mine = proof(Role::Acceptor);
        append(out, mine.data(), mine.size());
      }
    }
    if (state == State::Refused || !greeted_) return state;
    used = kGreeting;
    in = in.subspan(kGreeting);
  }
  if (in.size() < 32) return State::Waiting;
  Digest theirs;
  std::memcpy(theirs.data(), in.data(), theirs.size());
  if (!equal_digests(theirs, proof(role_ == Role::Connector ? Role::Acceptor : Role::Connector))) {
    return refuse("it does not know this job's secret: it belongs to another job");
  }
  used += 32;
  if (role_ == Role::Connector) {
    const Digest mine = proof(Role::Connector);
    append(out, mine.data(), mine.size());
  }
  return state_ = State::Done;
}

}  // namespace weft::comm
