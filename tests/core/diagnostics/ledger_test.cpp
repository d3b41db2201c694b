#include "core/diagnostics/ledger.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(LedgerTest, SlotsThatStampWithoutGapsAreBookedInFull) {
  Ledger ledger(2);
  ledger.restart();
  const Ticks tick = static_cast<Ticks>(ticks_per_second() / 1000);
  const Ticks begin = ticks_now();
  while (ticks_now() - begin < 20 * tick) {
  }
  ledger.slot(0).stamp(Phase::Kernel);
  ledger.slot(1).stamp(Phase::Idle);
  ledger.slot(0).announce(Phase::Idle);
  ledger.slot(1).announce(Phase::Idle);
  const LedgerReport report = ledger.report();
  EXPECT_EQ(report.slots, 2u);
  EXPECT_NEAR(report.unbooked_fraction(), 0, 0.02);
  EXPECT_GE(report.phase(Phase::Kernel), 0.015);
}

TEST(LedgerTest, AnAnnouncedPhaseIsBookedUpToTheReport) {
  Ledger ledger(1);
  ledger.slot(0).stamp(Phase::Queue);
  ledger.slot(0).announce(Phase::Idle);
  const Ticks begin = ticks_now();
  const Ticks wanted = static_cast<Ticks>(ticks_per_second() / 100);
  while (ticks_now() - begin < wanted) {
  }
  EXPECT_GE(ledger.report().phase(Phase::Idle), 0.009);
}

TEST(LedgerTest, ASlotThatBooksNothingShowsAsUnbooked) {
  Ledger ledger(2);
  ledger.restart();
  const Ticks begin = ticks_now();
  const Ticks wanted = static_cast<Ticks>(ticks_per_second() / 100);
  while (ticks_now() - begin < wanted) {
  }
  ledger.slot(0).stamp(Phase::Kernel);
  ledger.slot(0).announce(Phase::Kernel);
  EXPECT_NEAR(ledger.report().unbooked_fraction(), 0.5, 0.05);
}

TEST(LedgerTest, OtherThreadsCountInThePhasesButNotInTheWall) {
  Ledger ledger(1);
  SlotBook& client = ledger.open_book("client");
  client.book(Phase::Build, static_cast<Ticks>(ticks_per_second()));
  const LedgerReport report = ledger.report();
  EXPECT_NEAR(report.phase(Phase::Build), 1.0, 0.1);
  EXPECT_GE(report.unbooked_fraction(), 0.9);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[0].name, "slot 0");
  EXPECT_EQ(report.rows[1].name, "client");
  EXPECT_FALSE(report.rows[1].slot);
}

TEST(LedgerTest, RestartForgetsWhatWasBookedBefore) {
  Ledger ledger(1);
  SlotBook& book = ledger.slot(0);
  book.sample(100, 100, 100);
  book.book_stretch(10, 3000);
  ledger.restart();
  EXPECT_EQ(ledger.report().tasks, 0u);
  EXPECT_EQ(ledger.report().samples, 0u);
  EXPECT_EQ(ledger.report().sampled_p99_us, 0);
  EXPECT_EQ(ledger.report().phase(Phase::Launch), 0);
  book.book_stretch(5, 1500);
  EXPECT_EQ(ledger.report().tasks, 5u);
}

TEST(LedgerTest, ReportsMayBeTakenWhileSlotsBook) {
  Ledger ledger(1);
  std::atomic<bool> stop{false};
  std::thread slot([&] {
    SlotBook& book = ledger.slot(0);
    while (!stop.load(std::memory_order_relaxed)) {
      if (book.sample_due(0)) book.sample(10, 10, 10);
      book.end_stretch(1);
      book.announce(Phase::Idle);
      book.stamp(Phase::Idle);
    }
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 200; ++i) {
    const LedgerReport report = ledger.report();
    EXPECT_GE(report.tasks, last);
    EXPECT_GT(report.unbooked_fraction(), -0.05) << "something was booked twice";
    last = report.tasks;
  }
  stop = true;
  slot.join();
}

}  // namespace
}  // namespace weft
