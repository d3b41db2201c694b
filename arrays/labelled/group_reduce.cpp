// Reductions of groups along axes: the states of some chunks' groups, merged in a tree.
#include "arrays/labelled/group_reduce.hpp"

#include "arrays/labelled/reduce_states.hpp"

#include <weft/error.hpp>

#include "arrays/expression/node.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::labelled {
namespace {

using arrays::expression::AxisGrid;
using arrays::expression::Block;
using arrays::expression::Box;
using arrays::expression::ChunkWork;
using arrays::expression::Grid;
using arrays::expression::Need;
using arrays::expression::NodePointer;

/// Which groups each piece along the axis has states of. Shared by the steps of the tree.
struct Layout {
  /// Where the groups of each piece begin in `groups`; one more than there are pieces.
  std::vector<std::int64_t> begins = {0};
  std::vector<std::int32_t> groups;

  std::size_t pieces() const { return begins.size() - 1; }
  std::int64_t size(std::size_t piece) const { return begins[piece + 1] - begins[piece]; }
  void add(std::vector<std::int32_t> some) {
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    // A piece without any group has the states of the first one: nothing is added to them.
    if (some.empty()) some.push_back(0);
    groups.insert(groups.end(), some.begin(), some.end());
    begins.push_back(static_cast<std::int64_t>(groups.size()));
  }
  std::int64_t place(std::size_t piece, std::int32_t group) const {
    const auto first = groups.begin() + begins[piece], last = groups.begin() + begins[piece + 1];
    return std::lower_bound(first, last, group) - first;
  }
  /// The piece whose states begin at a place of the axis, of which each group takes `parts`.
  std::size_t piece_at(std::int64_t place, int parts) const {
    return static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), place / parts) - begins.begin()) - 1;
  }
  template <class Archive>
  friend void weft_fields(Archive& archive, Layout& layout) {
    archive(layout.begins, layout.groups);
  }
};

