#include "core/diagnostics/progress_meter.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

ProgressSnapshot at(std::uint64_t done, std::uint64_t total) {
  ProgressSnapshot snapshot;
  snapshot.done = done;
  snapshot.total = total;
  return snapshot;
}

TEST(ProgressMeterTest, TimeLeftIsARangeFromTheTwoRates) {
  ProgressMeter meter(0);
  meter.update(at(0, 1000), 0);
  meter.update(at(100, 1000), 100);  // 1 a second
  for (int s = 101; s <= 120; ++s) {
    meter.update(at(100 + static_cast<std::uint64_t>(s - 100) * 10, 1000), s);  // 10 a second
  }
  EXPECT_NEAR(meter.recent_rate(), 10, 0.01);
  EXPECT_NEAR(meter.mean_rate(), 300.0 / 120, 0.01);
  double least = 0;
  double most = 0;
  ASSERT_TRUE(meter.time_left(least, most));
  EXPECT_NEAR(least, 70, 0.1);
  EXPECT_NEAR(most, 280, 0.1);
}

TEST(ProgressMeterTest, NothingIsPromisedBeforeATaskEnded) {
  ProgressMeter meter(0);
  meter.update(at(0, 10), 0);
  meter.update(at(0, 10), 5);
  double least = 0;
  double most = 0;
  EXPECT_FALSE(meter.time_left(least, most));
  EXPECT_EQ(meter.line().find("left"), std::string::npos);
}

TEST(ProgressMeterTest, TasksDoneBeforeTheDisplayDoNotCountInItsRate) {
  ProgressMeter meter(0);
  meter.update(at(1000, 2000), 0);
  meter.update(at(1010, 2000), 10);
  EXPECT_NEAR(meter.mean_rate(), 1, 1e-9);
}

TEST(ProgressMeterTest, LineHoldsAllFigures) {
  ProgressMeter meter(0);
  ProgressSnapshot snapshot = at(0, 400);
  meter.update(snapshot, 0);
  snapshot = at(100, 400);
  snapshot.failed = 2;
  snapshot.memory_bytes = 1ull << 30;
  snapshot.memory_limit_bytes = 4ull << 30;
  snapshot.slowest = "load";
  snapshot.slowest_seconds = 3.2;
  meter.update(snapshot, 10);
  EXPECT_EQ(meter.line(), "weft: 100/400, 2 failed, 10/s, 30 s left, memory 1 GiB of 4 GiB, slowest load 3 s");
  EXPECT_EQ(meter.summary(), "weft: 100/400 done in 10 s, 10/s, 2 failed");
}

TEST(ProgressMeterTest, BarFitsTheTerminalAndGrows) {
  ProgressMeter meter(0);
  ProgressSnapshot snapshot = at(0, 100);
  snapshot.slowest = "\xc3\xa9t\xc3\xa9 with a\nname that is very long indeed and would not fit";
  meter.update(snapshot, 0);
  snapshot.done = 50;
  meter.update(snapshot, 1);
  for (const int columns : {20, 40, 79, 80, 200}) {
    const std::string bar = meter.bar(columns);
    EXPECT_LT(static_cast<int>(bar.size()), columns) << bar;
    EXPECT_EQ(bar.find('\n'), std::string::npos);
  }
  EXPECT_EQ(meter.bar(40).substr(0, 17), "[#####.....]  50%");
}

TEST(ProgressMeterTest, AnUnknownTotalDrawsAnEmptyBar) {
  ProgressMeter meter(0);
  meter.update(at(0, 0), 0);
  EXPECT_EQ(meter.bar(60).find('#'), std::string::npos);
}

TEST(ProgressMeterTest, TextsOfTimesAndCounts) {
  EXPECT_EQ(time_text(0.35), "350 ms");
  EXPECT_EQ(time_text(12.4), "12 s");
  EXPECT_EQ(time_text(185), "3 min 05 s");
  EXPECT_EQ(time_text(7800), "2 h 10 min");
  EXPECT_EQ(count_text(950), "950");
  EXPECT_EQ(count_text(12'345), "12.3k");
  EXPECT_EQ(count_text(999'900), "1M");
}

}  // namespace
}  // namespace weft
