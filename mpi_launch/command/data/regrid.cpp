// `weft regrid`: values on another grid of latitudes and longitudes.
#include "mpi_launch/command/data/convert.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <unistd.h>

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
const LabelledArray* places_of_points(const Dataset& data, const char* unit) {
  for (const LabelledArray& one : data.variables()) {
    const io::Attribute* const units = io::find_attribute(one.attributes(), "units");
    if (units != nullptr && units->text() == unit && one.dims().size() == 2) return &one;
  }
  return nullptr;
}

/// The nearest points of a swath.
Dataset from_points(const Given& given, const Client& client, const Dataset& data, const LatLonGrid& grid,
                    const LabelledArray& lat, const LabelledArray& lon) {
  if (given.text("method", "nearest") != "nearest") {
    throw UsageError("weft regrid: places are told point by point by '" + lat.name() + "' and '" + lon.name() +
                     "': --method nearest is what there is for points");
  }
  PointsOptions options;
  options.max_distance_km = given.number("max-distance", 0);
  const NDArray lats = client.compute(lat.data());
  const NDArray lons = client.compute(lon.transpose(lat.dims()).data());
  std::vector<LabelledArray> others;
  for (const LabelledArray& one : data.variables()) {
    if (one.name() != lat.name() && one.name() != lon.name()) others.push_back(one);
  }
  return Dataset(std::move(others), data.attributes()).regrid_points(lat.dims(), lats, lons, grid, options);
}

Changed change(const Given& given, const Client& client, const Dataset& data) {
  const LatLonGrid grid = grid_of(given);
  const LabelledArray* const lat = places_of_points(data, "degrees_north");
  const LabelledArray* const lon = places_of_points(data, "degrees_east");
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
  for (const LabelledArray& one : out.data.variables()) {
    if (one.data().node() != data[one.name()].data().node()) out.names.insert(one.name());
  }
  if (out.names.empty()) throw Error("no variable has both a latitude and a longitude");
  return out;
}

}  // namespace

int run_regrid(const Given& given) {
  return convert_files(given, "weft regrid",
                       [&](const Client& client, const Dataset& data) { return change(given, client, data); });
}

}  // namespace weft::command::data
