// What the result of bringing values to other places is called and labelled by.
#include "arrays/labelled/regrid_target.hpp"

#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/axis_weights.hpp"
#include "arrays/labelled/cell_corners.hpp"
#include "arrays/labelled/cell_grid.hpp"
#include "arrays/labelled/sparse_means.hpp"

#include <weft/error.hpp>
#include <weft/ops/neighbours.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

namespace weft::labelled {
namespace {

using Coordinates = LabelledArray::Coordinates;

/// The variable that a grid mapping's attributes are of.
constexpr const char* kMapping = "crs";

/// The labels of a dimension of the target, with what the source's said of itself.
Coordinate labels_like(const Coordinates& source, const std::string& dim, std::vector<double> labels,
                       const PlaceKind& kind) {
  std::vector<io::Attribute> attributes;
  const auto known = source.find(dim);
  if (known != source.end()) attributes = known->second.attributes();
  std::erase_if(attributes, [](const io::Attribute& one) {
    return one.name == "bounds" || one.name == "actual_range" || one.name == "valid_min" || one.name == "valid_max";
  });
  if (io::find_attribute(attributes, "units") == nullptr) {
    labelled::set_text(attributes, "units", kind.units[0]);
    labelled::set_text(attributes, "standard_name", kind.what);
  }
  return Coordinate::of_numbers(dim, std::move(labels), std::move(attributes));
}

/// Where the cells along a dimension of the target end, two numbers a cell, around its label.
LabelledArray bounds_of(const std::string& dim, const std::vector<double>& labels, const std::vector<double>& edges,
                        bool round, const Where& where) {
  std::vector<double> pairs;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double turns = round ? 360 * std::nearbyint((labels[i] - (edges[i] + edges[i + 1]) / 2) / 360) : 0;
    pairs.insert(pairs.end(), {edges[i] + turns, edges[i + 1] + turns});
  }
  const auto cells = static_cast<std::int64_t>(pairs.size() / 2);
  return LabelledArray(arrays::from_ndarray(NDArray::of(pairs, {cells, 2}), {}, where), {dim, "bnds"}, {},
                       dim + "_bnds");
}

/// Edges of the target's cells along an axis; empty where they cannot be told.
std::vector<double> edges_of(const LatLonGrid& grid, bool rows) {
  const std::vector<double>& edges = rows ? grid.lat_edges() : grid.lon_edges();
  const std::vector<double>& labels = rows ? grid.lat() : grid.lon();
  if (!edges.empty() || labels.size() < 2) return edges;
  return rows ? latitude_edges(labels) : longitude_edges(labels);
}

/// Names the cells of the new grid, as CF has it.
Dataset with_bounds(Dataset set, const std::vector<std::string>& dims, const LatLonGrid& target, const Where& where) {
  std::vector<LabelledArray> variables = set.variables();
  bool changed = false;
  for (const bool rows : {true, false}) {
    const std::string& dim = rows ? dims[0] : dims[1];
    const std::vector<double>& labels = rows ? target.lat() : target.lon();
    const std::vector<double> edges = edges_of(target, rows);
    const std::string name = dim + "_bnds";
    if (edges.empty() || set.coordinates().count(dim) == 0 || set.has(name)) continue;
    changed = true;
    for (LabelledArray& one : variables) {
      Coordinates coordinates = one.coordinates();
      const auto found = coordinates.find(dim);
      if (found == coordinates.end()) continue;
      std::vector<io::Attribute> attributes = found->second.attributes();
      labelled::set_text(attributes, "bounds", name);
      found->second = Coordinate::of_numbers(dim, found->second.numbers(), std::move(attributes));
      one = LabelledArray(one.data(), one.dims(), std::move(coordinates), one.name(), one.attributes());
    }
    variables.push_back(bounds_of(dim, labels, edges, !rows, where));
  }
  return changed ? Dataset(std::move(variables), set.attributes()) : set;
}

/// A variable that tells a number of each cell.
LabelledArray told_of_cells(const std::string& name, const CellGrid& grid, const std::vector<double>& values,
                            const PlaceKind* kind, const Where& where) {
  std::vector<std::string> dims = grid.dims();
  std::vector<std::int64_t> shape(grid.shape().begin(), grid.shape().end());
  std::vector<io::Attribute> attributes;
  if (kind != nullptr) {
    set_text(attributes, "units", kind->units[0]);
    set_text(attributes, "standard_name", kind->what);
    if (grid.around() > 0) set_text(attributes, "bounds", name + "_bnds");
  } else {
    dims.push_back("nv");
    shape.push_back(static_cast<std::int64_t>(grid.around()));
  }
  return LabelledArray(arrays::from_ndarray(NDArray::of(values, Shape(shape)), {}, where), std::move(dims),
                       grid.labels(), name, std::move(attributes));
}

}  // namespace

