// Boxes of virtual datasets, put together of boxes of their sources.
#include "io/hdf5/virtual.hpp"

#include "io/formats/format.hpp"
#include "io/hdf5/convert.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace weft::io::hdf5 {
namespace {

/// Where places of a source lie too far apart, each is read alone; else all between them are, up to so many bytes.
constexpr std::int64_t kMostBetween = 64 << 20;
constexpr std::int64_t kMostTogether = std::int64_t{1} << 30;
/// Parts that one reading visits, those of virtual sources included: a hostile file can make them visit each other.
constexpr std::uint64_t kMostVisits = 1 << 24;

/// What this thread is reading: a virtual dataset that is a source of itself ends here.
struct Reading {
  std::vector<std::pair<std::string, std::size_t>> datasets;
  std::uint64_t visits = 0;
};
Reading& reading() {
  thread_local Reading one;
  return one;
}

/// Places that follow each other in equal steps, in the virtual dataset and in the source.
struct Run {
  std::int64_t to = 0;
  std::int64_t from = 0;
  std::int64_t count = 1;
  std::int64_t to_step = 1;
  std::int64_t from_step = 1;
};

/// The runs of an axis whose places in the virtual dataset lie in [low, high).
std::vector<Run> runs_of(const AxisSelection& to, const AxisSelection& from, std::int64_t low, std::int64_t high) {
  std::vector<Run> runs;
  const auto step_of = [](const AxisSelection& axis) { return axis.contiguous() ? 1 : axis.step; };
  const auto steps_evenly = [](const AxisSelection& axis) { return axis.contiguous() || axis.block == 1; };
  std::int64_t number = to.below(low);
  const std::int64_t end = std::min(to.below(high), to.length);
  if (number >= end) return runs;
  if (steps_evenly(to) && steps_evenly(from)) {
    runs.push_back({to.place(number), from.place(number), end - number, step_of(to), step_of(from)});
    return runs;
  }
  const auto left_in_block = [](const AxisSelection& axis, std::int64_t at) {
    return axis.contiguous() ? axis.length - at : axis.block - at % axis.block;
  };
  while (number < end) {
    const std::int64_t count = std::min({left_in_block(to, number), left_in_block(from, number), end - number});
    runs.push_back({to.place(number), from.place(number), std::max<std::int64_t>(1, count), 1, 1});
    number += runs.back().count;
  }
  return runs;
}

/// One part of a virtual dataset, and the box that is read of it.
class Part {
 public:
  Part(const Variable& of, const StoredFile& file, std::size_t source, const Selection& to, const Selection& from,
       const OpenBox& box)
      : of_(of), file_(file), number_(source), source_(file.variables()[source]), to_(to), from_(from), box_(box) {
    to_.spell_out(of_.shape);
    from_.spell_out(source_.shape);
  }

