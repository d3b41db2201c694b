// GeoTIFF's keys: a system by its EPSG code, or a projection by its parameters.
#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/projections/projection.hpp"

#include <weft/error.hpp>
#include <weft/storage_writer.hpp>

#include <cmath>
#include <utility>

namespace weft::labelled {
namespace {

using Numbers = std::vector<std::pair<const char*, double>>;

/// A system of projected places: CF's name, the ellipsoid, and parameters.
struct Row {
  int code;
  const char* name;
  const char* ellipsoid;
  Numbers numbers;
  std::vector<double> parallels;
};

const std::vector<Row>& systems() {
  static const std::vector<Row> rows = {
      {2154,
       "lambert_conformal_conic",
       "GRS 1980",
       {{"longitude_of_central_meridian", 3},
        {"latitude_of_projection_origin", 46.5},
        {"false_easting", 700000},
        {"false_northing", 6600000}},
       {49, 44}},
      {3031,
       "polar_stereographic",
       "WGS 84",
       {{"straight_vertical_longitude_from_pole", 0}, {"latitude_of_projection_origin", -90}},
       {-71}},
      {3035,
       "lambert_azimuthal_equal_area",
       "GRS 1980",
       {{"longitude_of_projection_origin", 10},
        {"latitude_of_projection_origin", 52},
        {"false_easting", 4321000},
        {"false_northing", 3210000}},
       {}},
      {3395, "mercator", "WGS 84", {{"longitude_of_projection_origin", 0}}, {}},
      {3408,
       "lambert_azimuthal_equal_area",
       "",
       {{"longitude_of_projection_origin", 0}, {"latitude_of_projection_origin", 90}, {"earth_radius", 6371228}},
       {}},
      {3409,
       "lambert_azimuthal_equal_area",
       "",
       {{"longitude_of_projection_origin", 0}, {"latitude_of_projection_origin", -90}, {"earth_radius", 6371228}},
       {}},
      {3411,
       "polar_stereographic",
       "",
       {{"straight_vertical_longitude_from_pole", -45},
        {"latitude_of_projection_origin", 90},
        {"semi_major_axis", 6378273},
        {"inverse_flattening", 298.279411123064}},
       {70}},
      {3412,
       "polar_stereographic",
       "",
       {{"straight_vertical_longitude_from_pole", 0},
        {"latitude_of_projection_origin", -90},
        {"semi_major_axis", 6378273},
        {"inverse_flattening", 298.279411123064}},
       {-70}},
      {3413,
       "polar_stereographic",
       "WGS 84",
       {{"straight_vertical_longitude_from_pole", -45}, {"latitude_of_projection_origin", 90}},
       {70}},
      {3857, "mercator", "", {{"longitude_of_projection_origin", 0}, {"earth_radius", 6378137}}, {}},
      {3976,
       "polar_stereographic",
       "WGS 84",
       {{"straight_vertical_longitude_from_pole", 0}, {"latitude_of_projection_origin", -90}},
       {-70}},
      {3995,
       "polar_stereographic",
       "WGS 84",
       {{"straight_vertical_longitude_from_pole", 0}, {"latitude_of_projection_origin", 90}},
       {71}},
      {5070,
       "albers_conical_equal_area",
       "GRS 1980",
       {{"longitude_of_central_meridian", -96}, {"latitude_of_projection_origin", 23}},
       {29.5, 45.5}},
      {6931,
       "lambert_azimuthal_equal_area",
       "WGS 84",
       {{"longitude_of_projection_origin", 0}, {"latitude_of_projection_origin", 90}},
       {}},
      {6932,
       "lambert_azimuthal_equal_area",
       "WGS 84",
       {{"longitude_of_projection_origin", 0}, {"latitude_of_projection_origin", -90}},
       {}},
      {6933, "lambert_cylindrical_equal_area", "WGS 84", {{"longitude_of_central_meridian", 0}}, {30}},
  };
  return rows;
}

io::Attribute numbers_attribute(const char* name, std::vector<double> values) {
  io::Attribute one = io::number_attribute(name, values[0]);
  if (values.size() > 1) {
    one.shape = {static_cast<std::int64_t>(values.size())};
    one.reals = std::move(values);
  }
  return one;
}

std::vector<io::Attribute> mapping_of(const Row& row) {
  std::vector<io::Attribute> out;
  set_text(out, "grid_mapping_name", row.name);
  if (*row.ellipsoid != '\0') set_text(out, "reference_ellipsoid_name", row.ellipsoid);
  for (const auto& [name, value] : row.numbers) out.push_back(io::number_attribute(name, value));
  if (!row.parallels.empty()) out.push_back(numbers_attribute("standard_parallel", row.parallels));
  return out;
}

/// Of a zone of UTM, six degrees wide.
Row utm(int zone, bool south, const char* ellipsoid) {
  return {0,
          "transverse_mercator",
          ellipsoid,
          {{"longitude_of_central_meridian", 6.0 * zone - 183},
           {"latitude_of_projection_origin", 0},
           {"scale_factor_at_central_meridian", 0.9996},
           {"false_easting", 500000},
           {"false_northing", south ? 10000000 : 0}},
          {}};
}

std::optional<Row> system_of(int code) {
  const int zone = code % 100;
  if (code > 32600 && code <= 32660) return utm(zone, false, "WGS 84");
  if (code > 32700 && code <= 32760) return utm(zone, true, "WGS 84");
  if (code >= 25828 && code <= 25838) return utm(zone, false, "GRS 1980");
  if (code >= 26901 && code <= 26923) return utm(zone, false, "GRS 1980");
  for (const Row& row : systems()) {
    if (row.code == code) return row;
  }
  return {};
}

/// GeoTIFF's numbers of methods, and under which of CF's names their keys are told.
struct Method {
  int code;
  const char* name;
  std::vector<std::pair<const char*, const char*>> keys;
};
const std::vector<Method>& methods() {
  static const std::vector<Method> all = {
      {1,
       "transverse_mercator",
       {{"ProjNatOriginLongGeoKey", "longitude_of_central_meridian"},
        {"ProjNatOriginLatGeoKey", "latitude_of_projection_origin"},
        {"ProjScaleAtNatOriginGeoKey", "scale_factor_at_central_meridian"}}},
      {7,
       "mercator",
       {{"ProjNatOriginLongGeoKey", "longitude_of_projection_origin"},
        {"ProjStdParallel1GeoKey", "standard_parallel"},
        {"ProjScaleAtNatOriginGeoKey", "scale_factor_at_projection_origin"}}},
      {8,
       "lambert_conformal_conic",
       {{"ProjFalseOriginLongGeoKey", "longitude_of_central_meridian"},
        {"ProjNatOriginLongGeoKey", "longitude_of_central_meridian"},
        {"ProjFalseOriginLatGeoKey", "latitude_of_projection_origin"},
        {"ProjNatOriginLatGeoKey", "latitude_of_projection_origin"}}},
      {9,
       "lambert_conformal_conic",
       {{"ProjNatOriginLongGeoKey", "longitude_of_central_meridian"},
        {"ProjNatOriginLatGeoKey", "latitude_of_projection_origin"},
        {"ProjScaleAtNatOriginGeoKey", "scale_factor_at_projection_origin"}}},
      {10,
       "lambert_azimuthal_equal_area",
       {{"ProjCenterLongGeoKey", "longitude_of_projection_origin"},
        {"ProjCenterLatGeoKey", "latitude_of_projection_origin"}}},
      {11,
       "albers_conical_equal_area",
       {{"ProjNatOriginLongGeoKey", "longitude_of_central_meridian"},
        {"ProjNatOriginLatGeoKey", "latitude_of_projection_origin"}}},
      {15,
       "polar_stereographic",
       {{"ProjStraightVertPoleLongGeoKey", "straight_vertical_longitude_from_pole"},
        {"GeoKey_3095", "straight_vertical_longitude_from_pole"},
        {"ProjNatOriginLatGeoKey", "standard_parallel"},
        {"ProjScaleAtNatOriginGeoKey", "scale_factor_at_projection_origin"}}},
      {24,
       "sinusoidal",
       {{"ProjCenterLongGeoKey", "longitude_of_projection_origin"},
        {"ProjNatOriginLongGeoKey", "longitude_of_projection_origin"}}},
      {28,
       "lambert_cylindrical_equal_area",
       {{"ProjNatOriginLongGeoKey", "longitude_of_central_meridian"}, {"ProjStdParallel1GeoKey", "standard_parallel"}}},
  };
  return all;
}

/// Of a system that the file describes itself.
std::vector<io::Attribute> described(const MapParameters& keys, int method) {
  for (const Method& one : methods()) {
    if (one.code != method) continue;
    std::vector<io::Attribute> out;
    set_text(out, "grid_mapping_name", one.name);
    for (const auto& [key, name] : one.keys) {
      if (keys.find(key) && io::find_attribute(out, name) == nullptr)
        out.push_back(io::number_attribute(name, keys.number(key)));
    }
    if (keys.find("ProjStdParallel1GeoKey") && keys.find("ProjStdParallel2GeoKey") && (method == 8 || method == 11)) {
      out.push_back(numbers_attribute("standard_parallel",
                                      {keys.number("ProjStdParallel1GeoKey"), keys.number("ProjStdParallel2GeoKey")}));
    }
    for (const auto& [key, name] :
         {std::pair{"ProjFalseEastingGeoKey", "false_easting"}, std::pair{"ProjFalseNorthingGeoKey", "false_northing"},
          std::pair{"GeogSemiMajorAxisGeoKey", "semi_major_axis"},
          std::pair{"GeogSemiMinorAxisGeoKey", "semi_minor_axis"},
          std::pair{"GeogInvFlatteningGeoKey", "inverse_flattening"}}) {
      if (keys.find(key)) out.push_back(io::number_attribute(name, keys.number(key)));
    }
    const int datum = static_cast<int>(keys.number_or("GeographicTypeGeoKey", 4326));
    if (datum == 4258 || datum == 4269) set_text(out, "reference_ellipsoid_name", "GRS 1980");
    return out;
  }
  throw Error(keys.what() + " has a projection with the number " + std::to_string(method) +
              " (ProjCoordTransGeoKey), which is not known");
}

}  // namespace

std::vector<io::Attribute> mapping_of_geokeys(const std::vector<io::Attribute>& attributes, const std::string& what) {
  const MapParameters keys(attributes, what);
  if (static_cast<int>(keys.number_or("GTModelTypeGeoKey", 1)) == 2) return {};
  constexpr double kOwn = 32767, kMetre = 9001;
  if (keys.number_or("ProjLinearUnitsGeoKey", kMetre) != kMetre)
    throw Error(what + " counts in other units than metres (ProjLinearUnitsGeoKey)");
  const double code = keys.number_or("ProjectedCSTypeGeoKey", kOwn);
  if (code == kOwn) return described(keys, static_cast<int>(keys.number("ProjCoordTransGeoKey")));
  if (const std::optional<Row> row = system_of(static_cast<int>(code))) return mapping_of(*row);
  throw Error(what + " is in the system EPSG:" + std::to_string(static_cast<int>(code)) +
              ", which is not known: UTM of WGS 84, ETRS89 and NAD83, and the usual ones of polar regions, Europe and "
              "North America are");
}

}  // namespace weft::labelled
