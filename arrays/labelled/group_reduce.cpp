// Reductions of groups along an axis: the states of a chunk's groups, merged in a tree.
#include "arrays/labelled/group_reduce.hpp"

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

/// Which groups each chunk along the axis has states of. Shared by the steps of the tree.
struct Layout {
  /// Where the groups of each chunk begin in `groups`; one more than there are chunks.
  std::vector<std::int64_t> begins = {0};
  std::vector<std::int32_t> groups;

  std::size_t chunks() const { return begins.size() - 1; }
  std::int64_t size(std::size_t chunk) const { return begins[chunk + 1] - begins[chunk]; }
  void add(const std::vector<std::int32_t>& some) {
    groups.insert(groups.end(), some.begin(), some.end());
    begins.push_back(static_cast<std::int64_t>(groups.size()));
  }
  std::int64_t place(std::size_t chunk, std::int32_t group) const {
    const auto first = groups.begin() + begins[chunk], last = groups.begin() + begins[chunk + 1];
    return std::lower_bound(first, last, group) - first;
  }
  /// The chunk whose states begin at a place of the axis, of which each group takes `parts`.
  std::size_t chunk_at(std::int64_t place, int parts) const {
    return static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), place / parts) - begins.begin()) - 1;
  }
};

/// Doubles of a state: sums (1: sum, 2: and how many), moments (count, mean, squares), extremes.
int parts_of(Reduction kind) {
  switch (kind) {
    case Reduction::Mean:
    case Reduction::Sum:
    case Reduction::Min:
    case Reduction::Max:
      return 2;
    case Reduction::Var:
    case Reduction::Std:
      return 3;
    case Reduction::Count:
      return 1;
  }
  return 1;
}

void begin_state(Reduction kind, double* state, std::int64_t stride, std::int64_t count) {
  const double first = kind == Reduction::Min   ? std::numeric_limits<double>::infinity()
                       : kind == Reduction::Max ? -std::numeric_limits<double>::infinity()
                                                : 0.0;
  for (int part = 0; part < parts_of(kind); ++part) {
    double* const row = state + part * stride;
    std::fill(row, row + count, part == 1 ? first : 0.0);
  }
}

/// Adds a row of elements to a row of states. Part 0 counts, part 1 is the sum, the mean or the extreme.
template <class T>
void add_row(Reduction kind, bool skipna, const T* values, std::int64_t count, double* state, std::int64_t stride) {
  double* const n = state;
  double* const a = state + stride;
  double* const m2 = state + 2 * stride;
  const auto there = [&](double value) { return !skipna || value == value ? 1.0 : 0.0; };
  switch (kind) {
    case Reduction::Count:
      for (std::int64_t i = 0; i < count; ++i) n[i] += values[i] == values[i] ? 1.0 : 0.0;
      return;
    case Reduction::Mean:
    case Reduction::Sum:
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        const double one = there(value);
        n[i] += one;
        a[i] += one != 0 ? value : 0.0;
      }
      return;
    case Reduction::Min:
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        n[i] += there(value);
        a[i] = value < a[i] || (!skipna && value != value) ? value : a[i];
      }
      return;
    case Reduction::Max:
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        n[i] += there(value);
        a[i] = value > a[i] || (!skipna && value != value) ? value : a[i];
      }
      return;
    case Reduction::Var:
    case Reduction::Std:
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        const double one = there(value);
        const double more = n[i] + one;
        const double delta = one != 0 ? value - a[i] : 0.0;
        const double mean = a[i] + (more > 0 ? delta / more : 0.0);
        m2[i] += one != 0 ? delta * (value - mean) : 0.0;
        a[i] = mean;
        n[i] = more;
      }
      return;
  }
}

void merge_row(Reduction kind, const double* from, std::int64_t from_stride, std::int64_t count, double* to,
               std::int64_t stride) {
  if (parts_of(kind) == 3) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double other = from[i], mine = to[i], all = other + mine;
      if (other == 0) continue;
      const double delta = from[from_stride + i] - to[stride + i];
      to[stride + i] += delta * other / all;
      to[2 * stride + i] += from[2 * from_stride + i] + delta * delta * mine * other / all;
      to[i] = all;
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
  if (parts_of(kind) < 2) return;
  from += from_stride;
  to += stride;
  for (std::int64_t i = 0; i < count; ++i) {
    if (kind == Reduction::Min) {
      to[i] = from[i] < to[i] || from[i] != from[i] ? from[i] : to[i];
    } else if (kind == Reduction::Max) {
      to[i] = from[i] > to[i] || from[i] != from[i] ? from[i] : to[i];
    } else {
      to[i] += from[i];
    }
  }
}

