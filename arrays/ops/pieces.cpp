// What take, roll and reshape need of their input: the boxes of a chunk, the pieces that are cut for it where only they
// shall move, and the part that a slice of the result needs.
#include "arrays/kernels/copy.hpp"
#include "arrays/ops/assembled.hpp"

#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cstring>
#include <set>

namespace weft::arrays::ops {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;
using Where = std::source_location;

namespace {

/// Chunks that are looked at to find where to cut.
constexpr std::int64_t kMostLooked = std::int64_t{1} << 16;
/// A slice of less than one part in so many is worth a structure of its own.
constexpr std::int64_t kSmallPart = 4;

std::int64_t elements_of(const std::vector<std::int64_t>& shape, std::size_t from = 0) {
  std::int64_t count = 1;
  for (std::size_t axis = from; axis < shape.size(); ++axis) count *= shape[axis];
  return count;
}

/// The slices as indices.
std::vector<Index> indices_of(const std::vector<slice::Places>& places) {
  std::vector<Index> indices;
  for (const slice::Places& one : places) {
    const std::int64_t end = one.first + one.step * one.count;
    if (one.count == 0) {
      indices.push_back(slice(0, 0));
    } else if (one.step < 0 && end < 0) {
      indices.push_back(slice(one.first, none, one.step));
    } else {
      indices.push_back(slice(one.first, end, one.step));
    }
  }
  return indices;
}

}  // namespace

void Roll::needs(const Box& out, std::vector<Need>& needs) const {
  for (std::int64_t at = 0; at < out.extent[axis];) {
    const std::int64_t from = (out.start[axis] + at + shift) % extent;
    const std::int64_t count = std::min(out.extent[axis] - at, extent - from);
    Need need{0, out, std::vector<std::int64_t>(out.ndim(), 0)};
    need.box.start[axis] = from;
    need.box.extent[axis] = count;
    need.out_start[axis] = at;
    needs.push_back(std::move(need));
    at += count;
  }
}

NodePointer Roll::cut(const Node& node) const { return cut_at_needs(node); }

void Take::identify(Writer& writer) const {
  weft::encode(writer, axis);
  weft::encode(writer, places);
}

void Take::needs(const Box& out, std::vector<Need>& needs) const {
  const auto first = places.begin() + static_cast<std::ptrdiff_t>(out.start[axis]);
  std::vector<std::int64_t> sorted(first, first + static_cast<std::ptrdiff_t>(out.extent[axis]));
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t at = 0; at < sorted.size();) {
    const std::int64_t end = pieces.end(pieces.find(sorted[at]));
    std::size_t last = at;
    while (last + 1 < sorted.size() && sorted[last + 1] < end) ++last;
    Need need{0, out, {}};
    need.box.start[axis] = sorted[at];
    need.box.extent[axis] = sorted[last] - sorted[at] + 1;
    needs.push_back(std::move(need));
    at = last + 1;
  }
}

void Take::run(const ChunkWork& work) const {
  const std::size_t ndim = work.output.shape.size();
  std::vector<std::int64_t> extents = work.output.shape;
  extents[axis] = 1;
  for (std::int64_t i = 0; i < work.output.shape[axis]; ++i) {
    const std::int64_t place = places[static_cast<std::size_t>(work.out.start[axis] + i)];
    // Boxes stand in the order of their places.
    const auto after =
        std::upper_bound(work.needs.begin(), work.needs.end(), place,
                         [this](std::int64_t at, const Need& need) { return at < need.box.start[axis]; });
    const auto box = static_cast<std::size_t>(after - work.needs.begin() - 1);
    const Block& from = work.inputs[box];
    if (from.data == nullptr) continue;
    kernels::copy_box(work.output.data + i * work.output.strides[axis], work.output.strides.data(),
                      from.data + (place - work.needs[box].box.start[axis]) * from.strides[axis], from.strides.data(),
                      extents.data(), ndim, from.dtype.size());
  }
}

/// First what each chunk of the result takes of each piece of the source, side by side; then the chunk's order of it.
NodePointer Take::cut(const Node& node) const {
  const AxisGrid& out = node.grid[axis];
  std::vector<std::int64_t> gathered, sizes, order(places.size());
  gathered.reserve(places.size());
  for (std::int64_t chunk = 0; chunk < out.count(); ++chunk) {
    std::vector<std::int64_t> by_piece;
    for (std::int64_t i = out.start(chunk); i < out.end(chunk); ++i) by_piece.push_back(i);
    const auto piece = [&](std::int64_t i) { return pieces.find(places[static_cast<std::size_t>(i)]); };
    std::stable_sort(by_piece.begin(), by_piece.end(),
                     [&](std::int64_t a, std::int64_t b) { return piece(a) < piece(b); });
    for (std::size_t i = 0; i < by_piece.size(); ++i) {
      if (i == 0 || piece(by_piece[i]) != piece(by_piece[i - 1])) sizes.push_back(0);
      ++sizes.back();
      order[static_cast<std::size_t>(by_piece[i])] = static_cast<std::int64_t>(gathered.size());
      gathered.push_back(places[static_cast<std::size_t>(by_piece[i])]);
    }
  }
  if (sizes.empty()) return nullptr;
  const NodePointer& source = node.inputs[0];
  Grid grid = source->grid;
  grid[axis] = AxisGrid::of(sizes);
  const NodePointer parts = expression::make_structural(
      expression::make_structure(Take{axis, std::move(gathered), pieces}), {source}, node.dtype, grid, node.where);
  return expression::make_structural(expression::make_structure(Take{axis, std::move(order), grid[axis]}), {parts},
                                     node.dtype, node.grid, node.where);
}

