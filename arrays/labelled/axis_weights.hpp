#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace weft::labelled {

/// Of which places of a source's axis each place of a target's axis is made: a run of them, with weights that add up to
/// the share of the target that there is source for. Places beyond the source's extent are counted round.
struct AxisWeights {
  std::int64_t extent = 0;
  /// Where the run of each target begins.
  std::vector<std::int64_t> first;
  /// Where its weights begin in `weights`; one more than there are targets.
  std::vector<std::int64_t> begins = {0};
  std::vector<double> weights;
  /// How much the mean of a whole row at an end counts besides: empty where there are no poles.
  std::vector<double> pole;

  std::int64_t targets() const { return static_cast<std::int64_t>(first.size()); }
  std::span<const double> of(std::int64_t target) const {
    const auto at = static_cast<std::size_t>(target);
    return {weights.data() + begins[at], static_cast<std::size_t>(begins[at + 1] - begins[at])};
  }
  double pole_of(std::int64_t target) const { return pole.empty() ? 0 : pole[static_cast<std::size_t>(target)]; }
  void add(std::int64_t begin, std::span<const double> some);
  template <class Archive>
  friend void weft_fields(Archive& archive, AxisWeights& one) {
    archive(one.extent, one.first, one.begins, one.weights, one.pole);
  }
};

/// A source's axis, made to rise: longitudes go on beyond 360 rather than begin anew.
struct RisingAxis {
  std::vector<double> labels;
  /// Of the cells; one more than there are labels.
  std::vector<double> edges;
  /// The array has it the other way round.
  bool falls = false;
  /// Behind the last label comes the first one.
  bool round = false;
};
/// Throws Error where labels neither rise nor fall, or go round more than once.
RisingAxis rising_latitudes(std::vector<double> labels, std::vector<double> edges);
RisingAxis rising_longitudes(std::vector<double> labels, std::vector<double> edges);

/// Edges of cells midway between labels that rise or fall; longitudes may begin anew, latitudes end at the poles.
std::vector<double> longitude_edges(std::vector<double> labels);
std::vector<double> latitude_edges(const std::vector<double>& labels);
/// Returns the angle, counted from `first` on for one turn.
double turned(double degrees, double first);

/// Between neighbours. Latitudes beyond the last rows of a globe, whose longitudes are `round`, use the poles.
AxisWeights linear_longitudes(const RisingAxis& source, const std::vector<double>& targets);
AxisWeights linear_latitudes(const RisingAxis& source, const std::vector<double>& targets, bool round);
/// By the share of each target cell that lies in each source cell.
AxisWeights shared_longitudes(const RisingAxis& source, const std::vector<double>& target_edges);
AxisWeights shared_latitudes(const RisingAxis& source, const std::vector<double>& target_edges);

/// The least run of places of an axis, counted round where need be, that has all of some places: its begin and extent.
std::pair<std::int64_t, std::int64_t> least_run(const std::vector<bool>& used);

}  // namespace weft::labelled
