// Nearest points: a tree that one task makes, and tasks that ask it.
#include "arrays/kernels/kdtree.hpp"
#include "arrays/ops/lanes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/neighbours.hpp>
#include <weft/ops/structure.hpp>

#include <cmath>

namespace weft::arrays {
namespace {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;

/// The tree of all points, as kernels::build_kdtree lays it out: a row a point.
struct Tree {
  static constexpr const char* kName = "kdtree";
  static constexpr bool kAssembles = false;
  std::int64_t points;
  std::int64_t dimensions;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back({0, {{0, 0}, {points, dimensions}}, {}}); }
  void run(const ChunkWork& work) const {
    Buffer room;
    kernels::build_kdtree(reinterpret_cast<const double*>(ops::in_order(work.inputs[0], room)), points, dimensions,
                          reinterpret_cast<double*>(work.output.data));
  }
};

/// Of each query the nearest points: distance and place, side by side.
struct Query {
  static constexpr const char* kName = "kdtree_query";
  static constexpr bool kAssembles = false;
  std::int64_t points;
  std::int64_t dimensions;
  std::int64_t k;
  double max_distance;
  /// `out` has the axes of the queries but for the last one, then the neighbours', then two.
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, {{0, 0}, {points, dimensions + 1}}, {}});
    Need queries{1, out, {}};
    queries.box.start.resize(out.ndim() - 1);
    queries.box.extent.resize(out.ndim() - 1);
    queries.box.start.back() = 0;
    queries.box.extent.back() = dimensions;
    needs.push_back(std::move(queries));
  }
  void run(const ChunkWork& work) const {
    Buffer tree_room, room;
    const kernels::KdtreeView tree(reinterpret_cast<const double*>(ops::in_order(work.inputs[0], tree_room)), points,
                                   dimensions);
    const auto* query = reinterpret_cast<const double*>(ops::in_order(work.inputs[1], room));
    auto* out = reinterpret_cast<double*>(work.output.data);
    const std::int64_t count = Shape(work.output.shape).elements() / (2 * k);
    std::vector<kernels::KdtreeView::Neighbour> nearest(static_cast<std::size_t>(k));
    for (std::int64_t i = 0; i < count; ++i, query += dimensions) {
      tree.query(query, max_distance * max_distance, nearest);
      for (const auto& one : nearest) {
        *out++ = std::sqrt(one.distance);
        *out++ = static_cast<double>(one.place < 0 ? points : one.place);
      }
    }
  }
};

Array of_numbers(const char* call, const Array& array, const std::source_location& where) {
  expression::require_known(*array.node(), call, where);
  if (array.dtype().is_complex() || array.dtype().is_time()) {
    throw Error(ops::at_line(call, where) + "coordinates of type " + array.dtype().name() + " have no distances");
  }
  return array.astype(float64, where);
}

}  // namespace

Neighbours kdtree_query(const Array& points, const Array& queries, const KdtreeOptions& options,
                        const std::source_location& where) {
  const char* const call = "kdtree_query";
  const std::string line = ops::at_line(call, where);
  const Array from = of_numbers(call, points, where), asked = of_numbers(call, queries, where);
  if (from.ndim() != 2 || asked.ndim() < 1 || asked.shape()[asked.ndim() - 1] != from.shape()[1]) {
    throw Error(line + "points are n x d and queries have d numbers along their last axis, but the shapes are " +
                points.shape().text() + " and " + queries.shape().text());
  }
  const std::int64_t count = from.shape()[0], dimensions = from.shape()[1];
  if (count < 1 || dimensions < 1 || dimensions > 255) {
    throw Error(line + "a tree has one point or more, of 1 to 255 dimensions, not the shape " + points.shape().text());
  }
  if (options.k < 1) throw Error(line + "k is " + std::to_string(options.k) + ": ask for one neighbour or more");
  if (!(options.max_distance >= 0)) throw Error(line + "max_distance is below 0");
  const auto tree =
      expression::make_structural(expression::make_structure(Tree{count, dimensions}), {from.node()}, float64,
                                  {AxisGrid::whole(count), AxisGrid::whole(dimensions + 1)}, where);
  Grid grid(asked.node()->grid.begin(), asked.node()->grid.end() - 1);
  grid.push_back(AxisGrid::whole(options.k));
  grid.push_back(AxisGrid::whole(2));
  const Array both(
      expression::make_structural(expression::make_structure(Query{count, dimensions, options.k, options.max_distance}),
                                  {tree, asked.node()}, float64, std::move(grid), where));
  const auto part = [&](std::int64_t which) {
    std::vector<Index> index(both.ndim() - 2, Index(slice()));
    index.push_back(options.k == 1 ? Index(0) : Index(slice()));
    index.emplace_back(which);
    return both.at(index, where);
  };
  return {part(0), part(1).astype(int64, where)};
}

}  // namespace weft::arrays
