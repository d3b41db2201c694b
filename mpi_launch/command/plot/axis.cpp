#include "mpi_launch/command/plot/axis.hpp"

#include <weft/storage.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace weft::command::plot {
namespace {

std::string number_text(double value, double step) {
  char text[48];
  if (value != 0 && (std::abs(value) >= 1e6 || step < 1e-4)) {
    std::snprintf(text, sizeof text, "%.4g", value);
  } else {
    const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
  }
  return text;
}

/// Every so many of a list that more than `most` are left of it no more.
std::size_t stride_for(std::size_t count, int most) {
  const auto limit = static_cast<std::size_t>(std::max(1, most));
  std::size_t stride = 1;
  for (const std::size_t next : {2u, 3u, 5u, 10u, 20u, 50u, 100u, 200u, 500u}) {
    if ((count + stride - 1) / stride <= limit) return stride;
    stride = next;
  }
  return std::max(stride, (count + limit - 1) / limit);
}

/// Where the year, the month, the day or the hour changes: the coarsest that changes often enough.
std::vector<std::size_t> changes_of(const std::vector<std::string>& labels, std::size_t& letters) {
  std::vector<std::size_t> places;
  for (const std::size_t count : {4u, 7u, 10u, 13u, 16u, 19u}) {
    places.clear();
    for (std::size_t i = 1; i < labels.size(); ++i) {
      if (labels[i].substr(0, count) != labels[i - 1].substr(0, count)) places.push_back(i);
    }
    letters = count;
    if (places.size() >= 3) break;
  }
  // The first place begins a part where the others do.
  if (!labels.empty() && (places.empty() || places[0] > 0)) places.insert(places.begin(), 0);
  return places;
}

void add_label_ticks(Axis& axis, const Coordinate& labels, int most) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < labels.size(); ++i) texts.push_back(labels.label(i));
  std::vector<std::size_t> places;
  std::size_t letters = std::string::npos;
  if (labels.is_time()) {
    places = changes_of(texts, letters);
  } else {
    for (std::size_t i = 0; i < texts.size(); ++i) places.push_back(i);
  }
  const std::size_t stride = stride_for(places.size(), most);
  for (std::size_t i = 0; i < places.size(); i += stride) {
    axis.ticks.push_back({axis.places[places[i]], texts[places[i]].substr(0, letters)});
  }
}

}  // namespace

std::vector<Tick> round_ticks(double low, double high, int most) {
  if (!(high > low)) return {{low, number_text(low, low == 0 ? 1 : std::abs(low) / 100)}};
  const double rough = (high - low) / std::max(2, most);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (power * factor >= rough * (1 - 1e-9)) {
      step = power * factor;
      break;
    }
  }
  std::vector<Tick> out;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    const double value = k == 0 ? 0 : k * step;
    out.push_back({value, number_text(value, step)});
  }
  return out;
}

Axis axis_of(const std::string& dim, std::int64_t count, const Coordinate* labels, bool spaced, int most_ticks) {
  Axis axis;
  axis.name = dim;
  const auto n = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < n; ++i) axis.places.push_back(static_cast<double>(i));
  if (labels == nullptr || labels->size() != n || n == 0) {
    axis.ticks = round_ticks(0, static_cast<double>(n) - 1, most_ticks);
    return axis;
  }
  axis.labelled = true;
  const std::vector<double>& numbers = labels->numbers();
  const bool ordered = !numbers.empty() && (std::is_sorted(numbers.begin(), numbers.end()) ||
                                            std::is_sorted(numbers.rbegin(), numbers.rend()));
  axis.rising = numbers.empty() || numbers.back() >= numbers.front();
  if (const io::Attribute* const units = io::find_attribute(labels->attributes(), "units")) axis.unit = units->text();
  const double step = ordered && n > 1 ? (numbers.back() - numbers.front()) / static_cast<double>(n - 1) : 0;
  bool even = step != 0;
  for (std::size_t i = 0; even && i < n; ++i) {
    even = std::abs(numbers[i] - (numbers.front() + step * static_cast<double>(i))) <= std::abs(step) * 0.05;
  }
  if (!even && spaced && step != 0) {
    for (std::size_t i = 0; i < n; ++i) axis.places[i] = (numbers[i] - numbers.front()) / step;
  }
  if (labels->is_time() || step == 0 || (!even && !spaced)) {
    add_label_ticks(axis, *labels, most_ticks);
    return axis;
  }
  if (even) axis.extent = std::abs(step) * static_cast<double>(n);
  for (Tick& tick : axis.ticks = round_ticks(std::min(numbers.front(), numbers.back()),
                                             std::max(numbers.front(), numbers.back()), most_ticks))
    tick.at = (tick.at - numbers.front()) / step;
  return axis;
}

}  // namespace weft::command::plot
