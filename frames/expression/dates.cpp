#include "frames/expression/operand.hpp"

namespace weft::frames {
namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;

struct Date {
  std::int64_t year;
  std::int32_t month, day, day_of_year;
};

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days since 1970 as a date, by counting years from March on, in eras of 400 years.
Date date_of(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  Date date;
  date.day = static_cast<std::int32_t>(of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<std::int32_t>(month < 10 ? month + 3 : month - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  // January and February stand behind March here.
  const std::int64_t before_march = is_leap(date.year) ? 60 : 59;
  date.day_of_year = static_cast<std::int32_t>(date.month <= 2 ? of_year - 305 : of_year + before_march + 1);
  return date;
}

std::int64_t floor_of(std::int64_t value, std::int64_t unit) {
  const std::int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

template <class F>
Column mapped(const Column& times, ColumnType type, F function) {
  Column result(type, times.size());
  const std::int64_t* const in = times.data<std::int64_t>();
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (type == ColumnType::Int32) {
      result.data<std::int32_t>()[i] = static_cast<std::int32_t>(function(in[i]));
    } else {
      result.data<std::int64_t>()[i] = function(in[i]);
    }
  }
  result.share_marks_of(times);
  return result;
}

/// One of 24 hours, 60 minutes: what fits `unit` within the next larger one.
Column clock_part(const Column& times, std::int64_t unit, std::int64_t of) {
  return mapped(times, ColumnType::Int32, [=](std::int64_t ns) { return (ns - floor_of(ns, of)) / unit; });
}

template <class F>
Column calendar_part(const Column& times, F part) {
  // Neighbours often lie within one day.
  std::int64_t known_day = INT64_MIN;
  std::int64_t known = 0;
  return mapped(times, ColumnType::Int32, [&](std::int64_t ns) {
    const std::int64_t day = floor_of(ns, kDay) / kDay;
    if (day != known_day) {
      known_day = day;
      known = part(date_of(day));
    }
    return known;
  });
}

}  // namespace

Column date_part(const ColumnStep& step, const Column& times) {
  if (step.op == ColumnOp::Year) return calendar_part(times, [](const Date& date) { return date.year; });
  if (step.op == ColumnOp::Quarter) return calendar_part(times, [](const Date& date) { return (date.month + 2) / 3; });
  if (step.op == ColumnOp::Month) return calendar_part(times, [](const Date& date) { return date.month; });
  if (step.op == ColumnOp::Day) return calendar_part(times, [](const Date& date) { return date.day; });
  if (step.op == ColumnOp::DayOfYear) return calendar_part(times, [](const Date& date) { return date.day_of_year; });
  if (step.op == ColumnOp::DayOfWeek)
    return mapped(times, ColumnType::Int32, [](std::int64_t ns) {
      const std::int64_t day = floor_of(ns, kDay) / kDay + 3;  // 1970 began on a Thursday
      return day - floor_of(day, 7);
    });
  if (step.op == ColumnOp::Hour) return clock_part(times, 3'600'000'000'000, kDay);
  if (step.op == ColumnOp::Minute) return clock_part(times, 60'000'000'000, 3'600'000'000'000);
  if (step.op == ColumnOp::Second) return clock_part(times, 1'000'000'000, 60'000'000'000);
  if (step.op == ColumnOp::Microsecond) return clock_part(times, 1'000, 1'000'000'000);
  return mapped(times, ColumnType::Timestamp, [&](std::int64_t ns) { return floor_of(ns, step.first); });
}

}  // namespace weft::frames
