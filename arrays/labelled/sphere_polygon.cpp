// Sides are pieces of great circles (planes through the centre) or of parallels (level planes); both are cut by planes.
// A polygon is cut as Sutherland and Hodgman have it: by one plane after another, each side for itself; where a side
// leaves and another one comes back, the plane's own circle joins the two.
#include "arrays/labelled/sphere_polygon.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace weft::labelled {
namespace {

/// What points are off by that lie on a plane.
constexpr double kOnPlane = 4e-16;
/// What corners may point inwards by.
constexpr double kStraight = 1e-12;
/// Corners nearer than this are one.
constexpr double kOnePoint = 1e-15;

SphereVector minus(const SphereVector& a, const SphereVector& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double squared(const SphereVector& a) { return dot(a, a); }

/// The point of a side that lies `share` of its chord behind its begin.
SphereVector on_side(const SphereVector& begin, const SphereVector& end, bool along_parallel, double share) {
  SphereVector at;
  for (std::size_t i = 0; i < 3; ++i) at[i] = begin[i] + share * (end[i] - begin[i]);
  if (!along_parallel) return unit(at);
  const double scale = std::hypot(begin[0], begin[1]) / std::hypot(at[0], at[1]);
  return {at[0] * scale, at[1] * scale, begin[2]};
}

/// Where a side meets a plane, which its ends lie above, below or on, as shares of its chord, in order; returns how
/// many there are, two at most.
int meets(const SphereVector& begin, const SphereVector& end, bool along_parallel, const HalfSpace& half,
          double begins_above, double ends_above, double (&shares)[2]) {
  // On the chord b + w d the side's point is that, brought to the side's radius r: the plane holds it where
  // (A + w D)^2 = (c / r)^2 (r^2 - w (1 - w) |d|^2), with A, D and c the plane's part of b, d and the distance; of a
  // parallel only what is level counts.
  const SphereVector& n = half.normal;
  const SphereVector d = minus(end, begin);
  double a = dot(n, begin), slope = dot(n, d), c = half.distance, length = squared(d), radius = 1;
  if (along_parallel) {
    a -= n[2] * begin[2];
    slope = n[0] * d[0] + n[1] * d[1];
    c -= n[2] * begin[2];
    length = d[0] * d[0] + d[1] * d[1];
    radius = begin[0] * begin[0] + begin[1] * begin[1];
  }
  const double k = radius > 0 ? c * c / radius : 0, bend = radius > 0 ? length / radius : 0;
  // Newton's method between bounds: where c is small the square of all this has two roots in one place.
  const auto nearer = [&](double share, double low, double high, bool falls) {
    for (int step = 0; step < 60; ++step) {
      const double inner = std::sqrt(1 - share * (1 - share) * bend);
      const double height = a + share * slope - c * inner;
      const double rise = slope + c * (1 - 2 * share) * bend / (2 * inner);
      ((height > 0) == falls ? low : high) = share;
      double next = share - height / rise;
      if (!(next >= low && next <= high)) next = (low + high) / 2;
      const bool same = std::abs(next - share) < 1e-16;
      share = next;
      if (same) break;
    }
    return share;
  };
  if (begins_above * ends_above < 0) {
    shares[0] = nearer(begins_above / (begins_above - ends_above), 0, 1, begins_above > 0);
    return 1;
  }
  const double square = slope * slope - k * length, linear = 2 * a * slope + k * length, rest = begins_above * (a + c);
  const double inner = linear * linear - 4 * square * rest;
  if (inner < 0 || square == 0) return 0;
  const double half_sum = -(linear + std::copysign(std::sqrt(inner), linear)) / 2;
  double roots[2] = {half_sum / square, half_sum != 0 ? rest / half_sum : 0};
  if (roots[0] > roots[1]) std::swap(roots[0], roots[1]);
  const double top = std::clamp((roots[0] + roots[1]) / 2, 0.0, 1.0);
  int kept = 0;
  for (int i = 0; i < 2; ++i) {
    const bool same_side = (a + roots[i] * slope) * c >= 0;
    if (!(roots[i] > 0 && roots[i] < 1) || !same_side) continue;
    // Below the plane at the ends: it rises to the first one; above: it falls to it.
    const bool falls = (begins_above + ends_above > 0) == (i == 0);
    shares[kept++] = nearer(roots[i], i == 0 ? 0 : top, i == 0 ? top : 1, falls);
  }
  return kept;
}

/// What a parallel's side adds to the area that the great circle between its ends has, as seen from the nearer pole.
double bulge(const SphereVector& a, const SphereVector& b) {
  const double sine = a[0] * b[1] - a[1] * b[0], cosine = a[0] * b[0] + a[1] * b[1];
  const double pole = a[2] < 0 ? -1 : 1, height = 1 - pole * a[2], above = 1 + pole * a[2];
  return pole * (height * std::atan2(sine, cosine) - 2 * std::atan2(sine, above * above + cosine));
}

}  // namespace

SphereVector on_sphere(double lat, double lon) {
  if (std::abs(lat) >= 90) return {0, 0, std::copysign(1.0, lat)};
  const double a = lat * kRadiansInDegree, b = lon * kRadiansInDegree;
  return {std::cos(a) * std::cos(b), std::cos(a) * std::sin(b), std::sin(a)};
}

SphereVector cross(const SphereVector& a, const SphereVector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

SphereVector unit(const SphereVector& a) {
  const double length = std::sqrt(squared(a));
  return {a[0] / length, a[1] / length, a[2] / length};
}

double area_of(std::span<const SphereCorner> corners) {
  if (corners.size() < 2) return 0;
  double area = 0;
  const SphereVector& first = corners[0].at;
  for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
    const SphereVector &a = corners[i].at, &b = corners[i + 1].at;
    // By differences: the volume of a small triangle is lost between its corners' products.
    const double volume = dot(first, cross(minus(a, first), minus(b, first)));
    area += 2 * std::atan2(volume, 1 + dot(first, a) + dot(a, b) + dot(b, first));
  }
  for (std::size_t i = 0; i < corners.size(); ++i) {
    if (corners[i].along_parallel) area += bulge(corners[i].at, corners[(i + 1) % corners.size()].at);
  }
  return area;
}

std::vector<HalfSpace> half_spaces(std::span<const SphereCorner> corners) {
  std::vector<HalfSpace> out;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const SphereVector &a = corners[i].at, &b = corners[(i + 1) % corners.size()].at;
    if (corners[i].along_parallel) {
      // Eastwards the inside is above.
      const double up = a[0] * b[1] - a[1] * b[0] > 0 ? 1 : -1;
      out.push_back({{0, 0, up}, up * a[2], true});
    } else {
      out.push_back({unit(cross(a, minus(b, a))), 0, false});
    }
    for (const SphereCorner& corner : corners) {
      if (dot(out.back().normal, corner.at) < out.back().distance - kStraight) return {};
    }
  }
  // Meridians first: what is left between them has no long sides along parallels, whichever pole was in it.
  std::stable_partition(out.begin(), out.end(), [](const HalfSpace& one) { return !one.level; });
  return out;
}

