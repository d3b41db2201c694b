// The different values of an array: sorted rows of [key, count, place] of each chunk, merged in a tree.
#include <weft/ops/statistics.hpp>

#include "arrays/ops/lanes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Grid;
using ops::Need;
using ops::structural;

constexpr std::int64_t kMergeFanIn = 8;

/// What a row consists of: keys (two of a complex number), how often they occur, and the first place.
struct RowForm {
  std::int64_t keys = 1;
  bool placed = false;
  std::int64_t count_column() const { return keys; }
  std::int64_t place_column() const { return keys + 1; }
  std::int64_t width() const { return keys + (placed ? 2 : 1); }
};

bool before(const std::int64_t* a, const std::int64_t* b, std::int64_t keys) {
  for (std::int64_t i = 0; i < keys; ++i) {
    if (a[i] != b[i]) return static_cast<std::uint64_t>(a[i]) < static_cast<std::uint64_t>(b[i]);
  }
  return false;
}

/// The keys of a block's elements in C order, side by side.
std::vector<std::uint64_t> keys_of(const Block& block) {
  std::vector<std::int64_t> order;
  for (std::size_t axis = 0; axis < block.shape.size(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  const auto count = static_cast<std::size_t>(Shape(block.shape).elements());
  std::vector<std::byte> values(count * block.dtype.size());
  if (count > 0) ops::copy_in_order(block, order, values.data());
  const bool complex = block.dtype.is_complex();
  const Dtype part = block.dtype.real();
  std::vector<std::uint64_t> keys(complex ? 2 * count : count);
  kernels::write_keys(part, values.data(), keys.size(), keys.data());
  kernels::merge_zeros(part, keys.data(), keys.size());
  for (std::size_t i = 0; complex && i < count; ++i) {
    if (keys[2 * i] == kernels::kLastKey || keys[2 * i + 1] == kernels::kLastKey) {
      keys[2 * i] = keys[2 * i + 1] = kernels::kLastKey;
    }
  }
  return keys;
}

/// The rows of one chunk.
struct UniqueOfChunk {
  static constexpr const char* kName = "unique";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  Grid grid;
  RowForm form;

  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, expression::chunk_box(grid, out.start[0] / AxisGrid::kDeferredStep), {}});
  }
  void run(const ChunkWork& work) const {
    std::vector<std::uint64_t> keys = keys_of(work.inputs[0]);
    std::vector<std::int64_t> rows;
    if (form.keys == 2) {
      rows = pairs(work, keys);
    } else if (form.placed) {
      rows = placed(work, keys);
    } else {
      std::vector<std::uint64_t> room(keys.size());
      kernels::sort_keys(keys.data(), room.data(), keys.size());
      for (std::size_t i = 0, end = 0; i < keys.size(); i = end) {
        while (end < keys.size() && keys[end] == keys[i]) ++end;
        rows.push_back(static_cast<std::int64_t>(keys[i]));
        rows.push_back(static_cast<std::int64_t>(end - i));
      }
    }
    const Block out = work.allocate({static_cast<std::int64_t>(rows.size()) / form.width(), form.width()});
    if (!rows.empty()) std::memcpy(out.data, rows.data(), rows.size() * sizeof(std::int64_t));
  }

 private:
  /// The place, in the flattened array, of an element of the chunk.
  std::int64_t flat_place(const Box& box, std::int64_t at) const {
    std::int64_t place = 0, stride = 1;
    for (std::size_t axis = grid.size(); axis-- > 0;) {
      place += (box.start[axis] + at % box.extent[axis]) * stride;
      at /= box.extent[axis];
      stride *= grid[axis].extent();
    }
    return place;
  }
  std::vector<std::int64_t> placed(const ChunkWork& work, const std::vector<std::uint64_t>& keys) const {
    std::vector<kernels::PlacedKey> sorted(keys.size()), room(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) sorted[i] = {keys[i], static_cast<std::int64_t>(i)};
    kernels::sort_keys(sorted.data(), room.data(), sorted.size());
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0, end = 0; i < sorted.size(); i = end) {
      while (end < sorted.size() && sorted[end].key == sorted[i].key) ++end;
      rows.push_back(static_cast<std::int64_t>(sorted[i].key));
      rows.push_back(static_cast<std::int64_t>(end - i));
      rows.push_back(flat_place(work.needs[0].box, sorted[i].place));
    }
    return rows;
  }
  std::vector<std::int64_t> pairs(const ChunkWork& work, const std::vector<std::uint64_t>& keys) const {
    std::vector<std::int64_t> order(keys.size() / 2);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    const auto key = [&](std::int64_t at) { return keys.data() + 2 * at; };
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return key(a)[0] != key(b)[0] ? key(a)[0] < key(b)[0] : key(a)[1] < key(b)[1];
    });
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
      while (end < order.size() && std::equal(key(order[i]), key(order[i]) + 2, key(order[end]))) ++end;
      rows.push_back(static_cast<std::int64_t>(key(order[i])[0]));
      rows.push_back(static_cast<std::int64_t>(key(order[i])[1]));
      rows.push_back(static_cast<std::int64_t>(end - i));
      if (form.placed) rows.push_back(flat_place(work.needs[0].box, order[i]));
    }
    return rows;
  }
};