std::vector<std::int64_t> strides_of(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/// The bytes of a block in C order; copied where it does not lie so.
const std::byte* packed(const Block& block, std::vector<std::byte>& memory) {
  std::int64_t stride = static_cast<std::int64_t>(block.dtype.size());
  std::int64_t bytes = stride;
  bool lies = true;
  for (std::size_t axis = block.shape.size(); axis-- > 0;) {
    lies = lies && (block.strides[axis] == stride || block.shape[axis] == 1);
    stride *= block.shape[axis];
    bytes *= block.shape[axis];
  }
  if (lies) return block.data;
  memory.resize(static_cast<std::size_t>(bytes));
  std::byte* to = memory.data();
  const std::size_t element = block.dtype.size();
  const auto each = [&](const auto& self, const std::byte* from, std::size_t axis) -> void {
    if (axis == block.shape.size()) {
      std::memcpy(to, from, element);
      to += element;
      return;
    }
    for (std::int64_t i = 0; i < block.shape[axis]; ++i) self(self, from + i * block.strides[axis], axis + 1);
  };
  each(each, block.data, 0);
  return memory.data();
}

template <class F>
void with_type(Dtype type, const F& f) {
  switch (type.code()) {
    case TypeCode::Bool:
    case TypeCode::UInt8:
      return f(std::uint8_t{});
    case TypeCode::Int8:
      return f(std::int8_t{});
    case TypeCode::Int16:
      return f(std::int16_t{});
    case TypeCode::Int32:
      return f(std::int32_t{});
    case TypeCode::Int64:
      return f(std::int64_t{});
    case TypeCode::UInt16:
      return f(std::uint16_t{});
    case TypeCode::UInt32:
      return f(std::uint32_t{});
    case TypeCode::UInt64:
      return f(std::uint64_t{});
    case TypeCode::Float32:
      return f(float{});
    case TypeCode::Float64:
      return f(double{});
    case TypeCode::Complex64:
    case TypeCode::Complex128:
    case TypeCode::Datetime64:
    case TypeCode::Timedelta64:
      break;
  }
  throw Error("groups of " + type.name() + " cannot be reduced");
}

/// One after the other through the indices of some axes.
class Odometer {
 public:
  Odometer(const std::vector<std::int64_t>& shape, std::size_t axes) : shape_(shape), axes_(axes), at_(axes, 0) {}
  const std::vector<std::int64_t>& at() const { return at_; }
  bool next() {
    for (std::size_t axis = axes_; axis-- > 0;) {
      if (++at_[axis] < shape_[axis]) return true;
      at_[axis] = 0;
    }
    return false;
  }

 private:
  const std::vector<std::int64_t>& shape_;
  std::size_t axes_;
  std::vector<std::int64_t> at_;
};

/// The states of the groups that occur in some neighbouring chunks.
struct GroupPart {
  static constexpr const char* kName = "group";
  static constexpr bool kAssembles = false;
  std::uint64_t axis = 0;
  std::uint8_t bits = 0;
  bool skipna = true;
  bool weighted = false;
  std::vector<std::uint8_t> reduced;
  /// Which axes the weights depend on.
  std::vector<std::uint8_t> weighs;
  /// Along each reduced axis, where the input's chunks begin, and the end.
  std::vector<std::vector<std::int64_t>> starts;
  /// Chunks along `axis` that one piece takes.
  std::uint64_t span = 1;
  std::vector<std::int32_t> group_of;
  Layout layout;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const StateParts parts{bits};
    const std::size_t piece = layout.piece_at(out.start[axis], parts.count());
    const std::size_t chunks = starts[axis].size() - 1;
    for (std::size_t chunk = piece * span; chunk < std::min<std::size_t>(chunks, (piece + 1) * span); ++chunk) {
      Need need{0, out, {}};
      for (std::size_t other = 0; other < reduced.size(); ++other) {
        if (reduced[other] == 0) continue;
        const std::size_t at = other == axis ? chunk : static_cast<std::size_t>(out.start[other]);
        need.box.start[other] = starts[other][at];
        need.box.extent[other] = starts[other][at + 1] - starts[other][at];
      }
      needs.push_back(need);
      if (!weighted) continue;
      need.input = 1;
      for (std::size_t other = 0; other < weighs.size(); ++other) {
        if (weighs[other] != 0) continue;
        need.box.start[other] = 0;
        need.box.extent[other] = 1;
      }
      needs.push_back(std::move(need));
    }
  }

  void run(const ChunkWork& work) const {
    const StateParts parts{bits};
    const std::size_t piece = layout.piece_at(work.out.start[axis], parts.count());
    double* const out = reinterpret_cast<double*>(work.output.data);
    const std::vector<std::int64_t> out_strides = strides_of(work.output.shape);
    begin(parts, piece, work.output, out, out_strides);
    thread_local std::vector<std::byte> memory, weight_memory;
    const std::size_t step = weighted ? 2 : 1;
    for (std::size_t i = 0; i < work.inputs.size(); i += step) {
      const Block& in = work.inputs[i];
      const std::byte* const data = packed(in, memory);
      const double* weights = nullptr;
      std::vector<std::int64_t> weight_strides;
      if (weighted) {
        weights = reinterpret_cast<const double*>(packed(work.inputs[i + 1], weight_memory));
        weight_strides = strides_of(work.inputs[i + 1].shape);
        for (std::size_t a = 0; a < weight_strides.size(); ++a) weight_strides[a] *= weighs[a];
      }
      const std::int64_t first = work.needs[i].box.start[axis];
      with_type(in.dtype, [&]<class T>(T) {
        add(parts, piece, in.shape, first, reinterpret_cast<const T*>(data), weights, weight_strides, out, out_strides);
      });
    }
  }

 private:
  void begin(StateParts parts, std::size_t piece, const Block& output, double* out,
             const std::vector<std::int64_t>& strides) const {
    const std::int64_t inner = strides[axis];
    std::int64_t outer = 1;
    for (std::size_t a = 0; a < axis; ++a) outer *= output.shape[a];
    const std::int64_t all = layout.size(piece) * parts.count() * inner;
    for (std::int64_t i = 0; i < outer; ++i) {
      for (std::int64_t member = 0; member < layout.size(piece); ++member) {
        begin_states(parts, out + i * all + member * parts.count() * inner, inner, inner);
      }
    }
  }

  template <class T>
  void add(StateParts parts, std::size_t piece, const std::vector<std::int64_t>& shape, std::int64_t first,
           const T* values, const double* weights, const std::vector<std::int64_t>& weight_strides, double* out,
           const std::vector<std::int64_t>& out_strides) const {
    for (const std::int64_t extent : shape) {
      if (extent == 0) return;
    }
    // The last axes that stay are one row of states; without such, the last reduced ones go into one state.
    std::size_t outer = shape.size();
    std::int64_t inner = 1;
    const bool kept = reduced.back() == 0;
    const auto joins = [&](std::size_t a) {
      if (weighted && a + 1 < shape.size()) return false;
      return kept ? reduced[a] == 0 : reduced[a] != 0 && (a != axis || group_of.empty());
    };
    while (outer > 0 && joins(outer - 1)) inner *= shape[--outer];
    const std::vector<std::int64_t> in_strides = strides_of(shape);
    // Some states at a time, which stay in the cache while the elements go by.
    const std::int64_t tile = kept ? 1024 : inner;
    for (std::int64_t begin = 0; begin < inner; begin += tile) {
      const std::int64_t count = std::min(tile, inner - begin);
      Odometer odometer(shape, outer);
      do {
        const std::vector<std::int64_t>& at = odometer.at();
        std::int32_t group = 0;
        if (!group_of.empty()) {
          group = group_of[static_cast<std::size_t>(first + (axis < outer ? at[axis] : 0))];
          if (group < 0) continue;
        }
        std::int64_t from = begin, to = kept ? begin : 0, weight = 0;
        for (std::size_t a = 0; a < outer; ++a) {
          from += at[a] * in_strides[a];
          if (reduced[a] == 0) to += at[a] * out_strides[a];
          if (weighted) weight += at[a] * weight_strides[a];
        }
        to += layout.place(piece, group) * parts.count() * out_strides[axis];
        Elements<T> elements{values + from, count, nullptr, 0, skipna};
        if (weighted) {
          elements.weight_step = outer < shape.size() ? weight_strides.back() : 0;
          elements.weights = weights + weight + begin * elements.weight_step;
        }
        if (kept) {
          add_side_by_side(parts, elements, out + to, out_strides[axis]);
        } else {
          add_to_one(parts, elements, out + to, out_strides[axis]);
        }
      } while (odometer.next());
    }
  }
};

