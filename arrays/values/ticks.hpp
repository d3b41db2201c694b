#pragma once

#include <weft/dtype.hpp>
#include <weft/error.hpp>

#include <cstdint>
#include <limits>

namespace weft::arrays {

inline constexpr std::int64_t kNaT = std::numeric_limits<std::int64_t>::min();

/// The quotient rounded down, for numbers; arrays have their own.
constexpr std::int64_t quotient(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// Days and months of the proleptic Gregorian calendar, counted from 1970. `N` is std::int64_t, or an Array whose
// elements are computed alike; truth values are 0 and 1.

template <class N>
N days_of_month(const N& months) {
  const N year = quotient(months, 12) + std::int64_t{1970};
  const N month = months - quotient(months, 12) * std::int64_t{12};  // from 0
  // The year begins in March, so that the leap day is the last.
  const N from_march = month + std::int64_t{10} - quotient(month + std::int64_t{10}, 12) * std::int64_t{12};
  const N y = year - quotient(N(from_march + std::int64_t{2}), 12);
  const N era = quotient(y, 400);
  const N of_era = y - era * std::int64_t{400};
  const N day_of_year = quotient(N(from_march * std::int64_t{153} + std::int64_t{2}), 5);
  const N day_of_era = of_era * std::int64_t{365} + quotient(of_era, 4) - quotient(of_era, 100) + day_of_year;
  return era * std::int64_t{146'097} + day_of_era - std::int64_t{719'468};
}

template <class N>
N month_of_days(const N& days) {
  const N z = days + std::int64_t{719'468};
  const N era = quotient(z, 146'097);
  const N day_of_era = z - era * std::int64_t{146'097};
  const N of_era = quotient(
      N(day_of_era - quotient(day_of_era, 1'460) + quotient(day_of_era, 36'524) - quotient(day_of_era, 146'096)), 365);
  const N day_of_year = day_of_era - (of_era * std::int64_t{365} + quotient(of_era, 4) - quotient(of_era, 100));
  const N from_march = quotient(N(day_of_year * std::int64_t{5} + std::int64_t{2}), 153);
  // Months since March of year 0.
  return (era * std::int64_t{400} + of_era) * std::int64_t{12} + from_march + std::int64_t{2} - std::int64_t{1970 * 12};
}

/// Nanoseconds of a unit, from weeks on.
inline std::int64_t nanoseconds_of(TimeUnit unit) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  switch (unit) {
    case TimeUnit::Week:
      return 7 * 86'400 * kSecond;
    case TimeUnit::Day:
      return 86'400 * kSecond;
    case TimeUnit::Hour:
      return 3'600 * kSecond;
    case TimeUnit::Minute:
      return 60 * kSecond;
    case TimeUnit::Second:
      return kSecond;
    case TimeUnit::Milli:
      return 1'000'000;
    case TimeUnit::Micro:
      return 1'000;
    case TimeUnit::Nano:
    case TimeUnit::Generic:
    case TimeUnit::Year:
    case TimeUnit::Month:
      return 1;
  }
  return 1;
}

/// Converts counts of one unit to another; coarser ones are rounded down. NaT must have been taken out. Throws Error
/// where years or months of timedeltas would become days.
template <class N>
N convert_ticks(N ticks, Dtype from, Dtype to) {
  const auto calendar = [](TimeUnit unit) { return unit == TimeUnit::Year || unit == TimeUnit::Month; };
  TimeUnit unit = from.unit();
  if (unit == to.unit() || unit == TimeUnit::Generic || to.unit() == TimeUnit::Generic) return ticks;
  const bool crosses = calendar(unit) != calendar(to.unit());
  if (crosses && to.code() == TypeCode::Timedelta64) {
    throw Error("years and months have no fixed length: " + from.name() + " does not become " + to.name());
  }
  if (calendar(unit)) {
    if (unit == TimeUnit::Year) ticks = ticks * std::int64_t{12};
    if (to.unit() == TimeUnit::Year) return quotient(ticks, 12);
    if (to.unit() == TimeUnit::Month) return ticks;
    ticks = days_of_month(ticks);
    unit = TimeUnit::Day;
  } else if (crosses) {
    const N months = month_of_days(convert_ticks(ticks, from, Dtype(to.code(), TimeUnit::Day)));
    return to.unit() == TimeUnit::Year ? quotient(months, 12) : months;
  }
  const std::int64_t mine = nanoseconds_of(unit), theirs = nanoseconds_of(to.unit());
  if (mine >= theirs) return mine == theirs ? ticks : N(ticks * (mine / theirs));
  return quotient(ticks, theirs / mine);
}

}  // namespace weft::arrays
