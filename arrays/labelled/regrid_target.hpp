#pragma once

#include "arrays/labelled/cell_overlaps.hpp"
#include "arrays/labelled/operations.hpp"

#include <functional>

namespace weft::labelled {

/// How latitudes, or longitudes, are told.
struct PlaceKind {
  const char* what;
  std::vector<std::string> units;
  std::vector<std::string> names;
};
const PlaceKind& latitudes();
const PlaceKind& longitudes();

/// Where values are brought to: places, cells, and what the result is called by.
/// Borrows the grid.
class RegridTarget {
 public:
  /// The names of its dimensions.
  RegridTarget(const LatLonGrid& grid, std::string lat, std::string lon);
  explicit RegridTarget(const CellGrid& grid);

  const std::vector<std::string>& dims() const { return dims_; }
  Shape shape() const;
  /// Of each place, in C order.
  std::vector<double> lat() const;
  std::vector<double> lon() const;
  SphereCells cells() const;
  /// What `array` became: `dims` has the target's dimensions last, `in_order` where they shall be. `old`: dimensions
  /// that are no more.
  LabelledArray holding(const LabelledArray& array, arrays::Array data, std::vector<std::string> dims,
                        const std::vector<std::string>& in_order, const std::vector<std::string>& old) const;
  /// Adds bounds of the cells, and places that are no labels, as CF has them.
  Dataset described(Dataset set, const Where& where) const;

 private:
  const LatLonGrid* const axes_ = nullptr;
  const CellGrid* const cells_ = nullptr;
  std::vector<std::string> dims_;
};

/// The dimensions of an array but some.
std::vector<std::string> dims_but(const LabelledArray& array, const std::vector<std::string>& left_out);
/// Throws Error unless it is a share.
void check_coverage(double min_coverage);
/// Of each place of the target the nearest of some points, or -1 where all are too far.
NDArray nearest_table(const std::vector<double>& lat, const std::vector<double>& lon, const RegridTarget& target,
                      double max_distance_km);

/// Makes an array's values at the target of those at the source, which are its last axes.
using Making = std::function<arrays::Array(const arrays::Array& data)>;
/// By the places of a table; by weights.
Making taking(const NDArray& places, std::size_t axes, const Where& where);
Making mixing(SparseWeights weights, std::size_t axes, const Shape& shape, double min_coverage, const Where& where);

/// The array with the target's dimensions in place of the `old` ones.
LabelledArray brought(const LabelledArray& array, const std::vector<std::string>& old, const RegridTarget& target,
                      const Making& making);
/// The variables that have all of some dimensions, changed, and those that have none.
Dataset each_with_all(const Dataset& set, const std::vector<std::string>& dims,
                      const std::function<LabelledArray(const LabelledArray&)>& function);

}  // namespace weft::labelled
