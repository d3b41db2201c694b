#pragma once

#include <weft/frame_options.hpp>
#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

namespace frames {

/// How rows are aggregated in three steps: each partition to states, states of neighbours to one, the last to values.
/// The bits depend on the partitions and on how states are joined alone.
struct AggregatePlan {
  std::vector<std::string> keys = {};  ///< none: all rows are one group, which exists without rows too
  std::vector<Aggregate> aggregates = {};
  bool drop_missing = true;  ///< rows with a missing key
  bool sort = true;          ///< groups by their keys, missing last; else as they first appear
};

/// Returns a table of the keys of each group and of its states: columns "#0", "#1", ...
Table begin_states(const Table& rows, const AggregatePlan& plan);
/// Returns the states of all rows that the parts are of, in this order.
Table join_states(const std::vector<Table>& parts, const AggregatePlan& plan);
/// Returns the keys and the values. Integer sums stay int64 (bool too), means, deviations and medians are float64;
/// minima, maxima, first and last have the column's type and are missing where a group has no value; counts are int64.
Table finish_states(const Table& states, const AggregatePlan& plan);

}  // namespace frames
}  // namespace weft
