// Maps on a cylinder about the earth's axis; and the sinusoidal one, whose parallels are as long as they are.
#include "arrays/labelled/projections/projection.hpp"

#include <cmath>
#include <numbers>

namespace weft::labelled {
namespace {

const char* meridian_of(const MapParameters& parameters) {
  const bool central = parameters.find("longitude_of_central_meridian").has_value();
  return central ? "longitude_of_central_meridian" : "longitude_of_projection_origin";
}

/// At the equator.
double scale_of(const MapParameters& parameters, const Ellipsoid& earth) {
  if (parameters.find("standard_parallel")) return map_m(parameters.angle("standard_parallel"), earth);
  return parameters.number_or("scale_factor_at_projection_origin", 1);
}

}  // namespace

MapInverse mercator(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lon = parameters.angle(meridian_of(parameters)), radius = earth.a * scale_of(parameters, earth);
  return [=](double x, double y) { return LatLon{lat_of_t(std::exp(-y / radius), earth), lon + x / radius}; };
}

MapInverse cylindrical_equal_area(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lon = parameters.angle(meridian_of(parameters)), scale = scale_of(parameters, earth);
  const double pole = map_q(std::numbers::pi / 2, earth);
  return [=](double x, double y) {
    // Beyond the poles there is NaN.
    const double beta = std::asin(2 * y * scale / (earth.a * pole));
    return LatLon{lat_of_authalic(beta, earth), lon + x / (earth.a * scale)};
  };
}

MapInverse sinusoidal(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lon = parameters.angle(meridian_of(parameters)), radius = rectifying_radius(earth);
  return [=](double x, double y) {
    if (std::abs(y) > radius * std::numbers::pi / 2) return LatLon{std::nan(""), std::nan("")};
    const double lat = lat_of_rectifying(y / radius, earth);
    const double round = x / (earth.a * map_m(lat, earth));
    const bool shown = std::abs(round) <= std::numbers::pi * (1 + 1e-9);
    return shown ? LatLon{lat, lon + round} : LatLon{std::nan(""), std::nan("")};
  };
}

}  // namespace weft::labelled
