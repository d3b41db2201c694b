#include "arrays/labelled/reduce_states.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::labelled {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Counts and sums: what most reductions are, and what must keep pace with decoding.
template <class T>
[[gnu::always_inline]] inline void count_and_sum(const T* values, std::int64_t count, bool skipna, double* n,
                                                 double* sum) {
  if (!skipna) {
    for (std::int64_t i = 0; i < count; ++i) {
      n[i] += 1.0;
      sum[i] += static_cast<double>(values[i]);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(values[i]);
    const bool there = value == value;
    n[i] += there ? 1.0 : 0.0;
    sum[i] += there ? value : 0.0;
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
template <class T>
[[gnu::target("avx2")]] void count_and_sum_avx2(const T* values, std::int64_t count, bool skipna, double* n,
                                                double* sum) {
  count_and_sum(values, count, skipna, n, sum);
}
bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

template <class T>
void add_counts_and_sums(const Elements<T>& e, double* n, double* sum) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (has_avx2()) return count_and_sum_avx2(e.values, e.count, e.skipna, n, sum);
#endif
  count_and_sum(e.values, e.count, e.skipna, n, sum);
}

/// Returns 1 for what counts, 0 for what is left out.
template <class T>
double counts(const Elements<T>& e, std::int64_t i) {
  return !e.skipna || e.values[i] == e.values[i] ? 1.0 : 0.0;
}
template <class T>
double weight(const Elements<T>& e, std::int64_t i) {
  return e.weights == nullptr ? 1.0 : e.weights[i * e.weight_step];
}

/// Welford's step, weighted.
template <class T>
void add_moments(const Elements<T>& e, const double* all_before, double* mean, double* squares) {
  // `all_before` holds the weights with this element in it.
  for (std::int64_t i = 0; i < e.count; ++i) {
    const double w = counts(e, i) != 0 ? weight(e, i) : 0.0;
    const double value = w != 0 ? static_cast<double>(e.values[i]) : mean[i];
    const double delta = value - mean[i];
    const double all = all_before[i];
    mean[i] += all != 0 ? delta * w / all : 0.0;
    squares[i] += w * delta * (value - mean[i]);
  }
}

}  // namespace

void begin_states(StateParts parts, double* state, std::int64_t stride, std::int64_t count) {
  for (int part = 0; part < parts.count(); ++part) {
    const double first = parts.has(StateParts::Min) && part == parts.of(StateParts::Min)           ? kInfinity
                         : parts.has(StateParts::Max) && part == parts.of(StateParts::Max)         ? -kInfinity
                         : parts.has(StateParts::Product) && part == parts.of(StateParts::Product) ? 1.0
                                                                                                   : 0.0;
    std::fill(state + part * stride, state + part * stride + count, first);
  }
}

template <class T>
void add_side_by_side(StateParts parts, const Elements<T>& e, double* state, std::int64_t stride) {
  const auto part = [&](StateParts::Bit bit) { return state + parts.of(bit) * stride; };
  double* const n = state;
  if (parts.bits == StateParts::Sum) return add_counts_and_sums(e, n, part(StateParts::Sum));
  for (std::int64_t i = 0; i < e.count; ++i) n[i] += counts(e, i);
  if (parts.has(StateParts::Weight)) {
    double* const all = part(StateParts::Weight);
    for (std::int64_t i = 0; i < e.count; ++i) all[i] += counts(e, i) != 0 ? weight(e, i) : 0.0;
  }
  if (parts.has(StateParts::Sum)) {
    double* const sum = part(StateParts::Sum);
    for (std::int64_t i = 0; i < e.count; ++i) {
      sum[i] += counts(e, i) != 0 ? weight(e, i) * static_cast<double>(e.values[i]) : 0.0;
    }
  }
  if (parts.has(StateParts::Moments)) {
    double* const mean = part(StateParts::Moments);
    add_moments(e, parts.has(StateParts::Weight) ? part(StateParts::Weight) : n, mean, mean + stride);
  }
  if (parts.has(StateParts::Min)) {
    double* const least = part(StateParts::Min);
    for (std::int64_t i = 0; i < e.count; ++i) {
      const double value = static_cast<double>(e.values[i]);
      least[i] = value < least[i] || (!e.skipna && value != value) ? value : least[i];
    }
  }
  if (parts.has(StateParts::Max)) {
    double* const most = part(StateParts::Max);
    for (std::int64_t i = 0; i < e.count; ++i) {
      const double value = static_cast<double>(e.values[i]);
      most[i] = value > most[i] || (!e.skipna && value != value) ? value : most[i];
    }
  }
  if (parts.has(StateParts::Product)) {
    double* const product = part(StateParts::Product);
    for (std::int64_t i = 0; i < e.count; ++i) {
      product[i] *= counts(e, i) != 0 ? static_cast<double>(e.values[i]) : 1.0;
    }
  }
}

template <class T>
void add_to_one(StateParts parts, const Elements<T>& e, double* state, std::int64_t stride) {
  // Eight states side by side, merged in pairs: the order depends on the number of elements alone.
  constexpr std::int64_t kLanes = 8;
  constexpr int kMostParts = 8;
  double lanes[kMostParts * kLanes];
  begin_states(parts, lanes, kLanes, kLanes);
  for (std::int64_t i = 0; i < e.count; i += kLanes) {
    Elements<T> some = e;
    some.values += i;
    some.count = std::min(kLanes, e.count - i);
    if (some.weights != nullptr) some.weights += i * e.weight_step;
    add_side_by_side(parts, some, lanes, kLanes);
  }
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    merge_states(parts, lanes + half, kLanes, half, lanes, kLanes);
  }
  merge_states(parts, lanes, kLanes, 1, state, stride);
}

