// A globe whose pole lies elsewhere, and the earth as a satellite that stands over the equator sees it.
#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>

#include <cmath>
#include <numbers>

namespace weft::labelled {

MapInverse rotated_pole(const MapParameters& parameters) {
  const double pole_lat = parameters.angle("grid_north_pole_latitude");
  const double pole_lon = parameters.angle("grid_north_pole_longitude");
  const double turn = parameters.angle_or("north_pole_grid_longitude", 0);
  return [=](double x, double y) {
    const double ahead = std::cos(y) * std::cos(x - turn), east = std::cos(y) * std::sin(x - turn), up = std::sin(y);
    const double out = ahead * std::sin(pole_lat) - up * std::cos(pole_lat);
    const double north = ahead * std::cos(pole_lat) + up * std::sin(pole_lat);
    return LatLon{std::atan2(north, std::hypot(out, east)), pole_lon + std::numbers::pi + std::atan2(east, out)};
  };
}

MapInverse geostationary(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double height = parameters.number("perspective_point_height");
  const double lon = parameters.angle("longitude_of_projection_origin");
  const std::string sweep = parameters.text_or("sweep_angle_axis", "y");
  if (sweep != "x" && sweep != "y")
    throw Error("the attribute 'sweep_angle_axis' of " + parameters.what() + " is x or y, not '" + sweep + "'");
  const bool about_x = sweep == "x";
  const double flat = 1 / (1 - earth.e2), far = height + earth.a;
  return [=](double x, double y) {
    // Where the line of sight meets the ellipsoid first.
    const double ahead = std::cos(x) * std::cos(y), east = about_x ? std::sin(x) : std::sin(x) * std::cos(y);
    const double north = about_x ? std::cos(x) * std::sin(y) : std::sin(y);
    const double square = ahead * ahead + east * east + flat * north * north, half = far * ahead;
    const double inner = half * half - square * (far * far - earth.a * earth.a);
    if (!(inner >= 0)) return LatLon{std::nan(""), std::nan("")};
    const double length = (half - std::sqrt(inner)) / square, out = far - length * ahead;
    return LatLon{std::atan2(flat * length * north, std::hypot(out, length * east)),
                  lon + std::atan2(length * east, out)};
  };
}

}  // namespace weft::labelled