  void read() {
    if (to_.kind == Selection::Kind::None || from_.kind == Selection::Kind::None) return;
    if (to_.elements() != from_.elements())
      file_fail("has " + std::to_string(from_.elements()) + " elements for " + std::to_string(to_.elements()));
    if (to_.kind == Selection::Kind::Regular && from_.kind == Selection::Kind::Regular && match()) {
      product();
    } else {
      one_by_one();
    }
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  [[noreturn]] void file_fail(const std::string& text) const { fail(file_.path(), "'" + source_.path + "' " + text); }

  /// Which axis of the source each axis of the virtual dataset is: axes of one place may be missing on either side.
  bool match() {
    if (from_.axes.size() != source_.shape.size() || to_.axes.size() != of_.shape.size()) return false;
    matched_.assign(to_.axes.size(), kNone);
    std::size_t from = 0;
    for (std::size_t axis = 0; axis < to_.axes.size(); ++axis) {
      if (to_.axes[axis].length == 1) continue;
      while (from < from_.axes.size() && from_.axes[from].length == 1) ++from;
      if (from == from_.axes.size() || from_.axes[from].length != to_.axes[axis].length) return false;
      matched_[axis] = from++;
    }
    return std::all_of(from_.axes.begin() + static_cast<std::ptrdiff_t>(from), from_.axes.end(),
                       [](const AxisSelection& axis) { return axis.length == 1; });
  }

  void product() {
    std::vector<std::vector<Run>> runs;
    for (std::size_t axis = 0; axis < to_.axes.size(); ++axis) {
      const AxisSelection& to = to_.axes[axis];
      const AxisSelection& from = matched_[axis] == kNone ? to : from_.axes[matched_[axis]];
      runs.push_back(runs_of(to, from, box_.start[axis], box_.start[axis] + box_.extent[axis]));
      if (runs.back().empty()) return;
    }
    std::vector<std::size_t> at(runs.size(), 0);
    std::vector<Run> now(runs.size());
    for (;;) {
      for (std::size_t axis = 0; axis < runs.size(); ++axis) now[axis] = runs[axis][at[axis]];
      piece(now);
      std::size_t axis = runs.size();
      for (;;) {
        if (axis-- == 0) return;
        if (++at[axis] < runs[axis].size()) break;
        at[axis] = 0;
      }
    }
  }

  /// One run on each axis.
  void piece(std::vector<Run>& runs) {
    const std::size_t rank = runs.size();
    std::vector<std::int64_t> start(source_.shape.size()), extent(source_.shape.size(), 1);
    for (std::size_t axis = 0; axis < start.size(); ++axis) start[axis] = from_.axes[axis].start;
    std::byte* out = box_.out;
    std::vector<std::int64_t> count(rank), to_strides(rank), strides(source_.shape.size(), 0);
    std::int64_t between = source_.type.bytes;
    std::size_t widest = kNone;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const Run& run = runs[axis];
      out += (run.to - box_.start[axis]) * box_.strides[axis];
      count[axis] = run.count;
      to_strides[axis] = box_.strides[axis] * run.to_step;
      if (matched_[axis] == kNone) continue;
      start[matched_[axis]] = run.from;
      extent[matched_[axis]] = (run.count - 1) * run.from_step + 1;
      strides[matched_[axis]] = to_strides[axis];
      if (__builtin_mul_overflow(between, extent[matched_[axis]], &between)) between = kMostBetween + 1;
      if (run.from_step > 1 && run.count > 1 && widest == kNone) widest = axis;
    }
    const bool same = same_type();
    if (widest == kNone && same) return file_.read(number_, start, extent, out, strides);
    const std::size_t cut = between <= kMostBetween ? kNone : widest != kNone ? widest : longest(runs);
    if (cut != kNone) {
      const Run whole = runs[cut];
      for (std::int64_t i = 0; i < whole.count; ++i) {
        runs[cut] = {whole.to + i * whole.to_step, whole.from + i * whole.from_step, 1, 1, 1};
        piece(runs);
      }
      runs[cut] = whole;
      return;
    }
    const std::vector<std::byte> read = file_.read_box(number_, start, extent);
    const std::vector<std::int64_t> packed = packed_strides(extent, source_.type.bytes);
    std::vector<std::int64_t> from_strides(rank, 0);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (matched_[axis] != kNone) from_strides[axis] = packed[matched_[axis]] * runs[axis].from_step;
    }
    if (same) {
      copy_box(out, to_strides.data(), read.data(), from_strides.data(), count.data(), rank, of_.type.bytes);
    } else {
      convert_box(source_.type, read.data(), from_strides, count, of_.type, out, to_strides);
    }
  }

  /// The first axis that has more than one place in the source; there is one where its bytes are many.
  std::size_t longest(const std::vector<Run>& runs) const {
    for (std::size_t axis = 0; axis < runs.size(); ++axis) {
      if (matched_[axis] != kNone && runs[axis].count > 1) return axis;
    }
    return kNone;
  }

