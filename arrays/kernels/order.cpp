#include "arrays/kernels/order.hpp"

#include <algorithm>
#include <cstring>

namespace weft::arrays::kernels {
namespace {

std::uint64_t digits_of(std::uint64_t key) { return key; }
std::uint64_t digits_of(const PlacedKey& key) { return key.key; }

constexpr int kBits = 8;
constexpr std::size_t kBins = std::size_t{1} << kBits;
constexpr std::size_t kPasses = 64 / kBits;

/// Distributes by one digit after the other, the lowest first; digits that are the same everywhere are left out.
template <class K>
void radix_sort(K* keys, K* room, std::size_t n) {
  std::size_t counts[kPasses][kBins] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t digits = digits_of(keys[i]);
    for (std::size_t pass = 0; pass < kPasses; ++pass) ++counts[pass][digits >> (pass * kBits) & (kBins - 1)];
  }
  K* from = keys;
  K* to = room;
  for (std::size_t pass = 0; pass < kPasses; ++pass) {
    std::size_t* const places = counts[pass];
    if (places[digits_of(from[0]) >> (pass * kBits) & (kBins - 1)] == n) continue;
    for (std::size_t bin = 0, next = 0; bin < kBins; ++bin) {
      const std::size_t count = places[bin];
      places[bin] = next;
      next += count;
    }
    for (std::size_t i = 0; i < n; ++i) to[places[digits_of(from[i]) >> (pass * kBits) & (kBins - 1)]++] = from[i];
    std::swap(from, to);
  }
  if (from != keys) std::copy(from, from + n, keys);
}

constexpr std::size_t kFew = 512;

}  // namespace

void write_keys(Dtype dtype, const std::byte* values, std::size_t n, std::uint64_t* keys) {
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

void sort_keys(std::uint64_t* keys, std::uint64_t* room, std::size_t n) {
  if (n < kFew) {
    std::sort(keys, keys + n);
  } else {
    radix_sort(keys, room, n);
  }
}

void sort_keys(PlacedKey* keys, PlacedKey* room, std::size_t n) {
  if (n < kFew) {
    std::sort(keys, keys + n);
  } else {
    radix_sort(keys, room, n);
  }
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
