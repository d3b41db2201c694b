#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::labelled {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kRadians = kPi / 180;

/// CF's names of grid mappings.
struct Row {
  const char* name;
  MapInverse (*make)(const MapParameters&);
};
constexpr Row kRows[] = {
    {"albers_conical_equal_area", equal_area_conic},
    {"geostationary", geostationary},
    {"lambert_azimuthal_equal_area", azimuthal_equal_area},
    {"lambert_conformal_conic", conformal_conic},
    {"lambert_cylindrical_equal_area", cylindrical_equal_area},
    {"mercator", mercator},
    {"polar_stereographic", polar_stereographic},
    {"rotated_latitude_longitude", rotated_pole},
    {"sinusoidal", sinusoidal},
    {"stereographic", stereographic},
    {"transverse_mercator", transverse_mercator},
};

struct NamedEllipsoid {
  const char* name;
  double a, inverse_flattening;
};
constexpr NamedEllipsoid kEllipsoids[] = {
    {"wgs84", 6378137, 298.257223563},        {"grs1980", 6378137, 298.257222101},
    {"grs80", 6378137, 298.257222101},        {"international1924", 6378388, 297},
    {"bessel1841", 6377397.155, 299.1528128}, {"clarke1866", 6378206.4, 294.978698213898},
};

Ellipsoid of_flattening(double a, double inverse) {
  const double f = inverse == 0 ? 0 : 1 / inverse;
  return {a, f * (2 - f)};
}

}  // namespace

double Ellipsoid::e() const { return std::sqrt(e2); }

std::optional<double> MapParameters::find(const char* name) const {
  const io::Attribute* const found = io::find_attribute(attributes_, name);
  if (found == nullptr) return {};
  const std::vector<double> values = found->numbers();
  if (values.empty()) throw Error("the attribute '" + std::string(name) + "' of " + what_ + " is no number");
  return values[0];
}

double MapParameters::number(const char* name) const {
  const std::optional<double> found = find(name);
  if (!found)
    throw Error(what_ + ", a grid mapping '" + text_or("grid_mapping_name", "") + "', lacks the attribute '" + name +
                "'");
  return *found;
}

double MapParameters::number_or(const char* name, double otherwise) const { return find(name).value_or(otherwise); }

std::vector<double> MapParameters::numbers(const char* name) const {
  number(name);
  return io::find_attribute(attributes_, name)->numbers();
}

std::string MapParameters::text_or(const char* name, const char* otherwise) const {
  const io::Attribute* const found = io::find_attribute(attributes_, name);
  return found != nullptr && found->is_text() ? found->text() : otherwise;
}

double MapParameters::angle(const char* name) const { return number(name) * kRadians; }
double MapParameters::angle_or(const char* name, double otherwise) const {
  return number_or(name, otherwise) * kRadians;
}

Ellipsoid MapParameters::ellipsoid() const {
  if (const std::optional<double> radius = find("earth_radius")) return {*radius, 0};
  if (const std::optional<double> a = find("semi_major_axis")) {
    if (const std::optional<double> inverse = find("inverse_flattening")) return of_flattening(*a, *inverse);
    const double b = number_or("semi_minor_axis", *a);
    return {*a, 1 - b * b / (*a * *a)};
  }
  const std::string said = text_or("reference_ellipsoid_name", "WGS 84");
  std::string name;
  for (const char one : said) {
    if (std::isalnum(static_cast<unsigned char>(one)) != 0)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(one)));
  }
  for (const NamedEllipsoid& one : kEllipsoids) {
    if (name == one.name) return of_flattening(one.a, one.inverse_flattening);
  }
  throw Error("the attribute 'reference_ellipsoid_name' of " + what_ + " is '" + said +
              "', which is not known here: give semi_major_axis and inverse_flattening");
}

MapInverse map_inverse(const MapParameters& parameters) {
  const std::string name = parameters.text_or("grid_mapping_name", "");
  std::string known;
  for (const Row& row : kRows) {
    if (name == row.name) {
      const MapInverse inverse = row.make(parameters);
      const double x0 = parameters.false_easting(), y0 = parameters.false_northing();
      return [=](double x, double y) { return inverse(x - x0, y - y0); };
    }
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error("the attribute 'grid_mapping_name' of " + parameters.what() + " is '" + name +
              "', which is not known; there are " + known);
}

double map_m(double lat, const Ellipsoid& earth) {
  const double sine = std::sin(lat);
  return std::cos(lat) / std::sqrt(1 - earth.e2 * sine * sine);
}

double map_t(double lat, const Ellipsoid& earth) {
  const double e = earth.e();
  return std::exp(-(std::asinh(std::tan(lat)) - e * std::atanh(e * std::sin(lat))));
}

double map_q(double lat, const Ellipsoid& earth) {
  const double e = earth.e(), sine = std::sin(lat);
  if (e == 0) return 2 * sine;
  return (1 - earth.e2) * (sine / (1 - earth.e2 * sine * sine) + std::atanh(e * sine) / e);
}

double lat_of_t(double t, const Ellipsoid& earth) {
  const double e = earth.e();
  double lat = kPi / 2 - 2 * std::atan(t);
  for (int i = 0; i < 20 && e > 0; ++i) {
    const double next = kPi / 2 - 2 * std::atan(t * std::exp(-e * std::atanh(e * std::sin(lat))));
    const bool same = std::abs(next - lat) < 1e-16;
    lat = next;
    if (same) break;
  }
  return lat;
}

double lat_of_authalic(double beta, const Ellipsoid& earth) {
  const double e2 = earth.e2, e4 = e2 * e2, e6 = e4 * e2;
  double lat = beta + (e2 / 3 + 31 * e4 / 180 + 517 * e6 / 5040) * std::sin(2 * beta) +
               (23 * e4 / 360 + 251 * e6 / 3780) * std::sin(4 * beta) + 761 * e6 / 45360 * std::sin(6 * beta);
  const double wanted = map_q(kPi / 2, earth) * std::sin(beta);
  for (int i = 0; i < 2 && e2 > 0; ++i) {
    // At the poles q is level: what the series says is exact there.
    const double sine = std::sin(lat), cosine = std::cos(lat), square = 1 - e2 * sine * sine;
    if (cosine > 1e-2) lat += (wanted - map_q(lat, earth)) * square * square / (2 * (1 - e2) * cosine);
  }
  return lat;
}

}  // namespace weft::labelled