double finished(Reduction kind, const double* state, std::int64_t stride, std::int64_t i, double ddof) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const double n = state[i];
  switch (kind) {
    case Reduction::Count:
      return n;
    case Reduction::Sum:
      return state[stride + i];
    case Reduction::Mean:
      return n > 0 ? state[stride + i] / n : kNan;
    case Reduction::Min:
    case Reduction::Max:
      return n > 0 ? state[stride + i] : kNan;
    case Reduction::Var:
      return n - ddof > 0 ? state[2 * stride + i] / (n - ddof) : kNan;
    case Reduction::Std:
      return n - ddof > 0 ? std::sqrt(state[2 * stride + i] / (n - ddof)) : kNan;
  }
  return kNan;
}

/// Elements before and behind an axis.
struct Sides {
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  Sides(const std::vector<std::int64_t>& shape, std::size_t axis) {
    for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

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

/// The states of the groups that occur in a chunk.
struct GroupPart {
  static constexpr const char* kName = "group";
  static constexpr bool kAssembles = false;
  std::uint64_t axis = 0;
  std::uint8_t kind = 0;
  bool skipna = true;
  /// Where the input's chunks begin along the axis.
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> group_of;
  std::vector<std::int64_t> begins;
  std::vector<std::int32_t> groups;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const Layout layout{begins, groups};
    const std::size_t chunk = layout.chunk_at(out.start[axis], parts_of(static_cast<Reduction>(kind)));
    Need need{0, out, {}};
    need.box.start[axis] = starts[chunk];
    need.box.extent[axis] = starts[chunk + 1] - starts[chunk];
    needs.push_back(std::move(need));
  }

  void run(const ChunkWork& work) const {
    const auto reduction = static_cast<Reduction>(kind);
    const Layout layout{begins, groups};
    const std::size_t chunk = layout.chunk_at(work.out.start[axis], parts_of(reduction));
    const Block& in = work.inputs[0];
    const Sides sides(in.shape, axis);
    const int parts = parts_of(reduction);
    const std::int64_t members = layout.size(chunk);
    double* const out = reinterpret_cast<double*>(work.output.data);
    thread_local std::vector<std::byte> memory;
    const std::byte* const data = packed(in, memory);
    with_type(in.dtype, [&]<class T>(T) {
      const T* const values = reinterpret_cast<const T*>(data);
      for (std::int64_t outer = 0; outer < sides.outer; ++outer) {
        double* const states = out + outer * members * parts * sides.inner;
        for (std::int64_t group = 0; group < members; ++group) {
          begin_state(reduction, states + group * parts * sides.inner, sides.inner, sides.inner);
        }
        for (std::int64_t i = 0; i < in.shape[axis]; ++i) {
          const std::int32_t group = group_of[static_cast<std::size_t>(starts[chunk] + i)];
          if (group < 0) continue;
          add_row(reduction, skipna, values + (outer * in.shape[axis] + i) * sides.inner, sides.inner,
                  states + layout.place(chunk, group) * parts * sides.inner, sides.inner);
        }
      }
    });
  }
};

constexpr std::size_t kFanIn = 8;

/// The states of several chunks' groups; `last`: the values of them.
struct GroupMerge {
  static constexpr const char* kName = "merge_groups";
  static constexpr bool kAssembles = false;
  std::uint64_t axis = 0;
  std::uint8_t kind = 0;
  bool last = false;
  double ddof = 0;
  std::vector<std::int64_t> in_begins;
  std::vector<std::int32_t> in_groups;
  std::vector<std::int64_t> begins;
  std::vector<std::int32_t> groups;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const Layout in{in_begins, in_groups};
    const int parts = parts_of(static_cast<Reduction>(kind));
    const std::size_t chunk = last ? 0 : Layout{begins, groups}.chunk_at(out.start[axis], parts);
    const std::size_t first = chunk * kFanIn, end = std::min(first + kFanIn, in.chunks());
    Need need{0, out, {}};
    need.box.start[axis] = in.begins[first] * parts;
    need.box.extent[axis] = (in.begins[end] - in.begins[first]) * parts;
    needs.push_back(std::move(need));
  }

  void run(const ChunkWork& work) const {
    const auto reduction = static_cast<Reduction>(kind);
    const Layout in{in_begins, in_groups}, out{begins, groups};
    const int parts = parts_of(reduction);
    const std::size_t chunk = last ? 0 : out.chunk_at(work.out.start[axis], parts);
    const std::size_t first = chunk * kFanIn, end = std::min(first + kFanIn, in.chunks());
    const Sides sides(work.output.shape, axis);
    thread_local std::vector<std::byte> memory;
    const double* const states = reinterpret_cast<const double*>(packed(work.inputs[0], memory));
    const std::int64_t members = out.size(chunk);
    const std::int64_t in_members = in.begins[end] - in.begins[first];
    std::vector<double> own;
    if (last) own.resize(static_cast<std::size_t>(members * parts * sides.inner));
    for (std::int64_t outer = 0; outer < sides.outer; ++outer) {
      double* const merged =
          last ? own.data() : reinterpret_cast<double*>(work.output.data) + outer * members * parts * sides.inner;
      for (std::int64_t group = 0; group < members; ++group) {
        begin_state(reduction, merged + group * parts * sides.inner, sides.inner, sides.inner);
      }
      const double* const from = states + outer * in_members * parts * sides.inner;
      for (std::size_t part = first; part < end; ++part) {
        for (std::int64_t i = in.begins[part]; i < in.begins[part + 1]; ++i) {
          const std::int64_t place = out.place(chunk, in.groups[static_cast<std::size_t>(i)]);
          merge_row(reduction, from + (i - in.begins[first]) * parts * sides.inner, sides.inner, sides.inner,
                    merged + place * parts * sides.inner, sides.inner);
        }
      }
      if (last) finish(reduction, merged, members, sides.inner, outer, work.output);
    }
  }

