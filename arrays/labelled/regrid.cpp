// Values on other grids of latitudes and longitudes.
#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/cell_corners.hpp"
#include "arrays/labelled/nearest_places.hpp"
#include "arrays/labelled/operations.hpp"
#include "arrays/labelled/regrid_cells.hpp"
#include "arrays/ops/gather.hpp"

#include <weft/error.hpp>
#include <weft/ops/neighbours.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace weft {
namespace {

using arrays::expression::AxisGrid;
using labelled::Where;
using Coordinates = LabelledArray::Coordinates;

constexpr double kRadians = std::numbers::pi / 180;
constexpr double kEarthRadiusKm = 6371;
/// What a sum of weights may lack of a whole.
constexpr double kRounding = 1e-9;

/// How latitudes, or longitudes, are told.
struct Kind {
  const char* what;
  std::vector<std::string> units;
  std::vector<std::string> names;
};
const Kind& latitudes() {
  static const Kind kind{"latitude", {"degrees_north", "degree_north", "degrees_N", "degree_N"}, {"lat", "latitude"}};
  return kind;
}
const Kind& longitudes() {
  static const Kind kind{"longitude", {"degrees_east", "degree_east", "degrees_E", "degree_E"}, {"lon", "longitude"}};
  return kind;
}

bool one_of(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// The name of the dimension whose labels are latitudes, or longitudes; `given` where the user named it.
std::string dimension(const Coordinates& coordinates, const std::string& given, const Kind& kind) {
  std::string names;
  for (const bool by_units : {true, false}) {
    for (const auto& [dim, labels] : coordinates) {
      if (labels.numbers().empty()) continue;
      const io::Attribute* const units = io::find_attribute(labels.attributes(), "units");
      const bool found = by_units ? units != nullptr && one_of(kind.units, units->text()) : one_of(kind.names, dim);
      if (given.empty() ? found : given == dim) return dim;
      if (by_units) names += (names.empty() ? "" : ", ") + dim;
    }
  }
  if (!given.empty()) throw Error("there are no labels along '" + given + "'; there are along: " + names);
  throw Error(std::string("no dimension has ") + kind.what + "s as labels (units of " + kind.units[0] +
              ", or the name " + kind.names[0] + "), but: " + (names.empty() ? "none" : names) + "; name it with ." +
              kind.names[0] + " = \"...\"");
}

LatLonGrid grid_of(const Coordinates& coordinates) {
  return {coordinates.at(dimension(coordinates, {}, latitudes())).numbers(),
          coordinates.at(dimension(coordinates, {}, longitudes())).numbers()};
}

/// The source's axes, and the names of its dimensions.
struct SourceGrid {
  std::string lat_dim, lon_dim;
  labelled::RisingAxis lat, lon;
};

SourceGrid source_of(const Coordinates& coordinates, const RegridOptions& options) {
  SourceGrid source;
  source.lat_dim = dimension(coordinates, options.lat, latitudes());
  source.lon_dim = dimension(coordinates, options.lon, longitudes());
  source.lat = labelled::rising_latitudes(coordinates.at(source.lat_dim).numbers(), options.lat_edges);
  source.lon = labelled::rising_longitudes(coordinates.at(source.lon_dim).numbers(), options.lon_edges);
  return source;
}

/// Chunks of a target's axis that touch about as much of the source as its chunks hold, and hold no more themselves.
AxisGrid cut_like(const AxisGrid& source, std::int64_t extent) {
  const std::int64_t largest = std::max<std::int64_t>(1, source.largest());
  const std::int64_t count = std::max<std::int64_t>({1, source.count(), (extent + largest - 1) / largest});
  return AxisGrid::regular(extent, std::max<std::int64_t>(1, (extent + count - 1) / count));
}

/// Of the array with rows and columns as its last two axes.
arrays::Array means(const arrays::Array& values, const SourceGrid& source, const LatLonGrid& target,
                    const RegridOptions& options, const Where& where) {
  const arrays::Array data = labelled::floating(values, where);
  labelled::RegridCells cells;
  cells.min_coverage = options.min_coverage;
  if (options.method == "bilinear") {
    cells.rows = labelled::linear_latitudes(source.lat, target.lat(), source.lon.round);
    cells.columns = labelled::linear_longitudes(source.lon, target.lon());
  } else {
    const auto& rows = target.lat_edges();
    const auto& columns = target.lon_edges();
    cells.rows = labelled::shared_latitudes(source.lat, rows.empty() ? labelled::latitude_edges(target.lat()) : rows);
    cells.columns =
        labelled::shared_longitudes(source.lon, columns.empty() ? labelled::longitude_edges(target.lon()) : columns);
  }
  arrays::expression::Grid grid = data.node()->grid;
  const std::size_t row = grid.size() - 2;
  grid[row] = cut_like(grid[row], static_cast<std::int64_t>(target.lat().size()));
  grid[row + 1] = cut_like(grid[row + 1], static_cast<std::int64_t>(target.lon().size()));
  return arrays::Array(arrays::expression::make_structural(arrays::expression::make_structure(std::move(cells)),
                                                           {data.node()}, data.dtype(), std::move(grid), where));
}

/// The pieces of a run of places, which may go round.
std::vector<std::pair<std::int64_t, std::int64_t>> pieces(const std::vector<bool>& used) {
  const auto extent = static_cast<std::int64_t>(used.size());
  const auto [begin, count] = labelled::least_run(used);
  if (begin + count <= extent) return {{begin, count}};
  return {{begin, extent - begin}, {0, begin + count - extent}};
}

arrays::Array nearest(const arrays::Array& values, const SourceGrid& source, const LatLonGrid& target,
                      const RegridOptions& options, const Where& where) {
  const bool all = options.max_distance_km <= 0;
  const arrays::Array data = all ? values : labelled::floating(values, where);
  labelled::NearestPlaces places;
  places.source_lat = source.lat.labels;
  places.falls = source.lat.falls;
  const auto columns = static_cast<std::int64_t>(source.lon.labels.size());
  places.source_columns = columns;
  places.lat = target.lat();
  if (!all) places.least = std::cos(std::min(options.max_distance_km / kEarthRadiusKm, std::numbers::pi));
  const std::vector<double>& labels = source.lon.labels;
  for (const double lon : target.lon()) {
    const double place = labelled::turned(lon, labels.front());
    const std::int64_t behind = std::lower_bound(labels.begin(), labels.end(), place) - labels.begin();
    std::int64_t best = 0;
    double apart = std::numeric_limits<double>::infinity();
    for (const std::int64_t at : {behind - 1, behind % columns}) {
      if (at < 0) continue;
      const double away = std::abs(std::remainder(lon - labels[static_cast<std::size_t>(at)], 360.0));
      if (away < apart) best = at, apart = away;
    }
    places.column.push_back(source.lon.falls ? columns - 1 - best : best);
    places.cosine.push_back(std::cos(apart * kRadians));
  }
  const arrays::expression::Grid& own = data.node()->grid;
  const arrays::expression::Grid grid{cut_like(own[own.size() - 2], static_cast<std::int64_t>(places.lat.size())),
                                      cut_like(own[own.size() - 1], static_cast<std::int64_t>(places.column.size()))};
  arrays::ops::Gather gather;
  for (std::int64_t chunk = 0; chunk < arrays::expression::chunk_count(grid); ++chunk) {
    const arrays::expression::Box box = arrays::expression::chunk_box(grid, chunk);
    for (const auto& [row, rows] : pieces(places.rows_of(box.start[0], box.extent[0], box.start[1], box.extent[1]))) {
      for (const auto& [column, count] : pieces(places.columns_of(box.start[1], box.extent[1]))) {
        gather.add_box({row, column}, {rows, count});
      }
    }
    gather.end_chunk();
  }
  if (!all) Scalar(std::numeric_limits<double>::quiet_NaN()).write(data.dtype(), gather.fill.data());
  const arrays::Array table(arrays::expression::make_structural(arrays::expression::make_structure(std::move(places)),
                                                                {}, int64, grid, where));
  return arrays::ops::gathered(data, table, 2, std::move(gather), where);
}

/// The labels of a dimension of the target, with what the source's said of itself.
Coordinate labels_like(const Coordinates& source, const std::string& dim, std::vector<double> labels,
                       const Kind& kind) {
  std::vector<io::Attribute> attributes;
  const auto known = source.find(dim);
  if (known != source.end()) attributes = known->second.attributes();
  std::erase_if(attributes, [](const io::Attribute& one) {
    return one.name == "bounds" || one.name == "actual_range" || one.name == "valid_min" || one.name == "valid_max";
  });
  if (io::find_attribute(attributes, "units") == nullptr) {
    labelled::set_text(attributes, "units", kind.units[0]);
    labelled::set_text(attributes, "standard_name", kind.what);
  }
  return Coordinate::of_numbers(dim, std::move(labels), std::move(attributes));
}

std::vector<std::string> dims_but(const LabelledArray& array, const std::vector<std::string>& left_out) {
  std::vector<std::string> dims;
  for (const std::string& dim : array.dims()) {
    if (!one_of(left_out, dim)) dims.push_back(dim);
  }
  return dims;
}

/// The array with its dimensions in an order, the last two of which are new rows and columns.
LabelledArray on_target(const LabelledArray& array, arrays::Array data, std::vector<std::string> dims,
                        const LatLonGrid& target, const std::vector<std::string>& in_order) {
  Coordinates coordinates = array.coordinates();
  const std::size_t row = dims.size() - 2;
  coordinates[dims[row]] = labels_like(array.coordinates(), dims[row], target.lat(), latitudes());
  coordinates[dims[row + 1]] = labels_like(array.coordinates(), dims[row + 1], target.lon(), longitudes());
  std::vector<io::Attribute> attributes = array.attributes();
  std::erase_if(attributes,
                [](const io::Attribute& one) { return one.name == "cell_measures" || one.name == "coordinates"; });
  return LabelledArray(std::move(data), std::move(dims), std::move(coordinates), array.name(), std::move(attributes))
      .transpose(in_order);
}

LabelledArray regrid_one(const LabelledArray& array, const SourceGrid& source, const LatLonGrid& target,
                         const RegridOptions& options, const Where& where) {
  arrays::expression::require_known(*array.data().node(), "regrid", where);
  std::vector<std::string> dims = dims_but(array, {source.lat_dim, source.lon_dim});
  dims.push_back(source.lat_dim);
  dims.push_back(source.lon_dim);
  const arrays::Array data = array.transpose(dims).data();
  arrays::Array made = options.method == "nearest" ? nearest(data, source, target, options, where)
                                                   : means(data, source, target, options, where);
  return on_target(array, std::move(made), std::move(dims), target, array.dims());
}

void check_coverage(double min_coverage) {
  if (!(min_coverage >= 0 && min_coverage <= 1)) {
    throw Error("min_coverage is a share from 0 to 1, not " + std::to_string(min_coverage));
  }
}

void check(const RegridOptions& options) {
  if (!one_of({"nearest", "bilinear", "conservative"}, options.method)) {
    throw Error("'" + options.method + "' is no method; there are nearest, bilinear, conservative");
  }
  check_coverage(options.min_coverage);
}

std::vector<double> doubles(const NDArray& values, const char* what) {
  if (values.dtype() == float64) return values.to_vector<double>();
  if (values.dtype() == float32) {
    const std::vector<float> own = values.to_vector<float>();
    return {own.begin(), own.end()};
  }
  throw Error(std::string(what) + "s of type " + values.dtype().name() + ": give float64 or float32");
}

NDArray table_of(const std::vector<std::int64_t>& places, const LatLonGrid& target) {
  return NDArray::of(places,
                     {static_cast<std::int64_t>(target.lat().size()), static_cast<std::int64_t>(target.lon().size())});
}

/// What the values at points become on the target: places in the points' order, and how much each counts.
struct PointTable {
  std::vector<NDArray> places;
  /// Empty: one point counts alone.
  std::vector<NDArray> weights;
};

/// Of each place of the target the nearest point, or -1.
PointTable nearest_points(const std::vector<double>& lat, const std::vector<double>& lon, const LatLonGrid& target,
                          double max_distance_km) {
  const labelled::SpherePoints points(lat, lon);
  std::vector<std::int64_t> places;
  for (const double row : target.lat()) {
    for (const double column : target.lon()) places.push_back(points.nearest(row, column, max_distance_km));
  }
  return {{table_of(places, target)}, {}};
}

PointTable bilinear_points(const std::vector<double>& lat, const std::vector<double>& lon, const Shape& shape,
                           const LatLonGrid& target) {
  const labelled::CellCorners corners = labelled::corners_around(lat, lon, shape[0], shape[1], target);
  PointTable out;
  for (std::size_t i = 0; i < corners.places.size(); ++i) {
    out.places.push_back(table_of(corners.places[i], target));
    out.weights.push_back(NDArray::of(corners.weights[i], out.places[0].shape()));
  }
  return out;
}

/// Checks that each place along the dimensions has a latitude and a longitude, and finds what the target is made of.
PointTable table_of(const Dataset& set, const std::vector<std::string>& dims, const NDArray& lat, const NDArray& lon,
                    const LatLonGrid& target, const PointsOptions& options) {
  std::vector<std::int64_t> extents;
  const auto known = set.dims();
  for (const std::string& dim : dims) {
    if (known.count(dim) == 0) throw Error("there is no dimension '" + dim + "'");
    extents.push_back(known.at(dim));
  }
  if (dims.empty() || lat.shape() != Shape(extents) || lon.shape() != Shape(extents)) {
    throw Error("the points have the shape " + Shape(extents).text() + ", but latitudes and longitudes were given as " +
                lat.shape().text() + " and " + lon.shape().text());
  }
  if (!one_of({"nearest", "bilinear"}, options.method)) {
    throw Error("'" + options.method + "' is no method for points; there are nearest, bilinear");
  }
  if (options.method == "bilinear" && dims.size() != 2) {
    throw Error("bilinear needs points in rows and columns, two dimensions, not " + std::to_string(dims.size()));
  }
  check_coverage(options.min_coverage);
  const std::vector<double> lats = doubles(lat, "latitude"), lons = doubles(lon, "longitude");
  return options.method == "nearest" ? nearest_points(lats, lons, target, options.max_distance_km)
                                     : bilinear_points(lats, lons, lat.shape(), target);
}

/// The array with its points as its last axes, on the target. What is missing counts nothing.
arrays::Array from_table(const arrays::Array& data, const PointTable& table, int axes, double min_coverage,
                         const Where& where) {
  if (table.weights.empty()) return arrays::gather_lut(data, table.places[0], {.axes = axes}, where);
  const arrays::Array values = labelled::floating(data, where);
  arrays::Array sum, whole;
  for (std::size_t i = 0; i < table.places.size(); ++i) {
    const arrays::Array corner =
        arrays::gather_lut(values, table.places[i], {.axes = axes}, where).astype(float64, where);
    const arrays::Array weight = arrays::from_ndarray(table.weights[i], {}, where);
    const arrays::Array none = arrays::isnan(corner);
    const arrays::Array part = arrays::where(none, 0.0, corner * weight), there = arrays::where(none, 0.0, weight);
    sum = i == 0 ? part : sum + part;
    whole = i == 0 ? there : whole + there;
  }
  const arrays::Array enough = arrays::logical_and(whole > 0.0, whole >= min_coverage - kRounding);
  return arrays::where(enough, sum / whole, std::numeric_limits<double>::quiet_NaN()).astype(values.dtype(), where);
}

LabelledArray gather_points(const LabelledArray& array, const std::vector<std::string>& point_dims,
                            const PointTable& table, const LatLonGrid& target, const PointsOptions& options,
                            const Where& where) {
  std::vector<std::string> dims = dims_but(array, point_dims), in_order = dims;
  std::size_t first = dims.size();
  for (const std::string& dim : point_dims) first = std::min(first, array.axis(dim));
  in_order.insert(in_order.begin() + static_cast<std::ptrdiff_t>(first), {options.lat, options.lon});
  std::vector<std::string> own = dims;
  own.insert(own.end(), point_dims.begin(), point_dims.end());
  dims.insert(dims.end(), {options.lat, options.lon});
  const arrays::Array data = array.transpose(own).data();
  // A projection of the points' own grid says nothing of the new one.
  std::vector<io::Attribute> attributes = array.attributes();
  std::erase_if(attributes, [](const io::Attribute& one) { return one.name == "grid_mapping"; });
  const auto axes = static_cast<int>(point_dims.size());
  return on_target(array.with_attributes(std::move(attributes)),
                   from_table(data, table, axes, options.min_coverage, where), std::move(dims), target, in_order);
}

/// Where the cells along a dimension of the target end, two numbers a cell, around its label.
LabelledArray bounds_of(const std::string& dim, const std::vector<double>& labels, const std::vector<double>& edges,
                        bool round, const Where& where) {
  std::vector<double> pairs;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double turns = round ? 360 * std::nearbyint((labels[i] - (edges[i] + edges[i + 1]) / 2) / 360) : 0;
    pairs.insert(pairs.end(), {edges[i] + turns, edges[i + 1] + turns});
  }
  const auto cells = static_cast<std::int64_t>(pairs.size() / 2);
  return LabelledArray(arrays::from_ndarray(NDArray::of(pairs, {cells, 2}), {}, where), {dim, "bnds"}, {},
                       dim + "_bnds");
}

/// Names the cells of the new grid, as CF has it.
Dataset with_bounds(Dataset set, const std::string& lat, const std::string& lon, const LatLonGrid& target,
                    const Where& where) {
  std::vector<LabelledArray> variables = set.variables();
  bool changed = false;
  for (const bool rows : {true, false}) {
    const std::string& dim = rows ? lat : lon;
    const std::vector<double>& labels = rows ? target.lat() : target.lon();
    std::vector<double> edges = rows ? target.lat_edges() : target.lon_edges();
    if (edges.empty() && labels.size() > 1)
      edges = rows ? labelled::latitude_edges(labels) : labelled::longitude_edges(labels);
    const std::string name = dim + "_bnds";
    if (edges.empty() || set.coordinates().count(dim) == 0 || set.has(name)) continue;
    changed = true;
    for (LabelledArray& one : variables) {
      Coordinates coordinates = one.coordinates();
      const auto found = coordinates.find(dim);
      if (found == coordinates.end()) continue;
      std::vector<io::Attribute> attributes = found->second.attributes();
      labelled::set_text(attributes, "bounds", name);
      found->second = Coordinate::of_numbers(dim, found->second.numbers(), std::move(attributes));
      one = LabelledArray(one.data(), one.dims(), std::move(coordinates), one.name(), one.attributes());
    }
    variables.push_back(bounds_of(dim, labels, edges, !rows, where));
  }
  return changed ? Dataset(std::move(variables), set.attributes()) : set;
}

}  // namespace