std::pair<std::int64_t, std::int64_t> Reshape::flat(const Box& out) const {
  std::int64_t first = skipped, stride = 1;
  for (std::size_t axis = to.size(); axis-- > 0;) {
    first += out.start[axis] * stride;
    stride *= to[axis];
  }
  return {first, first + out.elements()};
}

namespace {

/// Writes elements [first, end) of an array as boxes, in order. `start`: the places along the axes before `axis`.
void boxes_of_run(const std::vector<std::int64_t>& shape, std::vector<std::int64_t>& start, std::int64_t first,
                  std::int64_t end, std::vector<Need>& needs) {
  if (first >= end) return;
  const std::size_t axis = start.size();
  const auto push = [&](std::int64_t begin, std::int64_t count) {
    Need need;
    need.box.start = start;
    need.box.extent.assign(start.size(), 1);
    if (axis < shape.size()) {
      need.box.start.push_back(begin);
      need.box.extent.push_back(count);
    }
    for (std::size_t inner = axis + 1; inner < shape.size(); ++inner) {
      need.box.start.push_back(0);
      need.box.extent.push_back(shape[inner]);
    }
    needs.push_back(std::move(need));
  };
  if (axis == shape.size()) return push(0, 1);
  const std::int64_t row = elements_of(shape, axis + 1);
  const auto part = [&](std::int64_t at, std::int64_t from, std::int64_t upto) {
    start.push_back(at);
    boxes_of_run(shape, start, from, upto, needs);
    start.pop_back();
  };
  const std::int64_t a = first / row, b = (end - 1) / row;
  if (a == b && end - first < row) return part(a, first - a * row, end - a * row);
  std::int64_t begin = a, stop = b + 1;
  if (first % row != 0) part(begin++, first % row, row);
  if (end % row != 0) --stop;
  if (begin < stop) push(begin, stop - begin);
  if (end % row != 0) part(b, 0, end % row);
}

}  // namespace

void Reshape::needs(const Box& out, std::vector<Need>& needs) const {
  const auto [first, end] = flat(out);
  std::vector<std::int64_t> start;
  boxes_of_run(from, start, first, end, needs);
  // There is one at least, of no elements.
  if (needs.empty()) needs.push_back({0, {std::vector<std::int64_t>(from.size(), 0), from}, {}});
}

void Reshape::run(const ChunkWork& work) const {
  std::byte* to_place = work.output.data;
  for (const Block& block : work.inputs) {
    const std::int64_t count = Shape(block.shape).elements();
    if (block.data == nullptr || count == 0) continue;
    const auto packed = c_strides(Shape(block.shape), block.dtype.size());
    kernels::copy_box(to_place, packed.data(), block.data, block.strides.data(), block.shape.data(), packed.size(),
                      block.dtype.size());
    to_place += count * static_cast<std::int64_t>(block.dtype.size());
  }
}

NodePointer Reshape::cut(const Node& node) const { return cut_at_needs(node); }

Grid reshaped_grid(const Shape& shape, std::int64_t run) {
  Grid grid;
  std::int64_t rows = shape.elements();
  bool whole = rows == 0;
  for (const std::int64_t extent : shape) {
    if (whole) {
      grid.push_back(AxisGrid::whole(extent));
      continue;
    }
    rows /= extent;
    // Of this axis as many places as make a run; none of the axes before it has more than one then.
    whole = rows <= run;
    grid.push_back(AxisGrid::regular(extent, whole ? std::max<std::int64_t>(1, run / rows) : 1));
  }
  return grid;
}

