#include "comm/wire_lane.hpp"

#include <gtest/gtest.h>

#include <random>

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

}  // namespace
}  // namespace weft::comm
