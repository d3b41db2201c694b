#pragma once

#include <weft/labels.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::command::plot {

/// A mark on an axis.
struct Tick {
  double at = 0;
  std::string text;
};

/// Marks at round numbers from `low` to `high`, `most` at most and three where that can be.
std::vector<Tick> round_ticks(double low, double high, int most);

/// What lies along one side of a plot: places 0 to count - 1 of a dimension, and where they are shown.
struct Axis {
  std::string name;
  /// For each place where it lies, in units of the first step; even ones are 0, 1, 2, ...
  std::vector<double> places;
  std::vector<Tick> ticks;
  /// Numbers grow along the places, or there are no labels at all.
  bool rising = true;
  bool labelled = false;
  /// Of an axis of numbers at equal distances: what it takes in their unit.
  std::optional<double> extent;
  std::string unit;
};
/// `labels`: null where the dimension has none. `spaced`: labels that are not at equal distances lie where their
/// numbers are; otherwise place by place.
Axis axis_of(const std::string& dim, std::int64_t count, const Coordinate* labels, bool spaced, int most_ticks);

}  // namespace weft::command::plot
