// Times cut into intervals.
#include "arrays/labelled/intervals.hpp"

#include "arrays/labelled/calendar.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cctype>

namespace weft::labelled {
namespace {

std::string text_of(const Coordinate& labels, const char* name) {
  const io::Attribute* const found = io::find_attribute(labels.attributes(), name);
  return found == nullptr ? std::string() : found->text();
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

std::int64_t month_of(Calendar calendar, std::int64_t instant) {
  const Date date = labelled::date_of(calendar, instant);
  return date.year * 12 + date.month - 1;
}

std::int64_t begin_of_month(Calendar calendar, std::int64_t month) {
  Date date;
  date.year = floor_divide(month, 12);
  date.month = static_cast<int>(month - date.year * 12) + 1;
  return labelled::instant_of(calendar, date);
}

}  // namespace

Interval interval_in(const std::string& text) {
  static constexpr const char* kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                            "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  const auto refuse = [&] {
    throw Error("'" + text +
                "' is no interval of times: write a number and min, H, D, W, M, Q or Y, as in 6H, 1D, 1M, QS-DEC");
  };
  std::size_t at = 0;
  std::int64_t count = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0 && count < 1'000'000) {
    count = count * 10 + (text[at++] - '0');
  }
  if (at == 0) count = 1;
  std::string unit;
  for (; at < text.size() && text[at] != '-'; ++at)
    unit += static_cast<char>(std::toupper(static_cast<unsigned char>(text[at])));
  Interval out;
  if (count < 1) refuse();
  if (unit == "MIN") {
    out.milliseconds = count * 60'000;
  } else if (unit == "H") {
    out.milliseconds = count * 3'600'000;
  } else if (unit == "D") {
    out.milliseconds = count * 86'400'000;
  } else if (unit == "W") {
    out.milliseconds = count * 7 * 86'400'000;
  } else if (unit == "M" || unit == "MS") {
    out.months = count;
  } else if (unit == "Q" || unit == "QS") {
    out.months = 3 * count;
  } else if (unit == "Y" || unit == "YS" || unit == "A" || unit == "AS") {
    out.months = 12 * count;
  } else {
    refuse();
  }
  if (at < text.size()) {
    std::string month = text.substr(at + 1);
    for (char& c : month) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const auto found = std::find(std::begin(kMonths), std::end(kMonths), month);
    if (found == std::end(kMonths) || out.months < 3) refuse();
    out.anchor = found - std::begin(kMonths);
  }
  return out;
}

std::vector<double> days_of_months(const Coordinate& times) {
  const auto calendar = static_cast<Calendar>(times.calendar());
  std::vector<double> out;
  for (const std::int64_t instant : times.instants()) {
    const std::int64_t month = month_of(calendar, instant);
    out.push_back(static_cast<double>(begin_of_month(calendar, month + 1) - begin_of_month(calendar, month)) /
                  86'400'000);
  }
  return out;
}

Intervals intervals_of(const Coordinate& times, const Interval& interval, bool gaps) {
  const auto calendar = static_cast<Calendar>(times.calendar());
  const std::vector<std::int64_t>& instants = times.instants();
  Intervals out;
  if (!times.is_time() && times.size() > 0) {
    throw Error("'" + times.name() + "' holds no times: its units are not like 'days since 2000-01-01'");
  }
  if (!std::is_sorted(instants.begin(), instants.end())) {
    throw Error("intervals need times that rise along '" + times.name() + "': sortby puts them in order");
  }
  const auto units = parse_time_units(text_of(times, "units"), calendar);
  const std::int64_t step = interval.months > 0 ? interval.months : interval.milliseconds;
  std::int64_t origin = 0;
  if (!instants.empty() && interval.months > 0) {
    const std::int64_t first = month_of(calendar, instants[0]);
    const std::int64_t unit = interval.months % 12 == 0 ? 12 : interval.months % 3 == 0 ? 3 : 1;
    origin = unit == 1 ? first : floor_divide(first - interval.anchor, unit) * unit + interval.anchor;
  } else if (!instants.empty()) {
    origin = floor_divide(instants[0], 86'400'000) * 86'400'000;
  }
  const auto number = [&](std::int64_t at) {
    const std::int64_t instant = interval.months > 0 ? begin_of_month(calendar, at) : at;
    return static_cast<double>(instant - units->begin) / units->step_ms;
  };
  std::vector<double> labels;
  std::int64_t last = 0;
  for (const std::int64_t instant : instants) {
    const std::int64_t at = interval.months > 0 ? month_of(calendar, instant) : instant;
    const std::int64_t begin = origin + floor_divide(at - origin, step) * step;
    if (labels.empty() || begin != last) {
      constexpr std::size_t kMost = 100'000'000;
      for (last = labels.empty() || !gaps ? begin : last + step; last <= begin; last += step) {
        if (labels.size() + 1 >= kMost) throw Error("there are more than 100,000,000 intervals: give a longer one");
        labels.push_back(number(last));
        out.bounds.push_back(number(last));
        out.bounds.push_back(number(last + step));
      }
      last = begin;
    }
    out.group_of.push_back(static_cast<std::int32_t>(labels.size()) - 1);
  }
  out.labels = Coordinate::of_numbers(times.name(), std::move(labels), times.attributes());
  return out;
}

}  // namespace weft::labelled