void SphereClipper::cut(const HalfSpace& half) {
  pieces_.clear();
  bool all = true;
  const auto above = [&](const SphereVector& at) {
    const double apart = dot(half.normal, at) - half.distance;
    return std::abs(apart) <= kOnPlane ? 0 : apart;
  };
  double begin_above = above(corners_[0].at);
  for (std::size_t i = 0; i < corners_.size(); ++i) {
    const SphereVector begin = corners_[i].at, end = corners_[(i + 1) % corners_.size()].at;
    const bool along = corners_[i].along_parallel;
    const double end_above = above(end);
    double shares[2];
    int met = 0;
    if (half.distance == 0 && !along) {
      // Two great circles meet once on half a circle.
      if (begin_above * end_above < 0) shares[met++] = begin_above / (begin_above - end_above);
    } else if (!(half.level && along)) {
      // A side bulges less than this beyond its ends.
      const double length = squared(minus(end, begin)), reach = along ? std::sqrt(length) : length / 2;
      const bool apart = begin_above * end_above > 0 && std::min(std::abs(begin_above), std::abs(end_above)) > reach;
      if (!apart) met = meets(begin, end, along, half, begin_above, end_above, shares);
    }
    SphereVector from = begin;
    double share = 0;
    for (int part = 0; part <= met; ++part) {
      const double upto = part < met ? shares[part] : 1;
      const SphereVector to = part < met ? on_side(begin, end, along, upto) : end;
      double side = part == 0 ? begin_above : 0;
      if (side == 0 && part == met) side = end_above;
      const bool bent = half.level != along || half.distance != 0;
      if (side == 0 && bent) side = above(on_side(begin, end, along, (share + upto) / 2));
      pieces_.push_back({from, to, along, side >= 0});
      all = all && side >= 0;
      from = to;
      share = upto;
    }
    begin_above = end_above;
  }
  if (all) return;
  corners_.clear();
  const SphereVector* left = nullptr;
  for (const Piece& piece : pieces_) {
    if (!piece.kept) continue;
    if (left != nullptr && squared(minus(*left, piece.begin)) > kOnePoint * kOnePoint)
      corners_.push_back({*left, half.level});
    corners_.push_back({piece.begin, piece.along_parallel});
    left = &piece.end;
  }
  if (left != nullptr && squared(minus(*left, corners_[0].at)) > kOnePoint * kOnePoint)
    corners_.push_back({*left, half.level});
}

double SphereClipper::shared_area(std::span<const SphereCorner> corners, std::span<const HalfSpace> inside) {
  corners_.assign(corners.begin(), corners.end());
  for (const HalfSpace& half : inside) {
    cut(half);
    if (corners_.size() < 2) return 0;
  }
  return std::max(0.0, area_of(corners_));
}

}  // namespace weft::labelled
