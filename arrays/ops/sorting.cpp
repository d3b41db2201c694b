// Sorting and the largest elements, along one axis. The axis is moved to the end within the first step and back by a
// view, so that everything between works on rows.
#include <weft/ops/sorting.hpp>

#include "arrays/ops/sort_pieces.hpp"

#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using expression::Grid;
using kernels::PlacedKey;
using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Need;
using ops::structural;

/// Keys with their places travel as elements of 16 bytes, which nobody computes with.
constexpr Dtype kPlaced = complex128;

/// Rows of a block and their length.
struct Rows {
  std::int64_t count = 1;
  std::int64_t length = 1;
  explicit Rows(const std::vector<std::int64_t>& shape) {
    for (const std::int64_t extent : shape) count *= extent;
    length = shape.empty() ? 1 : shape.back();
    count = length == 0 ? 0 : count / length;
  }
};

/// Sorts the rows of each chunk. `form`: values, keys, or keys with places; `most`: keeps so many of each row's first
/// elements in the order of `descending`.
struct SortRows {
  static constexpr const char* kName = "sort-rows";
  static constexpr bool kAssembles = false;
  enum Form : std::uint8_t { Values, Keys, Placed, Places };
  std::vector<std::int64_t> order;
  /// Of the axis that is sorted, in the source.
  AxisGrid source;
  /// The same pieces with what is kept of each.
  AxisGrid kept;
  std::uint8_t form;
  bool descending;

  void needs(const Box& out, std::vector<Need>& needs) const {
    Box box = out;
    const std::int64_t piece = kept.find(out.start.back());
    box.start.back() = source.start(piece);
    box.extent.back() = source.size(piece);
    needs.push_back({0, ops::unmoved(box, order), {}});
  }