  bool same_type() const {
    const ElementType& a = of_.type;
    const ElementType& b = source_.type;
    const auto kind = [](ElementKind k) { return k == ElementKind::Boolean ? ElementKind::Unsigned : k; };
    const auto plain = [](const ElementType& one) {
      return one.is_number() && one.kind != ElementKind::Complex && (one.kind != ElementKind::Float || one.bytes > 2);
    };
    const bool numbers = plain(a) && plain(b);
    const bool same = kind(a.kind) == kind(b.kind) && a.bytes == b.bytes;
    if (!same && !numbers) file_fail("holds " + b.name + ", not " + a.name);
    return same;
  }

  /// Selections that are no grids, or whose axes are not each other's: element by element, in order.
  void one_by_one() {
    const std::vector<Selection::Box> to = to_.rows(), from = from_.rows();
    std::int64_t elements = 0, places = 0;
    for (const Selection::Box& row : to) elements += row.extent.back();
    for (const Selection::Box& row : from) places += row.extent.back();
    if (elements != to_.elements() || places != elements)
      file_fail("is a part of a virtual dataset that is in too many pieces");
    if (to.empty()) return;
    // All of the source between its first and last place.
    std::vector<std::int64_t> low = from[0].start, high = low;
    if (low.size() != source_.shape.size() || to[0].start.size() != of_.shape.size())
      file_fail("has another rank than the part of a virtual dataset that it is");
    std::int64_t bytes = source_.type.bytes;
    for (const Selection::Box& row : from) {
      for (std::size_t axis = 0; axis < low.size(); ++axis) {
        low[axis] = std::min(low[axis], row.start[axis]);
        high[axis] = std::max(high[axis], row.start[axis] + row.extent[axis]);
      }
    }
    std::vector<std::int64_t> extent;
    for (std::size_t axis = 0; axis < low.size(); ++axis) {
      extent.push_back(high[axis] - low[axis]);
      if (__builtin_mul_overflow(bytes, extent.back(), &bytes) || bytes > kMostTogether)
        file_fail("is a part of a virtual dataset that lies too far apart");
    }
    const std::vector<std::byte> read = file_.read_box(number_, low, extent);
    const std::vector<std::int64_t> strides = packed_strides(extent, source_.type.bytes);
    const bool same = same_type();
    std::size_t row = 0;
    std::int64_t in_row = 0;
    for (const Selection::Box& target : to) {
      for (std::int64_t i = 0; i < target.extent.back(); ++i) {
        if (in_row == from[row].extent.back()) {
          ++row;
          in_row = 0;
        }
        const std::byte* source = read.data() + in_row++ * strides.back();
        for (std::size_t axis = 0; axis < low.size(); ++axis)
          source += (from[row].start[axis] - low[axis]) * strides[axis];
        std::byte* out = box_.out;
        bool inside = true;
        for (std::size_t axis = 0; axis < target.start.size(); ++axis) {
          const std::int64_t place = target.start[axis] + (axis + 1 == target.start.size() ? i : 0) - box_.start[axis];
          inside = inside && place >= 0 && place < box_.extent[axis];
          out += place * box_.strides[axis];
        }
        if (!inside) continue;
        if (same) {
          std::memcpy(out, source, of_.type.bytes);
        } else {
          convert_box(source_.type, source, {}, {}, of_.type, out, {});
        }
      }
    }
  }

  const Variable& of_;
  const StoredFile& file_;
  const std::size_t number_;
  const Variable& source_;
  Selection to_;
  Selection from_;
  const OpenBox& box_;
  std::vector<std::size_t> matched_;
};

/// Whether a part can have places in the box.
bool may_touch(const Selection& to, const OpenBox& box) {
  if (to.kind != Selection::Kind::Regular) return to.kind != Selection::Kind::None;
  for (std::size_t axis = 0; axis < to.axes.size(); ++axis) {
    const std::int64_t low = box.start[axis];
    const AxisSelection& one = to.axes[axis];
    if (std::min(one.below(low + box.extent[axis]), one.length) <= one.below(low)) return false;
  }
  return true;
}

/// Whether the part is all of the box, so that nothing of it needs the fill value.
bool covers(const Selection& to, const OpenBox& box) {
  if (to.kind != Selection::Kind::Regular) return to.kind == Selection::Kind::All;
  for (std::size_t axis = 0; axis < to.axes.size(); ++axis) {
    const AxisSelection& one = to.axes[axis];
    const std::int64_t low = box.start[axis];
    if (!one.contiguous() || one.start > low || one.start + one.length < low + box.extent[axis]) return false;
  }
  return true;
}

