// Selections as HDF5 writes them into files: which places of a dataset are meant.
#include "io/hdf5/selection.hpp"

#include "io/hdf5/structure.hpp"

#include <algorithm>
#include <limits>

namespace weft::io::hdf5 {
namespace {

/// Places beyond this are no places of a dataset.
constexpr std::uint64_t kMostPlaces = std::uint64_t{1} << 60;
/// More rows than this are not listed one by one.
constexpr std::int64_t kMostRows = 1 << 22;

std::int64_t take(const Source& source, Cursor& cursor, unsigned bytes, bool may_grow) {
  const std::uint64_t value = cursor.number(bytes);
  const std::uint64_t all = bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * bytes) - 1;
  if (may_grow && value == all) return AxisSelection::kUnlimited;
  if (value > kMostPlaces) source.damaged("a selection is impossible");
  return static_cast<std::int64_t>(value);
}

AxisSelection take_axis(const Source& source, Cursor& cursor, unsigned bytes) {
  AxisSelection axis;
  axis.start = take(source, cursor, bytes, false);
  axis.step = take(source, cursor, bytes, false);
  axis.count = take(source, cursor, bytes, true);
  axis.block = take(source, cursor, bytes, true);
  const bool overlap = axis.block > axis.step && axis.count != 1;
  if (axis.count == 0 || axis.block == 0 || overlap || (axis.count < 0 && axis.step == 0))
    source.damaged("a selection is impossible");
  std::int64_t end = 0;
  if (!axis.unlimited() &&
      (__builtin_mul_overflow(axis.count, axis.block, &axis.length) ||
       __builtin_mul_overflow(axis.count, std::max<std::int64_t>(1, axis.step), &end) ||
       __builtin_add_overflow(end, axis.start, &end) || static_cast<std::uint64_t>(end) > kMostPlaces)) {
    source.damaged("a selection is impossible");
  }
  return axis;
}

/// The intervals that boxes have on one axis, if equal ones follow in equal steps.
std::optional<AxisSelection> grid_axis(const std::vector<Selection::Box>& boxes, std::size_t axis) {
  std::vector<std::pair<std::int64_t, std::int64_t>> intervals;
  for (const Selection::Box& one : boxes) intervals.emplace_back(one.start[axis], one.extent[axis]);
  std::sort(intervals.begin(), intervals.end());
  intervals.erase(std::unique(intervals.begin(), intervals.end()), intervals.end());
  AxisSelection out;
  out.start = intervals[0].first;
  out.block = intervals[0].second;
  out.count = std::ssize(intervals);
  out.step = out.count > 1 ? intervals[1].first - out.start : out.block;
  if (out.step < out.block) return {};
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    if (intervals[i].second != out.block) return {};
    if (intervals[i].first != out.start + static_cast<std::int64_t>(i) * out.step) return {};
  }
  if (__builtin_mul_overflow(out.count, out.block, &out.length)) return {};
  return out;
}

/// Boxes that are a grid are told as one, which is read by far faster.
void make_regular(Selection& selection) {
  std::vector<AxisSelection> axes;
  std::int64_t cells = 1;
  for (std::size_t axis = 0; axis < selection.boxes[0].start.size(); ++axis) {
    const std::optional<AxisSelection> one = grid_axis(selection.boxes, axis);
    if (!one || __builtin_mul_overflow(cells, one->count, &cells)) return;
    axes.push_back(*one);
  }
  // Boxes do not overlap: as many as the grid has cells are the grid.
  if (cells != std::ssize(selection.boxes)) return;
  selection.kind = Selection::Kind::Regular;
  selection.axes = std::move(axes);
  selection.boxes.clear();
}

Selection parse_boxes(const Source& source, Cursor& cursor, unsigned bytes, std::uint32_t rank) {
  Selection out;
  out.kind = Selection::Kind::Boxes;
  const std::uint64_t count = cursor.number(bytes);
  if (count == 0 || count > cursor.left() / (2ull * bytes * rank)) source.damaged("a selection is impossible");
  for (std::uint64_t i = 0; i < count; ++i) {
    Selection::Box box;
    for (std::uint32_t axis = 0; axis < rank; ++axis) box.start.push_back(take(source, cursor, bytes, false));
    for (std::uint32_t axis = 0; axis < rank; ++axis) {
      const std::int64_t last = take(source, cursor, bytes, false);
      if (last < box.start[axis]) source.damaged("a selection is impossible");
      box.extent.push_back(last - box.start[axis] + 1);
    }
    out.boxes.push_back(std::move(box));
  }
  std::sort(out.boxes.begin(), out.boxes.end(),
            [](const Selection::Box& a, const Selection::Box& b) { return a.start < b.start; });
  for (std::size_t i = 1; i < out.boxes.size(); ++i) {
    if (out.boxes[i].start == out.boxes[i - 1].start) source.damaged("a selection overlaps itself");
  }
  make_regular(out);
  return out;
}

}  // namespace

