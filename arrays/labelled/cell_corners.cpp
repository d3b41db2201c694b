// The cell between four points that a place lies in: it is looked for around the nearest point.
#include "arrays/labelled/cell_corners.hpp"

#include "arrays/kernels/kdtree.hpp"
#include "arrays/labelled/sphere_polygon.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace weft::labelled {
namespace {

constexpr double kRadians = kRadiansInDegree;
constexpr double kEarthRadiusKm = 6371;
/// Nearer to the poles than this degrees of longitude tell no distance.
constexpr double kPolar = 80;
/// A place so little outside of a cell lies on its edge.
constexpr double kEdge = 1e-9;
/// How many cells around the nearest point are looked at, each way.
constexpr std::int64_t kAround = 2;

using Vector = SphereVector;

/// A corner of a cell on a plane whose origin is the place that is looked for.
struct Corner {
  double x, y;
};
using Corners = std::array<Corner, 4>;

/// How far along the cell's two sides the origin lies, each from 0 to 1; nothing where it lies outside.
std::optional<std::array<double, 2>> inside(const Corners& c) {
  for (double Corner::*const axis : {&Corner::x, &Corner::y}) {
    const auto [low, high] = std::minmax({c[0].*axis, c[1].*axis, c[2].*axis, c[3].*axis});
    const double edge = kEdge * (high - low);
    if (!(low <= edge && high >= -edge)) return {};
  }
  // (1 - s)(1 - t) c0 + s (1 - t) c1 + s t c2 + (1 - s) t c3 = 0, by Newton's method.
  const Corner a{c[1].x - c[0].x, c[1].y - c[0].y}, b{c[3].x - c[0].x, c[3].y - c[0].y},
      d{c[0].x - c[1].x + c[2].x - c[3].x, c[0].y - c[1].y + c[2].y - c[3].y};
  double s = 0.5, t = 0.5;
  for (int step = 0; step < 30; ++step) {
    const double along_x = a.x + d.x * t, along_y = a.y + d.y * t, across_x = b.x + d.x * s, across_y = b.y + d.y * s;
    const double area = along_x * across_y - across_x * along_y;
    const double size = (std::abs(along_x) + std::abs(along_y)) * (std::abs(across_x) + std::abs(across_y));
    if (!(std::abs(area) > 1e-12 * size)) return {};
    const double x = c[0].x + a.x * s + b.x * t + d.x * s * t, y = c[0].y + a.y * s + b.y * t + d.y * s * t;
    const double ds = (across_x * y - across_y * x) / area, dt = (along_y * x - along_x * y) / area;
    s += ds;
    t += dt;
    if (std::abs(ds) + std::abs(dt) < 1e-13) break;
  }
  if (!(s >= -kEdge && s <= 1 + kEdge && t >= -kEdge && t <= 1 + kEdge)) return {};
  return std::array<double, 2>{std::clamp(s, 0.0, 1.0), std::clamp(t, 0.0, 1.0)};
}

/// Points in rows and columns.
class PointGrid {
 public:
  explicit PointGrid(const CellGrid& grid)
      : lat_(grid.lat()),
        lon_(grid.lon()),
        rows_(grid.shape()[0]),
        columns_(grid.shape()[1]),
        round_(columns_go_round(grid)),
        points_(lat_, lon_) {}

  /// Fills in the corners of the cell that a place lies in, at `at` of each list.
  void find(double lat, double lon, std::size_t at, CellCorners& out) const {
    for (auto& places : out.places) places[at] = -1;
    const std::int64_t nearest = points_.nearest(lat, lon);
    if (nearest < 0) return;
    const std::int64_t row = nearest / columns_, column = nearest % columns_;
    for (std::int64_t around = 1; around <= kAround; ++around) {
      for (std::int64_t r = row - around; r < row + around; ++r) {
        for (std::int64_t c = column - around; c < column + around; ++c) {
          if (try_cell(lat, lon, r, c, at, out)) return;
        }
      }
    }
  }

