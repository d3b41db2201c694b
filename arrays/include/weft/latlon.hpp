#pragma once

#include <weft/labels.hpp>
#include <weft/ndarray.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Grids of latitudes and longitudes, and how values go from one to another.
namespace weft {

class Client;
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
  /// The names of the dimensions that these label.
  static std::pair<std::string, std::string> dims_of(const Dataset& set);

  const std::vector<double>& lat() const { return lat_; }
  const std::vector<double>& lon() const { return lon_; }
  const std::vector<double>& lat_edges() const { return lat_edges_; }
  const std::vector<double>& lon_edges() const { return lon_edges_; }

 private:
  std::vector<double> lat_, lon_, lat_edges_, lon_edges_;
};

/// Cells whose places are told one by one: a curvilinear grid in rows and columns, or cells in a row, such as polygons.
///
///     CellGrid ocean({"y", "x"}, lat, lon, lat_corners, lon_corners);
///     LabelledArray back = tas.regrid(ocean, {.method = "conservative"});
///
/// Threading: a value.
class CellGrid {
 public:
  /// Degrees, of the same extents as the dimensions, one or two; a cell with NaN is not there. Corners lie between four
  /// cells, where there are rows and columns.
  CellGrid(std::vector<std::string> dims, const NDArray& lat, const NDArray& lon);
  /// Corners go round each cell along one axis more, the last one, either way; they may repeat.
  CellGrid(std::vector<std::string> dims, const NDArray& lat, const NDArray& lon, const NDArray& lat_corners,
           const NDArray& lon_corners);

  /// Cells around places of a map: y and x in m or km (degrees of a rotated pole, radians of a satellite's view), as
  /// their units say, and the attributes of a CF grid mapping: `CellGrid::on_map(y, x, mapping)`. `what`: how errors
  /// name the mapping.
  static CellGrid on_map(const Coordinate& y, const Coordinate& x, const std::vector<io::Attribute>& mapping,
                         const std::string& what = "the grid mapping");
  /// Keeps what the dimensions are labelled by; a mapping of none is of latitudes and longitudes.
  CellGrid labelled(std::map<std::string, Coordinate> labels, std::vector<io::Attribute> mapping) const;

  const std::vector<std::string>& dims() const { return dims_; }
  const Shape& shape() const { return shape_; }
  /// In C order.
  const std::vector<double>& lat() const { return lat_; }
  const std::vector<double>& lon() const { return lon_; }
  /// How many corners were told of each cell; 0: none.
  std::size_t around() const { return around_; }
  const std::vector<double>& lat_corners() const { return lat_corners_; }
  const std::vector<double>& lon_corners() const { return lon_corners_; }
  const std::map<std::string, Coordinate>& labels() const { return labels_; }
  const std::vector<io::Attribute>& mapping() const { return mapping_; }

 private:
  std::vector<std::string> dims_;
  Shape shape_;
  std::size_t around_ = 0;
  std::vector<double> lat_, lon_, lat_corners_, lon_corners_;
  std::map<std::string, Coordinate> labels_;
  std::vector<io::Attribute> mapping_;
};

/// The cells of a set that are no rows of latitudes and columns of longitudes.
struct FoundCells {
  CellGrid grid;
  /// The variables that tell them: they are no values.
  std::vector<std::string> told_by;
};
/// Finds where the cells of a file's variables lie: by latitudes and longitudes of each point, and bounds of these; or
/// by the grid mapping of labels in metres; or by GeoTIFF's keys. Nothing where latitudes and longitudes are labels, or
/// nothing is told. `path`: the file, or one of those, that the set is from. Throws Error where a mapping is not known.
std::optional<FoundCells> find_cells(const Client& client, const Dataset& set, const std::string& path);

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
  /// outside of all cells there is NaN. "conservative": the mean of the cells that a new one overlaps, by area.
  std::string method = "nearest";
  /// As RegridOptions has it.
  double min_coverage = 0.5;
  /// "nearest": there is NaN where the nearest point is farther away than so many kilometres; 0: however far.
  double max_distance_km = 0;
  /// Names of the new dimensions.
  std::string lat = "lat", lon = "lon";
};

}  // namespace weft