void merge_states(StateParts parts, const double* from, std::int64_t from_stride, std::int64_t count, double* to,
                  std::int64_t stride) {
  const auto row = [&](StateParts::Bit bit) { return parts.of(bit) * stride; };
  const auto from_row = [&](StateParts::Bit bit) { return parts.of(bit) * from_stride; };
  if (parts.has(StateParts::Moments)) {
    const double* const other_n = parts.has(StateParts::Weight) ? from + from_row(StateParts::Weight) : from;
    const double* const mine_n = parts.has(StateParts::Weight) ? to + row(StateParts::Weight) : to;
    const double* const other = from + from_row(StateParts::Moments);
    double* const mine = to + row(StateParts::Moments);
    for (std::int64_t i = 0; i < count; ++i) {
      const double a = mine_n[i], b = other_n[i], all = a + b;
      const double delta = other[i] - mine[i];
      const double squares = other[from_stride + i] + (all != 0 ? delta * delta * a * b / all : 0.0);
      mine[stride + i] += squares;
      mine[i] += all != 0 ? delta * b / all : 0.0;
    }
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
  for (const StateParts::Bit bit : {StateParts::Weight, StateParts::Sum}) {
    if (!parts.has(bit)) continue;
    for (std::int64_t i = 0; i < count; ++i) to[row(bit) + i] += from[from_row(bit) + i];
  }
  if (parts.has(StateParts::Min)) {
    double* const mine = to + row(StateParts::Min);
    const double* const other = from + from_row(StateParts::Min);
    for (std::int64_t i = 0; i < count; ++i) mine[i] = other[i] < mine[i] || other[i] != other[i] ? other[i] : mine[i];
  }
  if (parts.has(StateParts::Max)) {
    double* const mine = to + row(StateParts::Max);
    const double* const other = from + from_row(StateParts::Max);
    for (std::int64_t i = 0; i < count; ++i) mine[i] = other[i] > mine[i] || other[i] != other[i] ? other[i] : mine[i];
  }
  if (parts.has(StateParts::Product)) {
    for (std::int64_t i = 0; i < count; ++i)
      to[row(StateParts::Product) + i] *= from[from_row(StateParts::Product) + i];
  }
}

#define WEFT_STATES(T)                                                                      \
  template void add_side_by_side<T>(StateParts, const Elements<T>&, double*, std::int64_t); \
  template void add_to_one<T>(StateParts, const Elements<T>&, double*, std::int64_t);
WEFT_STATES(std::int8_t)
WEFT_STATES(std::int16_t)
WEFT_STATES(std::int32_t)
WEFT_STATES(std::int64_t)
WEFT_STATES(std::uint8_t)
WEFT_STATES(std::uint16_t)
WEFT_STATES(std::uint32_t)
WEFT_STATES(std::uint64_t)
WEFT_STATES(float)
WEFT_STATES(double)
#undef WEFT_STATES

}  // namespace weft::labelled
