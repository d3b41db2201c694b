// Arrays with other values at some places.
#include "arrays/kernels/copy.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace weft::arrays {
namespace {

using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;
using expression::NodePointer;
using ops::at_line;
using Where = std::source_location;

/// The places of one axis that are set: position p is at first + step * p, or at places[p].
struct Target {
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 1;
  bool listed = false;
  std::vector<std::int64_t> places;
  /// The axis of the value that tells the values; -1: all are the same.
  std::int32_t value_axis = -1;

  /// Positions [first, end) that lie in [low, high); of a list, the smallest range that holds them.
  std::pair<std::int64_t, std::int64_t> within(std::int64_t low, std::int64_t high) const {
    if (listed) {
      std::int64_t begin = count, end = 0;
      for (std::int64_t p = 0; p < count; ++p) {
        if (!holds(p, low, high)) continue;
        begin = std::min(begin, p);
        end = p + 1;
      }
      return {std::min(begin, end), end};
    }
    const auto up = [](std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : (a + b - 1) / b; };
    const std::int64_t begin = step > 0 ? up(low - first, step) : up(first - high + 1, -step);
    const std::int64_t end = step > 0 ? up(high - first, step) : (first < low ? 0 : (first - low) / -step + 1);
    return {std::min(begin, count), std::min(end, count)};
  }
  bool holds(std::int64_t p, std::int64_t low, std::int64_t high) const {
    const std::int64_t place = places[static_cast<std::size_t>(p)];
    return place >= low && place < high;
  }
};

struct Assign {
  static constexpr const char* kName = "set";
  static constexpr bool kAssembles = false;
  std::vector<Target> targets;
  std::int64_t value_ndim;

  /// The positions along each axis that a chunk has; none where it has none of the places.
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges(const Box& out) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> list;
    for (std::size_t axis = 0; axis < targets.size(); ++axis) {
      list.push_back(targets[axis].within(out.start[axis], out.start[axis] + out.extent[axis]));
      if (list.back().first >= list.back().second) return {};
    }
    return list;
  }
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, {}});
    const auto positions = ranges(out);
    if (positions.size() != targets.size() || out.elements() == 0) return;
    const auto ndim = static_cast<std::size_t>(value_ndim);
    Need value{1, Box{std::vector<std::int64_t>(ndim, 0), std::vector<std::int64_t>(ndim, 1)}, {}};
    for (std::size_t axis = 0; axis < targets.size(); ++axis) {
      if (targets[axis].value_axis < 0) continue;
      const auto at = static_cast<std::size_t>(targets[axis].value_axis);
      value.box.start[at] = positions[axis].first;
      value.box.extent[at] = positions[axis].second - positions[axis].first;
    }
    needs.push_back(std::move(value));
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr) return;
    kernels::copy_box(work.output.data, work.output.strides.data(), from.data, from.strides.data(), from.shape.data(),
                      from.shape.size(), from.dtype.size());
    if (work.inputs.size() > 1) write(work, 0, work.output.data, work.inputs[1].data, {}, {}, {});
  }

 private:
  /// Writes what lies at the chosen positions; axis by axis, so that lists go place by place.
  void write(const ChunkWork& work, std::size_t axis, std::byte* to, const std::byte* from,
             std::vector<std::int64_t> extents, std::vector<std::int64_t> to_strides,
             std::vector<std::int64_t> from_strides) const {
    const Block& out = work.output;
    if (axis == targets.size()) {
      kernels::copy_box(to, to_strides.data(), from, from_strides.data(), extents.data(), extents.size(),
                        out.dtype.size());
      return;
    }
    const Target& target = targets[axis];
    const std::int64_t low = work.out.start[axis];
    const auto [begin, end] = target.within(low, low + out.shape[axis]);
    const std::int64_t move =
        target.value_axis < 0 ? 0 : work.inputs[1].strides[static_cast<std::size_t>(target.value_axis)];
    if (target.listed) {
      for (std::int64_t p = begin; p < end; ++p) {
        if (!target.holds(p, low, low + out.shape[axis])) continue;
        const std::int64_t place = target.places[static_cast<std::size_t>(p)] - low;
        write(work, axis + 1, to + place * out.strides[axis], from + (p - begin) * move, extents, to_strides,
              from_strides);
      }
      return;
    }
    extents.push_back(end - begin);
    to_strides.push_back(target.step * out.strides[axis]);
    from_strides.push_back(move);
    write(work, axis + 1, to + (target.first + target.step * begin - low) * out.strides[axis], from, std::move(extents),
          std::move(to_strides), std::move(from_strides));
  }
};