 private:
  bool try_cell(double lat, double lon, std::int64_t row, std::int64_t column, std::size_t at, CellCorners& out) const {
    if (row < 0 || row + 1 >= rows_ || columns_ < 2) return false;
    if (!round_ && (column < 0 || column + 1 >= columns_)) return false;
    const std::int64_t left = ((column % columns_) + columns_) % columns_, right = (left + 1) % columns_;
    const std::array<std::int64_t, 4> places{row * columns_ + left, row * columns_ + right,
                                             (row + 1) * columns_ + right, (row + 1) * columns_ + left};
    const auto corners = corners_of(lat, lon, places);
    if (!corners) return false;
    const auto share = inside(*corners);
    if (!share) return false;
    const auto [s, t] = *share;
    const std::array<double, 4> weights{(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t};
    for (std::size_t i = 0; i < 4; ++i) {
      out.places[i][at] = places[i];
      out.weights[i][at] = weights[i];
    }
    return true;
  }

  /// In degrees, as a grid with labels has it; near a pole on the plane that touches the sphere at the place.
  std::optional<Corners> corners_of(double lat, double lon, const std::array<std::int64_t, 4>& places) const {
    bool polar = std::abs(lat) > kPolar;
    for (const std::int64_t place : places) polar = polar || std::abs(lat_[static_cast<std::size_t>(place)]) > kPolar;
    Corners out{};
    const Vector up = on_sphere(lat, lon), east{-std::sin(lon * kRadians), std::cos(lon * kRadians), 0},
                 north{-std::sin(lat * kRadians) * std::cos(lon * kRadians),
                       -std::sin(lat * kRadians) * std::sin(lon * kRadians), std::cos(lat * kRadians)};
    double low = 0, high = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto at = static_cast<std::size_t>(places[i]);
      if (std::isnan(lat_[at] + lon_[at])) return {};
      if (polar) {
        const Vector point = on_sphere(lat_[at], lon_[at]);
        const double away = dot(point, up);
        if (away < 0.2) return {};
        out[i] = {dot(point, east) / away, dot(point, north) / away};
      } else {
        out[i] = {std::remainder(lon_[at] - lon, 360.0), lat_[at] - lat};
        low = std::min(low, out[i].x);
        high = std::max(high, out[i].x);
      }
    }
    if (high - low > 180) return {};
    return out;
  }

  const std::vector<double>& lat_;
  const std::vector<double>& lon_;
  const std::int64_t rows_, columns_;
  const bool round_;
  const SpherePoints points_;
};

}  // namespace

SpherePoints::SpherePoints(const std::vector<double>& lat, const std::vector<double>& lon)
    : count_(static_cast<std::int64_t>(lat.size())), tree_(4 * lat.size()) {
  std::vector<double> points;
  points.reserve(3 * lat.size());
  for (std::size_t i = 0; i < lat.size(); ++i) {
    const Vector point = on_sphere(lat[i], lon[i]);
    points.insert(points.end(), point.begin(), point.end());
  }
  arrays::kernels::build_kdtree(points.data(), count_, 3, tree_.data());
}

std::int64_t SpherePoints::nearest(double lat, double lon, double most_km) const {
  const double angle = most_km / kEarthRadiusKm;
  const double chord = 2 * std::sin(angle / 2);
  const double most = angle <= 0 || angle >= std::numbers::pi ? 5 : chord * chord;
  arrays::kernels::KdtreeView::Neighbour one;
  arrays::kernels::KdtreeView(tree_.data(), count_, 3).query(on_sphere(lat, lon).data(), most, {&one, 1});
  return one.place;
}

bool columns_go_round(const CellGrid& grid) {
  const std::int64_t rows = grid.shape()[0], columns = grid.shape()[1];
  std::int64_t near = 0, known = 0;
  for (std::int64_t row = 0; row < rows && columns > 2; ++row) {
    const auto point = [&](std::int64_t column) {
      const auto at = static_cast<std::size_t>(row * columns + column);
      return on_sphere(grid.lat()[at], grid.lon()[at]);
    };
    const Vector first = point(0), last = point(columns - 1);
    const double gap = std::acos(std::clamp(dot(first, last), -1.0, 1.0));
    const double step = std::max(std::acos(std::clamp(dot(first, point(1)), -1.0, 1.0)),
                                 std::acos(std::clamp(dot(last, point(columns - 2)), -1.0, 1.0)));
    if (std::isnan(gap) || std::isnan(step)) continue;
    ++known;
    near += gap <= 1.5 * step ? 1 : 0;
  }
  return 2 * near > known;
}

CellCorners corners_around(const CellGrid& source, const std::vector<double>& lat, const std::vector<double>& lon) {
  CellCorners out;
  for (auto& places : out.places) places.resize(lat.size());
  for (auto& weights : out.weights) weights.resize(lat.size());
  const PointGrid grid(source);
  for (std::size_t i = 0; i < lat.size(); ++i) grid.find(lat[i], lon[i], i, out);
  return out;
}

}  // namespace weft::labelled
