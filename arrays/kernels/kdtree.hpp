#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// Trees that find the nearest of many points.
namespace weft::arrays::kernels {

/// Doubles that a tree of so many points takes.
inline std::int64_t kdtree_size(std::int64_t points, std::int64_t dimensions) { return points * (dimensions + 1); }

/// Builds a balanced tree: the points in its order, each with a word behind it that holds its place and the axis along
/// which the points of its part are divided. Points with a NaN stand last.
void build_kdtree(const double* points, std::int64_t count, std::int64_t dimensions, double* tree);

/// A tree that lies in memory.  Threading: any.
class KdtreeView {
 public:
  KdtreeView(const double* tree, std::int64_t count, std::int64_t dimensions);
  struct Neighbour {
    /// Squared.
    double distance = std::numeric_limits<double>::infinity();
    std::int64_t place = -1;
    bool operator<(const Neighbour& other) const {
      return distance != other.distance ? distance < other.distance : place < other.place;
    }
  };
  /// Fills in the nearest ones, in order; equally near ones by their place. `most`: the greatest squared distance.
  void query(const double* point, double most, std::span<Neighbour> nearest) const;

 private:
  struct Search;
  void visit(Search& search, std::int64_t begin, std::int64_t end) const;
  const double* row(std::int64_t at) const { return tree_ + at * (dimensions_ + 1); }
  std::int64_t word(std::int64_t at) const;

  const double* const tree_;
  const std::int64_t dimensions_;
  /// Points without a NaN.
  std::int64_t count_;
};

}  // namespace weft::arrays::kernels
