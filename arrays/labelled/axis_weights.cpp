// Weights along one axis of a grid of latitudes and longitudes.
#include "arrays/labelled/axis_weights.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>

namespace weft::labelled {
namespace {

/// Degrees that are taken as none.
constexpr double kNone = 1e-9;
/// Neighbours may lie so many steps apart and still be such.
constexpr double kGap = 1.5;

bool rises(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

std::vector<double> edges_between(const std::vector<double>& labels) {
  const std::size_t count = labels.size();
  if (count < 2) throw Error("one label alone does not tell where its cell ends: give the edges");
  std::vector<double> edges(count + 1);
  for (std::size_t i = 1; i < count; ++i) edges[i] = (labels[i - 1] + labels[i]) / 2;
  edges[0] = labels[0] - (edges[1] - labels[0]);
  edges[count] = labels[count - 1] + (labels[count - 1] - edges[count - 1]);
  return edges;
}

/// Checks labels and edges, and turns them round where they fall.
RisingAxis made_to_rise(std::vector<double> labels, std::vector<double> edges, const char* what) {
  if (labels.empty()) throw Error(std::string("there are no ") + what);
  for (const double label : labels) {
    if (!std::isfinite(label)) throw Error(std::string("a label of the ") + what + " is no number");
  }
  RisingAxis axis;
  if (edges.empty()) edges = edges_between(labels);
  if (edges.size() != labels.size() + 1) {
    throw Error(std::to_string(labels.size()) + " " + what + " have " + std::to_string(labels.size() + 1) +
                " edges of cells, but " + std::to_string(edges.size()) + " were given");
  }
  axis.falls = edges.back() < edges.front();
  axis.labels = std::move(labels);
  axis.edges = std::move(edges);
  if (axis.falls) {
    std::reverse(axis.labels.begin(), axis.labels.end());
    std::reverse(axis.edges.begin(), axis.edges.end());
  }
  if (!rises(axis.labels) || !rises(axis.edges)) {
    throw Error(std::string("the ") + what + " neither rise nor fall all the way: bring them into order (sortby)");
  }
  return axis;
}

/// Adds whole turns from where longitudes begin anew.
void unwind(std::vector<double>& degrees) {
  if (degrees.size() < 2) return;
  std::size_t down = 0;
  for (std::size_t i = 1; i < degrees.size(); ++i) down += degrees[i] < degrees[i - 1] ? 1 : 0;
  const bool falls = 2 * down > degrees.size() - 1;
  for (std::size_t i = 1; i < degrees.size(); ++i) {
    while (falls ? degrees[i] >= degrees[i - 1] + kNone : degrees[i] <= degrees[i - 1] - kNone) {
      degrees[i] += falls ? -360 : 360;
    }
  }
}

/// Turns the runs of an axis that was made to rise into the array's own places.
AxisWeights in_own_places(AxisWeights rising, bool falls) {
  if (!falls) return rising;
  for (std::int64_t i = 0; i < rising.targets(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t end = rising.first[at] + static_cast<std::int64_t>(rising.of(i).size());
    rising.first[at] = ((rising.extent - end) % rising.extent + rising.extent) % rising.extent;
    std::reverse(rising.weights.begin() + rising.begins[at], rising.weights.begin() + rising.begins[at + 1]);
  }
  return rising;
}

/// Adds the run for a place between labels; tells whether there is one.
bool add_between(AxisWeights& weights, const std::vector<double>& labels, double place) {
  const auto behind = std::upper_bound(labels.begin(), labels.end(), place);
  if (behind == labels.begin()) return false;
  const std::int64_t at = behind - labels.begin() - 1;
  const double low = labels[static_cast<std::size_t>(at)];
  if (low == place) {
    weights.add(at % weights.extent, {{1.0}});
    return true;
  }
  if (behind == labels.end()) return false;
  const double share = (place - low) / (*behind - low);
  weights.add(at, {{1 - share, share}});
  return true;
}

double snapped(double place, double first, double last) {
  if (place < first && place > first - kNone) return first;
  if (place > last && place < last + kNone) return last;
  return place;
}

}  // namespace

void AxisWeights::add(std::int64_t begin, std::span<const double> some) {
  first.push_back(begin);
  weights.insert(weights.end(), some.begin(), some.end());
  begins.push_back(static_cast<std::int64_t>(weights.size()));
}

std::vector<double> longitude_edges(std::vector<double> labels) {
  unwind(labels);
  return edges_between(labels);
}

std::vector<double> latitude_edges(const std::vector<double>& labels) {
  std::vector<double> edges = edges_between(labels);
  for (double& edge : edges) edge = std::clamp(edge, -90.0, 90.0);
  return edges;
}

double turned(double degrees, double first) {
  const double turn = std::fmod(degrees - first, 360.0);
  const double from_first = turn < 0 ? turn + 360.0 : turn;
  return from_first > 360.0 - kNone ? first : first + from_first;
}

RisingAxis rising_latitudes(std::vector<double> labels, std::vector<double> edges) {
  if (edges.empty() && labels.size() > 1) edges = latitude_edges(labels);
  for (const double label : labels) {
    if (std::abs(label) > 90 + kNone) throw Error("a latitude is " + std::to_string(label) + ": -90 to 90 there are");
  }
  if (labels.size() == 1 && edges.empty()) edges = {-90, 90};
  return made_to_rise(std::move(labels), std::move(edges), "latitudes");
}

RisingAxis rising_longitudes(std::vector<double> labels, std::vector<double> edges) {
  unwind(labels);
  unwind(edges);
  if (labels.size() == 1 && edges.empty()) edges = {labels[0] - 180, labels[0] + 180};
  RisingAxis axis = made_to_rise(std::move(labels), std::move(edges), "longitudes");
  const std::vector<double>& own = axis.labels;
  if (own.back() - own.front() > 360 + kNone) throw Error("the longitudes go round the globe more than once");
  double step = 0;
  for (std::size_t i = 1; i < own.size(); ++i) step = std::max(step, own[i] - own[i - 1]);
  const double gap = own.front() + 360 - own.back();
  axis.round = own.size() > 1 && gap > kNone && gap <= kGap * step;
  return axis;
}

AxisWeights linear_longitudes(const RisingAxis& source, const std::vector<double>& targets) {
  AxisWeights weights;
  weights.extent = static_cast<std::int64_t>(source.labels.size());
  std::vector<double> labels = source.labels;
  if (source.round) labels.push_back(labels.front() + 360);
  for (const double target : targets) {
    const double place = snapped(turned(target, labels.front()), labels.front(), labels.back());
    if (!add_between(weights, labels, place)) weights.add(0, {});
  }
  return in_own_places(std::move(weights), source.falls);
}

AxisWeights linear_latitudes(const RisingAxis& source, const std::vector<double>& targets, bool round) {
  AxisWeights weights;
  const std::vector<double>& labels = source.labels;
  const std::size_t count = labels.size();
  weights.extent = static_cast<std::int64_t>(count);
  const auto reaches = [&](double gap, double step) { return round && count > 1 && gap > 0 && gap <= kGap * step; };
  const bool north = reaches(90 - labels.back(), labels[count - 1] - labels[count - (count > 1 ? 2 : 1)]);
  const bool south = reaches(90 + labels.front(), labels[count > 1 ? 1 : 0] - labels.front());
  weights.pole.assign(targets.size(), 0.0);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double place = snapped(targets[i], labels.front(), labels.back());
    if (add_between(weights, labels, place)) continue;
    const bool above = place > labels.back();
    if (std::abs(place) <= 90 + kNone && (above ? north : south)) {
      const double end = above ? labels.back() : labels.front();
      const double share = std::min(1.0, (place - end) / ((above ? 90 : -90) - end));
      weights.pole[i] = share;
      weights.add(above ? weights.extent - 1 : 0, {{1 - share}});
    } else {
      weights.add(0, {});
    }
  }
  return in_own_places(std::move(weights), source.falls);
}

namespace {

/// Adds the run of source cells that [begin, end) overlaps; `copies`: where it may lie.
void add_shares(AxisWeights& weights, const std::vector<double>& edges,
                const std::vector<std::pair<double, double>>& copies) {
  const auto cells = static_cast<std::int64_t>(edges.size()) - 1;
  std::int64_t low = cells, high = 0;
  for (const auto& [begin, end] : copies) {
    const std::int64_t first = std::upper_bound(edges.begin(), edges.end(), begin) - edges.begin() - 1;
    const std::int64_t last = std::lower_bound(edges.begin(), edges.end(), end) - edges.begin();
    if (last <= 0 || first >= cells) continue;
    low = std::min(low, std::max<std::int64_t>(0, first));
    high = std::max(high, std::min(cells, last));
  }
  std::vector<double> shares;
  for (std::int64_t cell = low; cell < high; ++cell) {
    double share = 0;
    for (const auto& [begin, end] : copies) {
      const double from = std::max(begin, edges[static_cast<std::size_t>(cell)]);
      const double upto = std::min(end, edges[static_cast<std::size_t>(cell) + 1]);
      share += std::max(0.0, upto - from) / (end - begin);
    }
    shares.push_back(share);
  }
  weights.add(shares.empty() ? 0 : low % weights.extent, shares);
}

}  // namespace

AxisWeights shared_longitudes(const RisingAxis& source, const std::vector<double>& target_edges) {
  AxisWeights weights;
  std::vector<double> edges = source.edges;
  const double first = edges.front(), turn = edges.back() - first;
  if (turn > 360 + 1e-6) throw Error("the cells' longitudes go round the globe more than once");
  weights.extent = static_cast<std::int64_t>(edges.size()) - 1;
  const bool round = turn > 360 - 1e-6;
  if (round) {
    edges.back() = first + 360;
    for (std::size_t i = 1; i < source.edges.size(); ++i) edges.push_back(edges[i] + 360);
  }
  for (std::size_t i = 0; i + 1 < target_edges.size(); ++i) {
    const double extent = std::min(360.0, std::abs(target_edges[i + 1] - target_edges[i]));
    const double begin = turned(std::min(target_edges[i], target_edges[i + 1]), first);
    std::vector<std::pair<double, double>> copies = {{begin, begin + extent}};
    if (!round) copies.emplace_back(begin - 360, begin - 360 + extent);
    add_shares(weights, edges, copies);
  }
  return in_own_places(std::move(weights), source.falls);
}

AxisWeights shared_latitudes(const RisingAxis& source, const std::vector<double>& target_edges) {
  AxisWeights weights;
  weights.extent = static_cast<std::int64_t>(source.labels.size());
  // Areas on the sphere grow with the sine.
  const auto sine = [](double degrees) { return std::sin(std::clamp(degrees, -90.0, 90.0) * std::numbers::pi / 180); };
  std::vector<double> edges;
  for (const double edge : source.edges) edges.push_back(sine(edge));
  for (std::size_t i = 0; i + 1 < target_edges.size(); ++i) {
    const double a = sine(target_edges[i]), b = sine(target_edges[i + 1]);
    add_shares(weights, edges, {{std::min(a, b), std::max(a, b)}});
  }
  return in_own_places(std::move(weights), source.falls);
}

std::pair<std::int64_t, std::int64_t> least_run(const std::vector<bool>& used) {
  const auto extent = static_cast<std::int64_t>(used.size());
  const auto is = [&](std::int64_t place) { return bool(used[static_cast<std::size_t>(place % extent)]); };
  std::int64_t begin = -1, gap = -1, last = -1, first = -1;
  for (std::int64_t i = 0; i < extent; ++i) {
    if (!is(i)) continue;
    if (first < 0) first = i;
    if (last >= 0 && i - last > gap) gap = i - last, begin = i;
    last = i;
  }
  if (first < 0) return {0, 0};
  // The gap from the last one round to the first; of equal ones it is the one that needs no round.
  if (first + extent - last >= gap) return {first, last - first + 1};
  return {begin, extent - gap + 1};
}

}  // namespace weft::labelled
