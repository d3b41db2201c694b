// Means of cells. A task goes through the source's rows that its chunk touches: each is brought side by side as
// doubles, made into the chunk's columns, and added to the chunk's rows that it counts for. Sums follow the places of
// the source alone, so that chunks of neither grid change the bits.
#include "arrays/labelled/regrid_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace weft::labelled {
namespace {

using arrays::expression::Block;
using arrays::expression::Box;
using arrays::expression::ChunkWork;
using arrays::expression::Need;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kRounding = 1e-9;

/// Which places of the source some targets are made of.
std::vector<bool> used_by(const AxisWeights& axis, std::int64_t first, std::int64_t count) {
  std::vector<bool> used(static_cast<std::size_t>(axis.extent), false);
  for (std::int64_t target = first; target < first + count; ++target) {
    const auto length = static_cast<std::int64_t>(axis.of(target).size());
    for (std::int64_t i = 0; i < length; ++i) {
      used[static_cast<std::size_t>((axis.first[static_cast<std::size_t>(target)] + i) % axis.extent)] = true;
    }
  }
  return used;
}
/// Begin and extent of these places: of rows from the first to the last one, of columns counted round.
std::pair<std::int64_t, std::int64_t> rows_of(const AxisWeights& axis, std::int64_t first, std::int64_t count) {
  const std::vector<bool> used = used_by(axis, first, count);
  const auto begin = std::find(used.begin(), used.end(), true);
  if (begin == used.end()) return {0, 0};
  const auto end = std::find(used.rbegin(), used.rend(), true).base();
  return {begin - used.begin(), end - begin};
}
std::pair<std::int64_t, std::int64_t> columns_of(const AxisWeights& axis, std::int64_t first, std::int64_t count) {
  return least_run(used_by(axis, first, count));
}

/// Which ends of the source's rows (0: the first, 1: the last) some targets have the mean of.
void poles_of(const AxisWeights& rows, std::int64_t first, std::int64_t count, bool (&ends)[2]) {
  for (std::int64_t target = first; target < first + count; ++target) {
    if (rows.pole_of(target) != 0) ends[rows.first[static_cast<std::size_t>(target)] == 0 ? 0 : 1] = true;
  }
}

/// Sums of values and of weights.
struct Sums {
  std::vector<double> values, weights;
  void begin(std::int64_t count) {
    values.assign(static_cast<std::size_t>(count), 0.0);
    weights.assign(static_cast<std::size_t>(count), 0.0);
  }
};

/// One chunk: what is the same for each of its pairs of rows and columns.
class ChunkOfCells {
 public:
  ChunkOfCells(const RegridCells& cells, const Box& out) : cells_(cells) {
    const std::size_t last = out.ndim() - 1;
    first_row_ = out.start[last - 1];
    rows_ = out.extent[last - 1];
    first_column_ = out.start[last];
    columns_ = out.extent[last];
    std::tie(source_row_, source_rows_) = rows_of(cells.rows, first_row_, rows_);
    std::tie(source_column_, source_columns_) = columns_of(cells.columns, first_column_, columns_);
    poles_of(cells.rows, first_row_, rows_, ends_);
    targets_of_.resize(static_cast<std::size_t>(source_rows_));
    for (std::int64_t row = 0; row < rows_; ++row) {
      const auto weights = cells.rows.of(first_row_ + row);
      const std::int64_t first = cells.rows.first[static_cast<std::size_t>(first_row_ + row)] - source_row_;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        targets_of_[static_cast<std::size_t>(first) + i].emplace_back(row, weights[i]);
      }
    }
    std::int64_t longest = 0;
    for (std::int64_t column = 0; column < columns_; ++column) {
      const auto weights = cells.columns.of(first_column_ + column);
      const std::int64_t from =
          cells.columns.first[static_cast<std::size_t>(first_column_ + column)] - source_column_ + cells.columns.extent;
      begins_.push_back(weights.empty() ? 0 : from % cells.columns.extent);
      longest = std::max(longest, static_cast<std::int64_t>(weights.size()));
      whole_.push_back(0);
      for (const double weight : weights) whole_.back() += weight;
    }
    strip_.assign(static_cast<std::size_t>(source_columns_ + longest), 0.0);
    there_ = strip_;
  }

