#pragma once

#include "arrays/ops/apply.hpp"

#include <map>
#include <utility>
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

/// Where the elements of a chunk of the table lie among the blocks that were read for it.
/// Threading: one thread at a time.
class PlaceFinder {
 public:
  struct Found {
    /// -1: nowhere.
    std::int32_t block = -1;
    /// In bytes from the block's first element.
    std::int64_t offset = 0;
  };
  /// The first needs are the boxes of the source; the others are of other inputs.
  PlaceFinder(const Gather& gather, const expression::ChunkWork& work);
  Found operator()(std::int64_t place);
  std::size_t boxes() const { return boxes_; }

 private:
  const Gather& gather_;
  const expression::ChunkWork& work_;
  std::vector<std::int64_t> at_;
  std::size_t boxes_ = 0, outer_ = 0, last_ = 0;
  std::int64_t all_ = 1;
};

/// Collects what one chunk of the table needs of each chunk of the source.
class PlaceBoxes {
 public:
  PlaceBoxes(const Grid& source, const Shape& shape, std::size_t axes);
  void add(std::int64_t place);
  /// Ends the chunk.
  void move_to(Gather& gather);

 private:
  const Grid grid_;
  std::vector<std::int64_t> extents_, at_, chunk_;
  /// Of chunks: the least and the greatest place.
  std::map<std::int64_t, std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> boxes_;
  std::int64_t last_ = -1;
  std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>* box_ = nullptr;
};

/// As many of a table's places in a chunk as the array has along its last axes.
Chunks table_chunks(const Array& array, std::size_t axes, const Shape& table);
/// Goes on to the next place of the axes before the table's; tells whether there is one. `offsets`: its bytes in each
/// block.
bool next_outer(const expression::ChunkWork& work, std::vector<std::int64_t>& at, std::vector<std::int64_t>& offsets);
/// The elements of a block of int64, or of doubles, in C order.
template <class T>
std::vector<T> elements(const expression::Block& block);

/// Returns the array with its last axes replaced by those of the table, of int64. `gather` says all but `extents` and
/// `table`.
Array gathered(const Array& array, const Array& table, std::size_t axes, Gather gather,
               const std::source_location& where);

}  // namespace weft::arrays::ops
