#pragma once

#include "frames/rows/aggregate.hpp"

#include <weft/error.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::frames {

/// Which group each row belongs to. Rows of no group belong to one behind all, `groups`, of which nothing is told: what
/// is kept by group has `groups + 1` elements.
struct Grouping {
  const std::uint32_t* group_of = nullptr;
  std::size_t rows = 0, groups = 0;
  bool one = false;  ///< all rows belong to the only group
};

using States = std::vector<Column>;

/// A sum and what its rounding left out.
struct ExactSum {
  double sum = 0, rest = 0;

  void add(double value) {
    const double next = sum + value, taken = next - sum;
    rest += (sum - (next - taken)) + (value - taken);
    sum = next;
  }
  void add(const ExactSum& other) {
    add(other.sum);
    rest += other.rest;
  }
  /// Returns the sum; what is left out of an infinite one is no number.
  double value() const { return std::isfinite(sum) ? sum + rest : sum; }
};

[[noreturn]] void refuse_values(const Aggregate& aggregate, ColumnType type);

// What is kept of each group, by kinds: the begin of it from values, the join of several, and what comes out.

States begin_sums(const Aggregate& aggregate, const Column& values, const Grouping& groups);
States join_sums(const Aggregate& aggregate, const States& states, const Grouping& groups);
Column finish_sums(const Aggregate& aggregate, const States& states);

/// Minima, maxima, first and last values: their states are values.
Column chosen_values(const Aggregate& aggregate, const Column& values, const Grouping& groups);

/// Lists of the values of a group: all by Median, those that differ by Nunique.
States begin_lists(const Aggregate& aggregate, const Column& values, const Grouping& groups);
States join_lists(const Aggregate& aggregate, const States& states, const Grouping& groups);
Column finish_lists(const Aggregate& aggregate, const States& states);

/// Calls `use` with the numbers of a column; refuses other types.
template <class Use>
auto with_numbers(const Aggregate& aggregate, const Column& values, Use use) {
  switch (values.type()) {
    case ColumnType::Bool:
      return use(values.data<std::uint8_t>());
    case ColumnType::Int32:
      return use(values.data<std::int32_t>());
    case ColumnType::Int64:
      return use(values.data<std::int64_t>());
    case ColumnType::Float32:
      return use(values.data<float>());
    case ColumnType::Float64:
      return use(values.data<double>());
    case ColumnType::Timestamp:
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  refuse_values(aggregate, values.type());
}

/// Calls `use(group, value)` for each number that is not missing.
template <class T, class Use>
void each_number(const Column& values, const T* data, const Grouping& groups, Use use) {
  const std::uint8_t* const marks = values.marks();
  for (std::size_t i = 0; i < groups.rows; ++i) {
    if (marks != nullptr && marks[i] == 0) continue;
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(data[i])) continue;
    }
    use(groups.group_of[i], data[i]);
  }
}

}  // namespace weft::frames
