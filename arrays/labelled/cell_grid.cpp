#include "arrays/labelled/cell_grid.hpp"

#include "arrays/labelled/cell_corners.hpp"

#include <weft/error.hpp>
#include <weft/latlon.hpp>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

std::vector<double> doubles(const NDArray& values, const char* what) {
  if (values.dtype() == float64) return values.to_vector<double>();
  if (values.dtype() == float32) {
    const std::vector<float> own = values.to_vector<float>();
    return {own.begin(), own.end()};
  }
  throw Error(std::string(what) + "s of type " + values.dtype().name() + ": give float64 or float32");
}

}  // namespace

CellGrid::CellGrid(std::vector<std::string> dims, const NDArray& lat, const NDArray& lon)
    : dims_(std::move(dims)), shape_(lat.shape()), lat_(doubles(lat, "latitude")), lon_(doubles(lon, "longitude")) {
  if (dims_.empty() || dims_.size() != shape_.size() || lon.shape() != shape_) {
    std::string names;
    for (const std::string& dim : dims_) names += (names.empty() ? "" : ", ") + dim;
    throw Error("the points have the dimensions (" + names + "), but latitudes and longitudes were given as " +
                lat.shape().text() + " and " + lon.shape().text());
  }
}

CellGrid::CellGrid(std::vector<std::string> dims, const NDArray& lat, const NDArray& lon, const NDArray& lat_corners,
                   const NDArray& lon_corners)
    : CellGrid(std::move(dims), lat, lon) {
  const Shape& shape = lat_corners.shape();
  bool fits = shape.size() == shape_.size() + 1 && lon_corners.shape() == shape;
  for (std::size_t axis = 0; fits && axis < shape_.size(); ++axis) fits = shape[axis] == shape_[axis];
  if (!fits || shape[shape_.size()] < 3) {
    throw Error("corners of cells of shape " + shape_.text() +
                " have one axis more, of three corners or more, but were given as " + shape.text() + " and " +
                lon_corners.shape().text());
  }
  around_ = static_cast<std::size_t>(shape[shape_.size()]);
  lat_corners_ = doubles(lat_corners, "latitude");
  lon_corners_ = doubles(lon_corners, "longitude");
}

namespace labelled {
namespace {

/// Farther apart in longitude, places are no corners of a cell on a map of degrees: a pole is near.
constexpr double kNear = 45;

struct Place {
  double lat, lon;
};

Place place_of(const SphereVector& at) {
  return {std::atan2(at[2], std::hypot(at[0], at[1])) / kRadiansInDegree, std::atan2(at[1], at[0]) / kRadiansInDegree};
}

/// As far behind `last` as that lies behind `before`.
Place beyond(const Place& last, const Place& before) {
  const double turn = std::remainder(last.lon - before.lon, 360.0);
  if (std::abs(turn) <= kNear) return {2 * last.lat - before.lat, last.lon + turn};
  const SphereVector at = on_sphere(last.lat, last.lon), other = on_sphere(before.lat, before.lon);
  const double twice = 2 * dot(at, other);
  return place_of({twice * at[0] - other[0], twice * at[1] - other[1], twice * at[2] - other[2]});
}

Place middle(const std::array<Place, 4>& around) {
  double low = 0, high = 0, lat = 0, turns = 0;
  for (const Place& one : around) {
    const double turn = std::remainder(one.lon - around[0].lon, 360.0);
    low = std::min(low, turn);
    high = std::max(high, turn);
    lat += one.lat;
    turns += turn;
  }
  if (high - low <= kNear) return {lat / 4, around[0].lon + turns / 4};
  SphereVector sum{0, 0, 0};
  for (const Place& one : around) {
    const SphereVector at = on_sphere(one.lat, one.lon);
    for (std::size_t i = 0; i < 3; ++i) sum[i] += at[i];
  }
  return place_of(sum);
}

/// Centres with one more row and column on each side.
class Centres {
 public:
  explicit Centres(const CellGrid& grid)
      : rows_(grid.shape()[0]),
        columns_(grid.shape()[1]),
        places_(static_cast<std::size_t>((rows_ + 2) * (columns_ + 2))) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t column = 0; column < columns_; ++column) {
        const auto from = static_cast<std::size_t>(row * columns_ + column);
        at(row, column) = {grid.lat()[from], grid.lon()[from]};
      }
    }
    const bool round = columns_go_round(grid);
    for (std::int64_t row = 0; row < rows_; ++row) {
      at(row, -1) = round ? at(row, columns_ - 1) : beyond(at(row, 0), at(row, 1));
      at(row, columns_) = round ? at(row, 0) : beyond(at(row, columns_ - 1), at(row, columns_ - 2));
    }
    for (std::int64_t column = -1; column <= columns_; ++column) {
      at(-1, column) = beyond(at(0, column), at(1, column));
      at(rows_, column) = beyond(at(rows_ - 1, column), at(rows_ - 2, column));
    }
  }
  /// Between four of them, the first of which this is.
  Place corner(std::int64_t row, std::int64_t column) {
    return middle({at(row, column), at(row, column + 1), at(row + 1, column), at(row + 1, column + 1)});
  }

 private:
  Place& at(std::int64_t row, std::int64_t column) {
    return places_[static_cast<std::size_t>((row + 1) * (columns_ + 2) + column + 1)];
  }

  const std::int64_t rows_, columns_;
  std::vector<Place> places_;
};

}  // namespace

SphereCells cells_of(const CellGrid& grid) {
  if (grid.around() > 0) return SphereCells::of_corners(grid.lat_corners(), grid.lon_corners(), grid.around());
  if (grid.dims().size() != 2 || grid.shape()[0] < 2 || grid.shape()[1] < 2) {
    throw Error("cells of shape " + grid.shape().text() +
                " have no neighbours in rows and columns between which corners lie: give the corners");
  }
  const std::int64_t rows = grid.shape()[0], columns = grid.shape()[1];
  Centres centres(grid);
  std::vector<Place> corners;
  for (std::int64_t row = -1; row < rows; ++row) {
    for (std::int64_t column = -1; column < columns; ++column) corners.push_back(centres.corner(row, column));
  }
  std::vector<double> lat, lon;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t first = row * (columns + 1) + column, above = first + columns + 1;
      for (const std::int64_t corner : {first, first + 1, above + 1, above}) {
        lat.push_back(corners[static_cast<std::size_t>(corner)].lat);
        lon.push_back(corners[static_cast<std::size_t>(corner)].lon);
      }
    }
  }
  return SphereCells::of_corners(lat, lon, 4);
}

}  // namespace labelled
}  // namespace weft
