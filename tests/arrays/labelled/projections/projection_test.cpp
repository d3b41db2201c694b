#include "arrays/labelled/projections/projection.hpp"

#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/latlon.hpp>
#include <weft/storage_writer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>
#include <set>
#include <sstream>

namespace weft::labelled {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kDegrees = 180 / std::numbers::pi;

std::vector<double> numbers_of(const std::string& text) {
  std::vector<double> out;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (end != word.c_str() + word.size()) return {};
    out.push_back(value);
  }
  return out;
}

/// "name=1,2 other=text" as attributes.
std::vector<io::Attribute> attributes_of(const std::string& line) {
  std::vector<io::Attribute> out;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const std::size_t cut = word.find('=');
    if (cut == std::string::npos) continue;
    const std::string name = word.substr(0, cut), value = word.substr(cut + 1);
    const std::vector<double> numbers = numbers_of(value);
    if (numbers.empty()) {
      out.push_back(io::text_attribute(name, value));
      continue;
    }
    out.push_back(io::number_attribute(name, numbers[0]));
    out.back().reals = numbers;
    if (numbers.size() > 1) out.back().shape = {std::ssize(numbers)};
  }
  return out;
}

TEST(ProjectionTest, PlacesAreThoseOfProj) {
  std::ifstream answers(WEFT_SOURCE_DIR "/tests/arrays/oracle/projection_answers.txt");
  ASSERT_TRUE(answers.good());
  MapInverse inverse;
  std::string mapping;
  std::set<std::string> names;
  int places = 0;
  for (std::string line; std::getline(answers, line);) {
    if (line.rfind("map", 0) == 0) {
      mapping = line;
      const std::vector<io::Attribute> attributes = attributes_of(line);
      names.insert(io::find_attribute(attributes, "grid_mapping_name")->text());
      inverse = map_inverse(MapParameters(attributes, "the test"));
      continue;
    }
    std::istringstream words(line.substr(2));
    double x = 0, y = 0, lat = 0, lon = 0;
    words >> x >> y >> lat >> lon;
    if (mapping.find("rotated") != std::string::npos) x /= kDegrees, y /= kDegrees;
    const LatLon at = inverse(x, y);
    // A tenth of a millimetre, on a meridian and on a parallel.
    EXPECT_NEAR(at.lat * kDegrees, lat, 1e-9) << mapping << line;
    EXPECT_NEAR(std::remainder(at.lon * kDegrees - lon, 360.0) * std::cos(lat / kDegrees), 0, 1e-9) << mapping << line;
    ++places;
  }
  EXPECT_EQ(names.size(), 11U);
  EXPECT_GT(places, 600);
}

TEST(ProjectionTest, ThePolesAndOriginsAreExact) {
  const auto at = [](const char* words, double x, double y) {
    const std::vector<io::Attribute> attributes = attributes_of(words);
    return map_inverse(MapParameters(attributes, "the test"))(x, y);
  };
  const char* const stereo =
      "grid_mapping_name=polar_stereographic latitude_of_projection_origin=-90 standard_parallel=-71 "
      "straight_vertical_longitude_from_pole=0";
  EXPECT_DOUBLE_EQ(at(stereo, 0, 0).lat * kDegrees, -90);
  const char* const laea =
      "grid_mapping_name=lambert_azimuthal_equal_area latitude_of_projection_origin=90 "
      "longitude_of_projection_origin=0";
  EXPECT_DOUBLE_EQ(at(laea, 0, 0).lat * kDegrees, 90);
  EXPECT_NEAR((90 - at(laea, 0, -1).lat * kDegrees) * 111694, 1, 1e-4);
  EXPECT_TRUE(std::isnan(at(laea, 2e7, 0).lat));
  const char* const view =
      "grid_mapping_name=geostationary perspective_point_height=35786023 longitude_of_projection_origin=9";
  EXPECT_DOUBLE_EQ(at(view, 0, 0).lon * kDegrees, 9);
  EXPECT_TRUE(std::isnan(at(view, 0.16, 0).lat));
}

