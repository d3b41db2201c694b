#include "arrays/kernels/order.hpp"

#include "arrays/kernels/tile_kernels.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::arrays::kernels {
namespace {

std::uint64_t digits_of(std::uint64_t key) { return key; }
std::uint64_t digits_of(const PlacedKey& key) { return key.key; }

// Sorting goes from the leading bits on, in two steps. A stretch that does not fit the cache is distributed to up to
// 256 parts by the leading bits of its range, which differ whatever the type. One that fits is distributed by three
// digits below those, the last first, which leaves it nearly in order, and then put in order by moving elements a few
// places. Nothing here moves one of two equal keys past the other.

constexpr int kDigitBits = 8;
constexpr std::size_t kBins = std::size_t{1} << kDigitBits;
constexpr int kDigitsAtOnce = 3;
/// Stretches up to here fit the cache, with their copy.
constexpr std::size_t kNear = 32768;
constexpr std::size_t kFew = 48;

/// What keys have in common: they are `least` and more, in so many bits.
struct Range {
  std::uint64_t least;
  int bits;
};

template <class K>
Range range_of(const K* keys, std::size_t n) {
  std::uint64_t least = kLastKey, most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t digits = digits_of(keys[i]);
    least = digits < least ? digits : least;
    most = digits > most ? digits : most;
  }
  return {least, static_cast<int>(std::bit_width(most - least))};
}

/// Moves each element in front of larger ones. Returns whether that was done within some moves an element.
template <class K>
bool put_in_order(K* keys, std::size_t n) {
  std::size_t left = 8 * n;
  for (std::size_t i = 1; i < n; ++i) {
    const K key = keys[i];
    std::size_t at = i;
    for (; at > 0 && digits_of(key) < digits_of(keys[at - 1]); --at) keys[at] = keys[at - 1];
    keys[at] = key;
    const std::size_t moved = i - at;
    if (moved > left) return false;
    left -= moved;
  }
  return true;
}

/// Sorts `n` elements of `keys`, which end there or in `other`.
template <class K>
void sort_near(K* keys, K* other, std::size_t n, bool into_other) {
  const auto less = [](const K& a, const K& b) { return digits_of(a) < digits_of(b); };
  const Range range = range_of(keys, n);
  const int digits = n <= kFew ? 0 : std::min(kDigitsAtOnce, (range.bits + kDigitBits - 1) / kDigitBits);
  const int shift = std::max(0, range.bits - digits * kDigitBits);
  std::uint32_t counts[kDigitsAtOnce][kBins] = {};
  for (std::size_t i = 0; digits > 0 && i < n; ++i) {
    const std::uint64_t key = (digits_of(keys[i]) - range.least) >> shift;
    for (int digit = 0; digit < kDigitsAtOnce; ++digit) ++counts[digit][key >> (digit * kDigitBits) & (kBins - 1)];
  }
  K* from = keys;
  K* to = other;
  for (int digit = 0; digit < digits; ++digit) {
    std::uint32_t* const places = counts[digit];
    for (std::size_t bin = 0, next = 0; bin < kBins; ++bin) {
      const std::uint32_t count = places[bin];
      places[bin] = static_cast<std::uint32_t>(next);
      next += count;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t key = (digits_of(from[i]) - range.least) >> shift;
      to[places[key >> (digit * kDigitBits) & (kBins - 1)]++] = from[i];
    }
    std::swap(from, to);
  }
  K* const end = into_other ? other : keys;
  if (from != end) std::copy(from, from + n, end);
  if (range.bits > digits * kDigitBits && !put_in_order(end, n)) std::stable_sort(end, end + n, less);
}

/// Distributes by the leading bits. A line is filled beside before it goes to its part: these lie far apart.
template <class K>
void distribute(const K* keys, K* to, std::size_t n, std::uint64_t least, int shift, std::size_t (&places)[kBins]) {
  constexpr std::size_t kLine = 64 / sizeof(K);
  alignas(64) K lines[kBins][kLine];
  std::uint8_t filled[kBins] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t bin = (digits_of(keys[i]) - least) >> shift;
    lines[bin][filled[bin]++] = keys[i];
    if (filled[bin] == kLine) {
      std::memcpy(static_cast<void*>(to + places[bin]), lines[bin], sizeof lines[bin]);
      places[bin] += kLine;
      filled[bin] = 0;
    }
  }
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    std::copy(lines[bin], lines[bin] + filled[bin], to + places[bin]);
    places[bin] += filled[bin];
  }
}

template <class K>
void sort_stretch(K* keys, K* other, std::size_t n, bool into_other) {
  if (n <= kNear) return sort_near(keys, other, n, into_other);
  const Range range = range_of(keys, n);
  if (range.bits == 0) {
    if (into_other) std::copy(keys, keys + n, other);
    return;
  }
  const int parts = std::clamp(static_cast<int>(std::bit_width(n / (kNear / 4))), 2, kDigitBits);
  const int shift = std::max(0, range.bits - parts);
  std::size_t places[kBins] = {};
  for (std::size_t i = 0; i < n; ++i) ++places[(digits_of(keys[i]) - range.least) >> shift];
  std::size_t begins[kBins + 1] = {};
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    begins[bin + 1] = begins[bin] + places[bin];
    places[bin] = begins[bin];
  }
  distribute(keys, other, n, range.least, shift, places);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    const std::size_t begin = begins[bin], count = begins[bin + 1] - begin;
    if (count > 0) sort_stretch(other + begin, keys + begin, count, !into_other);
  }
}

