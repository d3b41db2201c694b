#include "core/executor/roots.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft {
namespace {

TEST(RootRangeTest, OwnerWalksFromTheFrontThiefTakesTheFurtherHalf) {
  RootRange roots;
  roots.assign({10, 20});
  EXPECT_EQ(roots.take(2), (TaskRange{10, 12}));
  EXPECT_EQ(roots.steal_half(), (TaskRange{16, 20}));
  EXPECT_EQ(roots.take(100), (TaskRange{12, 16}));
  EXPECT_TRUE(roots.take(1).empty());
  EXPECT_TRUE(roots.steal_half().empty());
}

TEST(RootRangeTest, TheLastTaskCanBeStolen) {
  RootRange roots;
  roots.assign({7, 8});
  EXPECT_EQ(roots.steal_half(), (TaskRange{7, 8}));
  EXPECT_TRUE(roots.take(1).empty());
}

TEST(RootRangeTest, EveryTaskIsTakenOnceByOwnerOrThief) {
  constexpr TaskId kTasks = 300'000;
  RootRange roots;
  std::vector<std::atomic<int>> taken(kTasks);
  const auto note = [&](TaskRange range) {
    for (TaskId id = range.first; id < range.end; ++id) taken[id].fetch_add(1);
  };
  roots.assign({0, kTasks});
  std::thread thief([&] {
    RootRange own;
    for (TaskRange range = roots.steal_half(); !range.empty(); range = roots.steal_half()) {
      own.assign(range);
      for (TaskRange part = own.take(8); !part.empty(); part = own.take(8)) note(part);
    }
  });
  for (TaskRange part = roots.take(3); !part.empty(); part = roots.take(3)) note(part);
  thief.join();
  for (TaskRange part = roots.take(3); !part.empty(); part = roots.take(3)) note(part);
  for (TaskId id = 0; id < kTasks; ++id) ASSERT_EQ(taken[id], 1) << id;
}

}  // namespace
}  // namespace weft