LatLonGrid::LatLonGrid(std::vector<double> lat, std::vector<double> lon) : lat_(std::move(lat)), lon_(std::move(lon)) {}

LatLonGrid::LatLonGrid(std::vector<double> lat, std::vector<double> lon, std::vector<double> lat_edges,
                       std::vector<double> lon_edges)
    : lat_(std::move(lat)), lon_(std::move(lon)), lat_edges_(std::move(lat_edges)), lon_edges_(std::move(lon_edges)) {
  if (lat_edges_.size() != lat_.size() + 1 || lon_edges_.size() != lon_.size() + 1) {
    throw Error("a grid of " + std::to_string(lat_.size()) + " latitudes and " + std::to_string(lon_.size()) +
                " longitudes has one edge more of each, but " + std::to_string(lat_edges_.size()) + " and " +
                std::to_string(lon_edges_.size()) + " were given");
  }
}

LatLonGrid LatLonGrid::named(const std::string& name) {
  long long columns = 0, rows = 0;
  int read = 0;
  const bool told = std::sscanf(name.c_str(), "r%lldx%lld%n", &columns, &rows, &read) == 2 &&
                    static_cast<std::size_t>(read) == name.size();
  if (!told || columns < 1 || rows < 1 || columns > 1'000'000 || rows > 1'000'000) {
    throw Error("'" + name + "' names no grid: r360x180 has 360 longitudes from 0 on and 180 latitudes from the south");
  }
  std::vector<double> lat, lon, lat_edges, lon_edges;
  const double wide = 360.0 / static_cast<double>(columns), high = 180.0 / static_cast<double>(rows);
  for (long long i = 0; i <= columns; ++i) lon_edges.push_back((static_cast<double>(i) - 0.5) * wide);
  for (long long i = 0; i <= rows; ++i) lat_edges.push_back(-90 + static_cast<double>(i) * high);
  for (long long i = 0; i < columns; ++i) lon.push_back(static_cast<double>(i) * wide);
  for (long long i = 0; i < rows; ++i) lat.push_back(-90 + (static_cast<double>(i) + 0.5) * high);
  return {std::move(lat), std::move(lon), std::move(lat_edges), std::move(lon_edges)};
}

