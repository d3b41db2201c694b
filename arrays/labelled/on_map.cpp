// Cells at places of a map.
#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>
#include <weft/latlon.hpp>
#include <weft/storage_writer.hpp>

#include <cmath>
#include <numbers>

namespace weft {
namespace {

constexpr double kRadians = std::numbers::pi / 180;

/// What a label is multiplied with to be in metres, or radians.
double unit_of(const Coordinate& labels, const std::string& what) {
  const io::Attribute* const found = io::find_attribute(labels.attributes(), "units");
  const std::string units = found == nullptr ? "m" : found->text();
  const struct {
    const char* name;
    double factor;
  } known[] = {{"m", 1},
               {"metre", 1},
               {"meter", 1},
               {"metres", 1},
               {"meters", 1},
               {"km", 1000},
               {"kilometre", 1000},
               {"kilometer", 1000},
               {"kilometres", 1000},
               {"kilometers", 1000},
               {"degrees", kRadians},
               {"degree", kRadians},
               {"degrees_north", kRadians},
               {"degrees_east", kRadians},
               {"rad", 1},
               {"radian", 1},
               {"radians", 1},
               {"1", 1},
               {"US_survey_foot", 1200.0 / 3937},
               {"foot", 0.3048}};
  for (const auto& one : known) {
    if (units == one.name) return one.factor;
  }
  throw Error("the labels along '" + labels.name() + "', which " + what + " has to do with, are in '" + units +
              "': m, km, degrees and radians are known");
}

/// Where cells end: midway between labels.
std::vector<double> edges_of(const std::vector<double>& labels, const std::string& dim) {
  if (labels.size() < 2) throw Error("along '" + dim + "' there is one label, which does not tell how wide a cell is");
  std::vector<double> out{labels[0] - (labels[1] - labels[0]) / 2};
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) out.push_back((labels[i] + labels[i + 1]) / 2);
  out.push_back(2 * labels.back() - out.back());
  return out;
}

std::vector<double> scaled(const Coordinate& labels, double factor) {
  std::vector<double> out = labels.numbers();
  for (double& one : out) one *= factor;
  return out;
}

/// Of a mesh of places, in degrees.
struct Places {
  std::vector<double> lat, lon;
};
Places places_of(const labelled::MapInverse& inverse, const std::vector<double>& y, const std::vector<double>& x) {
  Places out;
  for (const double row : y) {
    for (const double column : x) {
      const labelled::LatLon at = inverse(column, row);
      out.lat.push_back(at.lat / kRadians);
      out.lon.push_back(std::remainder(at.lon / kRadians, 360.0));
    }
  }
  return out;
}

/// The labels of a map in metres, where nothing is said of them: a GeoTIFF's.
Coordinate told(const Coordinate& labels, const char* standard, bool mapped) {
  std::vector<io::Attribute> attributes = labels.attributes();
  if (!mapped || io::find_attribute(attributes, "units") != nullptr) return labels;
  attributes.push_back(io::text_attribute("units", "m"));
  attributes.push_back(io::text_attribute("standard_name", standard));
  return Coordinate::of_numbers(labels.name(), labels.numbers(), std::move(attributes));
}

}  // namespace

CellGrid CellGrid::on_map(const Coordinate& y, const Coordinate& x, const std::vector<io::Attribute>& mapping,
                          const std::string& what) {
  const labelled::MapParameters parameters(mapping, what);
  const std::string name = parameters.text_or("grid_mapping_name", "");
  labelled::MapInverse inverse = [](double lon, double lat) { return labelled::LatLon{lat, lon}; };
  if (!mapping.empty() && name != "latitude_longitude") inverse = labelled::map_inverse(parameters);
  double up = unit_of(y, what), across = unit_of(x, what);
  // A view's angles may be told as metres at the satellite's height.
  const io::Attribute* const units = io::find_attribute(x.attributes(), "units");
  if (name == "geostationary" && units != nullptr && units->text().find("rad") == std::string::npos &&
      units->text() != "1") {
    up /= parameters.number("perspective_point_height");
    across /= parameters.number("perspective_point_height");
  }
  const std::vector<double> rows = scaled(y, up), columns = scaled(x, across);
  const Places centres = places_of(inverse, rows, columns);
  const Places corners = places_of(inverse, edges_of(rows, y.name()), edges_of(columns, x.name()));
  std::vector<double> lat, lon;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < columns.size(); ++column) {
      const std::size_t first = row * (columns.size() + 1) + column, above = first + columns.size() + 1;
      for (const std::size_t corner : {first, first + 1, above + 1, above}) {
        lat.push_back(corners.lat[corner]);
        lon.push_back(corners.lon[corner]);
      }
    }
  }
  const std::vector<std::int64_t> shape{std::ssize(rows), std::ssize(columns)}, around{shape[0], shape[1], 4};
  return CellGrid({y.name(), x.name()}, NDArray::of(centres.lat, Shape(shape)), NDArray::of(centres.lon, Shape(shape)),
                  NDArray::of(lat, Shape(around)), NDArray::of(lon, Shape(around)))
      .labelled({{y.name(), told(y, "projection_y_coordinate", !mapping.empty())},
                 {x.name(), told(x, "projection_x_coordinate", !mapping.empty())}},
                mapping);
}

CellGrid CellGrid::labelled(std::map<std::string, Coordinate> labels, std::vector<io::Attribute> mapping) const {
  CellGrid out = *this;
  out.labels_ = std::move(labels);
  out.mapping_ = std::move(mapping);
  return out;
}

}  // namespace weft
