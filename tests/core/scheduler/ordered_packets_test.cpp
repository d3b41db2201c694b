#include "core/scheduler/ordered_packets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weft::machine {
namespace {

using Place = OrderedPackets::Place;

bool same(const Place& a, const Place& b) { return a.packet == b.packet; }

/// Returns the places in the order in which the packets come.
std::vector<Place> in_order(const OrderedPackets& packets) {
  std::vector<Place> all;
  for (Place at = packets.first(); at.packet != kNone; at = packets.next(at)) all.push_back(at);
  return all;
}

TEST(OrderedPacketsTest, EqualAgesTakeTurnsAndYoungerOnesWait) {
  OrderedPackets packets;
  // 1 to 3 and 5 to 6 are two calls of one age; 4 and 7 are plain.
  for (std::uint32_t i = 0; i < 3; ++i) packets.insert({0, 1 + i, 1, i});
  for (std::uint32_t i = 0; i < 2; ++i) packets.insert({0, 5 + i, 1, i});
  packets.insert({0, 4});
  packets.insert({0, 7});
  packets.insert({2, 9});
  packets.insert({-1, 0});
  std::vector<PacketId> ids;
  for (const Place& at : in_order(packets)) ids.push_back(at.packet);
  EXPECT_EQ(ids, (std::vector<PacketId>{9, 1, 5, 2, 6, 3, 4, 7, 0}));
}

TEST(OrderedPacketsTest, AgreesWithASortedList) {
  std::mt19937 random(5);
  OrderedPackets packets;
  std::vector<Place> reference;
  for (int i = 0; i != 3'000; ++i) {
    if (reference.empty() || random() % 5 < 3) {
      const auto below = [&](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % most; };
      Place place{static_cast<std::int32_t>(below(3)), below(10'000)};
      if (random() % 2 != 0) {
        place.age = below(50);
        place.turn = below(4);
      }
      const auto known = [&](const Place& other) { return other.packet == place.packet; };
      if (std::any_of(reference.begin(), reference.end(), known)) continue;
      ASSERT_TRUE(packets.insert(place));
      ASSERT_FALSE(packets.insert(place));
      reference.insert(std::upper_bound(reference.begin(), reference.end(), place,
                                        [](const Place& a, const Place& b) { return a.precedes(b); }),
                       place);
    } else {
      const auto at = reference.begin() + static_cast<std::ptrdiff_t>(random() % reference.size());
      const Place gone = *at;
      ASSERT_TRUE(packets.contains(gone));
      const auto behind = reference.erase(at);
      ASSERT_TRUE(packets.erase(gone));
      ASSERT_FALSE(packets.erase(gone));
      ASSERT_TRUE(same(packets.next(gone), behind == reference.end() ? Place{} : *behind));
    }
    ASSERT_EQ(packets.size(), reference.size());
    ASSERT_TRUE(same(packets.first(), reference.empty() ? Place{} : reference.front()));
    if (i % 100 != 0) continue;
    const std::vector<Place> all = in_order(packets);
    ASSERT_TRUE(std::equal(all.begin(), all.end(), reference.begin(), reference.end(), &same));
  }
}

}  // namespace
}  // namespace weft::machine
