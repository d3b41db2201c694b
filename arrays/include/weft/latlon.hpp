#pragma once

#include <string>
#include <vector>

/// Grids of latitudes and longitudes, and how values go from one to another.
namespace weft {

class LabelledArray;
class Dataset;

/// Latitudes and longitudes in degrees, and where the cells around them end: what `regrid` goes to.
///
///     LabelledArray coarse = tas.regrid(LatLonGrid::named("r360x180"), {.method = "conservative"});
///
/// Threading: a value.
class LatLonGrid {
 public:
  /// Cells end midway between neighbours, and not beyond the poles.
  LatLonGrid(std::vector<double> lat, std::vector<double> lon);
  /// Edges: one more than there are labels.
  LatLonGrid(std::vector<double> lat, std::vector<double> lon, std::vector<double> lat_edges,
             std::vector<double> lon_edges);
  /// The globe in equal degrees, from south to north and from 0 east: "r360x180", as CDO names it. Throws Error that
  /// says what can be written.
  static LatLonGrid named(const std::string& name);
  /// The latitudes and longitudes that label an array, or the variables of a set.
  static LatLonGrid like(const LabelledArray& array);
  static LatLonGrid like(const Dataset& set);

  const std::vector<double>& lat() const { return lat_; }
  const std::vector<double>& lon() const { return lon_; }
  const std::vector<double>& lat_edges() const { return lat_edges_; }
  const std::vector<double>& lon_edges() const { return lon_edges_; }

 private:
  std::vector<double> lat_, lon_, lat_edges_, lon_edges_;
};

struct RegridOptions {
  /// "nearest": the value of the cell whose centre is nearest on the sphere. "bilinear": between the four around;
  /// beyond the last row of a globe the pole has that row's mean. "conservative": the mean of the cells that a new one
  /// overlaps, by area on the sphere; the integral stays.
  std::string method = "bilinear";
  /// A place has a value where values that are there make up at least this share of its weight, and their mean is
  /// taken; 1: anything missing makes it missing. Of no meaning for "nearest".
  double min_coverage = 0.5;
  /// "nearest": there is NaN farther away than so many kilometres, on a sphere of 6371 km; 0: however far.
  double max_distance_km = 0;
  /// Where the array's own cells end; midway between neighbours where they are not given.
  std::vector<double> lat_edges = {}, lon_edges = {};
  /// Names of the dimensions; they are found by their units (degrees_north, degrees_east) or by the usual names.
  std::string lat = {}, lon = {};
};

struct PointsOptions {
  /// "nearest": of all points. "bilinear": points in rows and columns are corners of cells, whose values are mixed;
  /// outside of all cells there is NaN.
  std::string method = "nearest";
  /// "bilinear": as RegridOptions has it.
  double min_coverage = 0.5;
  /// "nearest": there is NaN where the nearest point is farther away than so many kilometres; 0: however far.
  double max_distance_km = 0;
  /// Names of the new dimensions.
  std::string lat = "lat", lon = "lon";
};

}  // namespace weft
