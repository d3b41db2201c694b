#pragma once

#include "arrays/ops/apply.hpp"

#include <vector>

namespace weft::arrays::ops {

/// Elements at the places that a table, the second input, holds: the last `extents.size()` axes of the first input are
/// counted through in C order, and replaced by the table's axes.
struct Gather {
  static constexpr const char* kName = "gather_lut";
  static constexpr bool kAssembles = false;
  /// Of the source's axes that are replaced.
  std::vector<std::int64_t> extents;
  /// Of the table.
  Grid table;
  /// Of each chunk of the table, where its boxes of the source begin in `boxes`, which has begin and extent along each
  /// axis; one more than there are chunks.
  std::vector<std::int64_t> begins = {0};
  std::vector<std::int64_t> boxes;
  /// The element for places that are not there.
  std::vector<std::uint64_t> fill = {0, 0};

  void needs(const expression::Box& out, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork& work) const;
  /// Adds a box of the source to the next chunk of the table; ends that chunk.
  void add_box(const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent);
  void end_chunk();
};

/// Returns the array with its last axes replaced by those of the table, of int64. `gather` says all but `extents` and
/// `table`.
Array gathered(const Array& array, const Array& table, std::size_t axes, Gather gather,
               const std::source_location& where);

}  // namespace weft::arrays::ops
