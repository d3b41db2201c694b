#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/labelled.hpp>

#include "arrays/labelled/axis_weights.hpp"

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

/// A field on the globe of `rows` x `columns`, several times.
LabelledArray globe(std::int64_t times, std::int64_t rows, std::int64_t columns, const Chunks& chunks) {
  const LatLonGrid grid = LatLonGrid::named("r" + std::to_string(columns) + "x" + std::to_string(rows));
  return {random::uniform({times, rows, columns}, {.chunks = chunks, .seed = 4}),
          {"time", "lat", "lon"},
          {{"lat", Coordinate::of_numbers("lat", grid.lat())}, {"lon", Coordinate::of_numbers("lon", grid.lon())}},
          "x"};
}

/// The mean over the sphere, by the areas of the cells of a regular grid.
double mean_of(const Client& client, const LabelledArray& array) {
  const std::vector<double> values = client.compute(array.data()).to_vector<double>();
  const std::vector<double>& lat = array.coordinates().at("lat").numbers();
  const double high = lat[1] - lat[0];
  const std::size_t columns = array.coordinates().at("lon").size();
  double sum = 0, area = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double at = lat[i / columns % lat.size()];
    const double one =
        std::sin((at + high / 2) * std::numbers::pi / 180) - std::sin((at - high / 2) * std::numbers::pi / 180);
    sum += values[i] * one;
    area += one;
  }
  return sum / area;
}

class RegridTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "threads", .threads = 3}};
};

TEST_F(RegridTest, TheMeanOfTheGlobeStays) {
  const LabelledArray x = globe(1, 36, 72, {1, 10, 17});
  const double wanted = mean_of(client_, x);
  for (const char* const grid : {"r10x6", "r72x36", "r100x50", "r7x91", "r1x2"}) {
    const LabelledArray y = x.regrid(LatLonGrid::named(grid), {.method = "conservative"});
    EXPECT_NEAR(mean_of(client_, y), wanted, 1e-13) << grid;
  }
}

TEST_F(RegridTest, TheGridItselfGivesTheSameValues) {
  const LabelledArray x = globe(2, 9, 12, {1, 4, 5});
  const std::vector<double> wanted = client_.compute(x.data()).to_vector<double>();
  for (const char* const method : {"nearest", "bilinear", "conservative"}) {
    const LabelledArray y = x.regrid(LatLonGrid::like(x), {.method = method});
    const std::vector<double> got = client_.compute(y.data()).to_vector<double>();
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 1e-14) << method << i;
  }
}

TEST_F(RegridTest, BuildingReadsNothingAndChunksStayAsLargeAsTheyWere) {
  const LabelledArray x = globe(100'000, 1800, 3600, {10, 600, 600});
  for (const char* const method : {"nearest", "bilinear", "conservative"}) {
    for (const char* const grid : {"r360x180", "r36000x18000"}) {
      const LabelledArray y = x.regrid(LatLonGrid::named(grid), {.method = method});
      for (const auto& sizes : y.data().chunks()) EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 600);
    }
  }
}

TEST_F(RegridTest, AChunkReadsTheChunksAroundItOnly) {
  // A chunk of the array throws where it is read: those of the target far from it do not touch it.
  LabelledArray x = globe(1, 40, 80, {1, 10, 10});
  x = x.apply([](const Array& all) {
    return map_blocks(all, [](ChunkView<const double, 3> in, ChunkView<double, 3> out, const BlockInfo& info) {
      if (info.location[1] == 2 && info.location[2] == 5) throw Error("read");
      for (std::int64_t i = 0; i < in.extent(1); ++i) {
        for (std::int64_t j = 0; j < in.extent(2); ++j) out(0, i, j) = in(0, i, j);
      }
    });
  });
  for (const char* const method : {"nearest", "bilinear", "conservative"}) {
    const Array y = x.regrid(LatLonGrid::named("r160x80"), {.method = method}).data();
    EXPECT_NO_THROW(client_.compute(y(0, slice(0, 30), slice()))) << method;
    EXPECT_NO_THROW(client_.compute(y(0, slice(), slice(0, 70)))) << method;
    EXPECT_THROW(client_.compute(y(0, slice(40, 60), slice(100, 120))), std::exception) << method;
  }
}

TEST_F(RegridTest, CellsMayBeToldByTheirEdges) {
  const LabelledArray x(
      from(std::vector<double>{1, 3}).reshape({1, 2}), {"lat", "lon"},
      {{"lat", Coordinate::of_numbers("lat", {0})}, {"lon", Coordinate::of_numbers("lon", {10, 50})}});
  const LatLonGrid whole({0}, {60}, {-90, 90}, {0, 120});
  RegridOptions options{.method = "conservative", .min_coverage = 0, .lat_edges = {-90, 90}, .lon_edges = {0, 30, 120}};
  EXPECT_DOUBLE_EQ(client_.compute(x.regrid(whole, options).data()).item<double>(), (1 * 30 + 3 * 90) / 120.0);
  options.lon_edges = {0, 30, 60};
  EXPECT_DOUBLE_EQ(client_.compute(x.regrid(whole, options).data()).item<double>(), 2);
  options.min_coverage = 0.51;
  EXPECT_TRUE(std::isnan(client_.compute(x.regrid(whole, options).data()).item<double>()));
}

