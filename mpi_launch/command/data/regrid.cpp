// `weft regrid`: values on another grid of latitudes and longitudes.
#include "mpi_launch/command/data/convert.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <unistd.h>
#include <cctype>
#include <set>

namespace weft::command::data {
namespace {

LatLonGrid grid_of(const Given& given) {
  const std::string name = given.text("grid");
  if (name.empty()) {
    throw UsageError("weft regrid: --grid names the grid to go to: r360x180, or a file with a variable on it");
  }
  if (::access(name.c_str(), F_OK) == 0) return LatLonGrid::like(open_dataset(name));
  return LatLonGrid::named(name);
}

/// A variable that tells the latitude, or longitude, of each point; nothing where there is none.
const LabelledArray* places_of_points(const Dataset& data, const std::string& what, const std::string& unit) {
  const auto text = [](const LabelledArray& one, const char* name) {
    const io::Attribute* const found = io::find_attribute(one.attributes(), name);
    return found == nullptr ? std::string() : found->text();
  };
  for (const LabelledArray& one : data.variables()) {
    const std::string units = text(one, "units");
    // degrees_north, degree_north, degrees_N and so on.
    const bool said = units == "degrees_" + unit || units == "degree_" + unit ||
                      units == "degrees_" + std::string(1, static_cast<char>(std::toupper(unit[0]))) ||
                      units == "degree_" + std::string(1, static_cast<char>(std::toupper(unit[0])));
    if (one.dims().size() == 2 && (said || text(one, "standard_name") == what)) return &one;
  }
  return nullptr;
}

/// From a swath, or a curvilinear grid.
Dataset from_points(const Given& given, const Client& client, const Dataset& data, const LatLonGrid& grid,
                    const LabelledArray& lat, const LabelledArray& lon) {
  PointsOptions options;
  options.method = given.text("method", "nearest");
  if (options.method == "conservative") {
    throw UsageError("weft regrid: places are told point by point by '" + lat.name() + "' and '" + lon.name() +
                     "': --method nearest or bilinear is what there is for points");
  }
  options.min_coverage = given.number("min-coverage", options.min_coverage);
  options.max_distance_km = given.number("max-distance", 0);
  const NDArray lats = client.compute(lat.data());
  const NDArray lons = client.compute(lon.transpose(lat.dims()).data());
  // Their corners are no values.
  std::set<std::string> left_out = {lat.name(), lon.name()};
  for (const LabelledArray* const one : {&lat, &lon}) {
    const io::Attribute* const bounds = io::find_attribute(one->attributes(), "bounds");
    if (bounds != nullptr) left_out.insert(bounds->text());
  }
  std::vector<LabelledArray> others;
  for (const LabelledArray& one : data.variables()) {
    if (left_out.count(one.name()) == 0) others.push_back(one);
  }
  return Dataset(std::move(others), data.attributes()).regrid_points(lat.dims(), lats, lons, grid, options);
}

Changed change(const Given& given, const Client& client, const Dataset& data) {
  const LatLonGrid grid = grid_of(given);
  const LabelledArray* const lat = places_of_points(data, "latitude", "north");
  const LabelledArray* const lon = places_of_points(data, "longitude", "east");
  Changed out;
  if (lat != nullptr && lon != nullptr) {
    out.data = from_points(given, client, data, grid, *lat, *lon);
  } else {
    RegridOptions options;
    options.method = given.text("method", "bilinear");
    options.min_coverage = given.number("min-coverage", options.min_coverage);
    options.max_distance_km = given.number("max-distance", 0);
    out.data = data.regrid(grid, options);
  }
  bool any = false;
  for (const LabelledArray& one : out.data.variables()) {
    const bool there = data.has(one.name());
    if (there && one.data().node() == data[one.name()].data().node()) continue;
    out.names.insert(one.name());
    any = any || there;
  }
  if (!any) throw Error("no variable has both a latitude and a longitude");
  return out;
}

}  // namespace

int run_regrid(const Given& given) {
  return convert_files(given, "weft regrid",
                       [&](const Client& client, const Dataset& data) { return change(given, client, data); });
}

}  // namespace weft::command::data