/// A number that becomes an element of the array, or what NumPy refuses to put there.
Operand element_of(const Scalar& scalar, Dtype dtype, const Where& where) {
  ops::told("set", where, [&] { scalar.require_fits(dtype); });
  if (scalar.dtype().is_complex() && !dtype.is_complex()) {
    throw Error(at_line("set", where) + "the complex number " + scalar.text() + " does not become " + dtype.name() +
                ": convert the array with astype, or give its real part");
  }
  if (scalar.dtype().is_floating() && dtype.is_integer() && !std::isfinite(scalar.real())) {
    throw Error(at_line("set", where) + scalar.text() + " does not become " + dtype.name() +
                ": convert the array with astype(float64) first");
  }
  return {Scalar(scalar, dtype), where};
}

Array set_by_mask(const Array& array, const NodePointer& mask, const Operand& value, const Where& where) {
  const auto refuse = [&](const std::string& what) {
    throw Error(at_line("set", where) + what + ": write where(mask, values, x) with values of the array's shape");
  };
  const std::size_t behind = array.ndim() - std::min(mask->grid.size(), array.ndim());
  if (!value.is_scalar() && value.array().ndim() > behind) {
    refuse("a value of shape " + value.array().shape().text() + " cannot be spread over what a mask chooses");
  }
  bool fits = mask->grid.size() <= array.ndim();
  for (std::size_t axis = 0; fits && axis < mask->grid.size(); ++axis) fits = mask->shape[axis] == array.shape()[axis];
  if (!fits) {
    refuse("a mask of shape " + mask->shape.text() + " does not fit an array of shape " + array.shape().text());
  }
  std::vector<Index> wide(1, Index(ellipsis));
  wide.insert(wide.end(), behind, Index(newaxis));
  const Array chosen = Array(mask).at(wide, where);
  const Operand values = value.is_scalar() ? element_of(value.scalar(), array.dtype(), where)
                                           : Operand(value.array().astype(array.dtype(), where), where);
  return arrays::where(chosen, values, array);
}

/// What one index means on an axis; the axis of the value is set later.
Target target_of(const Index& index, std::size_t axis, std::int64_t extent, const Where& where) {
  const auto resolved = [&](std::int64_t place) {
    if (place < -extent || place >= extent) {
      throw Error(at_line("set", where) + "index " + std::to_string(place) + " is out of bounds for axis " +
                  std::to_string(axis) + " of extent " + std::to_string(extent));
    }
    return place < 0 ? place + extent : place;
  };
  Target target;
  if (const auto* place = std::get_if<std::int64_t>(&index.value())) {
    target.first = resolved(*place);
  } else if (const auto* part = std::get_if<slice>(&index.value())) {
    const slice::Places places = ops::told("set", where, [&] { return part->on(extent); });
    target.first = places.first;
    target.step = places.step;
    target.count = places.count;
  } else if (const auto* list = std::get_if<std::vector<std::int64_t>>(&index.value())) {
    target.listed = true;
    for (const std::int64_t one : *list) target.places.push_back(resolved(one));
    target.count = static_cast<std::int64_t>(list->size());
  } else {
    throw Error(at_line("set", where) + "takes numbers, slices, one list and one ellipsis, or a mask alone");
  }
  return target;
}

