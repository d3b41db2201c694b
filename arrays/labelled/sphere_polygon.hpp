#pragma once

#include <array>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

/// Polygons on the unit sphere, what two of them share, and how large that is.
namespace weft::labelled {

using SphereVector = std::array<double, 3>;

inline constexpr double kRadiansInDegree = std::numbers::pi / 180;

SphereVector on_sphere(double lat, double lon);
inline double dot(const SphereVector& a, const SphereVector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
SphereVector cross(const SphereVector& a, const SphereVector& b);
/// Returns the vector of length 1 that points the same way.
SphereVector unit(const SphereVector& a);

/// A corner, and the side that leaves it for the next one: a piece of a great circle, or of a parallel, shorter than
/// half a circle.
struct SphereCorner {
  SphereVector at;
  bool along_parallel = false;
};
/// Corners in their order, counterclockwise as seen from outside.
using SphereCorners = std::vector<SphereCorner>;

/// The side of a plane that a normal points to: points with normal . x >= distance.
struct HalfSpace {
  SphereVector normal;
  double distance = 0;
  /// Cuts along a parallel.
  bool level = false;
};

/// The area in square radians; below 0 of corners that go clockwise.
double area_of(std::span<const SphereCorner> corners);
/// The half-spaces whose common part on the sphere the polygon is; empty where it is none: it has a corner that points
/// inwards.
std::vector<HalfSpace> half_spaces(std::span<const SphereCorner> corners);

/// Cuts polygons.
/// Owns: room for corners.  Threading: one thread at a time.
class SphereClipper {
 public:
  /// Returns the area of the part of the polygon that lies in all of the half-spaces.
  double shared_area(std::span<const SphereCorner> corners, std::span<const HalfSpace> inside);

 private:
  void cut(const HalfSpace& half);

  struct Piece {
    SphereVector begin, end;
    bool along_parallel;
    bool kept;
  };
  SphereCorners corners_;
  std::vector<Piece> pieces_;
};

}  // namespace weft::labelled
