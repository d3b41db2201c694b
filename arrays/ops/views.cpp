#include <weft/ops/structure.hpp>

#include "arrays/ops/assembled.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/shaping.hpp>

#include <algorithm>

namespace weft::arrays {

using expression::AxisGrid;
using expression::AxisMap;
using expression::Grid;
using expression::IndexMap;

Array transpose(const Array& array, const std::vector<int>& axes, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  const auto ndim = static_cast<int>(node->grid.size());
  std::vector<int> order = axes;
  if (order.empty()) {
    for (int axis = ndim; axis-- > 0;) order.push_back(axis);
  }
  std::vector<int> sorted;
  for (int& axis : order) {
    if (axis < 0) axis += ndim;
    sorted.push_back(axis);
  }
  std::sort(sorted.begin(), sorted.end());
  for (int axis = 0; axis < ndim || static_cast<int>(sorted.size()) != ndim; ++axis) {
    if (static_cast<int>(sorted.size()) != ndim || sorted[static_cast<std::size_t>(axis)] != axis) {
      throw Error(ops::at_line("transpose", where) + "the axes must name each of the " + std::to_string(ndim) +
                  " axes once");
    }
  }
  Grid grid(order.size());
  IndexMap map(order.size());
  for (std::size_t out = 0; out < order.size(); ++out) {
    const auto from = static_cast<std::size_t>(order[out]);
    grid[out] = node->grid[from];
    map[from].out_axis = static_cast<std::int32_t>(out);
  }
  return Array(expression::make_view(node, std::move(map), std::move(grid), "transpose", where));
}

Array swapaxes(const Array& array, int first, int second, const std::source_location& where) {
  std::vector<int> order;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) order.push_back(static_cast<int>(axis));
  std::swap(order[ops::resolve_axis("swapaxes", first, array.ndim(), where)],
            order[ops::resolve_axis("swapaxes", second, array.ndim(), where)]);
  return transpose(array, order, where);
}

Array moveaxis(const Array& array, int from, int to, const std::source_location& where) {
  const auto ndim = static_cast<int>(array.ndim());
  const auto a = static_cast<int>(ops::resolve_axis("moveaxis", from, array.ndim(), where));
  const auto b = static_cast<int>(ops::resolve_axis("moveaxis", to, array.ndim(), where));
  std::vector<int> order;
  for (int axis = 0; axis < ndim; ++axis) {
    if (axis != a) order.push_back(axis);
  }
  order.insert(order.begin() + b, a);
  return transpose(array, order, where);
}

Array expand_dims(const Array& array, int axis, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  const auto at = static_cast<int>(ops::resolve_axis("expand_dims", axis, node->grid.size() + 1, where));
  Grid grid = node->grid;
  grid.insert(grid.begin() + at, AxisGrid::whole(1));
  IndexMap map(node->grid.size());
  for (std::size_t from = 0; from < map.size(); ++from) {
    map[from].out_axis = static_cast<std::int32_t>(static_cast<int>(from) < at ? from : from + 1);
  }
  return Array(expression::make_view(node, std::move(map), std::move(grid), "expand_dims", where));
}

Array squeeze(const Array& array, const Axes& axis, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  std::vector<bool> drop(node->grid.size(), false);
  if (axis.given()) {
    for (const int one : ops::resolve_axes("squeeze", axis, node->grid.size(), where)) {
      if (node->shape[static_cast<std::size_t>(one)] != 1) {
        throw Error(ops::at_line("squeeze", where) + "axis " + std::to_string(one) + " of an array of shape " +
                    node->shape.text() + " is not of extent 1");
      }
      drop[static_cast<std::size_t>(one)] = true;
    }
  } else {
    for (std::size_t one = 0; one < drop.size(); ++one) drop[one] = node->shape[one] == 1;
  }
  Grid grid;
  IndexMap map(node->grid.size());
  for (std::size_t from = 0; from < map.size(); ++from) {
    if (drop[from]) continue;
    map[from].out_axis = static_cast<std::int32_t>(grid.size());
    grid.push_back(node->grid[from]);
  }
  return Array(expression::make_view(node, std::move(map), std::move(grid), "squeeze", where));
}

