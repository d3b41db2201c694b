#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::frames {

/// By which columns rows are sorted, and which way each; missing values come last either way (`missing_first`: first).
struct SortOrder {
  std::vector<std::string> by = {};
  std::vector<bool> ascending = {};  ///< for each of `by`
  bool missing_first = false;
};

/// Returns the rows in order; equal ones keep theirs. Strings by their bytes, categories by their names.
std::vector<std::uint32_t> sorted_rows(const Table& table, const SortOrder& order);

/// Returns the keys of at most `count` rows, one of each of as many runs of equal length: what a partition tells of how
/// its values lie.
Table sample_keys(const Table& table, const SortOrder& order, std::size_t count);
/// Returns the keys at which `parts` parts of about equal size begin, but the first: at most parts - 1 rows, sorted,
/// all of them different.
Table choose_bounds(const std::vector<Table>& samples, const SortOrder& order, std::size_t parts);
/// Cuts a table at the bounds into `parts` tables, more than there are bounds; those behind the last bound's are empty.
/// Rows keep their order; one equal to a bound goes behind it.
std::vector<Table> split_by_bounds(const Table& table, const SortOrder& order, const Table& bounds, std::size_t parts);

/// Returns the first `count` rows in order, equal ones in theirs.
Table top_rows(const Table& table, const SortOrder& order, std::size_t count);

}  // namespace weft::frames
