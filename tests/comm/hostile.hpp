// Bytes that a broken peer may send, and a user of lanes that survives whatever they say.

#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "comm/lane.hpp"
#include "comm/wire_lane.hpp"

namespace weft::comm {

/// Takes everything in and keeps count; blocks up to 1 MiB land, larger ones are dropped.
class PatientUser final : public LaneUser {
 public:
  bool live() const override { return why.empty(); }
  void message(std::span<const std::byte> bytes) override {
    ++messages;
    for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);  // every byte can be read
  }
  BlockTarget offered(std::span<const std::byte> header, std::size_t bytes) override {
    ++offers;
    message(header);
    if (bytes > (std::size_t{1} << 20)) return {};
    landed.emplace_back(bytes + 1);
    return {landed.back().data(), MemoryKind::Host, landed.size()};
  }
  void arrived(std::uint64_t, bool ok) override { arrivals += ok; }
  void sent(std::uint64_t, bool) override {}
  void broken(std::string text) override { why = std::move(text); }
  void moved() override {}
  DeviceCopy* device() const override { return nullptr; }

  std::string why;
  std::uint64_t messages = 0, offers = 0, arrivals = 0, sum = 0;
  std::vector<std::vector<std::byte>> landed;
};

inline void append_frame(std::vector<std::byte>& out, Frame kind, const std::vector<std::byte>& payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::size_t at = out.size();
  out.resize(at + kFrameHead + payload.size());
  std::memcpy(out.data() + at, &length, sizeof length);
  out[at + 4] = static_cast<std::byte>(kind);
  if (!payload.empty()) std::memcpy(out.data() + at + kFrameHead, payload.data(), payload.size());
}

/// A compressed piece of so many equal bytes; false where it is too short to shrink or this build has no such codec.
inline bool append_packed(std::vector<std::byte>& out, Codec codec, std::uint64_t bytes) {
  std::vector<std::byte> payload(8);
  const auto raw = static_cast<std::uint32_t>(bytes);
  std::memcpy(payload.data(), &raw, sizeof raw);
  payload[4] = static_cast<std::byte>(codec);
  if (!compress(codec, std::vector<std::byte>(bytes, std::byte{6}), payload)) return false;
  append_frame(out, Frame::Packed, payload);
  return true;
}

/// A stream of sound frames: messages, and blocks with their data in pieces, some of them compressed.
inline std::vector<std::byte> sound_stream(std::mt19937& random) {
  std::vector<std::byte> out;
  for (int i = 0; i < 12; ++i) {
    if (random() % 2 == 0) {
      append_frame(out, Frame::Message, std::vector<std::byte>(random() % 300, std::byte{5}));
      continue;
    }
    const std::uint64_t bytes = random() % 5000;
    std::vector<std::byte> offer(8 + random() % 20);
    std::memcpy(offer.data(), &bytes, sizeof bytes);
    append_frame(out, Frame::Offer, offer);
    for (std::uint64_t left = bytes; left > 0;) {
      const std::uint64_t piece = std::min<std::uint64_t>(left, 1 + random() % 3000);
      if (append_packed(out, random() % 2 == 0 ? Codec::Lz4 : Codec::Zstd, piece)) {
        left -= piece;
        continue;
      }
      append_frame(out, Frame::Data, std::vector<std::byte>(piece, std::byte{6}));
      left -= piece;
    }
  }
  return out;
}

/// Feeds the bytes to a WireLane through a socket, cut at random, and returns what its user saw.
PatientUser feed_wire(const std::vector<std::byte>& bytes, std::mt19937& random);
/// Lays the bytes into a ring as if a peer had written them, with its counter, and reads them.
std::uint64_t feed_ring(const std::vector<std::byte>& bytes, std::uint64_t written);

}  // namespace weft::comm
