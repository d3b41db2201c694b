#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/labelled.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Values on a globe with some that are missing, by latitudes and longitudes or point by point.
LabelledArray globe(std::int64_t rows, std::int64_t columns, bool falls = false) {
  const LatLonGrid grid = LatLonGrid::named("r" + std::to_string(columns) + "x" + std::to_string(rows));
  Array values = random::uniform({2, rows, columns}, {.chunks = {1, 5, 7}, .seed = 4});
  values = arrays::where(values < 0.1, std::nan(""), values);
  std::vector<double> lat = grid.lat();
  if (falls) std::reverse(lat.begin(), lat.end());
  return {values,
          {"time", "lat", "lon"},
          {{"lat", Coordinate::of_numbers("lat", lat)}, {"lon", Coordinate::of_numbers("lon", grid.lon())}},
          "x"};
}
LabelledArray without_labels(const LabelledArray& x) { return {x.data(), {"time", "y", "x"}, {}, "x"}; }

NDArray table(const std::vector<double>& values, std::vector<std::int64_t> shape) {
  return NDArray::of(values, Shape(std::move(shape)));
}

/// The grid of an array point by point, with corners or without.
CellGrid cells_of(const LabelledArray& x, bool corners) {
  const std::vector<double>& rows = x.coordinates().at("lat").numbers();
  const std::vector<double>& columns = x.coordinates().at("lon").numbers();
  std::vector<double> lat, lon, lat_corners, lon_corners;
  const double high = (rows[1] - rows[0]) / 2, wide = (columns[1] - columns[0]) / 2;
  for (const double row : rows) {
    for (const double column : columns) {
      lat.push_back(row);
      lon.push_back(column);
      lat_corners.insert(lat_corners.end(), {row - high, row - high, row + high, row + high});
      lon_corners.insert(lon_corners.end(), {column - wide, column + wide, column + wide, column - wide});
    }
  }
  const std::int64_t r = std::ssize(rows), c = std::ssize(columns);
  if (!corners) return {{"y", "x"}, table(lat, {r, c}), table(lon, {r, c})};
  return {
      {"y", "x"}, table(lat, {r, c}), table(lon, {r, c}), table(lat_corners, {r, c, 4}), table(lon_corners, {r, c, 4})};
}

class RegridPointsTest : public testing::Test {
 protected:
  std::vector<double> values(const LabelledArray& x) { return client_.compute(x.data()).to_vector<double>(); }
  void expect_near(const LabelledArray& got, const LabelledArray& wanted, double apart, const char* what) {
    const std::vector<double> a = values(got), b = values(wanted);
    ASSERT_EQ(a.size(), b.size()) << what;
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << what << " " << i;
      if (std::isnan(a[i])) continue;
      ASSERT_NEAR(a[i], b[i], apart) << what << " " << i;
    }
  }

  Client client_{{.scheduler = "threads", .threads = 3}};
};

TEST_F(RegridPointsTest, ARegularGridToldPointByPointGivesWhatItsLabelsGive) {
  for (const bool falls : {false, true}) {
    const LabelledArray x = globe(18, 36, falls);
    for (const char* const name : {"r36x18", "r10x7", "r100x50", "r1x2"}) {
      const LatLonGrid target = LatLonGrid::named(name);
      const LabelledArray wanted = x.regrid(target, {.method = "conservative"});
      for (const bool corners : {true, false}) {
        const LabelledArray got =
            without_labels(x).regrid_points(cells_of(x, corners), target, {.method = "conservative"});
        expect_near(got, wanted, 1e-12, name);
        EXPECT_EQ(got.dims(), (std::vector<std::string>{"time", "lat", "lon"}));
      }
    }
  }
}

TEST_F(RegridPointsTest, ATargetToldPointByPointGetsWhatItsLabelsGet) {
  for (const bool falls : {false, true}) {
    const LabelledArray x = globe(18, 36, falls), like = globe(10, 23);
    for (const char* const method : {"nearest", "bilinear", "conservative"}) {
      const LabelledArray wanted = x.regrid(LatLonGrid::like(like), {.method = method});
      const LabelledArray got = x.regrid(cells_of(like, true), {.method = method});
      EXPECT_EQ(got.dims(), (std::vector<std::string>{"time", "y", "x"}));
      expect_near(got, wanted, 1e-12, method);
    }
  }
}

TEST_F(RegridPointsTest, FromCellsToCells) {
  const LabelledArray x = globe(18, 36), like = globe(10, 23);
  for (const char* const method : {"nearest", "conservative"}) {
    const LabelledArray wanted = x.regrid(LatLonGrid::like(like), {.method = method});
    const LabelledArray got =
        without_labels(x).regrid_points(cells_of(x, true), cells_of(like, false), {.method = method});
    expect_near(got, wanted, 1e-12, method);
  }
}

TEST_F(RegridPointsTest, CellsInARowHaveCornersThatAreTold) {
  // Two triangles, one of which a square covers.
  const NDArray lat = table({1, -1}, {2}), lon = table({1, 1}, {2});
  const CellGrid cells({"cell"}, lat, lon, table({0, 0, 2, 0, 0, -2}, {2, 3}), table({0, 2, 0, 0, 2, 2}, {2, 3}));
  const LabelledArray field(from(std::vector<double>{5, 7}), {"cell"});
  const LatLonGrid north({0.1}, {0.1}, {0, 0.2}, {0, 0.2}), both({0}, {1}, {-2, 2}, {0, 2});
  EXPECT_DOUBLE_EQ(values(field.regrid_points(cells, north, {.method = "conservative"}))[0], 5);
  EXPECT_NEAR(values(field.regrid_points(cells, both, {.method = "conservative", .min_coverage = 0.4}))[0], 6, 1e-3);
  EXPECT_TRUE(std::isnan(values(field.regrid_points(cells, both, {.method = "conservative", .min_coverage = 0.6}))[0]));
  EXPECT_THAT([&] { field.regrid_points(CellGrid({"cell"}, lat, lon), north, {.method = "conservative"}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("regrid_points ("), HasSubstr("give the corners"))));
}

TEST_F(RegridPointsTest, ASetIsToldWhereItsCellsAre) {
  const LabelledArray x = globe(18, 36), like = globe(4, 6);
  const Dataset got = Dataset({x}).regrid(cells_of(like, true), {.method = "conservative"});
  EXPECT_EQ(got["lat"].dims(), (std::vector<std::string>{"y", "x"}));
  EXPECT_EQ(got["lon_bnds"].dims(), (std::vector<std::string>{"y", "x", "nv"}));
  EXPECT_EQ(io::find_attribute(got["lat"].attributes(), "bounds")->text(), "lat_bnds");
  EXPECT_EQ(io::find_attribute(got["x"].attributes(), "coordinates")->text(), "lat lon");
  EXPECT_FALSE(Dataset({x}).regrid(cells_of(like, false)).has("lat_bnds"));
}

TEST_F(RegridPointsTest, CornersThatDoNotFitAreRefused) {
  const NDArray lat = table({1, 2, 3, 4}, {2, 2}), three = table({1, 2, 3}, {3});
  EXPECT_THAT([&] { CellGrid({"y", "x"}, lat, three); }, ThrowsMessage<Error>(HasSubstr("given as (2, 2) and (3,)")));
  EXPECT_THAT(
      [&] {
        CellGrid({"y", "x"}, lat, lat, three, three);
      },
      ThrowsMessage<Error>(HasSubstr("one axis more, of three corners or more")));
}

}  // namespace
}  // namespace weft
