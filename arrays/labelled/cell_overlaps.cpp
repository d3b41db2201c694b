// Which cells overlap is found by a tree of boxes around the source's polygons; how much, by cutting each that may by
// the target's sides. A target whose corners point inwards is the sum of triangles, those that lie outside of it
// counting below 0.
#include "arrays/labelled/cell_overlaps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace weft::labelled {
namespace {

/// Cells of a regular grid are cut into pieces no wider or higher than this: sides stay far from half a circle.
constexpr double kWidestDegrees = 45;
/// Of the smaller one's area: less is rounding.
constexpr double kNothing = 1e-14;
/// How far apart corners lie that are not one.
constexpr double kOnePoint = 1e-15;

double squared_distance(const SphereVector& a, const SphereVector& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

/// Around a polygon, and what it bulges beyond its corners.
struct Box {
  SphereVector low, high;

  bool meets(const Box& other) const {
    for (std::size_t i = 0; i < 3; ++i) {
      if (low[i] > other.high[i] || high[i] < other.low[i]) return false;
    }
    return true;
  }
  void add(const Box& other) {
    for (std::size_t i = 0; i < 3; ++i) {
      low[i] = std::min(low[i], other.low[i]);
      high[i] = std::max(high[i], other.high[i]);
    }
  }
};

Box box_of(std::span<const SphereCorner> corners) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Box box{{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}};
  double wide = 0, bent = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const SphereVector& at = corners[i].at;
    box.add({at, at});
    wide = std::max(wide, squared_distance(at, corners[0].at));
    if (!corners[i].along_parallel) continue;
    const double radius = std::hypot(at[0], at[1]);
    bent = std::max(bent, squared_distance(at, corners[(i + 1) % corners.size()].at) / (4 * radius));
  }
  // A point between corners is lifted to the sphere by less than this.
  const double beyond = wide / 2 + bent + 1e-12;
  for (std::size_t i = 0; i < 3; ++i) box.low[i] -= beyond, box.high[i] += beyond;
  return box;
}

/// Finds the boxes that meet a box.
/// Owns: the tree, each node in front of its two halves.
class BoxTree {
 public:
  explicit BoxTree(std::vector<Box> boxes) : boxes_(std::move(boxes)), order_(boxes_.size()) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    if (!order_.empty()) build(0, std::ssize(order_));
  }
  template <class Function>
  void visit(const Box& box, const Function& function) const {
    // Nodes to be skipped are left out whole.
    for (std::size_t node = 0; node < nodes_.size();) {
      const Node& one = nodes_[node];
      if (!one.box.meets(box)) {
        node = static_cast<std::size_t>(one.behind);
        continue;
      }
      for (std::int64_t i = one.begin; i < one.end; ++i) {
        const std::int64_t at = order_[static_cast<std::size_t>(i)];
        if (boxes_[static_cast<std::size_t>(at)].meets(box)) function(at);
      }
      ++node;
    }
  }

 private:
  struct Node {
    Box box;
    /// Of a leaf: what it holds, in `order_`.
    std::int64_t begin = 0, end = 0;
    /// The node behind all of its halves.
    std::int64_t behind = 0;
  };
  static constexpr std::int64_t kLeaf = 4;

  const Box& at(std::int64_t place) const {
    return boxes_[static_cast<std::size_t>(order_[static_cast<std::size_t>(place)])];
  }
  void build(std::int64_t begin, std::int64_t end) {
    const std::size_t node = nodes_.size();
    Box box = at(begin);
    for (std::int64_t i = begin + 1; i < end; ++i) box.add(at(i));
    nodes_.push_back({box, begin, end - begin <= kLeaf ? end : begin, 0});
    if (end - begin > kLeaf) {
      std::size_t axis = 0;
      for (std::size_t i = 1; i < 3; ++i) {
        if (box.high[i] - box.low[i] > box.high[axis] - box.low[axis]) axis = i;
      }
      const std::int64_t middle = (begin + end) / 2;
      const auto centre = [&](std::int64_t one) {
        const Box& own = boxes_[static_cast<std::size_t>(one)];
        return own.low[axis] + own.high[axis];
      };
      std::nth_element(order_.begin() + begin, order_.begin() + middle, order_.begin() + end,
                       [&](std::int64_t a, std::int64_t b) { return centre(a) < centre(b); });
      build(begin, middle);
      build(middle, end);
    }
    nodes_[node].behind = std::ssize(nodes_);
  }

  std::vector<Box> boxes_;
  std::vector<std::int64_t> order_;
  std::vector<Node> nodes_;
};

/// A part of a target, and whether it counts or is taken away.
struct Part {
  std::vector<HalfSpace> inside;
  double sign = 1;
};

std::vector<Part> parts_of(std::span<const SphereCorner> corners) {
  std::vector<HalfSpace> inside = half_spaces(corners);
  if (!inside.empty()) return {{std::move(inside), 1}};
  std::vector<Part> out;
  for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
    SphereCorners triangle{{corners[0].at}, {corners[i].at}, {corners[i + 1].at}};
    const double area = area_of(triangle);
    if (area < 0) std::swap(triangle[1], triangle[2]);
    Part part{half_spaces(triangle), area < 0 ? -1.0 : 1.0};
    if (!part.inside.empty()) out.push_back(std::move(part));
  }
  return out;
}

std::vector<double> areas_of(const SphereCells& cells) {
  std::vector<double> out(static_cast<std::size_t>(cells.polygons()));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = area_of(cells.corners(static_cast<std::int64_t>(i)));
  return out;
}

