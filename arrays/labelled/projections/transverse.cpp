// The transverse Mercator projection, which UTM is: by Krueger's series in the third flattening n, to its sixth power,
// as Karney ("Transverse Mercator with an accuracy of a few nanometers", 2011) gives them; they hold far from the
// meridian, where Snyder's do not.
#include "arrays/labelled/projections/projection.hpp"

#include <array>
#include <cmath>

namespace weft::labelled {
namespace {

using Series = std::array<double, 6>;

/// From the conformal latitude to a meridian's length.
Series forward_series(double n) {
  const double n2 = n * n, n3 = n2 * n, n4 = n3 * n, n5 = n4 * n, n6 = n5 * n;
  return {n / 2 - n2 * 2 / 3 + n3 * 5 / 16 + n4 * 41 / 180 - n5 * 127 / 288 + n6 * 7891 / 37800,
          n2 * 13 / 48 - n3 * 3 / 5 + n4 * 557 / 1440 + n5 * 281 / 630 - n6 * 1983433 / 1935360,
          n3 * 61 / 240 - n4 * 103 / 140 + n5 * 15061 / 26880 + n6 * 167603 / 181440,
          n4 * 49561 / 161280 - n5 * 179 / 168 + n6 * 6601661 / 7257600,
          n5 * 34729 / 80640 - n6 * 3418889 / 1995840,
          n6 * 212378941 / 319334400};
}
Series inverse_series(double n) {
  const double n2 = n * n, n3 = n2 * n, n4 = n3 * n, n5 = n4 * n, n6 = n5 * n;
  return {n / 2 - n2 * 2 / 3 + n3 * 37 / 96 - n4 / 360 - n5 * 81 / 512 + n6 * 96199 / 604800,
          n2 / 48 + n3 / 15 - n4 * 437 / 1440 + n5 * 46 / 105 - n6 * 1118711 / 3870720,
          n3 * 17 / 480 - n4 * 37 / 840 - n5 * 209 / 4480 + n6 * 5569 / 90720,
          n4 * 4397 / 161280 - n5 * 11 / 504 - n6 * 830251 / 7257600,
          n5 * 4583 / 161280 - n6 * 108847 / 3991680,
          n6 * 20648693 / 638668800};
}

double third_flattening(const Ellipsoid& earth) {
  const double axis = std::sqrt(1 - earth.e2);
  return (1 - axis) / (1 + axis);
}

}  // namespace

double rectifying_radius(const Ellipsoid& earth) {
  const double n = third_flattening(earth);
  return earth.a / (1 + n) * (1 + n * n / 4 + std::pow(n, 4) / 64 + std::pow(n, 6) / 256);
}

double lat_of_rectifying(double mu, const Ellipsoid& earth) {
  const Series back = inverse_series(third_flattening(earth));
  double conformal = mu;
  for (std::size_t j = 0; j < back.size(); ++j) conformal -= back[j] * std::sin(2 * static_cast<double>(j + 1) * mu);
  return lat_of_t(std::exp(-std::asinh(std::tan(conformal))), earth);
}

MapInverse transverse_mercator(const MapParameters& parameters) {
  const Ellipsoid earth = parameters.ellipsoid();
  const double lon = parameters.angle("longitude_of_central_meridian");
  const double origin = parameters.angle("latitude_of_projection_origin");
  const double scale = parameters.number_or("scale_factor_at_central_meridian", 1);
  const double n = third_flattening(earth), radius = scale * rectifying_radius(earth);
  const Series back = inverse_series(n), there = forward_series(n);
  const double conformal = std::atan(std::sinh(-std::log(map_t(origin, earth))));
  double begin = conformal;
  for (std::size_t j = 0; j < there.size(); ++j)
    begin += there[j] * std::sin(2 * static_cast<double>(j + 1) * conformal);
  return [=](double x, double y) {
    const double along = y / radius + begin, across = x / radius;
    double up = along, out = across;
    for (std::size_t j = 0; j < back.size(); ++j) {
      const double times = 2 * static_cast<double>(j + 1);
      up -= back[j] * std::sin(times * along) * std::cosh(times * across);
      out -= back[j] * std::cos(times * along) * std::sinh(times * across);
    }
    const double tangent = std::sin(up) / std::hypot(std::sinh(out), std::cos(up));
    return LatLon{lat_of_t(std::exp(-std::asinh(tangent)), earth), lon + std::atan2(std::sinh(out), std::cos(up))};
  };
}

}  // namespace weft::labelled