std::int64_t AxisSelection::below(std::int64_t extent) const {
  if (extent <= start) return 0;
  const std::int64_t room = extent - start;
  if (block == kUnlimited) return room;
  std::int64_t blocks = (room - 1) / std::max<std::int64_t>(1, step) + 1;
  if (count != kUnlimited) blocks = std::min(blocks, count);
  return (blocks - 1) * block + std::min(block, room - (blocks - 1) * step);
}

AxisSelection AxisSelection::of_length(std::int64_t places) const {
  AxisSelection out = *this;
  if (out.block == kUnlimited) {
    out.block = std::max<std::int64_t>(1, places);
    out.step = out.block;
    out.count = 1;
  }
  out.count = std::max<std::int64_t>(1, (places + out.block - 1) / out.block);
  out.length = places;
  return out;
}

void Selection::spell_out(const std::vector<std::int64_t>& shape) {
  if (kind == Kind::All) kind = Kind::Regular;
  if (kind != Kind::Regular) return;
  while (axes.size() < shape.size()) {
    AxisSelection axis;
    axis.length = axis.block = axis.step = shape[axes.size()];
    axes.push_back(axis);
  }
}

std::optional<std::size_t> Selection::unlimited() const {
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis].unlimited()) return axis;
  }
  return {};
}

std::int64_t Selection::elements() const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto product = [](std::int64_t all, std::int64_t next) {
    return __builtin_mul_overflow(all, next, &all) ? kMost : all;
  };
  std::int64_t all = 1;
  if (kind == Kind::Regular) {
    for (const AxisSelection& axis : axes) all = product(all, axis.length);
    return all;
  }
  all = 0;
  for (const Box& box : boxes) {
    std::int64_t one = 1;
    for (const std::int64_t extent : box.extent) one = product(one, extent);
    if (__builtin_add_overflow(all, one, &all)) return kMost;
  }
  return all;
}

std::vector<Selection::Box> Selection::rows() const {
  std::vector<Box> rows;
  const auto add = [&](const Box& row) {
    if (std::ssize(rows) < kMostRows) rows.push_back(row);
  };
  /// Rows of a product of intervals.
  const auto each_row = [&](const Box& box) {
    Box row = box;
    const std::size_t rank = box.start.size();
    std::fill(row.extent.begin(), row.extent.end(), 1);
    row.extent.back() = box.extent.back();
    for (;;) {
      if (std::ssize(rows) >= kMostRows) return;
      add(row);
      std::size_t axis = rank - 1;
      for (;;) {
        if (axis-- == 0) return;
        if (++row.start[axis] < box.start[axis] + box.extent[axis]) break;
        row.start[axis] = box.start[axis];
      }
    }
  };
  if (kind == Kind::Boxes) {
    for (const Box& box : boxes) each_row(box);
  } else if (kind == Kind::Regular && elements() > 0) {
    std::vector<std::int64_t> number(axes.size(), 0);
    for (;;) {
      Box row;
      for (std::size_t axis = 0; axis < axes.size(); ++axis) row.start.push_back(axes[axis].place(number[axis]));
      row.extent.assign(axes.size(), 1);
      const AxisSelection& last = axes.back();
      const std::int64_t at = number.back();
      row.extent.back() = last.contiguous() ? last.length : std::min(last.block - at % last.block, last.length - at);
      add(row);
      if (std::ssize(rows) >= kMostRows) return rows;
      number.back() += row.extent.back();
      std::size_t axis = axes.size() - 1;
      while (number[axis] >= axes[axis].length) {
        if (axis == 0) return rows;
        number[axis] = 0;
        ++number[--axis];
      }
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Box& a, const Box& b) { return a.start < b.start; });
  return rows;
}

Selection parse_selection(const Source& source, Cursor& cursor) {
  Selection out;
  const std::uint32_t type = cursor.u32();
  const std::uint32_t version = cursor.u32();
  if (type == 0 || type == 3) {
    cursor.skip(8);
    out.kind = type == 0 ? Selection::Kind::None : Selection::Kind::All;
    return out;
  }
  if (type != 2) source.unknown("has a virtual dataset of points");
  if (version < 1 || version > 3) source.unknown("has selections of version " + std::to_string(version));
  bool regular = false;
  unsigned bytes = version == 2 ? 8 : 4;
  if (version == 1) {
    cursor.skip(8);
  } else {
    regular = (cursor.u8() & 1) != 0;
    if (version == 3) {
      bytes = cursor.u8();
    } else {
      cursor.skip(4);
    }
  }
  if (bytes != 2 && bytes != 4 && bytes != 8) source.damaged("a selection's places have an odd size");
  const std::uint32_t rank = cursor.u32();
  if (rank == 0 || rank > 32) source.damaged("a selection has an impossible rank");
  if (!regular) return parse_boxes(source, cursor, bytes, rank);
  out.kind = Selection::Kind::Regular;
  for (std::uint32_t axis = 0; axis < rank; ++axis) out.axes.push_back(take_axis(source, cursor, bytes));
  return out;
}

}  // namespace weft::io::hdf5