TEST(ProjectionTest, WhatIsMissingOrUnknownIsTold) {
  const auto refuses = [](const char* words, const char* part) {
    const std::vector<io::Attribute> attributes = attributes_of(words);
    EXPECT_THAT([&] { map_inverse(MapParameters(attributes, "'crs' of 'a.nc'")); },
                ThrowsMessage<Error>(AllOf(HasSubstr("'crs' of 'a.nc'"), HasSubstr(part))));
  };
  refuses("grid_mapping_name=krovak", "is 'krovak', which is not known; there are albers_conical_equal_area");
  refuses("grid_mapping_name=transverse_mercator longitude_of_central_meridian=3",
          "lacks the attribute 'latitude_of_projection_origin'");
  refuses("grid_mapping_name=mercator longitude_of_projection_origin=x", "'longitude_of_projection_origin'");
  refuses("grid_mapping_name=mercator longitude_of_projection_origin=1 reference_ellipsoid_name=Everest",
          "is 'Everest', which is not known here: give semi_major_axis");
  refuses("grid_mapping_name=polar_stereographic latitude_of_projection_origin=52", "is 90 or -90");
  refuses("grid_mapping_name=lambert_conformal_conic standard_parallel=10,-10", "no cone");
}

TEST(ProjectionTest, KeysOfGeoTiffAreTheSameMaps) {
  const auto inverse = [](const char* keys) {
    const std::vector<io::Attribute> mapping = mapping_of_geokeys(attributes_of(keys), "'a.tif'");
    return map_inverse(MapParameters(mapping, "'a.tif'"));
  };
  // UTM 33 north, by its number and by its parameters.
  const LatLon one = inverse("GTModelTypeGeoKey=1 ProjectedCSTypeGeoKey=32633")(500000, 5000000);
  const LatLon other = inverse(
      "GTModelTypeGeoKey=1 ProjectedCSTypeGeoKey=32767 ProjCoordTransGeoKey=1 ProjNatOriginLongGeoKey=15 "
      "ProjNatOriginLatGeoKey=0 ProjScaleAtNatOriginGeoKey=0.9996 ProjFalseEastingGeoKey=500000 "
      "ProjFalseNorthingGeoKey=0 GeogSemiMajorAxisGeoKey=6378137 GeogInvFlatteningGeoKey=298.257223563")(500000,
                                                                                                         5000000);
  EXPECT_DOUBLE_EQ(one.lat, other.lat);
  EXPECT_NEAR(one.lon * kDegrees, 15, 1e-12);
  EXPECT_NEAR(one.lat * kDegrees, 45.153477183356, 1e-11);
  EXPECT_NEAR(inverse("GTModelTypeGeoKey=1 ProjectedCSTypeGeoKey=3857")(0, 5621521.486192066).lat * kDegrees, 45, 1e-9);
  EXPECT_TRUE(mapping_of_geokeys(attributes_of("GTModelTypeGeoKey=2 GeographicTypeGeoKey=4326"), "").empty());
  EXPECT_THAT([&] { inverse("GTModelTypeGeoKey=1 ProjectedCSTypeGeoKey=27700"); },
              ThrowsMessage<Error>(HasSubstr("'a.tif' is in the system EPSG:27700, which is not known")));
}

TEST(OnMapTest, CellsHaveTheAreasOfTheMap) {
  // Equal areas on the map are equal areas on the earth, here a ball.
  const std::vector<io::Attribute> mapping = attributes_of(
      "grid_mapping_name=lambert_azimuthal_equal_area latitude_of_projection_origin=50 "
      "longitude_of_projection_origin=10 earth_radius=6371000");
  const auto km = [](const char* name, std::vector<double> labels) {
    return Coordinate::of_numbers(name, std::move(labels), {io::text_attribute("units", "km")});
  };
  const CellGrid grid = CellGrid::on_map(km("y", {0, 10, 20}), km("x", {-500, -490, -480, -470}), mapping);
  EXPECT_EQ(grid.shape(), (Shape{3, 4}));
  EXPECT_EQ(grid.around(), 4U);
  EXPECT_NEAR(grid.lat()[0], 50, 0.3);
  EXPECT_EQ(grid.labels().at("x").numbers()[3], -470);
  const Coordinate miles = Coordinate::of_numbers("x", {0, 1}, {io::text_attribute("units", "miles")});
  EXPECT_THAT(
      [&] {
        CellGrid::on_map(km("y", {0, 1}), miles, mapping, "'crs'");
      },
      ThrowsMessage<Error>(HasSubstr("'x', which 'crs' has to do with, are in 'miles'")));
}

}  // namespace
}  // namespace weft::labelled
