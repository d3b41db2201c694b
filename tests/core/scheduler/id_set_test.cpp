#include "core/scheduler/id_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace weft::machine {
namespace {

TEST(IdSetTest, AgreesWithAnOrderedSet) {
  std::mt19937 random(3);
  for (const std::uint32_t range : {100u, 70'000u, 20'000'000u}) {
    IdSet set;
    std::set<std::uint32_t> reference;
    for (int i = 0; i != 5'000; ++i) {
      const std::uint32_t id = random() % range;
      if (random() % 3 != 0) {
        EXPECT_EQ(set.insert(id), reference.insert(id).second);
      } else {
        EXPECT_EQ(set.erase(id), reference.erase(id) == 1);
      }
      const auto after = reference.upper_bound(id);
      ASSERT_EQ(set.next(id), after == reference.end() ? kNone : *after);
      ASSERT_EQ(set.first(), reference.empty() ? kNone : *reference.begin());
      ASSERT_EQ(set.size(), reference.size());
    }
    while (!set.empty()) {
      ASSERT_EQ(set.first(), *reference.begin());
      reference.erase(set.first());
      set.erase(set.first());
    }
    EXPECT_TRUE(reference.empty());
  }
}

TEST(IdSetTest, TakesTheLargestIds) {
  IdSet set;
  set.insert(kNone - 1);
  set.insert(5);
  EXPECT_EQ(set.first(), 5u);
  EXPECT_EQ(set.next(5), kNone - 1);
  EXPECT_EQ(set.next(kNone - 1), kNone);
}

}  // namespace
}  // namespace weft::machine