/// The rows of some neighbouring pieces together.
struct UniqueMerge {
  static constexpr const char* kName = "unique-merge";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  std::int64_t pieces;
  RowForm form;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t first = out.start[0] / AxisGrid::kDeferredStep * kMergeFanIn;
    for (std::int64_t piece = first; piece < std::min(first + kMergeFanIn, pieces); ++piece) {
      needs.push_back(ops::matrix_need(0, piece * AxisGrid::kDeferredStep, 1, 0, form.width()));
    }
  }
  void run(const ChunkWork& work) const {
    std::vector<std::vector<std::int64_t>> runs;
    for (const Block& block : work.inputs) {
      std::vector<std::int64_t> rows(static_cast<std::size_t>(block.shape[0] * form.width()));
      if (!rows.empty()) ops::copy_in_order(block, {0, 1}, reinterpret_cast<std::byte*>(rows.data()));
      runs.push_back(std::move(rows));
    }
    while (runs.size() > 1) {
      std::vector<std::vector<std::int64_t>> merged;
      for (std::size_t i = 0; i < runs.size(); i += 2) {
        merged.push_back(i + 1 < runs.size() ? merge(runs[i], runs[i + 1]) : std::move(runs[i]));
      }
      runs = std::move(merged);
    }
    const std::vector<std::int64_t>& rows = runs.front();
    const Block out = work.allocate({static_cast<std::int64_t>(rows.size()) / form.width(), form.width()});
    if (!rows.empty()) std::memcpy(out.data, rows.data(), rows.size() * sizeof(std::int64_t));
  }

 private:
  std::vector<std::int64_t> merge(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) const {
    const std::int64_t width = form.width();
    std::vector<std::int64_t> rows;
    rows.reserve(a.size() + b.size());
    const std::int64_t *i = a.data(), *const i_end = i + a.size(), *j = b.data(), *const j_end = j + b.size();
    while (i != i_end || j != j_end) {
      const bool from_a = i != i_end && (j == j_end || !before(j, i, form.keys));
      const bool from_b = j != j_end && (i == i_end || !before(i, j, form.keys));
      const std::int64_t* const row = from_a ? i : j;
      rows.insert(rows.end(), row, row + width);
      if (from_a && from_b) {
        rows[rows.size() - static_cast<std::size_t>(width - form.count_column())] += j[form.count_column()];
        if (form.placed) rows.back() = std::min(rows.back(), j[form.place_column()]);
      }
      i += from_a ? width : 0;
      j += from_b ? width : 0;
    }
    return rows;
  }
};

/// One column of the rows: the values, or numbers.
struct UniqueColumn {
  static constexpr const char* kName = "unique-column";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  RowForm form;
  std::int64_t column;
  TypeCode type;

  void needs(const Box&, std::vector<Need>& needs) const {
    needs.push_back(ops::matrix_need(0, 0, 1, 0, form.width()));
  }
  void run(const ChunkWork& work) const {
    const Block& rows = work.inputs[0];
    const std::int64_t count = rows.shape[0], parts = column == 0 ? form.keys : 1;
    const Block out = work.allocate({count});
    std::vector<std::uint64_t> words(static_cast<std::size_t>(count * parts));
    for (std::int64_t i = 0; i < count * parts; ++i) {
      std::memcpy(&words[static_cast<std::size_t>(i)],
                  rows.data + i / parts * rows.strides[0] + (column + i % parts) * rows.strides[1], sizeof words[0]);
    }
    if (column == 0) {
      kernels::write_values(Dtype(type).real(), words.data(), words.size(), out.data);
    } else if (count > 0) {
      std::memcpy(out.data, words.data(), words.size() * sizeof words[0]);
    }
  }
};