 private:
  void finish(Reduction reduction, const double* merged, std::int64_t members, std::int64_t inner, std::int64_t outer,
              const Block& output) const {
    const int parts = parts_of(reduction);
    with_type(output.dtype, [&]<class T>(T) {
      T* const out = reinterpret_cast<T*>(output.data) + outer * members * inner;
      for (std::int64_t group = 0; group < members; ++group) {
        for (std::int64_t i = 0; i < inner; ++i) {
          out[group * inner + i] = static_cast<T>(finished(reduction, merged + group * parts * inner, inner, i, ddof));
        }
      }
    });
  }
};

Dtype result_type(Reduction kind, Dtype type) {
  if (kind == Reduction::Count) return Dtype(TypeCode::Int64);
  if (type.is_floating()) return type;
  if (kind == Reduction::Min || kind == Reduction::Max) return type;
  if (kind == Reduction::Sum) return Dtype(type.is_unsigned() ? TypeCode::UInt64 : TypeCode::Int64);
  return Dtype(TypeCode::Float64);
}

AxisGrid grid_of(const Layout& layout, int parts) {
  std::vector<std::int64_t> sizes;
  for (std::size_t chunk = 0; chunk < layout.chunks(); ++chunk) sizes.push_back(layout.size(chunk) * parts);
  return AxisGrid::of(sizes);
}

}  // namespace

arrays::Array reduce_groups(const arrays::Array& array, std::size_t axis, const std::vector<std::int32_t>& group_of,
                            std::int32_t groups, Reduction kind, bool skipna, double ddof,
                            const std::source_location& where) {
  NodePointer node = array.node();
  const Dtype type = result_type(kind, node->dtype);
  with_type(node->dtype, [](auto) {});
  const int parts = parts_of(kind);
  const AxisGrid& pieces = node->grid[axis];
  Layout layout;
  GroupPart first{axis, static_cast<std::uint8_t>(kind), skipna && node->dtype.is_floating(), {}, group_of, {}, {}};
  for (std::int64_t piece = 0; piece < pieces.count(); ++piece) {
    std::vector<std::int32_t> some(group_of.begin() + pieces.start(piece), group_of.begin() + pieces.end(piece));
    std::erase_if(some, [](std::int32_t group) { return group < 0; });
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    // A chunk without any group has the states of the first one: nothing is added to them.
    if (some.empty()) some.push_back(0);
    layout.add(some);
    first.starts.push_back(pieces.start(piece));
  }
  first.starts.push_back(pieces.extent());
  first.begins = layout.begins;
  first.groups = layout.groups;
  Grid grid = node->grid;
  grid[axis] = grid_of(layout, parts);
  node = arrays::expression::make_structural(arrays::expression::make_structure(std::move(first)), {node},
                                             Dtype(TypeCode::Float64), grid, where);
  for (bool last = false; !last;) {
    last = layout.chunks() <= kFanIn;
    Layout above;
    for (std::size_t chunk = 0; chunk < layout.chunks() && !last; chunk += kFanIn) {
      const std::size_t end = std::min(chunk + kFanIn, layout.chunks());
      std::vector<std::int32_t> some(layout.groups.begin() + layout.begins[chunk],
                                     layout.groups.begin() + layout.begins[end]);
      std::sort(some.begin(), some.end());
      some.erase(std::unique(some.begin(), some.end()), some.end());
      above.add(some);
    }
    if (last) {
      std::vector<std::int32_t> all(static_cast<std::size_t>(groups));
      for (std::int32_t group = 0; group < groups; ++group) all[static_cast<std::size_t>(group)] = group;
      above.add(all);
    }
    grid[axis] = last ? AxisGrid::whole(groups) : grid_of(above, parts);
    GroupMerge merge{
        axis, static_cast<std::uint8_t>(kind), last, ddof, layout.begins, layout.groups, above.begins, above.groups};
    node = arrays::expression::make_structural(arrays::expression::make_structure(std::move(merge)), {node},
                                               last ? type : Dtype(TypeCode::Float64), grid, where);
    layout = std::move(above);
  }
  return arrays::Array(node);
}

}  // namespace weft::labelled
