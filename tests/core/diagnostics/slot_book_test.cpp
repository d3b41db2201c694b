#include "core/diagnostics/slot_book.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

class SlotBookTest : public testing::Test {
 protected:
  Ticks at(Phase phase) const { return book_->ticks(phase); }
  Ticks sum() const {
    Ticks total = 0;
    for (std::size_t p = 0; p < kPhaseCount; ++p) total += at(static_cast<Phase>(p));
    return total;
  }

  std::unique_ptr<SlotBook> book_ = std::make_unique<SlotBook>();
};

TEST_F(SlotBookTest, StampsLeaveNoGap) {
  book_->start_at(1000);
  book_->stamp_at(Phase::Queue, 1010);
  book_->stamp_at(Phase::Schedule, 1050);
  book_->stamp_at(Phase::Idle, 2000);
  EXPECT_EQ(at(Phase::Queue), 10u);
  EXPECT_EQ(at(Phase::Schedule), 40u);
  EXPECT_EQ(at(Phase::Idle), 950u);
  EXPECT_EQ(sum(), 1000u);
}

TEST_F(SlotBookTest, ACounterThatMovedBackBooksNothing) {
  book_->start_at(1000);
  book_->stamp_at(Phase::Idle, 990);
  EXPECT_EQ(sum(), 0u);
}

TEST_F(SlotBookTest, AnnouncementsEndWithTheNextStamp) {
  Phase phase{};
  EXPECT_FALSE(book_->announced(phase));
  book_->start_at(0);
  book_->announce(Phase::Idle);
  ASSERT_TRUE(book_->announced(phase));
  EXPECT_EQ(phase, Phase::Idle);
  book_->stamp_at(Phase::Idle, 5);
  EXPECT_FALSE(book_->announced(phase));
}

TEST_F(SlotBookTest, TheFirstTaskIsSampledAndThenOneInAbout256) {
  for (const std::uint32_t stride : {1u, 2u, 7u, 256u, 1000u}) {
    SlotBook& book = *(book_ = std::make_unique<SlotBook>());
    ASSERT_TRUE(book.sample_due(0));
    book.sample(10, 20, 10);
    int samples = 0;
    for (std::uint32_t i = 0; i < 256'000; ++i) {
      if (!book.sample_due(i * stride)) continue;
      book.sample(10, 20, 10);
      ++samples;
    }
    EXPECT_NEAR(samples, 1000, 120) << "stride " << stride;
  }
}

TEST_F(SlotBookTest, ARepeatedGraphIsSampledAtOtherPlaces) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(10, 20, 10);
  std::vector<int> sampled(1000, 0);
  for (int launch = 0; launch < 1000; ++launch) {
    for (std::uint32_t task = 0; task < 1000; ++task) {
      if (!book_->sample_due(task)) continue;
      book_->sample(10, 20, 10);
      ++sampled[task];
    }
  }
  EXPECT_LT(*std::max_element(sampled.begin(), sampled.end()), 25) << "about 4 each";
}

TEST_F(SlotBookTest, LongTasksAreAllSampled) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(100, SlotBook::kLongTicks * 10, 100);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(book_->sample_due(0));
    book_->sample(100, SlotBook::kLongTicks * 10, 100);
  }
}

TEST_F(SlotBookTest, AStretchIsSplitByTheSharesOfItsSamples) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(10, 60, 30);
  book_->book_stretch(100, 10'000);
  EXPECT_NEAR(static_cast<double>(at(Phase::Launch)), 1000, 10);
  EXPECT_NEAR(static_cast<double>(at(Phase::Kernel)), 6000, 10);
  EXPECT_NEAR(static_cast<double>(at(Phase::Complete)), 3000, 10);
  EXPECT_EQ(sum(), 10'000u) << "nothing is lost to rounding";
  EXPECT_EQ(book_->tasks(), 100u);
  EXPECT_EQ(book_->inferred_kernel(), 0u);
}

TEST_F(SlotBookTest, SampledTasksAreBookedAsMeasured) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(100, 700, 200);
  book_->book_stretch(1, 1050);
  EXPECT_EQ(at(Phase::Launch), 150u) << "the time between the samples' stamps finds the next task";
  EXPECT_EQ(at(Phase::Kernel), 700u);
  EXPECT_EQ(at(Phase::Complete), 200u);
}

TEST_F(SlotBookTest, AStretchWithoutSamplesUsesTheMeansOfEarlierOnes) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(25, 50, 25);
  book_->book_stretch(1, 100);
  book_->book_stretch(100, 10'000);
  EXPECT_EQ(at(Phase::Launch), 25u + 2500u);
  EXPECT_EQ(at(Phase::Complete), 25u + 2500u);
}