/// For each element the row that has its key.
struct UniqueSearch {
  static constexpr const char* kName = "unique-inverse";
  static constexpr bool kAssembles = false;
  static constexpr bool kTakesDeferred = true;
  RowForm form;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, {}});
    needs.push_back(ops::matrix_need(1, 0, 1, 0, form.width()));
  }
  void run(const ChunkWork& work) const {
    const std::vector<std::uint64_t> keys = keys_of(work.inputs[0]);
    const Block& rows = work.inputs[1];
    const auto row = [&](std::int64_t at) {
      return reinterpret_cast<const std::int64_t*>(rows.data + at * rows.strides[0]);
    };
    auto* const out = reinterpret_cast<std::int64_t*>(work.output.data);
    const auto parts = static_cast<std::size_t>(form.keys);
    for (std::size_t i = 0; i < keys.size() / parts; ++i) {
      std::int64_t wanted[2] = {};
      std::memcpy(wanted, keys.data() + i * parts, parts * sizeof keys[0]);
      std::int64_t low = 0, high = rows.shape[0];
      while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        if (before(row(middle), wanted, form.keys)) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      out[i] = low;
    }
  }
};

/// The rows of a whole array, in one piece.
struct UniqueRows {
  Array rows;
  RowForm form;
  Dtype dtype;
  std::source_location where;

  UniqueRows(const Array& array, bool placed, const std::source_location& line)
      : form{array.dtype().is_complex() ? 2 : 1, placed}, dtype(array.dtype()), where(line) {
    const Grid& grid = array.node()->grid;
    std::int64_t pieces = expression::chunk_count(grid);
    const auto rows_grid = [&](std::int64_t count) {
      const expression::Key key =
          expression::Fingerprint("unique").add(array.node()->key).add(count).add(form.width()).key();
      return Grid{AxisGrid::deferred(count, key.high, key.low), AxisGrid::whole(form.width())};
    };
    rows = structural(UniqueOfChunk{grid, form}, {array}, int64, rows_grid(pieces), where);
    while (pieces > 1) {
      const std::int64_t merged = (pieces + kMergeFanIn - 1) / kMergeFanIn;
      rows = structural(UniqueMerge{pieces, form}, {rows}, int64, rows_grid(merged), where);
      pieces = merged;
    }
  }

  Array column(std::int64_t at, Dtype type) const {
    return structural(UniqueColumn{form, at, type.code()}, {rows}, type, {rows.node()->grid[0]}, where);
  }
  Array values() const { return column(0, dtype); }
  Array counts() const { return column(form.count_column(), int64); }
  Array indices() const { return column(form.place_column(), int64); }
  Array inverse(const Array& array) const {
    return structural(UniqueSearch{form}, {array, rows}, int64, array.node()->grid, where);
  }
};

}  // namespace

namespace {

/// A number alone is an array of one.
Array lined(const Array& array, const std::source_location& where) {
  return array.ndim() == 0 ? reshape(array, {1}, where) : array;
}

}  // namespace

Array unique(const Array& array, const std::source_location& where) {
  return UniqueRows(lined(array, where), false, where).values();
}

UniqueCounts unique_counts(const Array& array, const std::source_location& where) {
  const UniqueRows rows(lined(array, where), false, where);
  return {rows.values(), rows.counts()};
}

UniqueInverse unique_inverse(const Array& array, const std::source_location& where) {
  ops::require_known(*array.node(), "unique_inverse", where);
  const UniqueRows rows(lined(array, where), false, where);
  return {rows.values(), rows.inverse(array)};
}

UniqueAll unique_all(const Array& array, const std::source_location& where) {
  ops::require_known(*array.node(), "unique_all", where);
  const UniqueRows rows(lined(array, where), true, where);
  return {rows.values(), rows.indices(), rows.inverse(array), rows.counts()};
}

Array union1d(const Array& a, const Array& b, const std::source_location& where) {
  const Dtype dtype = ops::told("union1d", where, [&] { return promote(a.dtype(), b.dtype()); });
  const auto line = [&](const Array& one) {
    const Array same = one.astype(dtype, where);
    return same.ndim() == 1 ? same : ravel(same, where);
  };
  return unique(concatenate({line(a), line(b)}, 0, where), where);
}

}  // namespace weft::arrays