/// Puts full slices where the ellipsis stands, and behind the last index.
std::vector<Index> spelled_out(const std::vector<Index>& index, const Array& array, const Where& where) {
  std::vector<Index> full;
  std::size_t dots = 0;
  for (const Index& one : index) dots += std::holds_alternative<Ellipsis>(one.value()) ? 1 : 0;
  const std::size_t used = index.size() - dots;
  if (dots > 1 || used > array.ndim()) {
    throw Error(at_line("set", where) + std::to_string(used) + " indices and " + std::to_string(dots) +
                " ellipses were given for an array of shape " + array.shape().text());
  }
  for (const Index& one : index) {
    if (std::holds_alternative<Ellipsis>(one.value())) {
      full.insert(full.end(), array.ndim() - used, Index(slice()));
    } else {
      full.push_back(one);
    }
  }
  while (full.size() < array.ndim()) full.emplace_back(slice());
  return full;
}

/// A mask of one axis beside numbers, slices and lists: all that the others choose too gets the number.
Array set_by_mask_and_others(const Array& array, const std::vector<Index>& index, const Operand& value,
                             const Where& where) {
  if (!value.is_scalar() && value.array().ndim() > 0) {
    throw Error(at_line("set", where) +
                "a mask beside other indices takes a number: write where(mask, values, x) for an array of values");
  }
  const std::vector<Index> full = spelled_out(index, array, where);
  Array chosen;
  std::size_t lists = 0;
  for (std::size_t axis = 0; axis < full.size(); ++axis) {
    const auto* const mask = std::get_if<NodePointer>(&full[axis].value());
    lists += mask != nullptr || std::holds_alternative<std::vector<std::int64_t>>(full[axis].value()) ? 1 : 0;
    const std::int64_t extent = array.shape()[axis];
    if (mask != nullptr && ((*mask)->shape.size() != 1 || (*mask)->shape[0] != extent)) {
      throw Error(at_line("set", where) + "a mask of shape " + (*mask)->shape.text() + " does not fit axis " +
                  std::to_string(axis) + " of an array of shape " + array.shape().text());
    }
    const Array along =
        mask != nullptr ? Array(*mask) : zeros({extent}, {.dtype = bool_}, where).set({full[axis]}, true, where);
    Shape line(std::vector<std::int64_t>(array.ndim(), 1));
    line[axis] = extent;
    const Array part = reshape(along, line, where);
    chosen = chosen.valid() ? logical_and(chosen, part) : part;
  }
  if (lists > 1) {
    throw Error(at_line("set", where) + "takes one mask or list: write where(mask, values, x) for several masks");
  }
  return set_by_mask(array, chosen.node(), value, where);
}

/// Lists of places of neighbouring axes, which go together in pairs: these axes become one for a while. Nothing where
/// there is one list at most.
std::optional<Array> set_pairs(const Array& array, const std::vector<Index>& full, const Operand& value,
                               const Where& where) {
  std::vector<std::size_t> listed;
  for (std::size_t axis = 0; axis < full.size(); ++axis) {
    if (std::holds_alternative<std::vector<std::int64_t>>(full[axis].value())) listed.push_back(axis);
  }
  if (listed.size() < 2) return std::nullopt;
  std::vector<std::int64_t> flat;
  std::int64_t joined = 1;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const std::size_t axis = listed[i];
    const std::int64_t extent = array.shape()[axis];
    const Target target = target_of(full[axis], axis, extent, where);
    if (i == 0) flat.assign(target.places.size(), 0);
    if (axis != listed[0] + i || target.places.size() != flat.size()) {
      throw Error(at_line("set", where) + "lists of places go together in pairs: they must be of one length (" +
                  std::to_string(flat.size()) + " and " + std::to_string(target.places.size()) +
                  ") and of neighbouring axes; set one after the other for more");
    }
    for (std::size_t p = 0; p < flat.size(); ++p) flat[p] = flat[p] * extent + target.places[p];
    joined *= extent;
  }
  std::vector<std::int64_t> shape;
  std::vector<Index> index;
  for (std::size_t axis = 0; axis < full.size(); ++axis) {
    if (axis == listed[0]) {
      shape.push_back(joined);
      index.emplace_back(flat);
    } else if (axis < listed[0] || axis > listed.back()) {
      shape.push_back(array.shape()[axis]);
      index.push_back(full[axis]);
    }
  }
  const Array set = reshape(array, Shape(shape), where).set(index, value, where);
  return Array(ops::rechunk_to(reshape(set, array.shape(), where).node(), array.node()->grid, where));
}

}  // namespace