constexpr std::size_t kFanIn = 8;

/// The states of several pieces, merged along one axis.
struct GroupMerge {
  static constexpr const char* kName = "merge_groups";
  static constexpr bool kAssembles = false;
  std::uint64_t axis = 0;
  /// Along which pieces are merged: `axis`, or another reduced one, which has one place for each piece.
  std::uint64_t along = 0;
  std::int64_t along_extent = 0;
  std::uint8_t bits = 0;
  Layout in;
  Layout out;

  void needs(const Box& box, std::vector<Need>& needs) const {
    const int parts = StateParts{bits}.count();
    Need need{0, box, {}};
    if (along == axis) {
      const std::size_t piece = out.piece_at(box.start[axis], parts);
      const std::size_t first = piece * kFanIn, end = std::min(first + kFanIn, in.pieces());
      need.box.start[axis] = in.begins[first] * parts;
      need.box.extent[axis] = (in.begins[end] - in.begins[first]) * parts;
    } else {
      need.box.start[along] = box.start[along] * static_cast<std::int64_t>(kFanIn);
      need.box.extent[along] =
          std::min<std::int64_t>(static_cast<std::int64_t>(kFanIn), along_extent - need.box.start[along]);
    }
    needs.push_back(std::move(need));
  }

  void run(const ChunkWork& work) const {
    const StateParts parts{bits};
    const std::size_t piece = out.piece_at(work.out.start[axis], parts.count());
    const bool same = along != axis;
    const std::size_t first = same ? piece : piece * kFanIn;
    const std::size_t end = same ? piece + 1 : std::min(first + kFanIn, in.pieces());
    thread_local std::vector<std::byte> memory;
    const double* const from = reinterpret_cast<const double*>(packed(work.inputs[0], memory));
    double* const to = reinterpret_cast<double*>(work.output.data);
    const std::vector<std::int64_t> from_strides = strides_of(work.inputs[0].shape);
    const std::vector<std::int64_t> to_strides = strides_of(work.output.shape);
    // Axes behind both are a row; those before are gone through, without the two.
    const std::size_t last = static_cast<std::size_t>(std::max(axis, along));
    const std::int64_t inner = to_strides[last];
    std::vector<std::int64_t> shape(work.output.shape.begin(),
                                    work.output.shape.begin() + static_cast<std::ptrdiff_t>(last) + 1);
    shape[axis] = 1;
    shape[along] = 1;
    const std::int64_t sources = same ? work.inputs[0].shape[along] : 1;
    Odometer odometer(shape, shape.size());
    do {
      std::int64_t to_at = 0, from_at = 0;
      for (std::size_t a = 0; a < shape.size(); ++a) {
        to_at += odometer.at()[a] * to_strides[a];
        from_at += odometer.at()[a] * from_strides[a];
      }
      for (std::int64_t member = 0; member < out.size(piece); ++member) {
        begin_states(parts, to + to_at + member * parts.count() * to_strides[axis], to_strides[axis], inner);
      }
      for (std::int64_t source = 0; source < sources; ++source) {
        for (std::size_t other = first; other < end; ++other) {
          for (std::int64_t i = in.begins[other]; i < in.begins[other + 1]; ++i) {
            const std::int64_t place = out.place(piece, in.groups[static_cast<std::size_t>(i)]);
            const double* const state = from + from_at + (same ? source * from_strides[along] : 0) +
                                        (i - in.begins[first]) * parts.count() * from_strides[axis];
            merge_states(parts, state, from_strides[axis], inner, to + to_at + place * parts.count() * to_strides[axis],
                         to_strides[axis]);
          }
        }
      }
    } while (odometer.next());
  }
};

