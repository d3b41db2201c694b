#pragma once

#include <weft/array.hpp>
#include <weft/labelled.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace weft::labelled {

/// What is made of an array in one pass.
struct GroupReduction {
  std::vector<Reduction> kinds;
  /// The axes that vanish.
  std::vector<std::size_t> axes;
  /// The one of them whose places fall into groups.
  std::size_t axis = 0;
  /// For each place of `axis` its group, negative for none; empty: all are in one.
  std::vector<std::int32_t> group_of = {};
  std::int32_t groups = 1;
  /// As many axes as the array, of extent 1 where they do not depend on it.
  std::optional<arrays::Array> weights = {};
  bool skipna = true;
  double ddof = 0;
  /// Fewer elements than that give no value; 0: sums of nothing are 0, all else needs one.
  double min_count = 0;
};

/// Reduces groups of places: one array for each kind, of as many axes as before; `axis` has a place for each group,
/// others of `axes` have one. One pass over the data: neighbouring chunks give the states of the groups that occur in
/// them, which are merged in a tree whose shape depends on the chunks alone. Sums are made in double precision.
std::vector<arrays::Array> reduce_groups(const arrays::Array& array, GroupReduction what,
                                         const std::source_location& where);

}  // namespace weft::labelled