  void run(const ChunkWork& work) const {
    const Rows out(work.output.shape);
    if (out.count == 0) return;
    const Block& from = work.inputs[0];
    const auto axis = static_cast<std::size_t>(order.back());
    const auto length = static_cast<std::size_t>(from.shape[axis]);
    const auto rows = static_cast<std::size_t>(out.count);
    if (from.shape.size() == 1 && out.length == from.shape[0] && (form == Keys || form == Placed) && !descending) {
      return sort_vector(work, length);
    }
    std::vector<std::byte> values(rows * length * from.dtype.size());
    ops::copy_in_order(from, order, values.data());
    if (from.dtype.is_complex()) return sort_complex(work, values, length, rows);
    std::vector<std::uint64_t> keys(rows * length);
    kernels::write_keys(from.dtype, values.data(), keys.size(), keys.data());
    if (form == Placed || form == Places) kernels::merge_zeros(from.dtype, keys.data(), keys.size());
    if (descending) {
      for (std::uint64_t& key : keys) key = ~key;
    }
    const auto take = static_cast<std::size_t>(out.length);
    if (form == Values || form == Keys) {
      std::vector<std::uint64_t> room(length);
      for (std::size_t row = 0; row < rows; ++row) first_sorted(keys.data() + row * length, room.data(), length, take);
      write_keys(work, keys, rows, length, take);
      return;
    }
    std::vector<PlacedKey> placed(length), room(length);
    const std::int64_t first = work.needs[0].box.start[axis];
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < length; ++i) {
        placed[i] = {keys[row * length + i], first + static_cast<std::int64_t>(i)};
      }
      first_sorted(placed.data(), room.data(), length, take);
      if (form == Placed) {
        std::memcpy(work.output.data + row * take * sizeof(PlacedKey), placed.data(), take * sizeof(PlacedKey));
      } else {
        auto* const places = reinterpret_cast<std::int64_t*>(work.output.data) + row * take;
        for (std::size_t i = 0; i < take; ++i) places[i] = placed[i].place;
      }
    }
  }

  template <class K>
  static void first_sorted(K* keys, K* room, std::size_t n, std::size_t take) {
    if (take < n) std::nth_element(keys, keys + take, keys + n);
    kernels::sort_keys(keys, room, std::min(n, take));
  }

 private:
  void write_keys(const ChunkWork& work, std::vector<std::uint64_t>& keys, std::size_t rows, std::size_t length,
                  std::size_t take) const {
    for (std::size_t row = 0; row < rows; ++row) {
      std::uint64_t* const mine = keys.data() + row * length;
      if (form == Keys) {
        std::memcpy(work.output.data + row * take * 8, mine, take * 8);
        continue;
      }
      if (descending) {
        for (std::size_t i = 0; i < take; ++i) mine[i] = ~mine[i];
      }
      kernels::write_values(work.output.dtype, mine, take, work.output.data + row * take * work.output.dtype.size());
    }
  }

  /// A whole vector, within its output.
  void sort_vector(const ChunkWork& work, std::size_t n) const {
    Buffer copied;
    const std::byte* const values = ops::in_order(work.inputs[0], copied);
    Buffer room = Buffer::allocate(n * (form == Keys ? sizeof(std::uint64_t) : sizeof(PlacedKey)));
    auto* const keys = reinterpret_cast<std::uint64_t*>(form == Keys ? work.output.data : room.data());
    kernels::write_keys(work.inputs[0].dtype, values, n, keys);
    if (form == Keys) return kernels::sort_keys(keys, reinterpret_cast<std::uint64_t*>(room.data()), n);
    kernels::merge_zeros(work.inputs[0].dtype, keys, n);
    auto* const placed = reinterpret_cast<PlacedKey*>(work.output.data);
    const std::int64_t first = work.needs[0].box.start[0];
    for (std::size_t i = 0; i < n; ++i) placed[i] = {keys[i], first + static_cast<std::int64_t>(i)};
    kernels::sort_keys(placed, reinterpret_cast<PlacedKey*>(room.data()), n);
  }

  void sort_complex(const ChunkWork& work, const std::vector<std::byte>& values, std::size_t length,
                    std::size_t rows) const {
    const bool narrow = work.output.dtype == complex64;
    std::vector<std::complex<double>> row(length);
    for (std::size_t at = 0; at < rows; ++at) {
      for (std::size_t i = 0; i < length; ++i) {
        row[i] = narrow ? reinterpret_cast<const std::complex<float>*>(values.data())[at * length + i]
                        : reinterpret_cast<const std::complex<double>*>(values.data())[at * length + i];
      }
      kernels::sort_complex(row.data(), length);
      for (std::size_t i = 0; i < length; ++i) {
        if (narrow) {
          reinterpret_cast<std::complex<float>*>(work.output.data)[at * length + i] = std::complex<float>(row[i]);
        } else {
          reinterpret_cast<std::complex<double>*>(work.output.data)[at * length + i] = row[i];
        }
      }
    }
  }
};

/// Values or places from the sorted pieces, each an input.
struct RestoreRows {
  static constexpr const char* kName = "sort-restore";
  static constexpr bool kAssembles = false;
  AxisGrid pieces;
  std::vector<std::int64_t> starts;
  bool placed;
  bool descending;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t piece = pieces.find(out.start.back());
    Box box = out;
    box.start.back() += starts[static_cast<std::size_t>(piece)] - pieces.start(piece);
    needs.push_back({starts.size() == 1 ? 0 : static_cast<std::uint32_t>(piece), box, {}});
  }
  void run(const ChunkWork& work) const {
    const auto count = static_cast<std::size_t>(Shape(work.output.shape).elements());
    if (count == 0) return;
    std::vector<std::int64_t> order;
    for (std::size_t axis = 0; axis < work.output.shape.size(); ++axis)
      order.push_back(static_cast<std::int64_t>(axis));
    if (placed) {
      std::vector<PlacedKey> keys(count);
      ops::copy_in_order(work.inputs[0], order, reinterpret_cast<std::byte*>(keys.data()));
      auto* const places = reinterpret_cast<std::int64_t*>(work.output.data);
      for (std::size_t i = 0; i < count; ++i) places[i] = keys[i].place;
      return;
    }
    std::vector<std::uint64_t> keys(count);
    ops::copy_in_order(work.inputs[0], order, reinterpret_cast<std::byte*>(keys.data()));
    if (descending) {
      for (std::uint64_t& key : keys) key = ~key;
    }
    kernels::write_values(work.output.dtype, keys.data(), count, work.output.data);
  }
};