NodePointer cut_at_needs(const Node& node) {
  const NodePointer& source = node.inputs[0];
  const std::int64_t chunks = expression::chunk_count(node.grid);
  if (chunks > kMostLooked) return nullptr;
  std::vector<std::set<std::int64_t>> edges(source->grid.size());
  std::vector<Need> needs;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    needs.clear();
    node.structure->type->needs(node.structure->parameters.get(), expression::chunk_box(node.grid, chunk), needs);
    for (const Need& need : needs) {
      for (std::size_t axis = 0; axis < edges.size(); ++axis) {
        edges[axis].insert(need.box.start[axis]);
        edges[axis].insert(need.box.start[axis] + need.box.extent[axis]);
      }
    }
  }
  // Cuts along the last axes are the first to be given up where there would be too many pieces.
  const std::int64_t most = 64 + 4 * (chunks + expression::chunk_count(source->grid));
  for (std::size_t cut = edges.size(); cut > 0; --cut) {
    Grid grid = source->grid;
    for (std::size_t axis = 0; axis < cut; ++axis) {
      std::vector<std::int64_t> sizes;
      std::int64_t last = 0;
      for (const std::int64_t edge : edges[axis]) {
        if (edge > last && edge < grid[axis].extent()) {
          sizes.push_back(edge - last);
          last = edge;
        }
      }
      sizes.push_back(grid[axis].extent() - last);
      if (grid[axis].extent() > 0) grid[axis] = expression::common_refinement(grid[axis], AxisGrid::of(sizes));
    }
    if (grid == source->grid) return nullptr;
    if (expression::chunk_count(grid) > most) continue;
    return expression::make_structural(node.structure, {rechunk_to(source, grid, node.where)}, node.dtype, node.grid,
                                       node.where);
  }
  return nullptr;
}

namespace {

template <class P>
const P* parameters_of(const Node& node) {
  if (node.structure->type != &expression::structure_type<P>) return nullptr;
  return static_cast<const P*>(node.structure->parameters.get());
}

Array part_of_take(const Take& take, const Node& node, std::vector<slice::Places> places, const Where& where) {
  std::vector<std::int64_t> chosen;
  slice::Places& along = places[take.axis];
  for (std::int64_t i = 0; i < along.count; ++i) {
    chosen.push_back(take.places[static_cast<std::size_t>(along.first + i * along.step)]);
  }
  along = {0, 1, node.inputs[0]->shape[take.axis]};
  const Array input = Array(node.inputs[0]).at(indices_of(places), where);
  return arrays::take(input, chosen, static_cast<int>(take.axis), where);
}

Array part_of_roll(const Roll& roll, const Node& node, const std::vector<slice::Places>& places, const Where& where) {
  const slice::Places& along = places[roll.axis];
  std::vector<Array> runs;
  for (std::int64_t i = 0; i < along.count;) {
    const std::int64_t first = (along.first + i * along.step + roll.shift) % roll.extent;
    const std::int64_t left = along.step > 0 ? (roll.extent - 1 - first) / along.step : first / -along.step;
    const std::int64_t count = std::min(along.count - i, left + 1);
    std::vector<slice::Places> run = places;
    run[roll.axis] = {first, along.step, count};
    runs.push_back(Array(node.inputs[0]).at(indices_of(run), where));
    i += count;
  }
  return runs.size() == 1 ? runs[0] : concatenate(runs, static_cast<int>(roll.axis), where);
}

/// A run of the result first, of which the slice is taken then.
Array part_of_reshape(const Reshape& reshape, const Node& node, const std::vector<slice::Places>& places,
                      const Where& where) {
  Reshape part = reshape;
  std::vector<slice::Places> rest = places;
  std::int64_t stride = elements_of(reshape.to);
  for (std::size_t axis = 0; axis < places.size(); ++axis) {
    stride /= reshape.to[axis];
    const slice::Places& along = places[axis];
    const std::int64_t last = along.first + (along.count - 1) * along.step;
    const std::int64_t low = std::min(along.first, last);
    part.skipped += low * stride;
    part.to[axis] = std::max(along.first, last) - low + 1;
    rest[axis].first -= low;
    if (part.to[axis] > 1) break;
  }
  const Shape shape(part.to);
  std::int64_t run = 1;
  for (const AxisGrid& axis : node.grid) run *= std::max<std::int64_t>(1, axis.largest());
  const Array whole(expression::make_structural(expression::make_structure(part), {node.inputs[0]}, node.dtype,
                                                reshaped_grid(shape, run), where));
  return whole.at(indices_of(rest), where);
}

}  // namespace

NodePointer part_of(const NodePointer& node, const std::vector<slice::Places>& places, const Where& where) {
  if (node->kind != expression::NodeKind::Structural || !expression::known(node->grid)) return nullptr;
  std::int64_t part = 1;
  for (const slice::Places& along : places) part *= along.count;
  if (part == 0 || part > node->shape.elements() / kSmallPart) return nullptr;
  if (const auto* take = parameters_of<Take>(*node)) return part_of_take(*take, *node, places, where).node();
  if (const auto* roll = parameters_of<Roll>(*node)) return part_of_roll(*roll, *node, places, where).node();
  if (const auto* reshape = parameters_of<Reshape>(*node)) {
    // Nothing is gained by a run that is most of the result again.
    bool whole = !reshape->to.empty() && (places[0].count - 1) * std::abs(places[0].step) + 1 == reshape->to[0];
    return whole && reshape->to[0] > 1 ? nullptr : part_of_reshape(*reshape, *node, places, where).node();
  }
  return nullptr;
}

}  // namespace weft::arrays::ops