const PlaceKind& latitudes() {
  static const PlaceKind kind{
      "latitude", {"degrees_north", "degree_north", "degrees_N", "degree_N"}, {"lat", "latitude"}};
  return kind;
}
const PlaceKind& longitudes() {
  static const PlaceKind kind{
      "longitude", {"degrees_east", "degree_east", "degrees_E", "degree_E"}, {"lon", "longitude"}};
  return kind;
}

RegridTarget::RegridTarget(const LatLonGrid& grid, std::string lat, std::string lon)
    : axes_(&grid), dims_({std::move(lat), std::move(lon)}) {}
RegridTarget::RegridTarget(const CellGrid& grid) : cells_(&grid), dims_(grid.dims()) {}

Shape RegridTarget::shape() const {
  if (cells_ != nullptr) return cells_->shape();
  return Shape(std::vector<std::int64_t>{std::ssize(axes_->lat()), std::ssize(axes_->lon())});
}

std::vector<double> RegridTarget::lat() const {
  if (cells_ != nullptr) return cells_->lat();
  std::vector<double> out;
  for (const double one : axes_->lat()) out.insert(out.end(), axes_->lon().size(), one);
  return out;
}

std::vector<double> RegridTarget::lon() const {
  if (cells_ != nullptr) return cells_->lon();
  std::vector<double> out;
  for (std::size_t row = 0; row < axes_->lat().size(); ++row)
    out.insert(out.end(), axes_->lon().begin(), axes_->lon().end());
  return out;
}

SphereCells RegridTarget::cells() const {
  if (cells_ != nullptr) return cells_of(*cells_);
  const auto edges = [&](bool rows) {
    const std::vector<double>& given = rows ? axes_->lat_edges() : axes_->lon_edges();
    if (!given.empty()) return given;
    return rows ? latitude_edges(axes_->lat()) : longitude_edges(axes_->lon());
  };
  return SphereCells::between(edges(true), edges(false));
}

LabelledArray RegridTarget::holding(const LabelledArray& array, arrays::Array data, std::vector<std::string> dims,
                                    const std::vector<std::string>& in_order,
                                    const std::vector<std::string>& old) const {
  Coordinates coordinates = array.coordinates();
  for (const std::string& dim : old) coordinates.erase(dim);
  std::vector<io::Attribute> attributes = array.attributes();
  std::erase_if(attributes,
                [](const io::Attribute& one) { return one.name == "cell_measures" || one.name == "coordinates"; });
  if (axes_ != nullptr) {
    coordinates[dims_[0]] = labels_like(array.coordinates(), dims_[0], axes_->lat(), latitudes());
    coordinates[dims_[1]] = labels_like(array.coordinates(), dims_[1], axes_->lon(), longitudes());
  } else {
    set_text(attributes, "coordinates", "lat lon");
    for (const auto& [dim, labels] : cells_->labels()) coordinates[dim] = labels;
    if (!cells_->mapping().empty()) set_text(attributes, "grid_mapping", kMapping);
  }
  return LabelledArray(std::move(data), std::move(dims), std::move(coordinates), array.name(), std::move(attributes))
      .transpose(in_order);
}

