// Chunks that see the borders of their neighbours.
#include <weft/ops/overlap.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/margins.hpp"
#include "arrays/ops/user_blocks.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;
using expression::NodePointer;
using ops::at_line;
using ops::AxisMargin;
using ops::Segment;
using Where = std::source_location;

/// The borders of each chunk, side by side: all that its neighbours need of it.
struct Borders {
  static constexpr const char* kName = "borders";
  static constexpr bool kAssembles = false;
  Grid core;
  std::vector<AxisMargin> margins;
  /// Elements set aside for each chunk.
  std::int64_t room;

  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, expression::chunk_box(core, out.start[0] / room), {}});
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    const std::size_t bytes = from.dtype.size();
    std::int64_t end = 0;
    for (const ops::Slab& slab : ops::slabs(from.shape, margins)) {
      const auto strides = c_strides(Shape(slab.extent), bytes);
      const std::byte* at = from.data;
      for (std::size_t axis = 0; axis < slab.start.size(); ++axis) at += slab.start[axis] * from.strides[axis];
      kernels::copy_box(work.output.data + slab.offset * static_cast<std::int64_t>(bytes), strides.data(), at,
                        from.strides.data(), slab.extent.data(), slab.extent.size(), bytes);
      end = slab.offset + Shape(slab.extent).elements();
    }
    // Smaller chunks leave room behind.
    std::fill(work.output.data + end * static_cast<std::int64_t>(bytes),
              work.output.data + work.output.shape[0] * static_cast<std::int64_t>(bytes), std::byte{0});
  }
};

/// Chunks with margins, and what a kernel makes of them.
struct Overlap {
  static constexpr const char* kName = "map_overlap";
  static constexpr bool kAssembles = false;
  /// None: the chunk with its margins is the result.
  detail::UserFunction function;
  std::uint64_t count = 1;
  Grid core;
  Grid out;
  std::vector<AxisMargin> margins;
  /// The constant of each axis, for each input, in its type.
  std::vector<std::vector<std::uint64_t>> values;
  /// Elements of the borders of a chunk, which are an input of their own behind each; 0: neighbours are read
  /// themselves.
  std::int64_t room = 0;
  bool trim = true;
  bool local = false;

  void identify(Writer& writer) const {
    if (function.kernel != nullptr) detail::identify(function, writer);
    weft::encode(writer, count);
    weft::encode(writer, core);
    weft::encode(writer, margins);
    weft::encode(writer, values);
    weft::encode(writer, trim);
    weft::encode(writer, local);
  }
  void needs(const Box& box, std::vector<Need>& needs) const;
  void run(const ChunkWork& work) const;

  /// A chunk with its margins: where everything comes from.
  struct Layout {
    std::vector<std::int64_t> location;
    std::vector<std::vector<Segment>> axes;
    std::vector<std::int64_t> before, after, extent;
    /// Numbers of the other chunks it needs borders of.
    std::vector<std::int64_t> neighbours;
  };
  Layout layout_of(const Box& box) const;
  template <class Visit>
  void each_part(const Layout& layout, const Visit& visit) const;
  void assemble(const ChunkWork& work, const Layout& layout, std::size_t input, std::int64_t first, std::int64_t rows,
                const Block& to) const;
  /// Rows that a kernel is given at a time.
  std::int64_t rows_at_once(const ChunkWork& work, const Layout& layout) const;
};

bool constant_part(const std::vector<const Segment*>& part) {
  return std::any_of(part.begin(), part.end(), [](const Segment* one) { return one->constant; });
}

/// Calls visit(one segment of each axis) for all combinations, in C order.
template <class Visit>
void Overlap::each_part(const Layout& layout, const Visit& visit) const {
  std::vector<std::size_t> index(layout.axes.size(), 0);
  std::vector<const Segment*> part(layout.axes.size());
  for (const auto& axis : layout.axes) {
    if (axis.empty()) return;
  }
  for (;;) {
    for (std::size_t axis = 0; axis < index.size(); ++axis) part[axis] = &layout.axes[axis][index[axis]];
    visit(part);
    std::size_t axis = index.size();
    for (;;) {
      if (axis-- == 0) return;
      if (++index[axis] < layout.axes[axis].size()) break;
      index[axis] = 0;
    }
  }
}

