#pragma once

#include <weft/dtype.hpp>

#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weft::arrays::kernels {

// Order of values as that of unsigned integers: sorting, merging and selecting then need one comparison of integers,
// the same for every type of up to 8 bytes. NaN and NaT are last, and one value each.

inline constexpr std::uint64_t kLastKey = ~std::uint64_t{0};

/// A key with the place it came from; equal keys are ordered by place.
struct PlacedKey {
  std::uint64_t key;
  std::int64_t place;
  friend bool operator<(const PlacedKey& a, const PlacedKey& b) {
    return a.key != b.key ? a.key < b.key : a.place < b.place;
  }
};

template <class T>
std::uint64_t key_of(T value, bool is_time) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(value)) return kLastKey;
    const auto bits = std::bit_cast<std::uint64_t>(value);
    return bits >> 63 != 0 ? ~bits : bits | std::uint64_t{1} << 63;
  } else if constexpr (std::is_same_v<T, float>) {
    return key_of(static_cast<double>(value), false);
  } else if constexpr (std::is_signed_v<T>) {
    // Counted from the least one: keys of narrow types have few digits. The smallest time is NaT: from it on, less one.
    const auto least = static_cast<std::uint64_t>(static_cast<std::int64_t>(std::numeric_limits<T>::min()));
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) - least - (is_time ? 1 : 0);
  } else {
    return value;
  }
}

template <class T>
T value_of(std::uint64_t key, bool is_time) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(key >> 63 != 0 ? key & ~(std::uint64_t{1} << 63) : ~key);
  } else if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(value_of<double>(key, false));
  } else if constexpr (std::is_signed_v<T>) {
    const auto least = static_cast<std::uint64_t>(static_cast<std::int64_t>(std::numeric_limits<T>::min()));
    return static_cast<T>(static_cast<std::int64_t>(key + least + (is_time ? 1 : 0)));
  } else {
    return static_cast<T>(key);
  }
}

/// Calls visit(zero) with a zero of the C++ type of the elements; times are int64.
template <class Visit>
decltype(auto) visit_type(TypeCode type, const Visit& visit) {
  switch (type) {
    case TypeCode::Bool:
      return visit(bool{});
    case TypeCode::Int8:
      return visit(std::int8_t{});
    case TypeCode::Int16:
      return visit(std::int16_t{});
    case TypeCode::Int32:
      return visit(std::int32_t{});
    case TypeCode::UInt8:
      return visit(std::uint8_t{});
    case TypeCode::UInt16:
      return visit(std::uint16_t{});
    case TypeCode::UInt32:
      return visit(std::uint32_t{});
    case TypeCode::UInt64:
      return visit(std::uint64_t{});
    case TypeCode::Float32:
      return visit(float{});
    case TypeCode::Float64:
      return visit(double{});
    case TypeCode::Complex64:
      return visit(std::complex<float>{});
    case TypeCode::Complex128:
      return visit(std::complex<double>{});
    case TypeCode::Int64:
    case TypeCode::Datetime64:
    case TypeCode::Timedelta64:
      return visit(std::int64_t{});
  }
  return visit(double{});
}

/// Turns `n` elements into keys, and back. Not for complex numbers.
void write_keys(Dtype dtype, const std::byte* values, std::size_t n, std::uint64_t* keys);
void write_values(Dtype dtype, const std::uint64_t* keys, std::size_t n, std::byte* values);
/// Gives both zeros of numbers of `dtype` one key, where equal elements must stay in their order or be found alike.
void merge_zeros(Dtype dtype, std::uint64_t* keys, std::size_t n);

/// Sorts; `room` has space for as many.
void sort_keys(std::uint64_t* keys, std::uint64_t* room, std::size_t n);
/// Sorts by key; equal ones stay in their order.
void sort_keys(PlacedKey* keys, PlacedKey* room, std::size_t n);
/// Sorts complex numbers by real, then imaginary part; those with a NaN are last.
void sort_complex(std::complex<double>* values, std::size_t n);

/// Merges two sorted runs; of equal keys those of `a` come first.
void merge_keys(const std::uint64_t* a, std::size_t na, const std::uint64_t* b, std::size_t nb, std::uint64_t* out);
void merge_keys(const PlacedKey* a, std::size_t na, const PlacedKey* b, std::size_t nb, PlacedKey* out);

}  // namespace weft::arrays::kernels
