#include "core/worker/id_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace weft::machine {
namespace {

TEST(IdMapTest, AgreesWithAnOrderedMap) {
  std::mt19937 random(5);
  IdMap map;
  std::map<std::uint32_t, std::uint32_t> reference;
  for (std::uint32_t i = 0; i != 50'000; ++i) {
    const std::uint32_t id = random() % 600;
    if (reference.count(id) == 0) {
      map.insert(id, i);
      reference[id] = i;
    } else {
      map.erase(id);
      reference.erase(id);
    }
    const std::uint32_t asked = random() % 600;
    const auto found = reference.find(asked);
    ASSERT_EQ(map.find(asked), found == reference.end() ? kNone : found->second);
    ASSERT_EQ(map.size(), reference.size());
  }
}

TEST(IdMapTest, ErasingAStrangerChangesNothing) {
  IdMap map;
  map.erase(4);
  map.insert(1, 10);
  map.erase(2);
  EXPECT_EQ(map.find(1), 10u);
}

}  // namespace
}  // namespace weft::machine
