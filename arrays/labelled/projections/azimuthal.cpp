// Maps on a plane that touches the earth at a point.
#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>

#include <cmath>
#include <numbers>

namespace weft::labelled {
namespace {

constexpr double kPi = std::numbers::pi;
/// An origin nearer to a pole than this (radians) is the pole.
constexpr double kPole = 1e-9;

/// The latitude on the sphere that shows the ellipsoid conformally.
double conformal(double lat, const Ellipsoid& earth) { return kPi / 2 - 2 * std::atan(map_t(lat, earth)); }

/// About a pole; `scale` is there.
MapInverse about_pole(bool south, double lon, double scale, const Ellipsoid& earth) {
  const double e = earth.e();
  // rho = a scale 2 t / ...: Snyder's 21-33.
  const double whole = 2 * earth.a * scale / std::sqrt(std::pow(1 + e, 1 + e) * std::pow(1 - e, 1 - e));
  return [=](double x, double y) {
    const double lat = lat_of_t(std::hypot(x, y) / whole, earth);
    return LatLon{south ? -lat : lat, lon + std::atan2(x, south ? y : -y)};
  };
}

/// The place that lies an angle from an origin, towards x and y, on a sphere.
LatLon from_origin(double lat, double lon, double angle, double x, double y) {
  const double far = std::hypot(x, y);
  if (far == 0) return {lat, lon};
  const double east = x / far * std::sin(angle), north = y / far * std::sin(angle), ahead = std::cos(angle);
  const double up = ahead * std::sin(lat) + north * std::cos(lat), out = ahead * std::cos(lat) - north * std::sin(lat);
  return {std::atan2(up, std::hypot(out, east)), lon + std::atan2(east, out)};
}

}  // namespace

MapInverse polar_stereographic(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const auto told = parameters.find("latitude_of_projection_origin");
  const auto parallel = parameters.find("standard_parallel");
  const bool south = told ? *told < 0 : parameters.number("standard_parallel") < 0;
  if (told && std::abs(std::abs(*told) - 90) > 1e-9) {
    throw Error("the attribute 'latitude_of_projection_origin' of " + parameters.what() +
                ", a grid mapping 'polar_stereographic', is 90 or -90, not " + std::to_string(*told));
  }
  const double lon = parameters.find("straight_vertical_longitude_from_pole")
                         ? parameters.angle("straight_vertical_longitude_from_pole")
                     : parameters.find("longitude_of_projection_origin")
                         ? parameters.angle("longitude_of_projection_origin")
                         : parameters.angle("straight_vertical_longitude_from_pole");
  double scale = parameters.number_or("scale_factor_at_projection_origin", 1);
  if (parallel && std::abs(std::abs(*parallel) - 90) > 1e-9) {
    const double lat = std::abs(*parallel) * kPi / 180, e = earth.e();
    scale = map_m(lat, earth) / map_t(lat, earth) * std::sqrt(std::pow(1 + e, 1 + e) * std::pow(1 - e, 1 - e)) / 2;
  }
  return about_pole(south, lon, scale, earth);
}

MapInverse stereographic(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lat = parameters.angle("latitude_of_projection_origin");
  const double lon = parameters.angle("longitude_of_projection_origin");
  const double scale = parameters.number_or("scale_factor_at_projection_origin", 1);
  if (kPi / 2 - std::abs(lat) < kPole) return about_pole(lat < 0, lon, scale, earth);
  const double origin = conformal(lat, earth);
  const double radius = earth.a * scale * map_m(lat, earth) / std::cos(origin);
  return [=](double x, double y) {
    const LatLon at = from_origin(origin, lon, 2 * std::atan(std::hypot(x, y) / (2 * radius)), x, y);
    return LatLon{lat_of_t(std::tan(kPi / 4 - at.lat / 2), earth), at.lon};
  };
}

MapInverse azimuthal_equal_area(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lat = parameters.angle("latitude_of_projection_origin");
  const double lon = parameters.angle("longitude_of_projection_origin");
  const double pole = map_q(kPi / 2, earth), radius = earth.a * std::sqrt(pole / 2);
  const bool polar = kPi / 2 - std::abs(lat) < kPole;
  const double origin = polar ? lat : std::asin(map_q(lat, earth) / pole);
  const double stretch = polar ? 1 : earth.a * map_m(lat, earth) / (radius * std::cos(origin));
  return [=](double x, double y) {
    const double u = x / stretch, v = y * stretch, far = std::hypot(u, v);
    if (far > 2 * radius) return LatLon{std::nan(""), std::nan("")};
    const LatLon at = from_origin(origin, lon, 2 * std::asin(far / (2 * radius)), u, v);
    return LatLon{lat_of_authalic(at.lat, earth), at.lon};
  };
}

}  // namespace weft::labelled
