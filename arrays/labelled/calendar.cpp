// CF's times: numbers of steps since a date, in six calendars.
#include "arrays/labelled/calendar.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace weft::labelled {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr int kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool leap(Calendar calendar, std::int64_t year) {
  const auto divides = [&](std::int64_t by) { return year % by == 0; };
  switch (calendar) {
    case Calendar::Standard:
      return year <= 1582 ? divides(4) : divides(4) && (!divides(100) || divides(400));
    case Calendar::ProlepticGregorian:
      return divides(4) && (!divides(100) || divides(400));
    case Calendar::Julian:
      return divides(4);
    case Calendar::NoLeap:
    case Calendar::Days360:
      return false;
    case Calendar::AllLeap:
      return true;
  }
  return false;
}

int month_days(Calendar calendar, std::int64_t year, int month) {
  if (calendar == Calendar::Days360) return 30;
  return kMonthDays[month - 1] + (month == 2 && leap(calendar, year) ? 1 : 0);
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

/// Days before the year, of calendars with one rule.
std::int64_t days_before_year(Calendar calendar, std::int64_t year) {
  const std::int64_t last = year - 1;
  switch (calendar) {
    case Calendar::Days360:
      return 360 * year;
    case Calendar::NoLeap:
      return 365 * year;
    case Calendar::AllLeap:
      return 366 * year;
    case Calendar::Julian:
      return 365 * year + floor_divide(last, 4) + 1;
    case Calendar::Standard:
    case Calendar::ProlepticGregorian:
      return 365 * year + floor_divide(last, 4) - floor_divide(last, 100) + floor_divide(last, 400) + 1;
  }
  return 0;
}

std::int64_t plain_days(Calendar calendar, const Date& date) {
  std::int64_t days = days_before_year(calendar, date.year);
  for (int month = 1; month < date.month; ++month) days += month_days(calendar, date.year, month);
  return days + date.day - 1;
}

bool after_reform(const Date& date) {
  return date.year != 1582 ? date.year > 1582 : date.month != 10 ? date.month > 10 : date.day >= 15;
}

/// The standard calendar counts its days without a gap at the reform.
std::int64_t days_of(Calendar calendar, const Date& date) {
  if (calendar != Calendar::Standard) return plain_days(calendar, date);
  if (!after_reform(date)) return plain_days(Calendar::Julian, date);
  static const std::int64_t shift =
      plain_days(Calendar::Julian, {1582, 10, 5}) - plain_days(Calendar::ProlepticGregorian, {1582, 10, 15});
  return plain_days(Calendar::ProlepticGregorian, date) + shift;
}

Date plain_date(Calendar calendar, std::int64_t days) {
  Date date;
  date.year = floor_divide(days, calendar == Calendar::Days360 ? 360 : calendar == Calendar::AllLeap ? 366 : 365);
  while (days_before_year(calendar, date.year) > days) --date.year;
  while (days_before_year(calendar, date.year + 1) <= days) ++date.year;
  std::int64_t left = days - days_before_year(calendar, date.year);
  for (date.month = 1; left >= month_days(calendar, date.year, date.month); ++date.month) {
    left -= month_days(calendar, date.year, date.month);
  }
  date.day = static_cast<int>(left) + 1;
  return date;
}

/// Numbers and what separates them, from a text.
class DateReader {
 public:
  explicit DateReader(const std::string& text) : text_(text) {}
  bool at_end() {
    while (place_ < text_.size() && text_[place_] == ' ') ++place_;
    return place_ == text_.size();
  }
  bool take(char letter) {
    if (place_ < text_.size() && text_[place_] == letter) return ++place_, true;
    return false;
  }
  bool digit() const { return place_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[place_])) != 0; }
  std::optional<std::int64_t> number() {
    if (!digit()) return {};
    std::int64_t value = 0;
    for (int digits = 0; digit() && digits < 9; ++digits) value = value * 10 + (text_[place_++] - '0');
    return value;
  }
  std::string rest() const { return text_.substr(std::min(place_, text_.size())); }

 private:
  const std::string& text_;
  std::size_t place_ = 0;
};