LatLonGrid LatLonGrid::like(const LabelledArray& array) { return grid_of(array.coordinates()); }
LatLonGrid LatLonGrid::like(const Dataset& set) { return grid_of(set.coordinates()); }

namespace labelled {

LabelledArray regrid(const LabelledArray& array, const LatLonGrid& target, const RegridOptions& options,
                     const Where& where) {
  check(options);
  return regrid_one(array, source_of(array.coordinates(), options), target, options, where);
}

Dataset regrid(const Dataset& set, const LatLonGrid& target, const RegridOptions& options, const Where& where) {
  check(options);
  const SourceGrid source = source_of(set.coordinates(), options);
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : set.variables()) {
    const bool rows = one.has(source.lat_dim), columns = one.has(source.lon_dim);
    if (rows && columns) {
      out.push_back(regrid_one(one, source, target, options, where));
    } else if (!rows && !columns) {
      out.push_back(one);
    }
  }
  return with_bounds({std::move(out), set.attributes()}, source.lat_dim, source.lon_dim, target, where);
}

LabelledArray regrid_points(const LabelledArray& array, const std::vector<std::string>& dims, const NDArray& lat,
                            const NDArray& lon, const LatLonGrid& target, const PointsOptions& options,
                            const Where& where) {
  for (const std::string& dim : dims) array.axis(dim);
  return gather_points(array, dims, table_of(Dataset({array}), dims, lat, lon, target, options), target, options,
                       where);
}

Dataset regrid_points(const Dataset& set, const std::vector<std::string>& dims, const NDArray& lat, const NDArray& lon,
                      const LatLonGrid& target, const PointsOptions& options, const Where& where) {
  const PointTable table = table_of(set, dims, lat, lon, target, options);
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : set.variables()) {
    const auto has = [&](const std::string& dim) { return one.has(dim); };
    // The points' own latitudes are the new labels' names.
    if (one.name() == options.lat || one.name() == options.lon) continue;
    if (std::all_of(dims.begin(), dims.end(), has)) {
      out.push_back(gather_points(one, dims, table, target, options, where));
    } else if (std::none_of(dims.begin(), dims.end(), has)) {
      out.push_back(one);
    }
  }
  return with_bounds({std::move(out), set.attributes()}, options.lat, options.lon, target, where);
}

}  // namespace labelled
}  // namespace weft
