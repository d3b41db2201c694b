#include "core/memory/read_ahead.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weft {
namespace {

/// Ten values of 10 bytes, spilled in order.
class ReadAheadTest : public testing::Test {
 protected:
  ReadAheadTest() {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      held_[i].serial = i;
      held_[i].bytes = 10;
      ahead_.went(held_[i]);
    }
  }
  std::vector<std::uint64_t> next(std::size_t window) {
    std::vector<std::uint64_t> serials;
    for (const ReadAhead::Next& next : ahead_.next(window)) serials.push_back(next.serial);
    return serials;
  }
  using Serials = std::vector<std::uint64_t>;

  std::array<Held, 10> held_;
  ReadAhead ahead_;
};

TEST_F(ReadAheadTest, OneMissTellsNothing) {
  ahead_.missed(held_[5]);
  EXPECT_EQ(next(100), Serials());
}

TEST_F(ReadAheadTest, TwoNeighboursGiveTheDirection) {
  ahead_.missed(held_[9]);
  ahead_.missed(held_[8]);
  EXPECT_EQ(next(30), (Serials{7, 6, 5}));
  ahead_.missed(held_[1]);
  EXPECT_EQ(next(100), Serials());
  ahead_.missed(held_[2]);
  EXPECT_EQ(next(50), (Serials{3, 4}));
}

TEST_F(ReadAheadTest, UsedValuesMakePlaceForMore) {
  ahead_.missed(held_[0]);
  ahead_.missed(held_[1]);
  EXPECT_EQ(next(20), (Serials{2, 3}));
  EXPECT_EQ(next(20), Serials());
  ahead_.forget(held_[2]);
  ahead_.done(10);
  EXPECT_EQ(next(20), (Serials{4}));
}

TEST_F(ReadAheadTest, ReleasedValuesAreSteppedOver) {
  ahead_.missed(held_[9]);
  ahead_.forget(held_[8]);
  ahead_.missed(held_[7]);
  ahead_.forget(held_[6]);
  EXPECT_EQ(next(20), (Serials{5, 4}));
}

TEST_F(ReadAheadTest, ValueLargerThanTheWindowGoesAlone) {
  ahead_.missed(held_[0]);
  ahead_.missed(held_[1]);
  EXPECT_EQ(next(5), (Serials{2}));
  EXPECT_EQ(next(5), Serials());
}

TEST_F(ReadAheadTest, ReaderThatOvertakesIsFollowed) {
  ahead_.missed(held_[0]);
  ahead_.missed(held_[1]);
  EXPECT_EQ(next(20), (Serials{2, 3}));
  ahead_.missed(held_[2]);
  EXPECT_EQ(next(30), (Serials{4}));
}

TEST_F(ReadAheadTest, EndOfTheListIsTheEnd) {
  ahead_.missed(held_[1]);
  ahead_.missed(held_[0]);
  EXPECT_EQ(next(100), Serials());
  Held again;
  again.serial = 77;
  again.bytes = 10;
  ahead_.went(again);
  EXPECT_EQ(next(100), Serials());
  ahead_.forget(again);
}

}  // namespace
}  // namespace weft