/// The values of the groups' states.
struct GroupFinish {
  static constexpr const char* kName = "finish_groups";
  static constexpr bool kAssembles = false;
  std::uint64_t axis = 0;
  std::uint8_t bits = 0;
  std::uint8_t kind = 0;
  double ddof = 0;
  double min_count = 0;
  /// The group of each state.
  std::vector<std::int32_t> groups;

  void needs(const Box& out, std::vector<Need>& needs) const {
    Need need{0, out, {}};
    need.box.start[axis] = 0;
    need.box.extent[axis] = static_cast<std::int64_t>(groups.size()) * StateParts{bits}.count();
    needs.push_back(std::move(need));
  }

  void run(const ChunkWork& work) const {
    const StateParts parts{bits};
    thread_local std::vector<std::byte> memory;
    const double* const states = reinterpret_cast<const double*>(packed(work.inputs[0], memory));
    const std::int64_t inner = strides_of(work.output.shape)[axis];
    const std::int64_t extent = work.output.shape[axis];
    const auto members = static_cast<std::int64_t>(groups.size());
    std::int64_t outer = 1;
    for (std::size_t a = 0; a < axis; ++a) outer *= work.output.shape[a];
    std::vector<double> nothing(static_cast<std::size_t>(parts.count()));
    begin_states(parts, nothing.data(), 1, 1);
    with_type(work.output.dtype, [&]<class T>(T) {
      T* const out = reinterpret_cast<T*>(work.output.data);
      for (std::int64_t o = 0; o < outer; ++o) {
        std::int64_t member = 0;
        for (std::int64_t group = 0; group < extent; ++group) {
          T* const row = out + (o * extent + group) * inner;
          const bool there = member < members && groups[static_cast<std::size_t>(member)] == group;
          const double* const state = there ? states + (o * members + member) * parts.count() * inner : nothing.data();
          for (std::int64_t i = 0; i < inner; ++i) {
            row[i] = static_cast<T>(there ? value(parts, state + i, inner) : value(parts, state, 1));
          }
          member += there ? 1 : 0;
        }
      }
    });
  }

