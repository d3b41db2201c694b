#include "core/simulate/store.hpp"

#include <gtest/gtest.h>

namespace weft::sim {
namespace {

Held outputs(std::uint64_t bytes, Attempt attempt = 1) {
  Held held;
  held.attempt = attempt;
  held.values = {1};
  held.bytes = bytes;
  return held;
}

TEST(StoreTest, APacketIsHeldOnce) {
  Store store;
  EXPECT_TRUE(store.put_copy(7, outputs(100, 1)));
  EXPECT_FALSE(store.put_copy(7, outputs(100, 2)));
  EXPECT_EQ(store.find(7)->attempt, 1u);
  EXPECT_EQ(store.used_bytes(), 100u);
  store.put(7, outputs(60, 2));
  EXPECT_EQ(store.find(7)->attempt, 2u);
  EXPECT_EQ(store.used_bytes(), 60u);
  EXPECT_FALSE(store.erase(7, 1)) << "the copy has gone already";
  EXPECT_TRUE(store.erase(7, 2));
  EXPECT_FALSE(store.erase(7, 2));
  EXPECT_EQ(store.find(7), nullptr);
  EXPECT_EQ(store.used_bytes(), 0u);
}

TEST(StoreTest, SpillsWhatWasNotUsedForLongestAndBringsItBack) {
  Store store(1'000);
  store.put(1, outputs(100));
  store.put(2, outputs(100));
  store.touch(1);
  EXPECT_EQ(store.spill(50), 100u);
  EXPECT_TRUE(store.find(2)->on_disk);
  EXPECT_FALSE(store.find(1)->on_disk);
  EXPECT_EQ(store.used_bytes(), 100u);
  EXPECT_EQ(store.touch(2), 100u);
  EXPECT_EQ(store.used_bytes(), 200u);
}

TEST(StoreTest, SpillsNothingWithoutADiskAndNoMoreThanFits) {
  Store absent;
  absent.put(1, outputs(100));
  EXPECT_EQ(absent.spillable_bytes(), 0u);
  EXPECT_EQ(absent.spill(100), 0u);
  Store small(150);
  small.put(1, outputs(100));
  small.put(2, outputs(100));
  EXPECT_EQ(small.spillable_bytes(), 150u);
  EXPECT_EQ(small.spill(200), 100u);
  EXPECT_EQ(small.used_bytes(), 100u);
}

}  // namespace
}  // namespace weft::sim
