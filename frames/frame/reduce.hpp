#pragma once

#include "frames/plan/pipeline.hpp"

#include <weft/frame_options.hpp>

namespace weft::frames {

/// Tells whether a column of this type can be aggregated so.
bool fits(AggregateKind kind, ColumnType type);
/// Throws weft::Error naming the column where it cannot.
void require_fits(AggregateKind kind, const std::string& column, ColumnType type);

/// Combines the pieces of partitions that `Cut` made: piece i of each goes into partition i of the result.
struct ConcatTables {
  Table operator()(const std::vector<Table>& parts) const { return Table::concat(parts); }
};

/// Returns for each of `count` outputs the handles of its pieces.
std::vector<std::vector<Delayed<Table>>> columns_of(const std::vector<Delayed<std::vector<Table>>>& cut,
                                                    std::size_t count);

}  // namespace weft::frames