 private:
  double value(StateParts parts, const double* state, std::int64_t stride) const {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    const auto part = [&](StateParts::Bit bit) { return state[parts.of(bit) * stride]; };
    const double n = state[0];
    const auto reduction = static_cast<Reduction>(kind);
    if (reduction == Reduction::Count) return n;
    if (n < std::max(min_count, reduction == Reduction::Sum || reduction == Reduction::Prod ? 0.0 : 1.0)) return kNan;
    const double all = parts.has(StateParts::Weight) ? part(StateParts::Weight) : n;
    switch (reduction) {
      case Reduction::Count:
        return n;
      case Reduction::Sum:
        return part(StateParts::Sum);
      case Reduction::Prod:
        return part(StateParts::Product);
      case Reduction::Mean:
        return all != 0 ? part(StateParts::Sum) / all : kNan;
      case Reduction::Min:
        return part(StateParts::Min);
      case Reduction::Max:
        return part(StateParts::Max);
      case Reduction::Var:
      case Reduction::Std: {
        if (!(all - ddof > 0)) return kNan;
        const double variance = state[(parts.of(StateParts::Moments) + 1) * stride] / (all - ddof);
        return reduction == Reduction::Var ? variance : std::sqrt(variance);
      }
    }
    return kNan;
  }
};

Dtype result_type(Reduction kind, Dtype type, bool weighted) {
  if (kind == Reduction::Count) return Dtype(TypeCode::Int64);
  if (type.is_floating()) return type;
  if (kind == Reduction::Min || kind == Reduction::Max) return type;
  if ((kind == Reduction::Sum || kind == Reduction::Prod) && !weighted)
    return Dtype(type.is_unsigned() ? TypeCode::UInt64 : TypeCode::Int64);
  return Dtype(TypeCode::Float64);
}

AxisGrid grid_of(const Layout& layout, int parts) {
  std::vector<std::int64_t> sizes;
  for (std::size_t piece = 0; piece < layout.pieces(); ++piece) sizes.push_back(layout.size(piece) * parts);
  return AxisGrid::of(sizes);
}

StateParts parts_for(const GroupReduction& what) {
  StateParts parts;
  const auto add = [&](StateParts::Bit bit) { parts.bits = static_cast<std::uint8_t>(parts.bits | bit); };
  for (const Reduction kind : what.kinds) {
    if (kind == Reduction::Mean || kind == Reduction::Sum) add(StateParts::Sum);
    if (kind == Reduction::Var || kind == Reduction::Std) add(StateParts::Moments);
    if (kind == Reduction::Min) add(StateParts::Min);
    if (kind == Reduction::Max) add(StateParts::Max);
    if (kind == Reduction::Prod) add(StateParts::Product);
  }
  if (what.weights) add(StateParts::Weight);
  return parts;
}

/// Chunks along the axis that one task takes: a state is as large as some elements, so there should be few of them.
std::size_t span_of(const Grid& grid, std::size_t axis, std::size_t element_bytes) {
  constexpr std::int64_t kBytes = 16 << 20;
  std::int64_t bytes = static_cast<std::int64_t>(element_bytes);
  for (const AxisGrid& one : grid) bytes *= std::max<std::int64_t>(1, one.largest());
  const std::int64_t span = std::clamp<std::int64_t>(kBytes / std::max<std::int64_t>(1, bytes), 1, 32);
  // At least some pieces, for several slots.
  return static_cast<std::size_t>(std::clamp<std::int64_t>(span, 1, std::max<std::int64_t>(1, grid[axis].count() / 2)));
}

}  // namespace

