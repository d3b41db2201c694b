#pragma once

#include "arrays/labelled/sphere_polygon.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// Cells on the sphere, and how much of each one the others cover.
namespace weft::labelled {

/// Of each place of a target: the places of a source that it is made of, rising, and how much each counts.
struct SparseWeights {
  /// Where the entries of each target begin; one more than there are targets.
  std::vector<std::int64_t> begins = {0};
  std::vector<std::int64_t> places;
  std::vector<double> weights;

  void add(std::int64_t place, double weight) {
    places.push_back(place);
    weights.push_back(weight);
  }
  void end_target() { begins.push_back(static_cast<std::int64_t>(places.size())); }
};

/// The cells of a grid as polygons; a cell may have several, or none where its corners are not told.
class SphereCells {
 public:
  /// Between parallels and meridians, row by row; one more edge than there are cells along each axis.
  static SphereCells between(const std::vector<double>& lat_edges, const std::vector<double>& lon_edges);
  /// `around` corners a cell, one behind the other; corners may repeat. Where all sides of all cells lie along
  /// parallels and meridians they are these; otherwise pieces of great circles.
  static SphereCells of_corners(const std::vector<double>& lat, const std::vector<double>& lon, std::size_t around);

  std::int64_t cells() const { return cells_; }
  std::int64_t polygons() const { return static_cast<std::int64_t>(cell_.size()); }
  std::int64_t cell(std::int64_t polygon) const { return cell_[static_cast<std::size_t>(polygon)]; }
  std::span<const SphereCorner> corners(std::int64_t polygon) const {
    const auto at = static_cast<std::size_t>(polygon);
    return {corners_.data() + begins_[at], static_cast<std::size_t>(begins_[at + 1] - begins_[at])};
  }

 private:
  /// Turned the right way round, without corners that are the same.
  void add(SphereCorners corners);

  std::int64_t cells_ = 0;
  std::vector<SphereCorner> corners_;
  std::vector<std::int64_t> begins_ = {0};
  std::vector<std::int64_t> cell_;
};

/// The share of each target's area that lies in each cell of the source.
SparseWeights shared_cells(const SphereCells& source, const SphereCells& target);

}  // namespace weft::labelled