Array broadcast_to(const Array& array, const Shape& shape, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "broadcast_to", where);
  const std::size_t ndim = node->grid.size();
  bool fits = ndim <= shape.size();
  for (std::size_t axis = 0; fits && axis < ndim; ++axis) {
    const std::int64_t mine = node->shape[axis];
    fits = mine == 1 || mine == shape[axis + shape.size() - ndim];
  }
  if (!fits) {
    throw Error(ops::at_line("broadcast_to", where) + "an array of shape " + node->shape.text() +
                " does not broadcast to " + shape.text());
  }
  // New axes are cut so that chunks stay moderate.
  std::vector<AxisChunks> chunks;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool given = axis + ndim >= shape.size() && node->shape[axis + ndim - shape.size()] == shape[axis];
    chunks.push_back(given ? AxisChunks(node->grid[axis + ndim - shape.size()].sizes()) : AxisChunks());
  }
  const Grid grid = expression::make_grid(shape, Chunks(chunks), node->dtype.size());
  return Array(expression::broadcast_to_grid(node, grid, where));
}

Array flip(const Array& array, const Axes& axis, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "flip", where);
  IndexMap map = expression::identity_map(node->grid.size());
  Grid grid = node->grid;
  for (const int one : ops::resolve_axes("flip", axis, node->grid.size(), where)) {
    const auto at = static_cast<std::size_t>(one);
    map[at].start = node->shape[at] - 1;
    map[at].step = -1;
    std::vector<std::int64_t> sizes = node->grid[at].sizes();
    std::reverse(sizes.begin(), sizes.end());
    grid[at] = AxisGrid::of(sizes);
  }
  return Array(expression::make_view(node, std::move(map), std::move(grid), "flip", where));
}

Array diagonal(const Array& array, std::int64_t k, const std::source_location& where) {
  const expression::NodePointer& node = array.node();
  ops::require_known(*node, "diagonal", where);
  if (node->grid.size() < 2) throw Error(ops::at_line("diagonal", where) + "needs an array of two dimensions or more");
  const std::int64_t rows = node->shape[0];
  const std::int64_t columns = node->shape[1];
  const std::int64_t first_row = k < 0 ? -k : 0;
  const std::int64_t first_column = k > 0 ? k : 0;
  const std::int64_t length = std::max<std::int64_t>(0, std::min(rows - first_row, columns - first_column));
  Grid grid(node->grid.begin() + 2, node->grid.end());
  grid.push_back(AxisGrid::regular(length, node->grid[0].largest()));
  const auto last = static_cast<std::int32_t>(grid.size() - 1);
  IndexMap map(node->grid.size());
  map[0] = {last, first_row, 1};
  map[1] = {last, first_column, 1};
  for (std::size_t axis = 2; axis < map.size(); ++axis) map[axis].out_axis = static_cast<std::int32_t>(axis - 2);
  return Array(expression::make_view(node, std::move(map), std::move(grid), "diagonal", where));
}

