// What a file says of the places of its cells.
#include "arrays/labelled/projections/projection.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/labelled.hpp>
#include <weft/storage_writer.hpp>

#include <algorithm>

namespace weft {
namespace {

std::string text_of(const std::vector<io::Attribute>& attributes, const char* name) {
  const io::Attribute* const found = io::find_attribute(attributes, name);
  return found == nullptr ? std::string() : found->text();
}

/// Tells whether attributes are of latitudes ("latitude", "north"), or longitudes.
bool tells(const std::vector<io::Attribute>& attributes, const std::string& what, const std::string& way) {
  const std::string units = text_of(attributes, "units");
  const std::string letter(1, static_cast<char>(way[0] - 'a' + 'A'));
  for (const char* const begin : {"degrees_", "degree_"}) {
    if (units == begin + way || units == begin + letter) return true;
  }
  return text_of(attributes, "standard_name") == what;
}

/// A variable that tells the latitude, or longitude, of each point; nothing where there is none.
const LabelledArray* places_of_points(const Dataset& set, const std::string& what, const std::string& way,
                                      std::size_t least_axes) {
  for (const LabelledArray& one : set.variables()) {
    const std::size_t axes = one.dims().size();
    if (axes < least_axes || axes > 2) continue;
    // Corners have an axis more, and the same units.
    const std::string name = one.name();
    const bool corners = std::any_of(set.variables().begin(), set.variables().end(), [&](const LabelledArray& other) {
      return text_of(other.attributes(), "bounds") == name;
    });
    if (!corners && tells(one.attributes(), what, way)) return &one;
  }
  return nullptr;
}

/// Tells whether latitudes label a dimension.
bool has_rows(const Dataset& set) {
  for (const auto& [dim, labels] : set.coordinates()) {
    if (!labels.numbers().empty() &&
        (tells(labels.attributes(), "latitude", "north") || dim == "lat" || dim == "latitude"))
      return true;
  }
  return false;
}

/// The dimension that is a map's y, or x.
const Coordinate* axis_of_map(const LabelledArray& array, const char* standard, const char* grid, const char* letter,
                              const std::vector<std::string>& names) {
  for (const bool by_attributes : {true, false}) {
    for (const auto& [dim, labels] : array.coordinates()) {
      if (labels.numbers().empty()) continue;
      const std::string said = text_of(labels.attributes(), "standard_name");
      const bool told = said == standard || said == grid || said == std::string(standard) + "_angular" ||
                        text_of(labels.attributes(), "axis") == letter;
      if (by_attributes ? told : std::find(names.begin(), names.end(), dim) != names.end()) return &labels;
    }
  }
  return nullptr;
}

/// A map's labels, where a variable has them.
struct MapAxes {
  Coordinate y, x;
};
std::optional<MapAxes> axes_of_map(const LabelledArray& array) {
  const Coordinate* const y =
      axis_of_map(array, "projection_y_coordinate", "grid_latitude", "Y", {"y", "rlat", "north"});
  const Coordinate* const x =
      axis_of_map(array, "projection_x_coordinate", "grid_longitude", "X", {"x", "rlon", "east"});
  if (y == nullptr || x == nullptr) return {};
  return MapAxes{*y, *x};
}

/// The attributes of the variable that a `grid_mapping` names: "crs", or "crs: x y other: lat lon".
const io::Variable& mapping_variable(const std::string& said, const LabelledArray& array, const std::string& path) {
  const std::string name = said.substr(0, said.find_first_of(": "));
  const auto file = io::open_shared(path);
  for (const io::Variable& one : file->variables()) {
    if (one.path == name) return one;
    const std::size_t slash = one.path.rfind('/');
    if (slash != std::string::npos && one.path.substr(slash + 1) == name) return one;
  }
  throw Error("'" + path + "': the attribute 'grid_mapping' of '" + array.name() + "' names '" + name +
              "', which the file does not have");
}

std::optional<CellGrid> grid_of_map(const Dataset& set, const std::string& path) {
  for (const LabelledArray& one : set.variables()) {
    const std::string said = text_of(one.attributes(), "grid_mapping");
    const bool keys = io::find_attribute(one.attributes(), "GTModelTypeGeoKey") != nullptr;
    const std::optional<MapAxes> axes = axes_of_map(one);
    if ((said.empty() && !keys) || !axes) continue;
    if (!said.empty()) {
      const io::Variable& mapping = mapping_variable(said, one, path);
      return CellGrid::on_map(axes->y, axes->x, mapping.attributes, "'" + mapping.path + "' of '" + path + "'");
    }
    const std::string what = "'" + path + "'";
    const std::vector<io::Attribute> mapping = labelled::mapping_of_geokeys(one.attributes(), what);
    if (!mapping.empty()) return CellGrid::on_map(axes->y, axes->x, mapping, what);
    const auto degrees = [](const Coordinate& labels, const char* unit) {
      return Coordinate::of_numbers(labels.name(), labels.numbers(), {io::text_attribute("units", unit)});
    };
    return CellGrid::on_map(degrees(axes->y, "degrees_north"), degrees(axes->x, "degrees_east"), {}, what);
  }
  return {};
}

/// Where places are told, but no corners: those of the map that the places are on, where it is known.
std::optional<CellGrid> with_corners_of_map(const CellGrid& grid, const Dataset& set, const std::string& path) {
  try {
    const std::optional<CellGrid> found = grid_of_map(set, path);
    if (found && found->dims() == grid.dims()) return found;
  } catch (const Error&) {
    // Midway between the places then.
  }
  return {};
}

}  // namespace

std::optional<FoundCells> find_cells(const Client& client, const Dataset& set, const std::string& path) {
  const bool rows = has_rows(set);
  const LabelledArray* const lat = places_of_points(set, "latitude", "north", rows ? 2 : 1);
  const LabelledArray* const lon = places_of_points(set, "longitude", "east", rows ? 2 : 1);
  const auto known = [&](const std::string& dim) { return lon->has(dim); };
  if (lat == nullptr || lon == nullptr || lat->dims().size() != lon->dims().size() ||
      !std::all_of(lat->dims().begin(), lat->dims().end(), known)) {
    if (rows) return {};
    if (std::optional<CellGrid> grid = grid_of_map(set, path)) return FoundCells{std::move(*grid), {}};
    return {};
  }
  const std::vector<std::string>& dims = lat->dims();
  const auto values = [&](const LabelledArray& one, const std::vector<std::string>& order) {
    return client.compute(one.transpose(order).data().astype(float64));
  };
  const NDArray lats = values(*lat, dims), lons = values(*lon, dims);
  FoundCells out{CellGrid(dims, lats, lons), {lat->name(), lon->name()}};
  const std::string lat_bounds = text_of(lat->attributes(), "bounds"),
                    lon_bounds = text_of(lon->attributes(), "bounds");
  if (!lat_bounds.empty() && set.has(lat_bounds) && set.has(lon_bounds)) {
    std::vector<std::string> around = dims;
    for (const std::string& dim : set[lat_bounds].dims()) {
      if (std::find(dims.begin(), dims.end(), dim) == dims.end()) around.push_back(dim);
    }
    out.grid = CellGrid(dims, lats, lons, values(set[lat_bounds], around), values(set[lon_bounds], around));
  } else if (std::optional<CellGrid> grid = with_corners_of_map(out.grid, set, path)) {
    out.grid = std::move(*grid);
  }
  out.told_by.insert(out.told_by.end(), {lat_bounds, lon_bounds});
  return out;
}

}  // namespace weft