/// Takes a date and as much of a time of day as there is; returns how many parts there were, 0 for nonsense.
int take_date(DateReader& reader, Date& date) {
  const bool negative = reader.take('-');
  const auto year = reader.number();
  if (!year) return 0;
  date.year = negative ? -*year : *year;
  int parts = 1;
  for (int* const part : {&date.month, &date.day}) {
    if (!reader.take('-')) break;
    const auto value = reader.number();
    if (!value) return 0;
    *part = static_cast<int>(*value);
    ++parts;
  }
  if (parts < 3) return parts;
  if (!reader.take('T')) {
    reader.at_end();
    if (!reader.digit()) return parts;
  }
  for (int* const part : {&date.hour, &date.minute, &date.second}) {
    const auto value = reader.number();
    if (!value) return 0;
    *part = static_cast<int>(*value);
    ++parts;
    if (!reader.take(':')) break;
  }
  if (reader.take('.')) {
    int scale = 100;
    while (reader.digit()) {
      // One digit at a time: what is finer than a millisecond is dropped.
      const std::string one = reader.rest().substr(0, 1);
      date.millisecond += (one[0] - '0') * scale;
      scale /= 10;
      reader.take(one[0]);
    }
  }
  return parts;
}

}  // namespace

Calendar calendar_named(const std::string& name) {
  std::string low = name;
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (low.empty() || low == "standard" || low == "gregorian") return Calendar::Standard;
  if (low == "proleptic_gregorian") return Calendar::ProlepticGregorian;
  if (low == "julian") return Calendar::Julian;
  if (low == "noleap" || low == "365_day") return Calendar::NoLeap;
  if (low == "all_leap" || low == "366_day") return Calendar::AllLeap;
  if (low == "360_day") return Calendar::Days360;
  throw Error("unknown calendar '" + name +
              "'; known are standard, proleptic_gregorian, julian, noleap, all_leap and 360_day");
}

std::string calendar_name(Calendar calendar) {
  switch (calendar) {
    case Calendar::Standard:
      return "standard";
    case Calendar::ProlepticGregorian:
      return "proleptic_gregorian";
    case Calendar::Julian:
      return "julian";
    case Calendar::NoLeap:
      return "noleap";
    case Calendar::AllLeap:
      return "all_leap";
    case Calendar::Days360:
      return "360_day";
  }
  return "";
}

std::int64_t instant_of(Calendar calendar, const Date& date) {
  return days_of(calendar, date) * kDayMs + date.hour * 3'600'000ll + date.minute * 60'000ll + date.second * 1000ll +
         date.millisecond;
}

Date date_of(Calendar calendar, std::int64_t instant) {
  const std::int64_t days = floor_divide(instant, kDayMs);
  Date date;
  if (calendar != Calendar::Standard) {
    date = plain_date(calendar, days);
  } else {
    static const std::int64_t reform = days_of(Calendar::Standard, {1582, 10, 15});
    date = days < reform ? plain_date(Calendar::Julian, days)
                         : plain_date(Calendar::ProlepticGregorian,
                                      days - reform + plain_days(Calendar::ProlepticGregorian, {1582, 10, 15}));
  }
  std::int64_t left = instant - days * kDayMs;
  date.hour = static_cast<int>(left / 3'600'000);
  date.minute = static_cast<int>(left / 60'000 % 60);
  date.second = static_cast<int>(left / 1000 % 60);
  date.millisecond = static_cast<int>(left % 1000);
  return date;
}

int day_of_year(Calendar calendar, const Date& date) {
  return static_cast<int>(days_of(calendar, date) - days_of(calendar, {date.year, 1, 1})) + 1;
}

bool is_date(Calendar calendar, const Date& date) {
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.hour < 0 || date.hour > 24) return false;
  if (date.minute < 0 || date.minute > 59 || date.second < 0 || date.second > 60) return false;
  return date.day <= month_days(calendar, date.year, date.month);
}