/// The first elements of several pieces, each the first of its own.
struct TopOfPieces {
  static constexpr const char* kName = "topk-merge";
  static constexpr bool kAssembles = false;
  AxisGrid from;
  AxisGrid kept;
  bool placed;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t piece = kept.find(out.start.back());
    Box box = out;
    box.start.back() = from.start(piece);
    box.extent.back() = from.size(piece);
    needs.push_back({0, box, {}});
  }
  void run(const ChunkWork& work) const {
    if (placed) {
      select<PlacedKey>(work);
    } else {
      select<std::uint64_t>(work);
    }
  }
  template <class K>
  void select(const ChunkWork& work) const {
    const Rows out(work.output.shape);
    if (out.count == 0) return;
    std::vector<std::int64_t> order;
    for (std::size_t axis = 0; axis < work.output.shape.size(); ++axis)
      order.push_back(static_cast<std::int64_t>(axis));
    const auto length = static_cast<std::size_t>(work.inputs[0].shape.back());
    const auto rows = static_cast<std::size_t>(out.count), take = static_cast<std::size_t>(out.length);
    std::vector<K> keys(rows * length), room(length);
    ops::copy_in_order(work.inputs[0], order, reinterpret_cast<std::byte*>(keys.data()));
    for (std::size_t row = 0; row < rows; ++row) {
      SortRows::first_sorted(keys.data() + row * length, room.data(), length, take);
      std::memcpy(work.output.data + row * take * sizeof(K), keys.data() + row * length, take * sizeof(K));
    }
  }
};

/// The grid with the axis moved to the end.
Grid moved_grid(const Array& array, std::size_t axis, const AxisGrid& last) {
  Grid grid = array.node()->grid;
  grid.erase(grid.begin() + static_cast<std::ptrdiff_t>(axis));
  grid.push_back(last);
  return grid;
}

Array move_back(const Array& array, std::size_t axis, const std::source_location& where) {
  const auto last = static_cast<int>(array.ndim()) - 1;
  return static_cast<int>(axis) == last ? array : moveaxis(array, last, static_cast<int>(axis), where);
}

Array sorted(const char* operation, const Array& array, int axis_given, bool places,
             const std::source_location& where) {
  const std::size_t axis = ops::one_axis(operation, array, axis_given, where);
  const Dtype out = places ? int64 : array.dtype();
  const AxisGrid& present = array.node()->grid[axis];
  const auto order = ops::order_with_last(array.ndim(), axis);
  if (places && array.dtype().is_complex()) {
    throw Error(ops::at_line(operation, where) + "complex numbers have no order of places here: sort their real parts");
  }
  const std::int64_t lanes = array.shape()[axis] == 0 ? 0 : array.size() / array.shape()[axis];
  if (present.count() == 1 || array.dtype().is_complex() || lanes == 0 || lanes >= present.count()) {
    // Whole lanes, fewer of them to a task.
    const AxisGrid whole = AxisGrid::whole(present.extent());
    Grid grid = moved_grid(array, axis, whole);
    ops::cut_further(grid, grid.size() - 1, present.count());
    const std::uint8_t form = places ? SortRows::Places : SortRows::Values;
    return move_back(structural(SortRows{order, whole, whole, form, false}, {array}, out, grid, where), axis, where);
  }
  const std::int64_t piece =
      std::max(present.largest(), (present.extent() + ops::kMostSortPieces - 1) / ops::kMostSortPieces);
  const AxisGrid pieces = AxisGrid::regular(present.extent(), piece);
  const std::uint8_t form = places ? SortRows::Placed : SortRows::Keys;
  const auto vector = [&](const Array& lane) {
    const Array keys =
        structural(SortRows{{0}, pieces, pieces, form, false}, {lane}, places ? kPlaced : uint64, {pieces}, where);
    return pieces.count() == 1 ? structural(RestoreRows{pieces, {0}, places, false}, {keys}, out, {pieces}, where)
                               : ops::sort_pieces(keys, pieces, {places, out}, where);
  };
  if (lanes == 1) {
    std::vector<std::int64_t> extents;
    Array sorted = vector(ravel(array, where));
    for (std::size_t at = 0; at < array.ndim(); ++at) {
      if (at != axis) sorted = expand_dims(sorted, static_cast<int>(at), where);
    }
    return sorted;
  }
  // A few long lanes: each by itself.
  const Array moved = moveaxis(array, static_cast<int>(axis), -1, where);
  const Array rows = reshape(moved, {lanes, present.extent()}, where);
  std::vector<Array> done;
  for (std::int64_t lane = 0; lane < lanes; ++lane) done.push_back(vector(rows.at({Index(lane)}, where)));
  return move_back(reshape(stack(done, 0, where), moved.shape(), where), axis, where);
}

