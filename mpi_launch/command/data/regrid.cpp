// `weft regrid`: values on another grid of latitudes and longitudes.
#include "mpi_launch/command/data/convert.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <optional>

namespace weft::command::data {
namespace {

/// The edges of the cells along labels, where the file tells them without gaps; otherwise nothing.
std::vector<double> edges_told(const Client& client, const Dataset& data, const std::string& dim) {
  const auto found = data.coordinates().find(dim);
  if (found == data.coordinates().end()) return {};
  const io::Attribute* const bounds = io::find_attribute(found->second.attributes(), "bounds");
  if (bounds == nullptr || !data.has(bounds->text())) return {};
  const LabelledArray& told = data[bounds->text()];
  if (told.dims().size() != 2 || told.dims()[0] != dim || told.extent(told.dims()[1]) != 2) return {};
  const std::vector<double> pairs = client.compute(told.data().astype(float64)).to_vector<double>();
  const bool turned = pairs.size() >= 4 && std::abs(pairs[0] - pairs[2]) < std::abs(pairs[1] - pairs[2]);
  std::vector<double> out;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const double begin = pairs[turned ? i + 1 : i], end = pairs[turned ? i : i + 1];
    const double turns = out.empty() ? 0 : 360 * std::nearbyint((out.back() - begin) / 360);
    if (!out.empty() && std::abs(out.back() - begin - turns) > 1e-4) return {};
    if (out.empty()) out.push_back(begin);
    out.push_back(end + turns);
  }
  return out;
}

/// What values are brought to: latitudes and longitudes, or cells told one by one.
struct Target {
  std::optional<LatLonGrid> axes;
  std::optional<CellGrid> cells;

  Dataset from(const Dataset& data, const RegridOptions& options) const {
    return cells ? data.regrid(*cells, options) : data.regrid(*axes, options);
  }
  Dataset from(const Dataset& data, const CellGrid& source, const PointsOptions& options) const {
    return cells ? data.regrid_points(source, *cells, options) : data.regrid_points(source, *axes, options);
  }
};

Target target_of(const Given& given, const Client& client) {
  const std::string name = given.text("grid");
  if (name.empty()) {
    throw UsageError("weft regrid: --grid names the grid to go to: r360x180, or a file with a variable on it");
  }
  if (::access(name.c_str(), F_OK) != 0) return {LatLonGrid::named(name), {}};
  const Dataset like = open_dataset(name);
  if (std::optional<FoundCells> found = find_cells(client, like, name)) return {{}, std::move(found->grid)};
  const auto [lat, lon] = LatLonGrid::dims_of(like);
  const std::vector<double> rows = edges_told(client, like, lat), columns = edges_told(client, like, lon);
  const LatLonGrid axes = LatLonGrid::like(like);
  if (rows.empty() || columns.empty()) return {axes, {}};
  return {LatLonGrid(axes.lat(), axes.lon(), rows, columns), {}};
}

/// From a swath, a curvilinear grid, or a map.
Dataset from_cells(const Given& given, const Dataset& data, const Target& target, const FoundCells& source) {
  PointsOptions options;
  options.method = given.text("method", "nearest");
  options.min_coverage = given.number("min-coverage", options.min_coverage);
  options.max_distance_km = given.number("max-distance", 0);
  std::vector<LabelledArray> values;
  for (const LabelledArray& one : data.variables()) {
    if (std::find(source.told_by.begin(), source.told_by.end(), one.name()) == source.told_by.end())
      values.push_back(one);
  }
  return target.from(Dataset(std::move(values), data.attributes()), source.grid, options);
}

Changed change(const Given& given, const Client& client, const Dataset& data, const std::string& path) {
  const Target target = target_of(given, client);
  Changed out;
  if (const std::optional<FoundCells> source = find_cells(client, data, path)) {
    out.data = from_cells(given, data, target, *source);
  } else {
    RegridOptions options;
    options.method = given.text("method", "bilinear");
    options.min_coverage = given.number("min-coverage", options.min_coverage);
    options.max_distance_km = given.number("max-distance", 0);
    const auto [lat, lon] = LatLonGrid::dims_of(data);
    options.lat_edges = edges_told(client, data, lat);
    options.lon_edges = edges_told(client, data, lon);
    out.data = target.from(data, options);
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
  return convert_files(given, "weft regrid", [&](const Client& client, const Dataset& data) {
    const std::vector<std::string> paths = input_files({given.words().begin(), given.words().end() - 1});
    return change(given, client, data, paths.at(0));
  });
}

}  // namespace weft::command::data