TEST_F(SlotBookTest, AnAnomalouslyLongStretchBooksItsExcessToKernel) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(10, 10, 10);
  book_->book_stretch(100, 3000 + 1'500'000);
  EXPECT_LE(at(Phase::Launch) + at(Phase::Complete), 2100u) << "one long task is not overhead";
  EXPECT_EQ(sum(), 1'503'000u);
  EXPECT_NEAR(static_cast<double>(book_->inferred_kernel()), 1'500'000, 100);
}

TEST_F(SlotBookTest, LongTasksSampledOnTheSideDoNotWeighOnTheShortOnes) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(20, 60, 20);
  book_->sample(1000, 2'000'000, 1000);  // not due, but its caller knew that it is long
  book_->book_stretch(102, 100 + 2'002'000 + 10'000);
  EXPECT_EQ(at(Phase::Launch), 20u + 1000u + 2000u);
  EXPECT_EQ(at(Phase::Complete), 20u + 1000u + 2000u);
}

TEST_F(SlotBookTest, OnePreemptedSampleDoesNotSetTheSharesOfThoseAfterIt) {
  ASSERT_TRUE(book_->sample_due(0));
  for (int i = 0; i < 16; ++i) book_->sample(100, 100, 100);
  book_->book_stretch(16, 4800);
  book_->sample(100, 5'000'000, 100);  // set aside by the system in its kernel
  book_->book_stretch(1, 5'000'200);
  const Ticks launch = at(Phase::Launch);
  book_->book_stretch(1000, 300'000);
  EXPECT_GT(at(Phase::Launch) - launch, 60'000u) << "a third of it is launch, less what the clamped mean took";
}

TEST_F(SlotBookTest, TimeTakenOutOfAStretchIsBookedOnce) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(10, 80, 10);
  book_->book_inside(Phase::Fetch, 5000);
  book_->book_stretch(10, 6000);
  EXPECT_EQ(at(Phase::Fetch), 5000u);
  EXPECT_EQ(sum(), 6000u);
}

TEST_F(SlotBookTest, SamplesLongerThanTheirStretchAreCutToIt) {
  ASSERT_TRUE(book_->sample_due(0));
  book_->sample(100, 100, 100);
  book_->book_stretch(1, 150);
  EXPECT_EQ(sum(), 150u);
}

TEST_F(SlotBookTest, HistogramsHoldTheSamples) {
  for (int i = 0; i < 100; ++i) book_->sample(10, 1000, 10);
  EXPECT_EQ(book_->samples(), 100u);
  EXPECT_NEAR(book_->overhead().quantile(0.99), 20, 1);
  EXPECT_NEAR(book_->kernel().quantile(0.5), 1000, 32);
}

TEST_F(SlotBookTest, RealStretchesAddUpToTheTimeThatPassed) {
  const Ticks begin = book_->start();
  volatile std::uint64_t sink = 0;
  for (int stretch = 0; stretch < 50; ++stretch) {
    book_->begin_stretch();
    for (int i = 0; i < 1000; ++i) {
      if (book_->sample_due(static_cast<std::uint32_t>(i))) {
        const Ticks t0 = ticks_now();
        const Ticks t1 = ticks_now();
        sink = sink + 1;
        const Ticks t2 = ticks_now();
        book_->sample(t1 - t0, t2 - t1, ticks_now() - t2);
      } else {
        sink = sink + 1;
      }
    }
    book_->end_stretch(1000);
    book_->stamp(Phase::Queue);
  }
  EXPECT_EQ(sum(), book_->last_stamp() - begin);
  EXPECT_EQ(book_->tasks(), 50'000u);
}

TEST(CallSamplerTest, BooksAllCallsFromTheSampledOnes) {
  auto book = std::make_unique<SlotBook>();
  CallSampler sampler(Phase::Build);
  int sampled = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (sampler.due()) {
      sampler.sample(*book, 40);
      ++sampled;
    }
  }
  sampler.flush(*book);
  EXPECT_NEAR(static_cast<double>(book->ticks(Phase::Build)), 4'000'000, 40'000);
  EXPECT_LT(sampled, 1000);
  const Ticks flushed = book->ticks(Phase::Build);
  sampler.flush(*book);
  EXPECT_EQ(book->ticks(Phase::Build), flushed) << "calls are booked once";
}

TEST(CallSamplerTest, OnePreemptedCallIsNotMultiplied) {
  auto book = std::make_unique<SlotBook>();
  CallSampler sampler(Phase::Build);
  bool preempted = false;
  for (int i = 0; i < 100'000; ++i) {
    if (!sampler.due()) continue;
    const bool now = i > 50'000 && !preempted;
    preempted = preempted || now;
    sampler.sample(*book, now ? 3'000'000 : 40);
  }
  sampler.flush(*book);
  EXPECT_GT(book->ticks(Phase::Build), 7'000'000u - 400'000u);
  EXPECT_LT(book->ticks(Phase::Build), 9'000'000u) << "256 x 3,000,000 would be 768,000,000";
}

}  // namespace
}  // namespace weft
