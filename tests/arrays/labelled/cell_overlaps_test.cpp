#include "arrays/labelled/cell_overlaps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace weft::labelled {
namespace {

constexpr double kPi = std::numbers::pi;

/// A regular grid's corners, turned about an axis away from the poles.
SphereCells turned_globe(std::size_t rows, std::size_t columns, double degrees) {
  const double a = degrees * kPi / 180;
  const auto turned = [&](double lat, double lon) {
    const SphereVector at = on_sphere(lat, lon);
    return SphereVector{at[0] * std::cos(a) + at[2] * std::sin(a), at[1], at[2] * std::cos(a) - at[0] * std::sin(a)};
  };
  std::vector<double> lat, lon;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const std::size_t row = i / columns, column = i % columns;
    for (const auto& [up, across] : {std::pair(0, 0), {0, 1}, {1, 1}, {1, 0}}) {
      const SphereVector at =
          turned(-90 + 180.0 * static_cast<double>(row + static_cast<std::size_t>(up)) / static_cast<double>(rows),
                 360.0 * static_cast<double>(column + static_cast<std::size_t>(across)) / static_cast<double>(columns));
      lat.push_back(std::asin(at[2]) / kRadiansInDegree);
      lon.push_back(std::atan2(at[1], at[0]) / kRadiansInDegree);
    }
  }
  return SphereCells::of_corners(lat, lon, 4);
}

SphereCells globe(std::size_t rows, std::size_t columns) {
  std::vector<double> lat, lon;
  for (std::size_t i = 0; i <= rows; ++i)
    lat.push_back(-90 + 180.0 * static_cast<double>(i) / static_cast<double>(rows));
  for (std::size_t i = 0; i <= columns; ++i)
    lon.push_back(7 + 360.0 * static_cast<double>(i) / static_cast<double>(columns));
  return SphereCells::between(lat, lon);
}

std::vector<double> areas(const SphereCells& cells) {
  std::vector<double> out(static_cast<std::size_t>(cells.cells()), 0.0);
  for (std::int64_t i = 0; i < cells.polygons(); ++i)
    out[static_cast<std::size_t>(cells.cell(i))] += area_of(cells.corners(i));
  return out;
}

TEST(SpherePolygonTest, AreasAreThoseOfFormulas) {
  const SphereCorners octant{{{1, 0, 0}}, {{0, 1, 0}}, {{0, 0, 1}}};
  EXPECT_NEAR(area_of(octant), kPi / 2, 1e-15);
  for (const double high : {30.0, 1.0, 1e-3}) {
    for (const double south : {-89.0, -45.0, -high / 2, 20.0, 90 - high}) {
      const SphereCells box = SphereCells::between({south, south + high}, {10, 10 + high});
      const double wanted =
          2 * std::cos((south + high / 2) * kPi / 180) * std::sin(high / 2 * kPi / 180) * high * kPi / 180;
      EXPECT_NEAR(areas(box)[0] / wanted, 1, high < 0.1 ? 1e-6 : 1e-12) << south << " " << high;
    }
  }
}

TEST(SpherePolygonTest, AWholeGlobeIsTheSphere) {
  const std::pair<const char*, SphereCells> globes[] = {{"regular", globe(7, 11)},
                                                        {"two cells", globe(1, 2)},
                                                        {"one cell", globe(1, 1)},
                                                        {"turned", turned_globe(18, 36, 50)}};
  for (const auto& [name, cells] : globes) {
    double sum = 0;
    for (const double one : areas(cells)) sum += one;
    EXPECT_NEAR(sum, 4 * kPi, 1e-12) << name;
  }
}