Overlap::Layout Overlap::layout_of(const Box& box) const {
  Layout layout;
  for (std::size_t axis = 0; axis < core.size(); ++axis) {
    const std::int64_t piece = out[axis].find(box.start[axis]);
    const Margin margin = ops::margin_of(core[axis], margins[axis], piece);
    layout.location.push_back(piece);
    layout.axes.push_back(ops::segments(core[axis], margins[axis], piece));
    layout.before.push_back(margin.before);
    layout.after.push_back(margin.after);
    layout.extent.push_back(margin.before + core[axis].size(piece) + margin.after);
  }
  if (room == 0) return layout;
  const std::int64_t own = expression::chunk_number(core, layout.location.data());
  each_part(layout, [&](const std::vector<const Segment*>& part) {
    if (constant_part(part)) return;
    std::vector<std::int64_t> pieces;
    for (const Segment* one : part) pieces.push_back(one->piece);
    const std::int64_t chunk = expression::chunk_number(core, pieces.data());
    if (chunk != own) layout.neighbours.push_back(chunk);
  });
  std::sort(layout.neighbours.begin(), layout.neighbours.end());
  layout.neighbours.erase(std::unique(layout.neighbours.begin(), layout.neighbours.end()), layout.neighbours.end());
  return layout;
}

void Overlap::needs(const Box& box, std::vector<Need>& needs) const {
  if (box.elements() == 0) return;
  const Layout layout = layout_of(box);
  for (std::uint32_t input = 0; input < count; ++input) {
    if (room > 0) {
      needs.push_back(
          {2 * input, expression::chunk_box(core, expression::chunk_number(core, layout.location.data())), {}});
      for (const std::int64_t chunk : layout.neighbours) {
        needs.push_back({2 * input + 1, Box{{chunk * room}, {room}}, {}});
      }
      continue;
    }
    each_part(layout, [&](const std::vector<const Segment*>& part) {
      if (constant_part(part)) return;
      Need need{input, {}, {}};
      for (const Segment* one : part) {
        need.box.start.push_back(one->from);
        need.box.extent.push_back(one->source_count());
      }
      needs.push_back(std::move(need));
    });
  }
}

/// Where the elements of a part lie: the one at the lowest places of the source, and the strides of its axes.
struct Found {
  const std::byte* data;
  std::vector<std::int64_t> strides;
};

Found find_in_chunk(const Block& block, const std::vector<std::int64_t>& chunk_start,
                    const std::vector<const Segment*>& part) {
  Found found{block.data, block.strides};
  for (std::size_t axis = 0; axis < part.size(); ++axis) {
    found.data += (part[axis]->from - chunk_start[axis]) * block.strides[axis];
  }
  return found;
}

/// Looks a part up in the borders of the chunk `box`.
Found find_in_borders(const Block& block, const Box& box, const std::vector<AxisMargin>& margins,
                      const std::vector<const Segment*>& part) {
  const std::size_t bytes = block.dtype.size();
  for (const ops::Slab& slab : ops::slabs(box.extent, margins)) {
    bool inside = true;
    std::int64_t place = 0;
    const auto strides = c_strides(Shape(slab.extent), bytes);
    for (std::size_t axis = 0; axis < part.size(); ++axis) {
      const std::int64_t at = part[axis]->from - box.start[axis] - slab.start[axis];
      inside = inside && at >= 0 && at + part[axis]->source_count() <= slab.extent[axis];
      place += at * strides[axis];
    }
    if (inside) return {block.data + slab.offset * static_cast<std::int64_t>(bytes) + place, strides};
  }
  throw Error("map_overlap: a margin reaches behind the borders of a neighbouring chunk");
}