std::shared_ptr<const StoredFile> open_source(const OtherFile& where) {
  if (!where.same_now()) fail(where.path, "changed after it was opened; open it again");
  return open_shared(where.path);
}

/// Calls use(file, variable, mapping) for each source that is there.
template <class F>
void each_source(const StoredFile& own, std::size_t variable, const Dataset& data, const F& wanted) {
  const Variable& one = own.variables()[variable];
  Reading& now = reading();
  const std::pair<std::string, std::size_t> here{own.path(), variable};
  if (now.datasets.empty()) now.visits = 0;
  if (std::find(now.datasets.begin(), now.datasets.end(), here) != now.datasets.end() || now.datasets.size() > 8)
    fail(own.path(), "'" + one.path + "' is a virtual dataset that is put together of itself");
  now.datasets.push_back(here);
  struct Leave {
    ~Leave() { reading().datasets.pop_back(); }
  } leave;
  for (const Mapping& mapping : *data.layout.mappings) {
    if (++now.visits > kMostVisits) fail(own.path(), "'" + one.path + "' is a virtual dataset of too many parts");
    const std::function<void(const StoredFile&, std::size_t)> use = wanted(mapping);
    if (!use) continue;
    try {
      std::shared_ptr<const StoredFile> opened;
      if (!mapping.is_own()) {
        if (!mapping.where.is_there() && mapping.where.same_now()) continue;
        opened = open_source(mapping.where);
      }
      const StoredFile& file = opened == nullptr ? own : *opened;
      const std::string name = mapping.dataset + data.member;
      if (file.has(name)) use(file, file.find(name));
    } catch (const FileError& error) {
      // Of virtual sources of virtual sources the innermost says what is wrong.
      if (now.datasets.size() > 1) throw;
      fail(own.path(), "'" + one.path + "' is put together of other datasets; " + error.what());
    }
  }
}

}  // namespace

void from_elsewhere(const StoredFile& own, const Variable& one, const Elsewhere& elsewhere,
                    const std::function<void(const StoredFile& file, std::size_t variable)>& use) {
  try {
    const std::shared_ptr<const StoredFile> file = open_source(elsewhere.file);
    use(*file, file->find(elsewhere.variable));
  } catch (const FileError& error) {
    fail(own.path(), "'" + one.path + "' is in another file; " + error.what());
  }
}

void read_virtual(const StoredFile& own, std::size_t variable, const Dataset& data, const OpenBox& box) {
  const Variable& one = own.variables()[variable];
  if (std::count(box.extent.begin(), box.extent.end(), 0) > 0) return;
  bool filled = false;
  const auto fill = [&] {
    if (!filled)
      fill_box(box.out, box.strides.data(), box.extent.data(), box.extent.size(), one.fill.data(), one.type.bytes);
    filled = true;
  };
  each_source(own, variable, data, [&](const Mapping& mapping) -> std::function<void(const StoredFile&, std::size_t)> {
    if (!may_touch(mapping.target, box)) return {};
    return [&](const StoredFile& file, std::size_t source) {
      if (!covers(mapping.target, box)) fill();
      filled = true;
      Part(one, file, source, mapping.target, mapping.source, box).read();
    };
  });
  fill();
}

std::uint64_t stored_virtual(const StoredFile& own, std::size_t variable, const Dataset& data) {
  std::uint64_t bytes = 0;
  std::set<std::pair<std::string, std::string>> seen;
  each_source(own, variable, data, [&](const Mapping& mapping) -> std::function<void(const StoredFile&, std::size_t)> {
    if (!seen.emplace(mapping.where.path, mapping.dataset).second) return {};
    return [&](const StoredFile& file, std::size_t source) { bytes += file.stored_bytes(source); };
  });
  return bytes;
}

}  // namespace weft::io::hdf5