std::optional<TimeUnits> parse_time_units(const std::string& units, Calendar calendar) {
  const std::size_t since = units.find(" since ");
  if (since == std::string::npos) return {};
  std::string unit = units.substr(0, since);
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return unit == name; });
  };
  TimeUnits out;
  if (is({"days", "day", "d"})) {
    out.step_ms = kDayMs;
  } else if (is({"hours", "hour", "hrs", "hr", "h"})) {
    out.step_ms = 3'600'000;
  } else if (is({"minutes", "minute", "mins", "min"})) {
    out.step_ms = 60'000;
  } else if (is({"seconds", "second", "secs", "sec", "s"})) {
    out.step_ms = 1000;
  } else if (is({"milliseconds", "millisecond", "msecs", "msec", "ms"})) {
    out.step_ms = 1;
  } else if (is({"microseconds", "microsecond"})) {
    out.step_ms = 1e-3;
  } else if (is({"weeks", "week"})) {
    out.step_ms = 7.0 * kDayMs;
  } else if (calendar == Calendar::Days360 && is({"months", "month"})) {
    out.step_ms = 30.0 * kDayMs;
  } else {
    throw Error("times in '" + units + "' cannot be understood: the unit '" + unit +
                "' is none of days, hours, minutes, "
                "seconds, milliseconds, microseconds and weeks (months and years have no fixed length)");
  }
  const std::string rest = units.substr(since + 7);
  DateReader reader(rest);
  reader.at_end();
  Date date;
  const int parts = take_date(reader, date);
  if (parts == 0 || !is_date(calendar, date))
    throw Error("times in '" + units + "' cannot be understood: there is no date");
  out.begin = instant_of(calendar, date);
  // A zone: Z, UTC, +1, -01:30.
  reader.at_end();
  const bool minus = reader.take('-');
  if (minus || reader.take('+')) {
    std::int64_t hours = reader.number().value_or(0), minutes = 0;
    if (reader.take(':')) minutes = reader.number().value_or(0);
    if (hours > 24) {
      minutes = hours % 100;
      hours /= 100;
    }
    out.begin -= (minus ? -1 : 1) * (hours * 3'600'000 + minutes * 60'000);
  }
  return out;
}

std::pair<std::int64_t, std::int64_t> parse_partial_date(const std::string& text, Calendar calendar) {
  DateReader reader(text);
  Date date;
  const int parts = take_date(reader, date);
  if (parts == 0 || (!reader.at_end() && reader.rest() != "Z") || !is_date(calendar, date)) {
    throw Error("'" + text + "' is no date of the calendar " + calendar_name(calendar) +
                "; write 2001, 2001-03, 2001-03-05 or 2001-03-05T12:00");
  }
  Date last = date;
  if (parts < 2) last.month = 12;
  if (parts < 3) last.day = month_days(calendar, last.year, last.month);
  if (parts < 4) last.hour = 23;
  if (parts < 5) last.minute = 59;
  if (parts < 6) last.second = 59;
  if (parts < 6 || date.millisecond == 0) last.millisecond = 999;
  return {instant_of(calendar, date), instant_of(calendar, last)};
}

std::string date_text(const Date& date) {
  char text[64];
  if (date.hour == 0 && date.minute == 0 && date.second == 0 && date.millisecond == 0) {
    std::snprintf(text, sizeof text, "%04lld-%02d-%02d", static_cast<long long>(date.year), date.month, date.day);
  } else {
    std::snprintf(text, sizeof text, "%04lld-%02d-%02dT%02d:%02d:%02d", static_cast<long long>(date.year), date.month,
                  date.day, date.hour, date.minute, date.second);
  }
  return text;
}

std::int64_t time_part(const std::string& part, Calendar calendar, std::int64_t instant) {
  const Date date = date_of(calendar, instant);
  if (part == "year") return date.year;
  if (part == "month") return date.month;
  if (part == "day") return date.day;
  if (part == "hour") return date.hour;
  if (part == "dayofyear") return day_of_year(calendar, date);
  if (part == "season") return date.month % 12 / 3 + 1;
  if (part == "quarter") return (date.month - 1) / 3 + 1;
  throw Error("'" + part + "' is no part of a time; known are year, quarter, month, season, dayofyear, day and hour");
}

}  // namespace weft::labelled
