#include "frames/files/parquet/column_reader.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::frames::parquet {
namespace {

template <class T>
T at(const std::byte* stored, std::size_t i) {
  T value;
  std::memcpy(&value, stored + i * sizeof(T), sizeof(T));
  return value;
}

[[noreturn]] void too_large(const std::string& path, const Leaf& leaf, const std::string& value, const char* limit) {
  io::fail(path, "column '" + leaf.name + "' holds " + value + ", " + limit);
}

template <class T>
void scale_times(const std::string& path, const Leaf& leaf, std::int64_t factor, const std::byte* stored,
                 std::size_t count, std::byte* out) {
  std::int64_t least = 0, most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t value = at<T>(stored, i);
    least = std::min(least, value);
    most = std::max(most, value);
    const auto scaled =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(value) * static_cast<std::uint64_t>(factor));
    std::memcpy(out + i * 8, &scaled, 8);
  }
  const std::int64_t limit = std::numeric_limits<std::int64_t>::max() / factor;
  if (most > limit || least < -limit)
    too_large(path, leaf, "the time " + std::to_string(most > limit ? most : least),
              "which nanoseconds since 1970 do not reach: they go from 1677 to 2262");
}

template <class T>
void decimals(const Leaf& leaf, const std::byte* stored, std::size_t count, std::byte* out) {
  const double divisor = std::pow(10.0, leaf.scale);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(at<T>(stored, i)) / divisor;
    std::memcpy(out + i * 8, &value, 8);
  }
}

/// Nanoseconds of the day, and the day by a calendar that begins in 4713 BC.
void from_int96(const std::string& path, const Leaf& leaf, const std::byte* stored, std::size_t count, std::byte* out) {
  constexpr std::int64_t kDay = 86'400'000'000'000, kFirst = 2'440'588;
  constexpr std::int64_t kMostDays = std::numeric_limits<std::int64_t>::max() / kDay - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto in_day = at<std::int64_t>(stored + i * 12, 0);
    const std::int64_t day = at<std::int32_t>(stored + i * 12 + 8, 0) - kFirst;
    if (day > kMostDays || day < -kMostDays || in_day < 0 || in_day > kDay)
      too_large(path, leaf, "a time on day " + std::to_string(day),
                "which nanoseconds since 1970 do not reach: they go from 1677 to 2262");
    const std::int64_t value = day * kDay + in_day;
    std::memcpy(out + i * 8, &value, 8);
  }
}

float from_half(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  float value = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                : exponent == 31 ? (fraction == 0 ? std::numeric_limits<float>::infinity() : std::nanf(""))
                                 : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (half & 0x8000) != 0 ? -value : value;
}

/// A whole number of any length, the highest byte first.
double from_big_endian(const char* bytes, std::size_t size) {
  if (size == 0) return 0;
  long double value = static_cast<signed char>(bytes[0]);
  for (std::size_t i = 1; i < size; ++i) value = value * 256 + static_cast<unsigned char>(bytes[i]);
  return static_cast<double>(value);
}

}  // namespace

std::size_t stored_width(Physical physical) {
  switch (physical) {
    case Physical::Boolean:
      return 1;
    case Physical::Int32:
    case Physical::Float:
      return 4;
    case Physical::Int64:
    case Physical::Double:
      return 8;
    case Physical::Int96:
      return 12;
    case Physical::ByteArray:
    case Physical::FixedBytes:
      break;
  }
  return 0;
}

void convert(const std::string& path, const Leaf& leaf, const std::byte* stored, std::size_t count, std::byte* out) {
  const bool wide = leaf.physical == Physical::Int64;
  switch (leaf.meaning) {
    case Meaning::Unsigned32:
      for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t value = at<std::uint32_t>(stored, i);
        std::memcpy(out + i * 8, &value, 8);
      }
      return;
    case Meaning::Unsigned64:
      for (std::size_t i = 0; i < count; ++i) {
        const auto value = at<std::uint64_t>(stored, i);
        if (value >> 63 != 0)
          too_large(path, leaf, std::to_string(value),
                    "which int64 does not hold: leave the column out, or write it as float64");
        std::memcpy(out + i * 8, &value, 8);
      }
      return;
    case Meaning::Days:
      return scale_times<std::int32_t>(path, leaf, 86'400'000'000'000, stored, count, out);
    case Meaning::Millis:
      return wide ? scale_times<std::int64_t>(path, leaf, 1'000'000, stored, count, out)
                  : scale_times<std::int32_t>(path, leaf, 1'000'000, stored, count, out);
    case Meaning::Micros:
      return wide ? scale_times<std::int64_t>(path, leaf, 1'000, stored, count, out)
                  : scale_times<std::int32_t>(path, leaf, 1'000, stored, count, out);
    case Meaning::Int96:
      return from_int96(path, leaf, stored, count, out);
    case Meaning::Decimal:
      return wide ? decimals<std::int64_t>(leaf, stored, count, out) : decimals<std::int32_t>(leaf, stored, count, out);
    case Meaning::Same:
    case Meaning::Half:
    case Meaning::NoValue:
      break;
  }
  if (count != 0) std::memcpy(out, stored, count * width_of(leaf.type));
}

void convert_texts(const Leaf& leaf, const std::int64_t* ends, const char* bytes, std::size_t count, std::byte* out) {
  const double divisor = std::pow(10.0, leaf.scale);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < count; begin = ends[i++]) {
    if (leaf.meaning == Meaning::Half) {
      const float value = from_half(at<std::uint16_t>(reinterpret_cast<const std::byte*>(bytes) + begin, 0));
      std::memcpy(out + i * 4, &value, 4);
    } else {
      const double value = from_big_endian(bytes + begin, static_cast<std::size_t>(ends[i] - begin)) / divisor;
      std::memcpy(out + i * 8, &value, 8);
    }
  }
}

Cell bound_of(const Leaf& leaf, const std::string& stored) {
  if (leaf.type == ColumnType::String || leaf.type == ColumnType::Category) return stored;
  if (stored.size() != stored_width(leaf.physical)) return {};
  std::byte value[8] = {};
  try {
    convert({}, leaf, reinterpret_cast<const std::byte*>(stored.data()), 1, value);
  } catch (const Error&) {
    return {};
  }
  const auto real = [](double number) { return std::isnan(number) ? Cell() : Cell(number); };
  switch (leaf.type) {
    case ColumnType::Bool:
      return value[0] != std::byte{0};
    case ColumnType::Int32:
      return std::int64_t{at<std::int32_t>(value, 0)};
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      return at<std::int64_t>(value, 0);
    case ColumnType::Float32:
      return real(at<float>(value, 0));
    case ColumnType::Float64:
      return real(at<double>(value, 0));
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  return {};
}

}  // namespace weft::frames::parquet
