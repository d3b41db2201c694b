// Values on other grids of latitudes and longitudes.
#include "arrays/labelled/nearest_places.hpp"
#include "arrays/labelled/regrid_cells.hpp"
#include "arrays/labelled/regrid_target.hpp"
#include "arrays/ops/gather.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace weft {
namespace {

using arrays::expression::AxisGrid;
using labelled::PlaceKind;
using labelled::RegridTarget;
using labelled::Where;
using Coordinates = LabelledArray::Coordinates;

constexpr double kRadians = std::numbers::pi / 180;
constexpr double kEarthRadiusKm = 6371;

bool one_of(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// The name of the dimension whose labels are latitudes, or longitudes; `given` where the user named it.
std::string dimension(const Coordinates& coordinates, const std::string& given, const PlaceKind& kind) {
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
  return {coordinates.at(dimension(coordinates, {}, labelled::latitudes())).numbers(),
          coordinates.at(dimension(coordinates, {}, labelled::longitudes())).numbers()};
}

/// The source's axes, and the names of its dimensions.
struct SourceGrid {
  std::string lat_dim, lon_dim;
  labelled::RisingAxis lat, lon;
};

SourceGrid source_of(const Coordinates& coordinates, const RegridOptions& options) {
  SourceGrid source;
  source.lat_dim = dimension(coordinates, options.lat, labelled::latitudes());
  source.lon_dim = dimension(coordinates, options.lon, labelled::longitudes());
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

LabelledArray regrid_one(const LabelledArray& array, const SourceGrid& source, const LatLonGrid& target,
                         const RegridOptions& options, const Where& where) {
  arrays::expression::require_known(*array.data().node(), "regrid", where);
  const std::vector<std::string> own{source.lat_dim, source.lon_dim};
  std::vector<std::string> dims = labelled::dims_but(array, own);
  dims.insert(dims.end(), own.begin(), own.end());
  const arrays::Array data = array.transpose(dims).data();
  arrays::Array made = options.method == "nearest" ? nearest(data, source, target, options, where)
                                                   : means(data, source, target, options, where);
  return RegridTarget(target, source.lat_dim, source.lon_dim)
      .holding(array, std::move(made), std::move(dims), array.dims(), {});
}

/// The labels in the array's order.
std::vector<double> in_array_order(std::vector<double> values, bool falls) {
  if (falls) std::reverse(values.begin(), values.end());
  return values;
}

/// Between the four around each place: what each of the rows and columns counts for, multiplied.
labelled::SparseWeights between_labels(const SourceGrid& source, const RegridTarget& target) {
  const labelled::AxisWeights rows = labelled::linear_latitudes(source.lat, target.lat(), source.lon.round);
  const labelled::AxisWeights columns = labelled::linear_longitudes(source.lon, target.lon());
  labelled::SparseWeights out;
  for (std::int64_t at = 0; at < rows.targets(); ++at) {
    const std::int64_t row = rows.first[static_cast<std::size_t>(at)];
    const std::int64_t column = columns.first[static_cast<std::size_t>(at)];
    const auto up = rows.of(at), across = columns.of(at);
    for (std::size_t i = 0; i < up.size(); ++i) {
      for (std::size_t j = 0; j < across.size(); ++j) {
        const std::int64_t place = (column + static_cast<std::int64_t>(j)) % columns.extent;
        out.add((row + static_cast<std::int64_t>(i)) * columns.extent + place, up[i] * across[j]);
      }
    }
    // The mean of a whole row at a pole.
    const std::int64_t end = row == 0 ? 0 : rows.extent - 1;
    for (std::int64_t i = 0; rows.pole_of(at) != 0 && i < columns.extent; ++i)
      out.add(end * columns.extent + i, rows.pole_of(at) / static_cast<double>(columns.extent));
    out.end_target();
  }
  return out;
}

/// From rows and columns to cells that are told one by one.
CellGrid mesh_of(const SourceGrid& source) {
  const LatLonGrid axes(in_array_order(source.lat.labels, source.lat.falls),
                        in_array_order(source.lon.labels, source.lon.falls));
  const RegridTarget places(axes, source.lat_dim, source.lon_dim);
  return {places.dims(), NDArray::of(places.lat(), places.shape()), NDArray::of(places.lon(), places.shape())};
}

labelled::Making making_of(const SourceGrid& source, const CellGrid& target, const RegridOptions& options,
                           const Where& where) {
  const RegridTarget to(target);
  if (options.method == "nearest") {
    const CellGrid mesh = mesh_of(source);
    return labelled::taking(labelled::nearest_table(mesh.lat(), mesh.lon(), to, options.max_distance_km), 2, where);
  }
  if (options.method == "bilinear")
    return labelled::mixing(between_labels(source, to), 2, to.shape(), options.min_coverage, where);
  const labelled::SphereCells cells = labelled::SphereCells::between(
      in_array_order(source.lat.edges, source.lat.falls), in_array_order(source.lon.edges, source.lon.falls));
  return labelled::mixing(labelled::shared_cells(cells, to.cells()), 2, to.shape(), options.min_coverage, where);
}

void check(const RegridOptions& options) {
  if (!one_of({"nearest", "bilinear", "conservative"}, options.method)) {
    throw Error("'" + options.method + "' is no method; there are nearest, bilinear, conservative");
  }
  labelled::check_coverage(options.min_coverage);
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
std::pair<std::string, std::string> LatLonGrid::dims_of(const Dataset& set) {
  return {dimension(set.coordinates(), {}, labelled::latitudes()),
          dimension(set.coordinates(), {}, labelled::longitudes())};
}

namespace labelled {

template <>
LabelledArray regrid(const LabelledArray& array, const LatLonGrid& target, const RegridOptions& options,
                     const Where& where) {
  check(options);
  return regrid_one(array, source_of(array.coordinates(), options), target, options, where);
}

template <>
LabelledArray regrid(const LabelledArray& array, const CellGrid& target, const RegridOptions& options,
                     const Where& where) {
  check(options);
  const SourceGrid source = source_of(array.coordinates(), options);
  return brought(array, {source.lat_dim, source.lon_dim}, RegridTarget(target),
                 making_of(source, target, options, where));
}

template <>
Dataset regrid(const Dataset& set, const LatLonGrid& target, const RegridOptions& options, const Where& where) {
  check(options);
  const SourceGrid source = source_of(set.coordinates(), options);
  return RegridTarget(target, source.lat_dim, source.lon_dim)
      .described(
          each_with_all(set, {source.lat_dim, source.lon_dim},
                        [&](const LabelledArray& one) { return regrid_one(one, source, target, options, where); }),
          where);
}

template <>
Dataset regrid(const Dataset& set, const CellGrid& target, const RegridOptions& options, const Where& where) {
  check(options);
  const SourceGrid source = source_of(set.coordinates(), options);
  const std::vector<std::string> old{source.lat_dim, source.lon_dim};
  const Making making = making_of(source, target, options, where);
  const RegridTarget to(target);
  return to.described(each_with_all(set, old, [&](const LabelledArray& one) { return brought(one, old, to, making); }),
                      where);
}

}  // namespace labelled
}  // namespace weft
