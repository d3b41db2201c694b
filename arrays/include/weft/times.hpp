#pragma once

#include <weft/array.hpp>

#include <string_view>

// Times: datetime64 counts units since 1970, timedelta64 counts units. Units are converted to the finer one; years and
// months are calendar months of datetimes only. NaT is no time: what is computed with it is NaT, and it equals nothing.
//
//     Array days = arange(datetime("2024-01-01"), datetime("2025-01-01"));     // 366 of datetime64[D]
//     Array month = days.astype(datetime64(TimeUnit::Month));
//     Array hours = (days - datetime("2024-01-01T12")) / timedelta(1, TimeUnit::Hour);

namespace weft {

/// Reads a time: "2024", "2024-05", "2024-05-17", "2024-05-17T13", ":45", ":30", ".123456789", or "NaT". The unit is
/// that of the last digits, unless one is given. Throws Error for what is no time.
Scalar datetime(std::string_view text, TimeUnit unit = TimeUnit::Generic);
/// Returns so many units.
Scalar timedelta(std::int64_t count, TimeUnit unit);
/// Returns the time that is none.
Scalar not_a_time(Dtype dtype);
/// Writes one datetime64 or timedelta64 as NumPy does.
std::string time_text(std::int64_t ticks, Dtype dtype);

namespace arrays {
/// Returns which elements are NaT.
Array isnat(const Array& array, const std::source_location& where = std::source_location::current());
}  // namespace arrays

}  // namespace weft
