#pragma once

#include <weft/latlon.hpp>

#include <array>
#include <cstdint>
#include <vector>

/// Points whose latitudes and longitudes are told one by one, and the cells between them.
namespace weft::labelled {

/// Points on a sphere; those with a NaN are not there.
/// Owns: a k-d tree of them.  Threading: constant; any thread.
class SpherePoints {
 public:
  SpherePoints(const std::vector<double>& lat, const std::vector<double>& lon);
  /// Returns the place of the nearest one, or -1 where none is within so many kilometres; 0: however far.
  std::int64_t nearest(double lat, double lon, double most_km = 0) const;

 private:
  std::int64_t count_;
  std::vector<double> tree_;
};

/// Of each place of a target: the four points around it, as places in C order of the source, and how much
/// each counts. -1 where it lies in no cell.
struct CellCorners {
  std::array<std::vector<std::int64_t>, 4> places;
  std::array<std::vector<double>, 4> weights;
};
/// Of points in rows and columns: neighbours are the corners of a cell. Columns go round where the last one lies as
/// near to the first one as neighbours do.
CellCorners corners_around(const CellGrid& source, const std::vector<double>& lat, const std::vector<double>& lon);

/// Tells whether the columns of points in rows go round, as above.
bool columns_go_round(const CellGrid& grid);

}  // namespace weft::labelled