void Overlap::assemble(const ChunkWork& work, const Layout& layout, std::size_t input, std::int64_t first,
                       std::int64_t rows, const Block& to) const {
  const std::size_t ndim = core.size();
  const std::size_t each = work.inputs.size() / count;
  std::size_t next = input * each;
  each_part(layout, [&](const std::vector<const Segment*>& part) {
    const bool constant = constant_part(part);
    const Block* const block = constant || room > 0 ? nullptr : &work.inputs[next++];
    std::vector<std::int64_t> extent(ndim), strides(ndim, 0);
    std::byte* place = to.data;
    std::int64_t skipped = 0;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      extent[axis] = part[axis]->count;
      std::int64_t at = part[axis]->to;
      if (axis == 0) {
        skipped = std::max<std::int64_t>(0, first - at);
        extent[0] = std::min(at + extent[0], first + rows) - at - skipped;
        at += skipped - first;
      }
      place += at * to.strides[axis];
    }
    if (ndim > 0 && extent[0] <= 0) return;
    std::uint64_t word[2] = {0, 0};
    Found found{reinterpret_cast<const std::byte*>(word), strides};
    if (constant) {
      for (std::size_t axis = 0; axis < ndim; ++axis) {
        if (!part[axis]->constant) continue;
        word[0] = values[input][2 * axis];
        word[1] = values[input][2 * axis + 1];
      }
    } else if (room == 0) {
      found = {block->data, block->strides};
    } else {
      std::vector<std::int64_t> pieces;
      for (const Segment* one : part) pieces.push_back(one->piece);
      const std::int64_t chunk = expression::chunk_number(core, pieces.data());
      const Box box = expression::chunk_box(core, chunk);
      if (pieces == layout.location) {
        found = find_in_chunk(work.inputs[input * each], box.start, part);
      } else {
        const auto known = std::lower_bound(layout.neighbours.begin(), layout.neighbours.end(), chunk);
        const auto which = static_cast<std::size_t>(known - layout.neighbours.begin());
        found = find_in_borders(work.inputs[input * each + 1 + which], box, margins, part);
      }
    }
    for (std::size_t axis = 0; !constant && axis < ndim; ++axis) {
      const Segment& one = *part[axis];
      strides[axis] = one.step * found.strides[axis];
      if (one.step < 0) found.data += (one.count - 1) * found.strides[axis];
      if (axis == 0) found.data += skipped * strides[axis];
    }
    kernels::copy_box(place, to.strides.data(), found.data, strides.data(), extent.data(), ndim, to.dtype.size());
  });
}

/// Bytes of a band with its margins: a part of the second-level cache.
constexpr std::int64_t kBandBytes = 192 * 1024;

std::int64_t Overlap::rows_at_once(const ChunkWork& work, const Layout& layout) const {
  const std::int64_t all = work.out.extent.empty() ? 1 : work.out.extent[0];
  if (!local || !trim || core.empty() || function.kernel->generic) return all;
  auto row = static_cast<std::int64_t>(work.inputs[0].dtype.size() * (count + 1));
  for (std::size_t axis = 1; axis < layout.extent.size(); ++axis) row *= layout.extent[axis];
  const std::int64_t margin = layout.before[0] + layout.after[0];
  return std::clamp<std::int64_t>(std::max(kBandBytes / std::max<std::int64_t>(row, 1), 8 * margin), 1, all);
}

void Overlap::run(const ChunkWork& work) const {
  if (work.out.elements() == 0) return;
  const Layout layout = layout_of(work.out);
  const std::size_t ndim = core.size();
  if (function.kernel == nullptr) {
    assemble(work, layout, 0, 0, ndim == 0 ? 1 : layout.extent[0], work.output);
    return;
  }
  const std::int64_t at_once = rows_at_once(work, layout);
  const std::int64_t all = ndim == 0 ? 1 : work.out.extent[0];
  std::vector<Buffer> memory(count);
  for (std::int64_t row = 0; row < all; row += at_once) {
    BlockInfo info = ops::block_info(out, work.out);
    info.before = layout.before;
    info.after = layout.after;
    detail::RawView to = ops::raw_view(work.output);
    std::vector<std::int64_t> wide = layout.extent;
    std::int64_t first = 0;
    if (at_once < all) {
      // The rows of the chunk with margins that lead to rows [row, end).
      const std::int64_t end = std::min(all, row + at_once);
      first = std::max<std::int64_t>(0, row + layout.before[0] - margins[0].before);
      wide[0] = std::min(end + layout.before[0] + margins[0].after, layout.extent[0]) - first;
      info.before[0] = row + layout.before[0] - first;
      info.after[0] = wide[0] - info.before[0] - (end - row);
      info.start[0] += row;
      to.data += row * to.strides[0];
      info.shape[0] = to.shape[0] = end - row;
    }
    std::vector<detail::RawView> views;
    for (std::size_t input = 0; input < count; ++input) {
      const Dtype dtype = work.inputs[input * (work.inputs.size() / count)].dtype;
      const auto bytes = static_cast<std::size_t>(Shape(wide).elements()) * dtype.size();
      if (memory[input].size() < bytes) memory[input] = Buffer::allocate(bytes);
      const Block block{memory[input].data(), dtype, wide, c_strides(Shape(wide), dtype.size())};
      assemble(work, layout, input, first, ndim == 0 ? 1 : wide[0], block);
      views.push_back(ops::raw_view(block));
    }
    function.kernel->run(function.callable.get(), views, {&to, 1}, info);
  }
}