  /// `blocks`: pieces of the rows side by side, then whole rows at the ends. `offsets`: where in each this pair begins.
  template <class T>
  void run(std::span<const Block> blocks, const std::vector<std::int64_t>& offsets, T* out) {
    const std::size_t pieces = blocks.size() - (ends_[0] ? 1 : 0) - (ends_[1] ? 1 : 0);
    sums_.begin(rows_ * columns_);
    for (std::int64_t row = 0; row < source_rows_; ++row) {
      const auto& targets = targets_of_[static_cast<std::size_t>(row)];
      if (targets.empty() || source_columns_ == 0) continue;
      const bool all = load<T>(blocks.first(pieces), offsets, row);
      row_.begin(columns_);
      for (std::int64_t column = 0; column < columns_; ++column) mix(column, all);
      for (const auto& [target, weight] : targets) {
        double* const values = sums_.values.data() + target * columns_;
        double* const weights = sums_.weights.data() + target * columns_;
        for (std::size_t i = 0; i < static_cast<std::size_t>(columns_); ++i) {
          values[i] += weight * row_.values[i];
          weights[i] += weight * row_.weights[i];
        }
      }
    }
    for (int end = 0, at = static_cast<int>(pieces); end < 2; ++end) {
      if (ends_[end])
        add_pole<T>(end, blocks[static_cast<std::size_t>(at)], offsets[static_cast<std::size_t>(at)]), ++at;
    }
    for (std::size_t i = 0; i < sums_.values.size(); ++i) {
      const double weight = sums_.weights[i];
      const bool enough = weight > 0 && weight >= cells_.min_coverage - kRounding;
      out[i] = static_cast<T>(enough ? sums_.values[i] / weight : kNan);
    }
  }

 private:
  template <class T>
  static double at(const Block& block, std::int64_t offset) {
    return static_cast<double>(*reinterpret_cast<const T*>(block.data + offset));
  }

  /// Brings a row side by side; tells whether all of it is there. Its begin comes again behind its end, for runs that
  /// go round.
  template <class T>
  bool load(std::span<const Block> pieces, const std::vector<std::int64_t>& offsets, std::int64_t row) {
    std::size_t place = 0;
    bool all = true;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::size_t last = pieces[i].shape.size() - 1;
      const std::int64_t begin = offsets[i] + row * pieces[i].strides[last - 1], step = pieces[i].strides[last];
      for (std::int64_t column = 0; column < pieces[i].shape[last]; ++column, ++place) {
        const double value = at<T>(pieces[i], begin + column * step);
        const bool number = !std::isnan(value);
        strip_[place] = number ? value : 0;
        there_[place] = number ? 1 : 0;
        all = all && number;
      }
    }
    for (std::size_t again = 0; place < strip_.size(); ++place, ++again) {
      strip_[place] = strip_[again];
      there_[place] = there_[again];
    }
    return all;
  }

  void mix(std::int64_t column, bool all) {
    const auto weights = cells_.columns.of(first_column_ + column);
    const auto at = static_cast<std::size_t>(column);
    const double* const values = strip_.data() + begins_[at];
    const double* const there = there_.data() + begins_[at];
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * values[i];
    if (all) {
      weight = whole_[at];
    } else {
      for (std::size_t i = 0; i < weights.size(); ++i) weight += weights[i] * there[i];
    }
    row_.values[at] = sum;
    row_.weights[at] = weight;
  }

  template <class T>
  void add_pole(int end, const Block& block, std::int64_t offset) {
    const std::int64_t count = block.shape.back();
    double sum = 0, there = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = at<T>(block, offset + i * block.strides.back());
      if (std::isnan(value)) continue;
      sum += value;
      there += 1;
    }
    for (std::int64_t row = 0; row < rows_; ++row) {
      const bool first = cells_.rows.first[static_cast<std::size_t>(first_row_ + row)] == 0;
      const double weight = first == (end == 0) ? cells_.rows.pole_of(first_row_ + row) : 0;
      if (weight == 0) continue;
      for (std::int64_t i = row * columns_; i < (row + 1) * columns_; ++i) {
        sums_.values[static_cast<std::size_t>(i)] += weight * sum / static_cast<double>(count);
        sums_.weights[static_cast<std::size_t>(i)] += weight * there / static_cast<double>(count);
      }
    }
  }

  const RegridCells& cells_;
  std::int64_t first_row_ = 0, rows_ = 0, first_column_ = 0, columns_ = 0;
  std::int64_t source_row_ = 0, source_rows_ = 0, source_column_ = 0, source_columns_ = 0;
  bool ends_[2] = {false, false};
  /// Of each row of the source: the chunk's rows that it counts for, and how much.
  std::vector<std::vector<std::pair<std::int64_t, double>>> targets_of_;
  /// Of each column of the chunk: where its run begins in the strip, and the sum of its weights.
  std::vector<std::int64_t> begins_;
  std::vector<double> whole_;
  std::vector<double> strip_, there_;
  Sums row_, sums_;
};