Dataset RegridTarget::described(Dataset set, const Where& where) const {
  if (axes_ != nullptr) return with_bounds(std::move(set), dims_, *axes_, where);
  std::vector<LabelledArray> variables = set.variables();
  const bool mapped = !cells_->mapping().empty();
  std::erase_if(variables, [&](const LabelledArray& one) {
    return (mapped && one.name() == kMapping) || one.name() == "lat" || one.name() == "lon" ||
           one.name() == "lat_bnds" || one.name() == "lon_bnds";
  });
  variables.push_back(told_of_cells("lat", *cells_, cells_->lat(), &latitudes(), where));
  variables.push_back(told_of_cells("lon", *cells_, cells_->lon(), &longitudes(), where));
  if (cells_->around() > 0) {
    variables.push_back(told_of_cells("lat_bnds", *cells_, cells_->lat_corners(), nullptr, where));
    variables.push_back(told_of_cells("lon_bnds", *cells_, cells_->lon_corners(), nullptr, where));
  }
  if (mapped)
    variables.push_back(LabelledArray(arrays::zeros({}, {.dtype = int32}), {}, {}, kMapping, cells_->mapping()));
  return {std::move(variables), set.attributes()};
}

std::vector<std::string> dims_but(const LabelledArray& array, const std::vector<std::string>& left_out) {
  std::vector<std::string> dims;
  for (const std::string& dim : array.dims()) {
    if (std::find(left_out.begin(), left_out.end(), dim) == left_out.end()) dims.push_back(dim);
  }
  return dims;
}

void check_coverage(double min_coverage) {
  if (!(min_coverage >= 0 && min_coverage <= 1)) {
    throw Error("min_coverage is a share from 0 to 1, not " + std::to_string(min_coverage));
  }
}

NDArray nearest_table(const std::vector<double>& lat, const std::vector<double>& lon, const RegridTarget& target,
                      double max_distance_km) {
  const SpherePoints points(lat, lon);
  const std::vector<double> rows = target.lat(), columns = target.lon();
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places.push_back(points.nearest(rows[i], columns[i], max_distance_km));
  return NDArray::of(places, target.shape());
}

Making taking(const NDArray& places, std::size_t axes, const Where& where) {
  return [=](const arrays::Array& data) {
    return arrays::gather_lut(data, places, {.axes = static_cast<int>(axes)}, where);
  };
}

Making mixing(SparseWeights weights, std::size_t axes, const Shape& shape, double min_coverage, const Where& where) {
  // Shared: it may be large, and functions are copied.
  const auto held = std::make_shared<const SparseWeights>(std::move(weights));
  return [=](const arrays::Array& data) {
    return sparse_means(floating(data, where), axes, *held, shape, min_coverage, where);
  };
}

LabelledArray brought(const LabelledArray& array, const std::vector<std::string>& old, const RegridTarget& target,
                      const Making& making) {
  std::vector<std::string> dims = dims_but(array, old), in_order = dims, own = dims;
  std::size_t first = dims.size();
  for (const std::string& dim : old) first = std::min(first, array.axis(dim));
  in_order.insert(in_order.begin() + static_cast<std::ptrdiff_t>(first), target.dims().begin(), target.dims().end());
  own.insert(own.end(), old.begin(), old.end());
  dims.insert(dims.end(), target.dims().begin(), target.dims().end());
  // A projection of the old grid says nothing of the new one.
  std::vector<io::Attribute> attributes = array.attributes();
  std::erase_if(attributes, [](const io::Attribute& one) { return one.name == "grid_mapping"; });
  return target.holding(array.with_attributes(std::move(attributes)), making(array.transpose(own).data()),
                        std::move(dims), in_order, old);
}

Dataset each_with_all(const Dataset& set, const std::vector<std::string>& dims,
                      const std::function<LabelledArray(const LabelledArray&)>& function) {
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : set.variables()) {
    const auto has = [&](const std::string& dim) { return one.has(dim); };
    if (std::all_of(dims.begin(), dims.end(), has)) {
      out.push_back(function(one));
    } else if (std::none_of(dims.begin(), dims.end(), has)) {
      out.push_back(one);
    }
  }
  return {std::move(out), set.attributes()};
}

}  // namespace weft::labelled
