#pragma once

#include <weft/labels.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::labelled {

/// Intervals of months, or of milliseconds.
struct Interval {
  std::int64_t months = 0;
  std::int64_t milliseconds = 0;
  /// The month of a year in which one begins, from 0.
  std::int64_t anchor = 0;
};
/// Reads "6H", "1D", "1M", "QS-DEC", "1Y". Throws Error that tells what can be written.
Interval interval_in(const std::string& text);

/// Rising times, cut into intervals.
struct Intervals {
  /// Where each begins.
  Coordinate labels;
  /// Begin and end of each, in the units of the labels.
  std::vector<double> bounds;
  /// For each time its interval.
  std::vector<std::int32_t> group_of;
};
/// Days and hours are counted from the midnight before the first time, months from the first there is, quarters and
/// years from their own month on. Intervals without times are left out unless `gaps`.
Intervals intervals_of(const Coordinate& times, const Interval& interval, bool gaps);

/// The days of the month that each time lies in.
std::vector<double> days_of_months(const Coordinate& times);

}  // namespace weft::labelled
