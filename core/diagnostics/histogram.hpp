#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weft {

/// Counts tick values in buckets no wider than 1/32 of their value, as HdrHistogram does, for percentiles.
/// Owns: fixed counters (10 KiB), no allocation.  Threading: one writer; any thread may read while it writes.
class Histogram {
 public:
  static constexpr unsigned kSubBits = 5;  // 32 buckets an octave: 3% resolution
  static constexpr std::uint64_t kSub = 1u << kSubBits;
  static constexpr unsigned kTopBit = 43;  // values from 2^44 on (about an hour) share the last bucket
  static constexpr std::size_t kBuckets = (kTopBit - kSubBits + 2) * kSub;

  void add(std::uint64_t value) noexcept {
    auto& bucket = counts_[bucket_of(value)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// Adds the counts of another histogram; only for histograms nobody else writes.
  void merge(const Histogram& other) noexcept;
  /// Takes away counts that were merged earlier; what is left is what was added since.
  void subtract(const Histogram& earlier) noexcept;
  std::uint64_t count() const noexcept;
  /// Returns the middle of the bucket that holds the value of the given rank (0.99 for p99); 0 if nothing was added.
  double quantile(double rank) const noexcept;

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < kSub) return static_cast<std::size_t>(value);
    const unsigned top = static_cast<unsigned>(std::bit_width(value)) - 1;
    if (top > kTopBit) return kBuckets - 1;
    const unsigned shift = top - kSubBits;
    return static_cast<std::size_t>((shift + 1) * kSub + ((value >> shift) & (kSub - 1)));
  }
  /// Returns the smallest value of a bucket.
  static std::uint64_t lower_bound(std::size_t bucket) noexcept {
    if (bucket < kSub) return bucket;
    const unsigned shift = static_cast<unsigned>(bucket >> kSubBits) - 1;
    return (kSub + (bucket & (kSub - 1))) << shift;
  }

 private:
  std::atomic<std::uint64_t> counts_[kBuckets] = {};
};

}  // namespace weft