/// Leaves out elements at both ends of each chunk.
struct Trim {
  static constexpr const char* kName = "trim";
  static constexpr bool kAssembles = true;
  Grid from;
  Grid out;
  std::vector<AxisMargin> margins;
  void needs(const Box& box, std::vector<Need>& needs) const {
    Need need{0, box, std::vector<std::int64_t>(box.ndim(), 0)};
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
      const std::int64_t piece = out[axis].find(box.start[axis]);
      need.box.start[axis] = from[axis].start(piece) + before(axis, piece);
    }
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork&) const {}

  std::int64_t before(std::size_t axis, std::int64_t piece) const {
    return margins[axis].boundary == Boundary::None && piece == 0 ? 0 : margins[axis].before;
  }
  std::int64_t after(std::size_t axis, std::int64_t piece) const {
    const bool last = piece + 1 == from[axis].count();
    return margins[axis].boundary == Boundary::None && last ? 0 : margins[axis].after;
  }
};

std::vector<AxisMargin> margins_on(const char* call, const expression::Node& node, const ForEachAxis<Margin>& depth,
                                   const ForEachAxis<Boundary>& boundary, const Where& where) {
  const std::size_t ndim = node.grid.size();
  const auto depths = depth.on(ndim);
  const auto boundaries = boundary.on(ndim);
  if (depths.size() != ndim || boundaries.size() != ndim) {
    throw Error(at_line(call, where) + "depth or boundary were given for another number of axes than the " +
                std::to_string(ndim) + " of an array of shape " + node.shape.text());
  }
  std::vector<AxisMargin> margins;
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    const AxisMargin one{depths[axis].before, depths[axis].after, boundaries[axis]};
    const std::string what = at_line(call, where) + "the depth of axis " + std::to_string(axis);
    if (one.before < 0 || one.after < 0) throw Error(what + " is negative");
    const bool mirrored = one.boundary == Boundary::Reflect || one.boundary == Boundary::Periodic;
    const std::int64_t most = std::max(one.before, one.after), extent = node.shape[axis];
    if ((mirrored && most > extent) || (one.boundary == Boundary::Nearest && most > 0 && extent == 0)) {
      throw Error(what + " is " + std::to_string(most) + ", but an array of shape " + node.shape.text() +
                  " has not so many elements to go on with: give a smaller depth, or another boundary");
    }
    margins.push_back(one);
  }
  return margins;
}

/// Elements of the largest chunk's borders; 0 where chunks are read themselves: they are hardly larger than their
/// borders, or smaller than the margins.
std::int64_t borders_room(const Grid& grid, const std::vector<AxisMargin>& margins) {
  std::vector<std::int64_t> largest;
  std::int64_t elements = 1;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    std::int64_t least = std::min(grid[axis].size(0), grid[axis].size(grid[axis].count() - 1));
    if (!(grid[axis] == AxisGrid::regular(grid[axis].extent(), grid[axis].size(0)))) {
      for (const std::int64_t size : grid[axis].sizes()) least = std::min(least, size);
    }
    if (least < std::max(margins[axis].before, margins[axis].after)) return 0;
    largest.push_back(grid[axis].largest());
    elements *= largest.back();
  }
  const auto list = ops::slabs(largest, margins);
  if (list.empty() || expression::chunk_count(grid) == 1) return 0;
  const std::int64_t room = list.back().offset + Shape(list.back().extent).elements();
  return room * 4 <= elements ? room : 0;
}

/// Tells whether elements are made from their index for less than it costs to move them.
bool follows_from_index(const expression::Node& node) {
  return node.kind == expression::NodeKind::Generated && node.generator.kind != expression::Generator::Normal &&
         node.generator.kind != expression::Generator::Exponential;
}