/// Latitudes and longitudes of each point of a grid, and its values with the dimensions y and x.
struct Points {
  NDArray lat, lon;
  LabelledArray values;
};
Points points_of(const LabelledArray& x) {
  const std::vector<double>& rows = x.coordinates().at("lat").numbers();
  const std::vector<double>& columns = x.coordinates().at("lon").numbers();
  std::vector<double> lat, lon;
  for (const double row : rows) {
    for (const double column : columns) lat.push_back(row), lon.push_back(column);
  }
  const std::vector<std::int64_t> shape{std::ssize(rows), std::ssize(columns)};
  return {NDArray::of(lat, shape), NDArray::of(lon, shape), LabelledArray(x.data(), {"time", "y", "x"}, {}, "x")};
}

TEST_F(RegridTest, ACurvilinearGridThatIsRegularGivesWhatTheRegularOneGives) {
  const LabelledArray x = globe(2, 18, 36, {1, 7, 11});
  const Points points = points_of(x);
  const LatLonGrid target({-71.5, -30, 0.25, 44}, {1.5, 90, 179.9, 356});
  const NDArray wanted = client_.compute(x.regrid(target).data());
  const NDArray got = client_.compute(
      points.values.regrid_points({"y", "x"}, points.lat, points.lon, target, {.method = "bilinear"}).data());
  ASSERT_EQ(got.shape(), wanted.shape());
  for (std::int64_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got.to_vector<double>()[static_cast<std::size_t>(i)],
                wanted.to_vector<double>()[static_cast<std::size_t>(i)], 1e-12);
  }
}

TEST_F(RegridTest, NearAPoleCellsLieOnAPlane) {
  // Points around the pole, told by a grid turned away from it: x is linear on the plane.
  std::vector<double> lat, lon, values;
  for (int row = -3; row <= 3; ++row) {
    for (int column = -3; column <= 3; ++column) {
      const double x = 0.02 * column + 0.003 * row, y = 0.02 * row;
      lat.push_back(std::atan2(1, std::hypot(x, y)) * 180 / std::numbers::pi);
      lon.push_back(std::atan2(y, x) * 180 / std::numbers::pi);
      values.push_back(x);
    }
  }
  const LabelledArray field(from(std::move(values)).reshape({7, 7}), {"y", "x"});
  const LatLonGrid target({88, 90, 89.5, 80}, {0, 60, 180, 300});
  const std::vector<double> got =
      client_
          .compute(field
                       .regrid_points({"y", "x"}, NDArray::of(lat, {7, 7}), NDArray::of(lon, {7, 7}), target,
                                      {.method = "bilinear"})
                       .data())
          .to_vector<double>();
  for (std::size_t i = 0; i < 12; ++i) {
    const double far = std::tan((90 - target.lat()[i / 4]) * std::numbers::pi / 180);
    EXPECT_NEAR(got[i], far * std::cos(target.lon()[i % 4] * std::numbers::pi / 180), 2e-5) << i;
  }
  EXPECT_TRUE(std::isnan(got[12]));
}

TEST_F(RegridTest, WhatIsMissingAtACornerCountsNothing) {
  const double nan = std::nan("");
  const LabelledArray field(from(std::vector<double>{1, nan, 3, 5}).reshape({2, 2}), {"y", "x"});
  const NDArray lat = NDArray::of(std::vector<double>{0, 0, 10, 10}, {2, 2}),
                lon = NDArray::of(std::vector<double>{0, 10, 0, 10}, {2, 2});
  const auto at = [&](double a, double b, double coverage) {
    return client_
        .compute(field.regrid_points({"y", "x"}, lat, lon, {{a}, {b}}, {.method = "bilinear", .min_coverage = coverage})
                     .data())
        .item<double>();
  };
  EXPECT_DOUBLE_EQ(at(0, 0, 1), 1);
  EXPECT_DOUBLE_EQ(at(5, 5, 0.5), 3);
  EXPECT_TRUE(std::isnan(at(5, 5, 0.8)));
  EXPECT_TRUE(std::isnan(at(0, 10, 0)));
  EXPECT_TRUE(std::isnan(at(11, 5, 0)));
}