/// A part of a merge, which goes on by itself.
template <class K>
struct MergeLane {
  const K* a;
  const K* a_end;
  const K* b;
  const K* b_end;
  K* out;

  std::size_t safe_steps() const { return static_cast<std::size_t>(std::min(a_end - a, b_end - b)); }
  /// Both runs have an element left.
  void step() {
    const K from_a = *a, from_b = *b;
    const bool second = from_b < from_a;
    *out++ = second ? from_b : from_a;
    a += second ? 0 : 1;
    b += second ? 1 : 0;
  }
  void finish() {
    for (std::size_t steps = safe_steps(); steps > 0; steps = safe_steps()) {
      for (; steps > 0; --steps) step();
    }
    out = std::copy(a, a_end, out);
    std::copy(b, b_end, out);
  }
};

/// Returns how many of the first `rank` elements of a merge come from `a`.
template <class K>
std::size_t share_of(const K* a, std::size_t na, const K* b, std::size_t nb, std::size_t rank) {
  std::size_t low = rank > nb ? rank - nb : 0;
  std::size_t high = rank < na ? rank : na;
  while (low < high) {
    const std::size_t i = low + (high - low) / 2;
    if (b[rank - i - 1] < a[i]) {
      high = i;
    } else {
      low = i + 1;
    }
  }
  return low;
}

/// Each step waits for the one before; four parts of the result, side by side, keep the processor busy meanwhile.
template <class K>
void merge_runs(const K* a, std::size_t na, const K* b, std::size_t nb, K* out) {
  constexpr std::size_t kLanes = 4;
  const std::size_t n = na + nb;
  if (na == 0 || nb == 0 || n < 64) {
    MergeLane<K>{a, a + na, b, b + nb, out}.finish();
    return;
  }
  MergeLane<K> lanes[kLanes];
  std::size_t before_a = 0, before = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::size_t end = n * (lane + 1) / kLanes;
    const std::size_t end_a = share_of(a, na, b, nb, end);
    lanes[lane] = {a + before_a, a + end_a, b + (before - before_a), b + (end - end_a), out + before};
    before_a = end_a;
    before = end;
  }
  for (;;) {
    std::size_t steps = n;
    for (const MergeLane<K>& lane : lanes) steps = std::min(steps, lane.safe_steps());
    if (steps == 0) break;
    MergeLane<K> l0 = lanes[0], l1 = lanes[1], l2 = lanes[2], l3 = lanes[3];
    for (; steps > 0; --steps) {
      l0.step();
      l1.step();
      l2.step();
      l3.step();
    }
    lanes[0] = l0;
    lanes[1] = l1;
    lanes[2] = l2;
    lanes[3] = l3;
  }
  for (MergeLane<K>& lane : lanes) lane.finish();
}

}  // namespace

void write_keys(Dtype dtype, const std::byte* values, std::size_t n, std::uint64_t* keys) {
  if (dtype == float64) return kernels().write_double_keys(reinterpret_cast<const double*>(values), n, keys);
  visit_type(dtype.code(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_arithmetic_v<T>) {
      const T* const typed = reinterpret_cast<const T*>(values);
      for (std::size_t i = 0; i < n; ++i) keys[i] = key_of<T>(typed[i], dtype.is_time());
    }
  });
}

void write_values(Dtype dtype, const std::uint64_t* keys, std::size_t n, std::byte* values) {
  visit_type(dtype.code(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_arithmetic_v<T>) {
      T* const typed = reinterpret_cast<T*>(values);
      for (std::size_t i = 0; i < n; ++i) typed[i] = value_of<T>(keys[i], dtype.is_time());
    }
  });
}

void merge_zeros(Dtype dtype, std::uint64_t* keys, std::size_t n) {
  if (dtype.is_floating()) std::replace(keys, keys + n, key_of(-0.0, false), key_of(0.0, false));
}

void sort_keys(std::uint64_t* keys, std::uint64_t* room, std::size_t n) { sort_stretch(keys, room, n, false); }

void sort_keys(PlacedKey* keys, PlacedKey* room, std::size_t n) { sort_stretch(keys, room, n, false); }

void merge_keys(const std::uint64_t* a, std::size_t na, const std::uint64_t* b, std::size_t nb, std::uint64_t* out) {
  merge_runs(a, na, b, nb, out);
}

void merge_keys(const PlacedKey* a, std::size_t na, const PlacedKey* b, std::size_t nb, PlacedKey* out) {
  merge_runs(a, na, b, nb, out);
}

void sort_complex(std::complex<double>* values, std::size_t n) {
  const auto rank = [](const std::complex<double>& value) {
    return (std::isnan(value.real()) ? 2 : 0) + (std::isnan(value.imag()) ? 1 : 0);
  };
  std::stable_sort(values, values + n, [&](const std::complex<double>& a, const std::complex<double>& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    const std::uint64_t real_a = key_of(a.real(), false), real_b = key_of(b.real(), false);
    // Both zeros are equal.
    if (real_a != real_b && a.real() != b.real()) return real_a < real_b;
    return key_of(a.imag(), false) < key_of(b.imag(), false);
  });
}

}  // namespace weft::arrays::kernels
