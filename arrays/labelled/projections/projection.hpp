#pragma once

#include <weft/storage.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// From places on maps to latitudes and longitudes, after Snyder, "Map projections: a working manual" (1987).
namespace weft::labelled {

/// On the earth, in radians.
struct LatLon {
  double lat, lon;
};
/// Of a place on a map in metres (grid_longitude and grid_latitude, and angles of an instrument: radians); NaN where it
/// shows nothing of the earth.
using MapInverse = std::function<LatLon(double x, double y)>;

struct Ellipsoid {
  /// The larger half axis, metres; the square of the eccentricity.
  double a = 0, e2 = 0;
  double e() const;
};

/// The attributes of a grid mapping.
class MapParameters {
 public:
  /// `what`: how errors name it: "'crs' of 'tas.nc'". Borrows the attributes.
  MapParameters(const std::vector<io::Attribute>& attributes, std::string what)
      : attributes_(attributes), what_(std::move(what)) {}
  /// Throws Error where it is not there, or is no number.
  double number(const char* name) const;
  double number_or(const char* name, double otherwise) const;
  std::optional<double> find(const char* name) const;
  /// One or two of them.
  std::vector<double> numbers(const char* name) const;
  std::string text_or(const char* name, const char* otherwise) const;
  /// In radians.
  double angle(const char* name) const;
  double angle_or(const char* name, double otherwise) const;
  const std::string& what() const { return what_; }
  /// By its axes, or its name; WGS 84 where nothing is said.
  Ellipsoid ellipsoid() const;
  double false_easting() const { return number_or("false_easting", 0); }
  double false_northing() const { return number_or("false_northing", 0); }

 private:
  const std::vector<io::Attribute>& attributes_;
  const std::string what_;
};

/// What a map is drawn by. Throws Error that names the attribute that is missing, or the grid mappings there are.
MapInverse map_inverse(const MapParameters& parameters);

/// Those of one family each.
MapInverse polar_stereographic(const MapParameters& parameters);
MapInverse stereographic(const MapParameters& parameters);
MapInverse azimuthal_equal_area(const MapParameters& parameters);
MapInverse conformal_conic(const MapParameters& parameters);
MapInverse equal_area_conic(const MapParameters& parameters);
MapInverse mercator(const MapParameters& parameters);
MapInverse cylindrical_equal_area(const MapParameters& parameters);
MapInverse sinusoidal(const MapParameters& parameters);
MapInverse transverse_mercator(const MapParameters& parameters);
MapInverse rotated_pole(const MapParameters& parameters);
MapInverse geostationary(const MapParameters& parameters);

/// What projections of an ellipsoid are made of: m is a parallel's radius over a; t shrinks from 1 at the equator to 0
/// at the north pole, conformally; q grows with the area from the equator on.
double map_m(double lat, const Ellipsoid& earth);
double map_t(double lat, const Ellipsoid& earth);
double map_q(double lat, const Ellipsoid& earth);
double lat_of_t(double t, const Ellipsoid& earth);
/// `beta`: the latitude on the sphere of equal area.
double lat_of_authalic(double beta, const Ellipsoid& earth);
/// `mu`: the latitude on the sphere whose meridians are as long, of this radius.
double lat_of_rectifying(double mu, const Ellipsoid& earth);
double rectifying_radius(const Ellipsoid& earth);

/// The grid mapping of a GeoTIFF's keys, with CF's names. Throws Error that names a system that is not known. Empty
/// where the keys tell degrees.
std::vector<io::Attribute> mapping_of_geokeys(const std::vector<io::Attribute>& keys, const std::string& what);

}  // namespace weft::labelled