TEST(CellOverlapsTest, EveryCellIsSharedOutWhole) {
  const std::vector<SphereCells> globes{globe(7, 11),
                                        globe(1, 2),
                                        globe(36, 72),
                                        turned_globe(18, 36, 50),
                                        turned_globe(18, 36, 90),
                                        turned_globe(10, 25, 23.456)};
  for (std::size_t a = 0; a < globes.size(); ++a) {
    for (std::size_t b = 0; b < globes.size(); ++b) {
      const SparseWeights weights = shared_cells(globes[a], globes[b]);
      const std::vector<double> from = areas(globes[a]), to = areas(globes[b]);
      std::vector<double> given(from.size(), 0.0);
      for (std::size_t cell = 0; cell < to.size(); ++cell) {
        double whole = 0;
        for (std::int64_t i = weights.begins[cell]; i < weights.begins[cell + 1]; ++i) {
          const auto entry = static_cast<std::size_t>(i);
          whole += weights.weights[entry];
          given[static_cast<std::size_t>(weights.places[entry])] += weights.weights[entry] * to[cell];
        }
        ASSERT_NEAR(whole, 1, 1e-11) << a << " " << b << " " << cell;
      }
      for (std::size_t cell = 0; cell < from.size(); ++cell)
        ASSERT_NEAR(given[cell] / from[cell], 1, 1e-11) << a << " " << b << " " << cell;
    }
  }
}

TEST(CellOverlapsTest, AGridOverlapsItselfCellByCell) {
  for (const SphereCells& cells : {globe(18, 36), turned_globe(18, 36, 50)}) {
    const SparseWeights weights = shared_cells(cells, cells);
    for (std::size_t cell = 0; cell < static_cast<std::size_t>(cells.cells()); ++cell) {
      for (auto i = static_cast<std::size_t>(weights.begins[cell]);
           i < static_cast<std::size_t>(weights.begins[cell + 1]); ++i) {
        const bool own = weights.places[i] == static_cast<std::int64_t>(cell);
        ASSERT_NEAR(weights.weights[i], own ? 1 : 0, 1e-12) << cell;
      }
    }
  }
}

TEST(CellOverlapsTest, CellsMayPointInwardsAndRunEitherWay) {
  // An arrow head, whose notch the square below it fills half of; and the same clockwise, with a corner told twice.
  const std::vector<double> lat{0, 2, 0, 1}, lon{0, 1, 2, 1};
  const std::vector<double> back_lat{1, 0, 2, 0}, back_lon{1, 2, 1, 0};
  const SphereCells one = SphereCells::of_corners({0, 0, 2, 0, 1}, {0, 0, 1, 2, 1}, 5);
  const SphereCells other = SphereCells::of_corners(back_lat, back_lon, 4);
  EXPECT_NEAR(areas(one)[0], areas(other)[0], 1e-16);
  const SphereCells below = SphereCells::between({-1, 0.5}, {0, 2});
  const SparseWeights weights = shared_cells(below, one), around = shared_cells(one, below);
  ASSERT_EQ(weights.places.size(), 1U);
  ASSERT_EQ(around.places.size(), 1U);
  EXPECT_NEAR(weights.weights[0] * areas(one)[0], around.weights[0] * areas(below)[0], 1e-15);
  EXPECT_NEAR(weights.weights[0], shared_cells(below, SphereCells::of_corners(lat, lon, 4)).weights[0], 1e-13);
  // On the plane the head is as wide as it is high so far up, and 1 in all.
  EXPECT_NEAR(weights.weights[0], 0.125, 1e-4);
}

TEST(CellOverlapsTest, ACellWithoutCornersIsNotThere) {
  const double nan = std::nan("");
  const SphereCells cells =
      SphereCells::of_corners({0, 0, 1, 1, nan, 0, 1, 1, 5, 5, 5, 5}, {0, 1, 1, 0, 1, 2, 2, 1, 5, 5, 5, 5}, 4);
  EXPECT_EQ(cells.cells(), 3);
  EXPECT_EQ(cells.polygons(), 1);
  const SparseWeights weights = shared_cells(cells, cells);
  EXPECT_EQ(weights.begins, (std::vector<std::int64_t>{0, 1, 1, 1}));
}

}  // namespace
}  // namespace weft::labelled