/// The chunks with their margins.
Grid wide_grid(const Grid& core, const std::vector<AxisMargin>& margins) {
  Grid grid;
  for (std::size_t axis = 0; axis < core.size(); ++axis) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t piece = 0; piece < core[axis].count(); ++piece) {
      const Margin margin = ops::margin_of(core[axis], margins[axis], piece);
      sizes.push_back(margin.before + core[axis].size(piece) + margin.after);
    }
    grid.push_back(AxisGrid::of(sizes));
  }
  return grid;
}

/// Makes the node; `function` may be none.
Array overlapped(const char* call, const std::vector<Array>& arrays, detail::UserFunction function,
                 const OverlapOptions& options, const Where& where) {
  std::vector<NodePointer> inputs;
  for (const Array& one : arrays) {
    inputs.push_back(one.node());
    ops::require_known(*one.node(), call, where);
    if (one.shape() != arrays[0].shape()) {
      throw Error(at_line(call, where) + "the shapes " + arrays[0].shape().text() + " and " + one.shape().text() +
                  " differ: arrays given together have the same shape");
    }
  }
  const Grid core = ops::broadcast_grid(inputs, call, where);
  for (NodePointer& one : inputs) one = ops::rechunk_to(one, core, where);
  Overlap made{std::move(function), inputs.size(), core, core, {}, {}, 0, options.trim, options.local};
  made.margins = margins_on(call, *inputs[0], options.depth, options.boundary, where);
  const bool wide = made.function.kernel == nullptr || !options.trim;
  if (wide) made.out = wide_grid(core, made.margins);
  const auto values = options.value.on(core.size());
  if (values.size() != core.size()) throw Error(at_line(call, where) + "values were given for another number of axes");
  for (const NodePointer& one : inputs) {
    std::vector<std::uint64_t>& words = made.values.emplace_back(2 * core.size(), 0);
    for (std::size_t axis = 0; axis < core.size(); ++axis) {
      if (made.margins[axis].boundary == Boundary::Constant) values[axis].write(one->dtype, &words[2 * axis]);
    }
  }
  Dtype dtype = inputs[0]->dtype;
  if (made.function.kernel != nullptr) {
    ops::check_kernel(call, made.function, inputs, std::vector<std::size_t>(inputs.size(), core.size()), {core.size()},
                      where);
    dtype = ops::kernel_result(call, made.function, inputs, options.dtype, where);
  }
  const bool moves =
      !std::all_of(inputs.begin(), inputs.end(), [](const NodePointer& one) { return follows_from_index(*one); });
  if (moves) made.room = borders_room(core, made.margins);
  std::vector<NodePointer> sources;
  for (const NodePointer& one : inputs) {
    sources.push_back(one);
    if (made.room == 0) continue;
    const Grid borders{AxisGrid::regular(made.room * expression::chunk_count(core), made.room)};
    sources.push_back(expression::make_structural(expression::make_structure(Borders{core, made.margins, made.room}),
                                                  {one}, one->dtype, borders, where));
  }
  const Grid out = made.out;
  return Array(
      expression::make_structural(expression::make_structure(std::move(made)), std::move(sources), dtype, out, where));
}

Array trimmed(const char* call, const Array& array, std::vector<AxisMargin> margins, const Where& where) {
  const NodePointer& node = array.node();
  Trim trim{node->grid, {}, std::move(margins)};
  for (std::size_t axis = 0; axis < node->grid.size(); ++axis) {
    std::vector<std::int64_t> sizes = node->grid[axis].sizes();
    for (std::size_t piece = 0; piece < sizes.size(); ++piece) {
      const auto at = static_cast<std::int64_t>(piece);
      sizes[piece] -= trim.before(axis, at) + trim.after(axis, at);
      if (sizes[piece] < 0) {
        throw Error(at_line(call, where) + "chunk " + std::to_string(piece) + " along axis " + std::to_string(axis) +
                    " is smaller than what is to be left out of it");
      }
    }
    trim.out.push_back(AxisGrid::of(sizes));
  }
  const Grid out = trim.out;
  return Array(
      expression::make_structural(expression::make_structure(std::move(trim)), {node}, node->dtype, out, where));
}