TEST_F(RegridTest, OfASetVariablesWithBothDimensionsChangeAndBoundsAreTheNewOnes) {
  const LabelledArray x = globe(2, 6, 8, 4);
  const LabelledArray bounds(zeros({6, 2}), {"lat", "bnds"}, {}, "lat_bnds");
  const LabelledArray series(arange(2), {"time"}, {}, "series");
  const Dataset y = Dataset({x, bounds, series}).regrid({-30, 30}, {0, 120, 240});
  EXPECT_EQ(client_.compute(y["lat_bnds"].data()).to_vector<double>(), (std::vector<double>{-60, 0, 0, 60}));
  EXPECT_EQ(client_.compute(y["lon_bnds"].data()).to_vector<double>(),
            (std::vector<double>{-60, 60, 60, 180, 180, 300}));
  EXPECT_EQ(io::find_attribute(y.coordinates().at("lat").attributes(), "bounds")->text(), "lat_bnds");
  EXPECT_FALSE(Dataset({x}).regrid({0}, {0}).has("lat_bnds"));
  EXPECT_EQ(y["x"].data().shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(y["series"].extent("time"), 2);
  EXPECT_EQ(io::find_attribute(y["x"].coordinates().at("lat").attributes(), "units")->text(), "degrees_north");
}

TEST_F(RegridTest, DimensionsAreFoundByTheirUnitsOrNamed) {
  const LabelledArray x = globe(1, 6, 8, 4).isel("time", 0);
  const auto named = [&](const char* rows, const char* columns, std::vector<io::Attribute> units) {
    return LabelledArray(x.data(), {rows, columns},
                         {{rows, Coordinate::of_numbers(rows, x.coordinates().at("lat").numbers(), std::move(units))},
                          {columns, Coordinate::of_numbers(columns, x.coordinates().at("lon").numbers())}});
  };
  io::Attribute north;
  north.name = "units";
  north.type.kind = io::ElementKind::VariableText;
  north.texts = {"degrees_north"};
  EXPECT_EQ(named("rlat", "longitude", {north}).regrid({0}, {0, 10}).data().shape(), (Shape{1, 2}));
  EXPECT_EQ(named("a", "b", {}).regrid({0}, {0, 10}, {.lat = "a", .lon = "b"}).data().shape(), (Shape{1, 2}));
  EXPECT_THAT([&] { named("a", "b", {}).regrid({0}, {0}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("regrid ("), HasSubstr("regrid_test.cpp:"),
                                         HasSubstr("no dimension has latitudes as labels"), HasSubstr("but: a, b"))));
}

TEST_F(RegridTest, WhatCannotBeIsToldWithTheCallAndItsLine) {
  const LabelledArray x = globe(1, 6, 8, 4);
  const auto refuses = [](const auto& build, const char* what) {
    EXPECT_THAT(build,
                ThrowsMessage<Error>(AllOf(HasSubstr("regrid"), HasSubstr("regrid_test.cpp:"), HasSubstr(what))));
  };
  refuses([&] { x.regrid({0}, {0}, {.method = "cubic"}); }, "there are nearest, bilinear, conservative");
  refuses([&] { x.regrid({0}, {0}, {.min_coverage = 2}); }, "a share from 0 to 1");
  refuses([&] { x.regrid({0}, {0}, {.method = "conservative"}); }, "give the edges");
  refuses([&] { x.regrid({0}, {0}, {.lat_edges = {0, 1}}); }, "6 latitudes have 7 edges of cells, but 2 were given");
  refuses([&] { x.isel("lat", std::vector<std::int64_t>{0, 2, 1}).regrid({0}, {0}); }, "neither rise nor fall");
  const NDArray lat = NDArray::of(std::vector<double>{1, 2}), lon = NDArray::of(std::vector<double>{1, 2, 3});
  refuses(
      [&] {
        x.regrid_points({"lat"}, lat, lon, {{0}, {0}});
      },
      "latitudes and longitudes were given as (2,) and (3,)");
  refuses([&] { x.regrid_points({"lat"}, lat, lat, {{0}, {0}}); }, "the points have the shape (6,)");
  refuses([&] { x.regrid_points({"y"}, lat, lat, {{0}, {0}}); }, "no dimension 'y'");
  const NDArray six = NDArray::of(std::vector<double>{1, 2, 3, 4, 5, 6});
  refuses(
      [&] {
        x.regrid_points({"lat"}, six, six, {{0}, {0}}, {.method = "bilinear"});
      },
      "points in rows and columns");
  refuses([&] { x.regrid_points({"lat"}, six, six, {{0}, {0}}, {.method = "cubic"}); }, "there are nearest, bilinear");
  EXPECT_THAT([] { LatLonGrid::named("n80"); }, ThrowsMessage<Error>(HasSubstr("r360x180 has 360 longitudes")));
}

TEST(LeastRunTest, TheRunLeavesTheLargestGapOut) {
  using labelled::least_run;
  using Run = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(least_run({false, true, false, true, false}), Run(1, 3));
  EXPECT_EQ(least_run({true, false, false, false, true, true}), Run(4, 3));
  EXPECT_EQ(least_run({false, false}), Run(0, 0));
  EXPECT_EQ(least_run({true, true, true}), Run(0, 3));
}

}  // namespace
}  // namespace weft