namespace {

/// The pieces of a slice: those of the source, as far as the slice touches them.
AxisGrid slice_grid(const AxisGrid& grid, const slice::Places& places) {
  if (places.count == grid.extent() && places.step == 1) return grid;
  if (places.count == 0) return AxisGrid::whole(0);
  if (grid.count() == 1) return AxisGrid::whole(places.count);
  std::vector<std::int64_t> sizes;
  for (std::int64_t at = 0; at < places.count;) {
    const std::int64_t place = places.first + at * places.step;
    const std::int64_t piece = grid.find(place);
    const std::int64_t in_piece = places.step > 0 ? (grid.end(piece) - place + places.step - 1) / places.step
                                                  : (place - grid.start(piece)) / -places.step + 1;
    const std::int64_t count = std::min(in_piece, places.count - at);
    sizes.push_back(count);
    at += count;
  }
  return AxisGrid::of(sizes);
}

struct TakeAlong {
  std::size_t axis;
  std::vector<std::int64_t> places;
};
struct MaskAlong {
  std::size_t axis;
  expression::NodePointer mask;
};

/// Axes of the source that an index takes.
std::size_t axes_of(const Index& index) {
  if (std::holds_alternative<NewAxis>(index.value()) || std::holds_alternative<Ellipsis>(index.value())) return 0;
  const auto* const mask = std::get_if<expression::NodePointer>(&index.value());
  return mask != nullptr ? (*mask)->grid.size() : 1;
}

/// Checks that a mask fits the axes of the source from `axis` on.
void check_mask(const expression::Node& source, std::size_t axis, const expression::Node& mask,
                const std::source_location& where) {
  bool fits = true;
  for (std::size_t i = 0; i < mask.grid.size(); ++i) {
    const AxisGrid& mine = source.grid[axis + i];
    fits = fits && mine.extent() == mask.grid[i].extent() && (mine.known() || mine == mask.grid[i]);
  }
  if (fits) return;
  throw Error(ops::at_line("index", where) + "a mask of shape " + mask.shape.text() + " does not fit the axes from " +
              std::to_string(axis) + " on of an array of shape " + source.shape.text() +
              (expression::known(source.grid) ? "" : ", whose unknown extents are not of the mask's origin"));
}

}  // namespace

Index::Index(const Array& mask, const Where& where) : value_(mask.node()), where_(where) {
  if (!mask.dtype().is_bool()) {
    throw Error(ops::at_line("index", where) + "an Array as an index must be a mask of bools, not " +
                mask.dtype().name() + "; places are given as a list: compute the array first");
  }
  if (mask.ndim() == 0)
    throw Error(ops::at_line("index", where) + "a mask without dimensions chooses nothing: use where");
}

namespace {

/// The indices with an ellipsis spelled out, one for each axis of the source besides new ones.
std::vector<Index> spelled_out(const expression::Node& source, const std::vector<Index>& index,
                               const std::source_location& where) {
  std::size_t used = 0;
  std::size_t dots = 0;
  for (const Index& one : index) {
    if (std::holds_alternative<Ellipsis>(one.value())) ++dots;
    used += axes_of(one);
  }
  if (dots > 1) throw Error(ops::at_line("index", where) + "an ellipsis may stand once");
  if (used > source.grid.size()) {
    throw Error(ops::at_line("index", where) + std::to_string(used) + " indices were given for an array of shape " +
                source.shape.text());
  }
  std::vector<Index> full;
  for (const Index& one : index) {
    if (!std::holds_alternative<Ellipsis>(one.value())) {
      full.push_back(one);
      continue;
    }
    for (std::size_t i = used; i < source.grid.size(); ++i) full.push_back(slice());
  }
  for (std::size_t i = used; dots == 0 && i < source.grid.size(); ++i) full.push_back(slice());
  return full;
}

/// NumPy's rule: where a slice or a new axis stands between lists, masks and numbers, the axis of the lists comes
/// first.
bool lists_apart(const std::vector<Index>& full) {
  std::size_t first = full.size(), last = 0, count = 0;
  for (std::size_t at = 0; at < full.size(); ++at) {
    if (std::holds_alternative<slice>(full[at].value()) || std::holds_alternative<NewAxis>(full[at].value())) continue;
    first = std::min(first, at);
    last = at;
    ++count;
  }
  return count > 0 && last - first + 1 != count;
}

/// Several lists: the places that their elements name together.
Array take_pairs(const Array& array, std::vector<TakeAlong> takes, const std::source_location& where) {
  std::size_t count = 1;
  for (const TakeAlong& one : takes) {
    if (count == 1) count = one.places.size();
  }
  std::vector<int> order;
  std::vector<std::vector<std::int64_t>> places;
  for (TakeAlong& one : takes) {
    if (one.places.size() == 1) one.places.assign(count, one.places[0]);
    if (one.places.size() != count) {
      throw Error(ops::at_line("index", where) + "lists of " + std::to_string(count) + " and " +
                  std::to_string(one.places.size()) + " places do not go together: they name places in pairs");
    }
    order.push_back(static_cast<int>(one.axis));
    places.push_back(std::move(one.places));
  }
  for (int axis = 0; axis < static_cast<int>(array.ndim()); ++axis) {
    if (std::find(order.begin(), order.end(), axis) == order.end()) order.push_back(axis);
  }
  return moveaxis(vindex(transpose(array, order, where), places, where), 0, static_cast<int>(takes[0].axis), where);
}

}  // namespace