std::vector<arrays::Array> reduce_groups(const arrays::Array& array, GroupReduction what,
                                         const std::source_location& where) {
  NodePointer node = array.node();
  arrays::expression::require_known(*node, "reduce", where);
  const Dtype type = node->dtype;
  with_type(type, [](auto) {});
  const StateParts parts = parts_for(what);
  const std::size_t axis = what.axis;
  GroupPart first;
  first.axis = axis;
  first.bits = parts.bits;
  first.skipna = what.skipna && type.is_floating();
  first.weighted = what.weights.has_value();
  first.reduced.assign(node->grid.size(), 0);
  first.starts.resize(node->grid.size());
  for (const std::size_t a : what.axes) {
    first.reduced[a] = 1;
    for (std::int64_t i = 0; i < node->grid[a].count(); ++i) first.starts[a].push_back(node->grid[a].start(i));
    first.starts[a].push_back(node->grid[a].extent());
  }
  first.span = span_of(node->grid, axis, type.size());
  for (std::int64_t i = 0; i < node->grid[axis].count(); i += static_cast<std::int64_t>(first.span)) {
    const std::int64_t end = std::min(i + static_cast<std::int64_t>(first.span), node->grid[axis].count());
    std::vector<std::int32_t> some;
    if (!what.group_of.empty()) {
      some.assign(what.group_of.begin() + node->grid[axis].start(i),
                  what.group_of.begin() + node->grid[axis].end(end - 1));
    }
    std::erase_if(some, [](std::int32_t group) { return group < 0; });
    first.layout.add(std::move(some));
  }
  first.group_of = what.group_of;
  Layout layout = first.layout;
  Grid grid = node->grid;
  for (const std::size_t a : what.axes) {
    if (a != axis) grid[a] = AxisGrid::regular(grid[a].count(), 1);
  }
  grid[axis] = grid_of(layout, parts.count());
  std::vector<NodePointer> inputs = {node};
  if (what.weights) {
    inputs.push_back(what.weights->astype(float64).node());
    for (const AxisGrid& one : inputs[1]->grid) first.weighs.push_back(one.extent() == 1 ? 0 : 1);
  }
  const Dtype states(TypeCode::Float64);
  node = arrays::expression::make_structural(arrays::expression::make_structure(std::move(first)), std::move(inputs),
                                             states, grid, where);
  // Other axes first, each until it has one place; then the one with the groups.
  std::vector<std::size_t> order;
  for (const std::size_t a : what.axes) {
    if (a != axis) order.push_back(a);
  }
  order.push_back(axis);
  for (const std::size_t along : order) {
    while (grid[along].count() > 1) {
      GroupMerge merge{axis, along, grid[along].extent(), parts.bits, layout, {}};
      if (along == axis) {
        for (std::size_t piece = 0; piece < layout.pieces(); piece += kFanIn) {
          const std::size_t end = std::min(piece + kFanIn, layout.pieces());
          merge.out.add({layout.groups.begin() + layout.begins[piece], layout.groups.begin() + layout.begins[end]});
        }
        grid[axis] = grid_of(merge.out, parts.count());
      } else {
        merge.out = layout;
        grid[along] = AxisGrid::regular(
            (grid[along].count() + static_cast<std::int64_t>(kFanIn) - 1) / static_cast<std::int64_t>(kFanIn), 1);
      }
      layout = merge.out;
      node = arrays::expression::make_structural(arrays::expression::make_structure(std::move(merge)), {node}, states,
                                                 grid, where);
    }
  }
  std::vector<arrays::Array> out;
  grid[axis] = AxisGrid::whole(what.groups);
  for (const Reduction kind : what.kinds) {
    GroupFinish finish{axis, parts.bits, static_cast<std::uint8_t>(kind), what.ddof, what.min_count, layout.groups};
    out.emplace_back(arrays::expression::make_structural(arrays::expression::make_structure(std::move(finish)), {node},
                                                         result_type(kind, type, what.weights.has_value()), grid,
                                                         where));
  }
  return out;
}

}  // namespace weft::labelled