/// Goes on to the next place of the axes before the last two; moves the offsets along.
bool next_pair(std::vector<std::int64_t>& at, const std::vector<std::int64_t>& shape, std::span<const Block> blocks,
               std::vector<std::int64_t>& offsets) {
  for (std::size_t axis = at.size(); axis-- > 0;) {
    const bool more = ++at[axis] < shape[axis];
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      offsets[i] += more ? blocks[i].strides[axis] : -(shape[axis] - 1) * blocks[i].strides[axis];
    }
    if (more) return true;
    at[axis] = 0;
  }
  return false;
}

template <class T>
void run_typed(const RegridCells& cells, const ChunkWork& work) {
  ChunkOfCells chunk(cells, work.out);
  const std::vector<std::int64_t>& shape = work.output.shape;
  std::vector<std::int64_t> at(shape.size() - 2, 0), offsets(work.inputs.size(), 0);
  T* out = reinterpret_cast<T*>(work.output.data);
  const std::int64_t pair = shape[shape.size() - 2] * shape[shape.size() - 1];
  do {
    chunk.run(work.inputs, offsets, out);
    out += pair;
  } while (next_pair(at, shape, work.inputs, offsets));
}

}  // namespace

void RegridCells::needs(const Box& out, std::vector<Need>& needs) const {
  const std::size_t row = out.ndim() - 2, column = row + 1;
  const auto [first_row, count] = rows_of(rows, out.start[row], out.extent[row]);
  const auto [first_column, across] = columns_of(columns, out.start[column], out.extent[column]);
  const auto push = [&](std::int64_t begin_row, std::int64_t many, std::int64_t begin_column, std::int64_t wide) {
    Need need{0, out, {}};
    need.box.start[row] = begin_row;
    need.box.extent[row] = many;
    need.box.start[column] = begin_column;
    need.box.extent[column] = wide;
    needs.push_back(std::move(need));
  };
  const std::int64_t before_end = std::min(across, columns.extent - first_column);
  push(first_row, count, first_column, before_end);
  if (across > before_end) push(first_row, count, 0, across - before_end);
  bool ends[2] = {false, false};
  poles_of(rows, out.start[row], out.extent[row], ends);
  if (ends[0]) push(0, 1, 0, columns.extent);
  if (ends[1]) push(rows.extent - 1, 1, 0, columns.extent);
}

void RegridCells::run(const ChunkWork& work) const {
  for (const std::int64_t extent : work.output.shape) {
    if (extent == 0) return;
  }
  if (work.output.dtype == float32) {
    run_typed<float>(*this, work);
  } else {
    run_typed<double>(*this, work);
  }
}

}  // namespace weft::labelled
