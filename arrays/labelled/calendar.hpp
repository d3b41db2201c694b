#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::labelled {

/// CF's calendars. Standard: Julian before 15 October 1582, Gregorian from then on.
enum class Calendar : std::uint8_t { Standard, ProlepticGregorian, Julian, NoLeap, AllLeap, Days360 };

struct Date {
  std::int64_t year = 0;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
};

/// Throws Error naming the known ones.
Calendar calendar_named(const std::string& name);
std::string calendar_name(Calendar calendar);
/// Milliseconds since the first day of year 0 of the calendar, or before it.
std::int64_t instant_of(Calendar calendar, const Date& date);
Date date_of(Calendar calendar, std::int64_t instant);
/// From 1 on.
int day_of_year(Calendar calendar, const Date& date);
bool is_date(Calendar calendar, const Date& date);

/// "days since 2000-01-01 00:00": the length of a step in milliseconds, and where it begins.
struct TimeUnits {
  double step_ms = 0;
  std::int64_t begin = 0;
};
/// Returns nothing where the text does not speak of times; throws Error where it does and cannot be understood.
std::optional<TimeUnits> parse_time_units(const std::string& units, Calendar calendar);

/// A date of which the end may be left out: "2001", "2001-03", "2001-03-05", "2001-03-05T12". Returns the first and the
/// last instant that it means. Throws Error.
std::pair<std::int64_t, std::int64_t> parse_partial_date(const std::string& text, Calendar calendar);
/// "2001-03-05" or, where there is a time of day, "2001-03-05T12:00:00".
std::string date_text(const Date& date);

/// Returns the group of an instant: "year", "month", "day", "hour", "dayofyear", "season" (1 to 4 from DJF on),
/// "quarter". Throws Error that lists them.
std::int64_t time_part(const std::string& part, Calendar calendar, std::int64_t instant);

}  // namespace weft::labelled