Array top(const char* operation, const Array& array, std::int64_t k, int axis_given, bool places,
          const std::source_location& where) {
  const std::size_t axis = ops::one_axis(operation, array, axis_given, where);
  if (array.dtype().is_complex()) {
    throw Error(ops::at_line(operation, where) + "complex numbers have no largest: take their absolute values");
  }
  const std::int64_t extent = array.shape()[axis];
  const std::int64_t wanted = std::min(extent, k < 0 ? -k : k);
  const Dtype key = places ? kPlaced : uint64;
  const auto order = ops::order_with_last(array.ndim(), axis);
  std::vector<std::int64_t> pieces, sizes;
  for (const std::int64_t size : array.node()->grid[axis].sizes()) {
    if (size == 0 || wanted == 0) continue;
    pieces.push_back(size);
    sizes.push_back(std::min(size, wanted));
  }
  AxisGrid source = pieces.empty() ? AxisGrid::whole(extent) : AxisGrid::of(pieces);
  AxisGrid kept = pieces.empty() ? AxisGrid::whole(0) : AxisGrid::of(sizes);
  const std::uint8_t form = places ? SortRows::Placed : SortRows::Keys;
  Array rows =
      structural(SortRows{order, source, kept, form, k > 0}, {array}, key, moved_grid(array, axis, kept), where);
  constexpr std::size_t kGroup = 8;
  while (kept.count() > 1) {
    std::vector<std::int64_t> from, next;
    for (std::size_t at = 0; at < sizes.size(); at += kGroup) {
      std::int64_t sum = 0;
      for (std::size_t i = at; i < std::min(sizes.size(), at + kGroup); ++i) sum += sizes[i];
      from.push_back(sum);
      next.push_back(std::min(sum, wanted));
    }
    kept = AxisGrid::of(next);
    rows = structural(TopOfPieces{AxisGrid::of(from), kept, places}, {rows}, key, moved_grid(array, axis, kept), where);
    sizes = next;
  }
  return move_back(structural(RestoreRows{kept, {0}, places, k > 0}, {rows}, places ? int64 : array.dtype(),
                              moved_grid(array, axis, kept), where),
                   axis, where);
}

}  // namespace

Array sort(const Array& array, int axis, const std::source_location& where) {
  return sorted("sort", array, axis, false, where);
}

Array argsort(const Array& array, int axis, const std::source_location& where) {
  return sorted("argsort", array, axis, true, where);
}

Array partition(const Array& array, std::int64_t kth, int axis, const std::source_location& where) {
  const std::int64_t extent = array.shape()[ops::one_axis("partition", array, axis, where)];
  if (kth < -extent || kth >= extent) {
    throw Error(ops::at_line("partition", where) + "place " + std::to_string(kth) +
                " is out of bounds for an axis of extent " + std::to_string(extent));
  }
  return sorted("partition", array, axis, false, where);
}

Array topk(const Array& array, std::int64_t k, int axis, const std::source_location& where) {
  return top("topk", array, k, axis, false, where);
}

Array argtopk(const Array& array, std::int64_t k, int axis, const std::source_location& where) {
  return top("argtopk", array, k, axis, true, where);
}

}  // namespace weft::arrays
