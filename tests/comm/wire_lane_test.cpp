#include "comm/wire_lane.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <random>

#include "comm/socket.hpp"
#include "tests/comm/hostile.hpp"

namespace weft::comm {
namespace {

std::vector<std::byte> frame(Frame kind, std::vector<std::byte> payload) {
  std::vector<std::byte> out;
  append_frame(out, kind, payload);
  return out;
}

std::vector<std::byte> offer_of(std::uint64_t bytes) {
  std::vector<std::byte> payload(8);
  std::memcpy(payload.data(), &bytes, sizeof bytes);
  return payload;
}

TEST(WireLaneTest, SoundStreamsAreUnderstoodHoweverTheyAreCut) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const PatientUser user = feed_wire(sound_stream(random), random);
    EXPECT_EQ(user.why, "");
    EXPECT_EQ(user.arrivals, user.offers);
  }
}

TEST(WireLaneTest, DataWithoutAnOfferBreaksTheConnection) {
  std::mt19937 random(1);
  EXPECT_NE(feed_wire(frame(Frame::Data, std::vector<std::byte>(10)), random).why, "");
}

TEST(WireLaneTest, MoreDataThanWasOfferedBreaksTheConnection) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes = frame(Frame::Offer, offer_of(10));
  append_frame(bytes, Frame::Data, std::vector<std::byte>(11));
  const PatientUser user = feed_wire(bytes, random);
  EXPECT_EQ(user.arrivals, 1u);
  EXPECT_NE(user.why, "");
}

TEST(WireLaneTest, OfferWithoutASizeUnknownFrameAndEndlessFrameBreakTheConnection) {
  std::mt19937 random(1);
  EXPECT_NE(feed_wire(frame(Frame::Offer, std::vector<std::byte>(7)), random).why, "");
  EXPECT_NE(feed_wire(frame(static_cast<Frame>(200), {}), random).why, "");
  std::vector<std::byte> endless = frame(Frame::Message, {});
  endless[3] = std::byte{0x7f};
  EXPECT_NE(feed_wire(endless, random).why, "");
}

TEST(WireLaneTest, DamagedStreamsNeverReadOrWriteElsewhere) {
  // The sanitizers say whether they do; here it must end, and what is sound before the damage arrives.
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::byte> bytes = sound_stream(random);
    for (unsigned damage = 1 + random() % 4; damage > 0 && !bytes.empty(); --damage) {
      const std::size_t at = random() % bytes.size();
      if (random() % 4 == 0) {
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
      } else {
        bytes[at] = static_cast<std::byte>(random());
      }
    }
    const PatientUser user = feed_wire(bytes, random);
    EXPECT_LE(user.arrivals, user.offers);
  }
}

TEST(WireLaneTest, PackedPiecesThatLieBreakTheConnection) {
  std::mt19937 random(1);
  const auto stream = [&](std::uint64_t offered, std::uint32_t says, std::byte codec) {
    std::vector<std::byte> bytes = frame(Frame::Offer, offer_of(offered));
    if (!append_packed(bytes, Codec::Lz4, 1000)) return std::vector<std::byte>{};
    std::byte* const payload = bytes.data() + 2 * kFrameHead + kOfferPrefix;
    std::memcpy(payload, &says, sizeof says);
    payload[4] = codec;
    return bytes;
  };
  if (stream(1000, 1000, std::byte{1}).empty()) GTEST_SKIP() << "this build has no lz4";
  EXPECT_EQ(feed_wire(stream(1000, 1000, std::byte{1}), random).arrivals, 1u);
  EXPECT_NE(feed_wire(stream(999, 1000, std::byte{1}), random).why, "") << "more than was offered";
  EXPECT_NE(feed_wire(stream(2000, 1001, std::byte{1}), random).why, "") << "not what comes of it";
  EXPECT_NE(feed_wire(stream(1000, 1000, std::byte{2}), random).why, "") << "another codec";
  EXPECT_NE(feed_wire(stream(1000, 1000, std::byte{9}), random).why, "") << "no codec";
  EXPECT_NE(feed_wire(stream(1000, 0, std::byte{1}), random).why, "");
  EXPECT_NE(feed_wire(stream(1u << 31, 1u << 30, std::byte{1}), random).why, "") << "a piece longer than any";
  EXPECT_NE(feed_wire(frame(Frame::Packed, std::vector<std::byte>(3)), random).why, "");
}

/// Takes blocks in and keeps them.
struct Keeper final : LaneUser {
  bool live() const override { return why.empty(); }
  void message(std::span<const std::byte>) override {}
  BlockTarget offered(std::span<const std::byte>, std::size_t bytes) override {
    landed.resize(bytes);
    return {landed.data(), MemoryKind::Host, 1};
  }
  void arrived(std::uint64_t, bool) override { done = true; }
  void sent(std::uint64_t, bool) override { gone = true; }
  void broken(std::string text) override { why = std::move(text); }
  void moved() override {}
  DeviceCopy* device() const override { return nullptr; }
  std::vector<std::byte> landed;
  std::string why;
  bool done = false, gone = false;
};

TEST(WireLaneTest, BlocksArriveAsTheyWereThoughTheirPiecesAreCompressed) {
  for (const auto& [wish, noise] :
       {std::pair(Compression::Lz4, false), {Compression::Zstd, false}, {Compression::Lz4, true}}) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    Fd a(ends[0]), b(ends[1]);
    Keeper sender, receiver;
    WireLane out(Stream(a.get()), sender, [](Frame, std::span<const std::byte>) {});
    WireLane in(Stream(b.get()), receiver, [](Frame, std::span<const std::byte>) {});
    out.pack(Packing(wish, codecs_here()));
    std::vector<std::byte> data(5'000'000);
    std::mt19937 random(4);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(noise ? random() : i / 1000);
    out.send_block({}, data.data(), data.size(), MemoryKind::Host, 1);
    for (int turn = 0; turn < 100'000 && !receiver.done; ++turn) {
      out.move_out();
      in.move_in();
    }
    EXPECT_EQ(receiver.why, "");
    EXPECT_TRUE(receiver.landed == data);
    out.move_out();
    EXPECT_TRUE(sender.gone && out.out_empty());
  }
}

}  // namespace
}  // namespace weft::comm
