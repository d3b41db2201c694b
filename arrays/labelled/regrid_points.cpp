// From points and cells that are told one by one.
#include "arrays/labelled/cell_corners.hpp"
#include "arrays/labelled/cell_grid.hpp"
#include "arrays/labelled/regrid_target.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::labelled {
namespace {

void check(const CellGrid& source, const PointsOptions& options) {
  if (options.method != "nearest" && options.method != "bilinear" && options.method != "conservative") {
    throw Error("'" + options.method + "' is no method for points; there are nearest, bilinear, conservative");
  }
  if (options.method == "bilinear" && source.dims().size() != 2) {
    throw Error("bilinear needs points in rows and columns, two dimensions, not " +
                std::to_string(source.dims().size()));
  }
  check_coverage(options.min_coverage);
}

/// Checks that the source's dimensions are there, of its extents.
void check_dims(const std::map<std::string, std::int64_t>& known, const CellGrid& source) {
  std::vector<std::int64_t> extents;
  for (const std::string& dim : source.dims()) {
    if (known.count(dim) == 0) throw Error("there is no dimension '" + dim + "'");
    extents.push_back(known.at(dim));
  }
  if (Shape(extents) != source.shape()) {
    throw Error("the points have the shape " + Shape(extents).text() + ", but latitudes and longitudes were given as " +
                source.shape().text());
  }
}

SparseWeights mixed_corners(const CellGrid& source, const RegridTarget& target) {
  const CellCorners corners = corners_around(source, target.lat(), target.lon());
  SparseWeights out;
  for (std::size_t at = 0; at < corners.places[0].size(); ++at) {
    for (std::size_t i = 0; i < corners.places.size(); ++i) {
      if (corners.places[i][at] >= 0) out.add(corners.places[i][at], corners.weights[i][at]);
    }
    out.end_target();
  }
  return out;
}

Making making_of(const CellGrid& source, const RegridTarget& target, const PointsOptions& options, const Where& where) {
  check(source, options);
  const std::size_t axes = source.dims().size();
  if (options.method == "nearest")
    return taking(nearest_table(source.lat(), source.lon(), target, options.max_distance_km), axes, where);
  return mixing(
      options.method == "bilinear" ? mixed_corners(source, target) : shared_cells(cells_of(source), target.cells()),
      axes, target.shape(), options.min_coverage, where);
}

RegridTarget target_of(const LatLonGrid& grid, const PointsOptions& options) {
  return {grid, options.lat, options.lon};
}
RegridTarget target_of(const CellGrid& grid, const PointsOptions&) { return RegridTarget(grid); }

}  // namespace

template <class Grid>
LabelledArray regrid_points(const LabelledArray& array, const CellGrid& source, const Grid& target,
                            const PointsOptions& options, const Where& where) {
  for (const std::string& dim : source.dims()) array.axis(dim);
  check_dims(Dataset({array}).dims(), source);
  const RegridTarget to = target_of(target, options);
  return brought(array, source.dims(), to, making_of(source, to, options, where));
}

template <class Grid>
Dataset regrid_points(const Dataset& set, const CellGrid& source, const Grid& target, const PointsOptions& options,
                      const Where& where) {
  check_dims(set.dims(), source);
  const RegridTarget to = target_of(target, options);
  const Making making = making_of(source, to, options, where);
  // The points' own latitudes are the new labels' names.
  std::vector<LabelledArray> others;
  for (const LabelledArray& one : set.variables()) {
    if (one.name() != options.lat && one.name() != options.lon) others.push_back(one);
  }
  return to.described(each_with_all({std::move(others), set.attributes()}, source.dims(),
                                    [&](const LabelledArray& one) { return brought(one, source.dims(), to, making); }),
                      where);
}

#define WEFT_TO(Grid)                                                                                            \
  template LabelledArray regrid_points(const LabelledArray&, const CellGrid&, const Grid&, const PointsOptions&, \
                                       const Where&);                                                            \
  template Dataset regrid_points(const Dataset&, const CellGrid&, const Grid&, const PointsOptions&, const Where&);
WEFT_TO(LatLonGrid)
WEFT_TO(CellGrid)
#undef WEFT_TO

}  // namespace weft::labelled
