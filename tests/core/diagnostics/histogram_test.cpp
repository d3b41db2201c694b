#include "core/diagnostics/histogram.hpp"

#include <memory>
#include <random>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(HistogramTest, EveryValueFallsIntoABucketThatHoldsItWithin3Percent) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> (random() % 44 + 20);
    const std::size_t bucket = Histogram::bucket_of(value);
    ASSERT_LT(bucket, Histogram::kBuckets);
    const std::uint64_t low = Histogram::lower_bound(bucket);
    ASSERT_LE(low, value);
    if (bucket + 1 < Histogram::kBuckets) {
      const std::uint64_t next = Histogram::lower_bound(bucket + 1);
      ASSERT_LT(value, next);
      if (value >= Histogram::kSub) {
        ASSERT_LE(static_cast<double>(next - low), 0.03126 * static_cast<double>(low)) << value;
      }
    }
  }
}

TEST(HistogramTest, BucketsFollowEachOtherWithoutGaps) {
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    ASSERT_EQ(Histogram::bucket_of(Histogram::lower_bound(bucket)), bucket);
  }
}

TEST(HistogramTest, TheLargestValuesShareTheLastBucket) {
  EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::kBuckets - 1);
}

TEST(HistogramTest, QuantilesOfKnownValues) {
  auto histogram = std::make_unique<Histogram>();
  EXPECT_EQ(histogram->quantile(0.99), 0) << "nothing was added";
  for (int i = 1; i <= 1000; ++i) histogram->add(static_cast<std::uint64_t>(i) * 1000);
  EXPECT_EQ(histogram->count(), 1000u);
  EXPECT_NEAR(histogram->quantile(0.50), 500e3, 0.02 * 500e3);
  EXPECT_NEAR(histogram->quantile(0.99), 990e3, 0.02 * 990e3);
  EXPECT_NEAR(histogram->quantile(1.0), 1e6, 0.02 * 1e6);
  EXPECT_NEAR(histogram->quantile(0.0), 1e3, 0.02 * 1e3);
}

TEST(HistogramTest, SmallValuesAreExact) {
  auto histogram = std::make_unique<Histogram>();
  for (std::uint64_t value : {0u, 3u, 3u, 31u}) histogram->add(value);
  EXPECT_EQ(histogram->quantile(0.25), 0);
  EXPECT_EQ(histogram->quantile(0.5), 3);
  EXPECT_EQ(histogram->quantile(1), 31);
}

TEST(HistogramTest, SubtractLeavesWhatWasAddedSince) {
  auto now = std::make_unique<Histogram>();
  auto earlier = std::make_unique<Histogram>();
  for (int i = 0; i < 10; ++i) now->add(1000);
  earlier->merge(*now);
  now->add(50);
  now->subtract(*earlier);
  EXPECT_EQ(now->count(), 1u);
  EXPECT_NEAR(now->quantile(0.5), 50, 1);
}

}  // namespace
}  // namespace weft