/// Windows along axes, as last axes.
struct Windows {
  static constexpr const char* kName = "sliding_window_view";
  static constexpr bool kAssembles = false;
  std::vector<std::int32_t> axes;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::size_t ndim = out.ndim() - axes.size();
    Need need;
    need.box.start.assign(out.start.begin(), out.start.begin() + static_cast<std::ptrdiff_t>(ndim));
    need.box.extent.assign(out.extent.begin(), out.extent.begin() + static_cast<std::ptrdiff_t>(ndim));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(axes[i]);
      need.box.start[axis] += out.start[ndim + i];
      need.box.extent[axis] += out.extent[ndim + i] - 1;
    }
    if (out.elements() > 0) needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    if (work.inputs.empty()) return;
    std::vector<std::int64_t> strides = work.inputs[0].strides;
    for (const std::int32_t axis : axes) strides.push_back(work.inputs[0].strides[static_cast<std::size_t>(axis)]);
    kernels::copy_box(work.output.data, work.output.strides.data(), work.inputs[0].data, strides.data(),
                      work.output.shape.data(), strides.size(), work.output.dtype.size());
  }
};

}  // namespace

Array detail::map_overlap(const std::vector<Array>& inputs, UserFunction function, const OverlapOptions& options,
                          const Where& where) {
  if (inputs.empty()) throw Error(at_line("map_overlap", where) + "needs at least one array");
  return overlapped("map_overlap", inputs, std::move(function), options, where);
}

Array overlap(const Array& array, const OverlapOptions& options, const Where& where) {
  return overlapped("overlap", {array}, {}, options, where);
}

Array trim_overlap(const Array& array, const OverlapOptions& options, const Where& where) {
  ops::require_known(*array.node(), "trim_overlap", where);
  // Whether a margin reaches farther than the array has nothing to do with leaving it out.
  std::vector<AxisMargin> margins;
  const auto depths = options.depth.on(array.ndim());
  const auto boundaries = options.boundary.on(array.ndim());
  if (depths.size() != array.ndim() || boundaries.size() != array.ndim()) {
    throw Error(at_line("trim_overlap", where) + "depth or boundary were given for another number of axes than the " +
                std::to_string(array.ndim()) + " of an array of shape " + array.shape().text());
  }
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) {
    margins.push_back({depths[axis].before, depths[axis].after, boundaries[axis]});
  }
  return trimmed("trim_overlap", array, std::move(margins), where);
}

Array trim_internal(const Array& array, const ForEachAxis<Margin>& depth, const Where& where) {
  ops::require_known(*array.node(), "trim_internal", where);
  return trimmed("trim_internal", array, margins_on("trim_internal", *array.node(), depth, Boundary::Constant, where),
                 where);
}

Array sliding_window_view(const Array& array, const std::vector<std::int64_t>& extents, const Axes& axis,
                          const Where& where) {
  const NodePointer& node = array.node();
  ops::require_known(*node, "sliding_window_view", where);
  const std::vector<int> axes = ops::resolve_axes("sliding_window_view", axis, node->grid.size(), where);
  if (axes.size() != extents.size()) {
    throw Error(at_line("sliding_window_view", where) + std::to_string(extents.size()) + " extents were given for " +
                std::to_string(axes.size()) + " axes");
  }
  Grid grid = node->grid;
  Windows windows;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(axes[i]);
    const std::int64_t extent = node->shape[at] - extents[i] + 1;
    if (extents[i] < 1 || extent < 1) {
      throw Error(at_line("sliding_window_view", where) + "a window of " + std::to_string(extents[i]) +
                  " does not fit axis " + std::to_string(at) + " of an array of shape " + node->shape.text());
    }
    std::vector<std::int64_t> sizes;
    for (std::int64_t piece = 0; piece < node->grid[at].count() && node->grid[at].start(piece) < extent; ++piece) {
      sizes.push_back(std::min(node->grid[at].end(piece), extent) - node->grid[at].start(piece));
    }
    grid[at] = sizes.empty() ? AxisGrid::whole(0) : AxisGrid::of(sizes);
    windows.axes.push_back(axes[i]);
  }
  for (const std::int64_t extent : extents) grid.push_back(AxisGrid::whole(extent));
  return Array(
      expression::make_structural(expression::make_structure(std::move(windows)), {node}, node->dtype, grid, where));
}

}  // namespace weft::arrays