Array Array::set(const std::vector<Index>& index, const Operand& value, const Where& where) const {
  ops::require_known(*node(), "set", where);
  for (const Index& one : index) {
    const auto* const mask = std::get_if<NodePointer>(&one.value());
    if (mask == nullptr) continue;
    if (index.size() == 1) return set_by_mask(*this, *mask, value, where);
    return set_by_mask_and_others(*this, index, value, where);
  }
  if (const std::optional<Array> done = set_pairs(*this, spelled_out(index, *this, where), value, where)) return *done;
  Assign assign{{}, 0};
  std::vector<std::size_t> chosen;
  Shape shape;
  for (const Index& one : spelled_out(index, *this, where)) {
    const std::size_t axis = assign.targets.size();
    assign.targets.push_back(target_of(one, axis, node()->shape[axis], where));
    if (std::holds_alternative<std::int64_t>(one.value())) continue;
    chosen.push_back(axis);
    shape.push_back(assign.targets.back().count);
  }
  const NodePointer values =
      value.is_scalar() ? expression::make_constant(element_of(value.scalar(), dtype(), where).scalar(), dtype(), where)
                        : expression::make_cast(value.array().node(), dtype(), where);
  ops::require_known(*values, "set", where);
  const std::size_t have = values->grid.size();
  bool fits = have <= shape.size();
  for (std::size_t i = 0; fits && i < have; ++i) {
    const std::size_t at = shape.size() - have + i;
    fits = values->shape[i] == shape[at] || values->shape[i] == 1;
    if (fits && shape[at] == values->shape[i] && shape[at] != 1) {
      assign.targets[chosen[at]].value_axis = static_cast<std::int32_t>(i);
    }
  }
  if (!fits) {
    throw Error(at_line("set", where) + "a value of shape " + values->shape.text() +
                " does not broadcast to the chosen places, whose shape is " + shape.text());
  }
  assign.value_ndim = static_cast<std::int64_t>(have);
  return Array(expression::make_structural(expression::make_structure(std::move(assign)), {node(), values}, dtype(),
                                           node()->grid, where));
}

Array Array::blocks(const std::vector<Index>& index, const Where& where) const {
  ops::require_known(*node(), "blocks", where);
  Array result = *this;
  std::size_t axis = 0;
  if (index.size() > ndim()) {
    throw Error(at_line("blocks", where) + std::to_string(index.size()) + " indices were given for an array of shape " +
                shape().text());
  }
  for (const Index& one : index) {
    const expression::AxisGrid& grid = node()->grid[axis];
    Target target;
    try {
      target = target_of(one, axis, grid.count(), where);
    } catch (const Error& error) {
      throw Error(at_line("blocks", where) + "axis " + std::to_string(axis) + " has " + std::to_string(grid.count()) +
                  " chunks; " + error.what());
    }
    std::vector<Array> parts;
    for (std::int64_t p = 0; p < target.count; ++p) {
      const std::int64_t first =
          target.listed ? target.places[static_cast<std::size_t>(p)] : target.first + target.step * p;
      std::int64_t last = first;
      // Neighbours go together.
      while (!target.listed && target.step == 1 && p + 1 < target.count) ++last, ++p;
      std::vector<Index> part(axis, Index(slice()));
      part.emplace_back(slice(grid.start(first), grid.end(last)));
      parts.push_back(result.at(part, where));
    }
    if (parts.empty()) {
      std::vector<Index> nothing(axis, Index(slice()));
      nothing.emplace_back(slice(0, 0));
      parts.push_back(result.at(nothing, where));
    }
    result = parts.size() == 1 ? parts[0] : concatenate(parts, static_cast<int>(axis), where);
    ++axis;
  }
  return result;
}

}  // namespace weft::arrays