/// Tells whether a side lies along a parallel or a meridian, or is none.
bool is_level(double lat, double next_lat) { return lat == next_lat; }
bool is_upright(double lat, double lon, double next_lat, double next_lon) {
  return std::abs(lat) >= 90 || std::abs(next_lat) >= 90 || std::abs(std::remainder(lon - next_lon, 360.0)) < 1e-9;
}

bool is_regular(const std::vector<double>& lat, const std::vector<double>& lon, std::size_t around) {
  for (std::size_t cell = 0; cell < lat.size(); cell += around) {
    for (std::size_t i = 0; i < around; ++i) {
      const std::size_t at = cell + i, next = cell + (i + 1) % around;
      if (std::isnan(lat[at] + lon[at]) || std::isnan(lat[next] + lon[next])) continue;
      if (!is_level(lat[at], lat[next]) && !is_upright(lat[at], lon[at], lat[next], lon[next])) return false;
    }
  }
  return true;
}

}  // namespace

void SphereCells::add(SphereCorners corners) {
  // A corner that is the next one's has no side.
  SphereCorners own;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const SphereVector& next = corners[(i + 1) % corners.size()].at;
    if (squared_distance(corners[i].at, next) > kOnePoint * kOnePoint) own.push_back(corners[i]);
  }
  if (own.size() < 3) return;
  if (area_of(own) < 0) {
    std::reverse(own.begin(), own.end());
    // The side that left a corner comes to it now.
    const bool last = own[0].along_parallel;
    for (std::size_t i = 0; i + 1 < own.size(); ++i) own[i].along_parallel = own[i + 1].along_parallel;
    own.back().along_parallel = last;
  }
  corners_.insert(corners_.end(), own.begin(), own.end());
  begins_.push_back(std::ssize(corners_));
  cell_.push_back(cells_);
}

SphereCells SphereCells::between(const std::vector<double>& lat_edges, const std::vector<double>& lon_edges) {
  const auto cut = [](double from, double upto) {
    const int pieces = std::max(1, static_cast<int>(std::ceil(std::abs(upto - from) / kWidestDegrees - 1e-9)));
    std::vector<double> out;
    for (int i = 0; i < pieces; ++i) out.push_back(from + (upto - from) * i / pieces);
    out.push_back(upto);
    return out;
  };
  SphereCells out;
  for (std::size_t row = 0; row + 1 < lat_edges.size(); ++row) {
    const std::vector<double> lat = cut(lat_edges[row], lat_edges[row + 1]);
    for (std::size_t column = 0; column + 1 < lon_edges.size(); ++column) {
      const std::vector<double> lon = cut(lon_edges[column], lon_edges[column + 1]);
      for (std::size_t i = 0; i + 1 < lat.size(); ++i) {
        for (std::size_t j = 0; j + 1 < lon.size(); ++j) {
          out.add({{on_sphere(lat[i], lon[j]), true},
                   {on_sphere(lat[i], lon[j + 1]), false},
                   {on_sphere(lat[i + 1], lon[j + 1]), true},
                   {on_sphere(lat[i + 1], lon[j]), false}});
        }
      }
      ++out.cells_;
    }
  }
  return out;
}

SphereCells SphereCells::of_corners(const std::vector<double>& lat, const std::vector<double>& lon,
                                    std::size_t around) {
  const bool regular = is_regular(lat, lon, around);
  SphereCells out;
  for (std::size_t cell = 0; cell < lat.size(); cell += around, ++out.cells_) {
    SphereCorners corners;
    for (std::size_t i = 0; i < around; ++i) {
      const std::size_t at = cell + i, next = cell + (i + 1) % around;
      const bool level = regular && std::abs(lat[at]) < 90 && is_level(lat[at], lat[next]);
      corners.push_back({on_sphere(lat[at], lon[at]), level});
    }
    const bool known = std::all_of(corners.begin(), corners.end(), [](const SphereCorner& one) {
      return !std::isnan(one.at[0] + one.at[1] + one.at[2]);
    });
    if (known) out.add(std::move(corners));
  }
  return out;
}

SparseWeights shared_cells(const SphereCells& source, const SphereCells& target) {
  std::vector<Box> boxes;
  for (std::int64_t i = 0; i < source.polygons(); ++i) boxes.push_back(box_of(source.corners(i)));
  const BoxTree tree(std::move(boxes));
  const std::vector<double> areas = areas_of(source), own = areas_of(target);
  SphereClipper clipper;
  SparseWeights out;
  std::vector<std::int64_t> near;
  std::vector<std::pair<std::int64_t, double>> found;
  std::int64_t polygon = 0;
  for (std::int64_t cell = 0; cell < target.cells(); ++cell) {
    found.clear();
    double whole = 0;
    for (; polygon < target.polygons() && target.cell(polygon) == cell; ++polygon) {
      const std::span<const SphereCorner> corners = target.corners(polygon);
      const double area = own[static_cast<std::size_t>(polygon)];
      whole += area;
      near.clear();
      tree.visit(box_of(corners), [&](std::int64_t one) { near.push_back(one); });
      if (near.empty()) continue;
      for (const Part& part : parts_of(corners)) {
        for (const std::int64_t one : near) {
          const double shared = clipper.shared_area(source.corners(one), part.inside);
          if (shared > kNothing * std::min(area, areas[static_cast<std::size_t>(one)]))
            found.emplace_back(source.cell(one), part.sign * shared);
        }
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < found.size();) {
      const std::int64_t place = found[i].first;
      double shared = 0;
      for (; i < found.size() && found[i].first == place; ++i) shared += found[i].second;
      if (shared > 0) out.add(place, shared / whole);
    }
    out.end_target();
  }
  return out;
}

}  // namespace weft::labelled
