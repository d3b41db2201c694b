#include "core/diagnostics/histogram.hpp"

#include <algorithm>

namespace weft {

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t more = other.counts_[i].load(std::memory_order_relaxed);
    if (more != 0) counts_[i].store(counts_[i].load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
}

void Histogram::subtract(const Histogram& earlier) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const std::uint64_t less = earlier.counts_[i].load(std::memory_order_relaxed);
    const std::uint64_t here = counts_[i].load(std::memory_order_relaxed);
    if (less != 0) counts_[i].store(here - std::min(here, less), std::memory_order_relaxed);
  }
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& bucket : counts_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

double Histogram::quantile(double rank) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const double clamped = std::clamp(rank, 0.0, 1.0);
  // The smallest value that at least rank x total values do not exceed.
  auto wanted = static_cast<std::uint64_t>(clamped * static_cast<double>(total));
  if (static_cast<double>(wanted) < clamped * static_cast<double>(total)) ++wanted;
  wanted = std::max<std::uint64_t>(wanted, 1);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i].load(std::memory_order_relaxed);
    if (seen < wanted) continue;
    const std::uint64_t low = lower_bound(i);
    const std::uint64_t width = i < kSub ? 1 : lower_bound(i + 1) - low;
    return static_cast<double>(low) + static_cast<double>(width - 1) / 2;
  }
  return static_cast<double>(lower_bound(kBuckets - 1));
}

}  // namespace weft