Array Array::at(const std::vector<Index>& index, const std::source_location& where) const {
  const expression::NodePointer& source = node();
  const std::vector<Index> full = spelled_out(*source, index, where);
  Grid grid;
  IndexMap map(source->grid.size());
  std::vector<TakeAlong> takes;
  std::vector<MaskAlong> masks;
  std::vector<slice::Places> parts;
  std::size_t axis = 0;
  for (const Index& one : full) {
    if (std::holds_alternative<NewAxis>(one.value())) {
      grid.push_back(AxisGrid::whole(1));
      continue;
    }
    if (const auto* mask = std::get_if<expression::NodePointer>(&one.value())) {
      check_mask(*source, axis, **mask, where);
      masks.push_back({grid.size(), *mask});
      for (std::size_t i = 0; i < (*mask)->grid.size(); ++i, ++axis) {
        map[axis].out_axis = static_cast<std::int32_t>(grid.size());
        grid.push_back(source->grid[axis]);
      }
      continue;
    }
    const std::int64_t extent = source->shape[axis];
    AxisMap& to = map[axis];
    const auto* const whole = std::get_if<slice>(&one.value());
    if (extent < 0 && !(whole != nullptr && whole->whole())) ops::require_known(*source, "index", where);
    if (const auto* place = std::get_if<std::int64_t>(&one.value())) {
      if (*place < -extent || *place >= extent) {
        throw Error(ops::at_line("index", where) + "index " + std::to_string(*place) + " is out of bounds for axis " +
                    std::to_string(axis) + " of extent " + std::to_string(extent));
      }
      to.start = *place < 0 ? *place + extent : *place;
      parts.push_back({to.start, 1, 1});
    } else {
      to.out_axis = static_cast<std::int32_t>(grid.size());
      if (whole != nullptr) {
        const slice::Places places =
            extent < 0 ? slice::Places{0, 1, -1} : ops::told("index", where, [&] { return whole->on(extent); });
        to.start = places.count == 0 ? 0 : places.first;
        to.step = places.step;
        grid.push_back(slice_grid(source->grid[axis], places));
        parts.push_back(places);
      } else {
        takes.push_back({grid.size(), std::get<std::vector<std::int64_t>>(one.value())});
        grid.push_back(source->grid[axis]);
      }
    }
    ++axis;
  }
  if (masks.size() > 1 || (!masks.empty() && !takes.empty())) {
    throw Error(ops::at_line("index", where) +
                "a mask together with another mask or a list means pairs of places: index one axis after the other");
  }
  if (takes.empty() && masks.empty()) {
    if (const expression::NodePointer part = ops::part_of(source, parts, where)) {
      std::vector<Index> rest;
      for (const Index& one : full) {
        if (std::holds_alternative<slice>(one.value())) {
          rest.push_back(slice());
        } else {
          rest.push_back(std::holds_alternative<NewAxis>(one.value()) ? one : Index(0));
        }
      }
      return Array(part).at(rest, where);
    }
  }
  Array result(expression::make_view(source, std::move(map), std::move(grid), "index", where));
  if (takes.size() > 1) {
    result = take_pairs(result, takes, where);
  } else if (!takes.empty()) {
    result = take(result, takes[0].places, static_cast<int>(takes[0].axis), where);
  }
  for (const MaskAlong& one : masks) result = ops::choose_by_mask(result, one.mask, one.axis, where);
  if (takes.empty() && masks.empty()) return result;
  const std::size_t at = takes.empty() ? masks[0].axis : takes[0].axis;
  return lists_apart(full) && at != 0 ? moveaxis(result, static_cast<int>(at), 0, where) : result;
}

}  // namespace weft::arrays
