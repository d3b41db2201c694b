#include "core/cluster/polite_spin.hpp"

#include <gtest/gtest.h>

namespace weft::cluster {
namespace {

/// Returns how long a pause looks on when each turn takes so long, beginning at a time that is not 0.
Nanoseconds looked_on(PoliteSpin& spin, Nanoseconds turn) {
  PoliteSpin::Pause pause(spin);
  Nanoseconds now = 1'000'000;
  const Nanoseconds begin = now;
  while (pause.look_on(now)) now += turn;
  return now - begin;
}

TEST(PoliteSpinTest, LooksOnForTheTimeItWasGiven) {
  PoliteSpin spin(50'000);
  EXPECT_EQ(looked_on(spin, 1'000), 50'000);
  EXPECT_EQ(looked_on(spin, 1'000), 50'000);
}

TEST(PoliteSpinTest, NeverLooksOnWithoutTime) {
  PoliteSpin spin(0);
  EXPECT_EQ(looked_on(spin, 1'000), 0);
}

TEST(PoliteSpinTest, ATurnThatTakesFarTooLongEndsThePauseAndSkipsTheNextOnes) {
  PoliteSpin spin(50'000);
  EXPECT_EQ(looked_on(spin, 40'000), 40'000) << "somebody else had the processor: it ends after that turn";
  EXPECT_EQ(looked_on(spin, 1'000), 0);
  EXPECT_EQ(looked_on(spin, 1'000), 0);
  EXPECT_EQ(looked_on(spin, 1'000), 50'000) << "then it tries again";
}

TEST(PoliteSpinTest, EachDisturbanceInARowSkipsTwiceAsManyUpToALimit) {
  PoliteSpin spin(50'000);
  int last = 0;
  for (int round = 0; round < 12; ++round) {
    EXPECT_GT(looked_on(spin, 40'000), 0);
    int skipped = 0;
    while (skipped < 10'000 && looked_on(spin, 1'000) == 0) ++skipped;
    EXPECT_GE(skipped, last);
    last = skipped;
  }
  EXPECT_EQ(last, 256);
}

TEST(PoliteSpinTest, CalmPausesForgetOldDisturbances) {
  PoliteSpin spin(50'000);
  for (int round = 0; round < 4; ++round) {
    looked_on(spin, 40'000);
    while (looked_on(spin, 1'000) == 0) {
    }
  }
  for (int calm = 0; calm < 100; ++calm) EXPECT_EQ(looked_on(spin, 1'000), 50'000);
  looked_on(spin, 40'000);
  EXPECT_EQ(looked_on(spin, 1'000), 0);
  EXPECT_EQ(looked_on(spin, 1'000), 0);
  EXPECT_EQ(looked_on(spin, 1'000), 50'000);
}

}  // namespace
}  // namespace weft::cluster
