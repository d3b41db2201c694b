// Maps on a cone about the earth's axis.
#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::labelled {
namespace {

constexpr double kRadians = std::numbers::pi / 180;

/// The two parallels, which may be one.
struct Parallels {
  double first, last;
  bool one() const { return std::abs(first - last) < 1e-10; }
};

Parallels parallels_of(const MapParameters& parameters, const char* otherwise) {
  const bool told = parameters.find("standard_parallel").has_value();
  const std::vector<double> values = parameters.numbers(told ? "standard_parallel" : otherwise);
  const Parallels out{values[0] * kRadians, (values.size() > 1 ? values[1] : values[0]) * kRadians};
  if (std::abs(out.first + out.last) < 1e-10) {
    throw Error("the attribute 'standard_parallel' of " + parameters.what() +
                " tells parallels as far north as south of the equator, about which there is no cone");
  }
  return out;
}

/// How far a place lies from the cone's tip, and how far round.
struct OnCone {
  double far, angle;
};
OnCone on_cone(double x, double y, double tip, double n) {
  const double side = n < 0 ? -1 : 1;
  return {std::hypot(x, tip - y), std::atan2(side * x, side * (tip - y)) / n};
}

}  // namespace

MapInverse conformal_conic(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const Parallels at = parallels_of(parameters, "latitude_of_projection_origin");
  const double lon = parameters.angle("longitude_of_central_meridian");
  const double origin = parameters.angle_or("latitude_of_projection_origin", at.first / kRadians);
  const double m = map_m(at.first, earth), t = map_t(at.first, earth);
  const double n =
      at.one() ? std::sin(at.first) : std::log(m / map_m(at.last, earth)) / std::log(t / map_t(at.last, earth));
  const double whole =
      earth.a * parameters.number_or("scale_factor_at_projection_origin", 1) * m / (n * std::pow(t, n));
  const double tip = whole * std::pow(map_t(origin, earth), n);
  return [=](double x, double y) {
    const OnCone place = on_cone(x, y, tip, n);
    return LatLon{lat_of_t(std::pow(place.far / std::abs(whole), 1 / n), earth), lon + place.angle};
  };
}

MapInverse equal_area_conic(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const Parallels at = parallels_of(parameters, "standard_parallel");
  const double lon = parameters.angle("longitude_of_central_meridian");
  const double origin = parameters.angle("latitude_of_projection_origin");
  const double m = map_m(at.first, earth), last = map_m(at.last, earth), q = map_q(at.first, earth);
  const double n = at.one() ? std::sin(at.first) : (m * m - last * last) / (map_q(at.last, earth) - q);
  const double c = m * m + n * q, pole = map_q(std::numbers::pi / 2, earth);
  const double tip = earth.a * std::sqrt(c - n * map_q(origin, earth)) / n;
  return [=](double x, double y) {
    const OnCone place = on_cone(x, y, tip, n);
    const double share = place.far * n / earth.a, sine = (c - share * share) / (n * pole);
    if (std::abs(sine) > 1 + 1e-12) return LatLon{std::nan(""), std::nan("")};
    return LatLon{lat_of_authalic(std::asin(std::clamp(sine, -1.0, 1.0)), earth), lon + place.angle};
  };
}

}  // namespace weft::labelled
