#pragma once

#include <weft/encode.hpp>
#include <weft/shape.hpp>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace weft::arrays::expression {

/// How one axis is cut. Equal pieces (the last may be shorter) take no memory, however many there are.
///
/// The pieces of a *deferred* axis have sizes that only running can tell: its extent is -1. Places on it are counted
/// piece by piece: piece k begins at k * kDeferredStep, and counts as one place until a task knows better.
class AxisGrid {
 public:
  AxisGrid() = default;
  static constexpr std::int64_t kDeferredStep = std::int64_t{1} << 40;
  /// Pieces of unknown sizes. Axes of equal origin are cut alike.
  static AxisGrid deferred(std::int64_t count, std::uint64_t origin_high, std::uint64_t origin_low);
  /// Pieces of `chunk`; an axis of extent 0 has one empty piece.
  static AxisGrid regular(std::int64_t extent, std::int64_t chunk);
  static AxisGrid whole(std::int64_t extent) { return regular(extent, extent); }
  static AxisGrid of(const std::vector<std::int64_t>& sizes);

  bool known() const { return extent_ >= 0; }
  const std::array<std::uint64_t, 2>& origin() const { return origin_; }
  /// Notes the size of a piece of a deferred axis: for the task that met it.
  void note_size(std::int64_t piece, std::int64_t size) { noted_.emplace_back(piece, size); }
  void take_notes(const AxisGrid& other) { noted_.insert(noted_.end(), other.noted_.begin(), other.noted_.end()); }

  std::int64_t extent() const { return extent_; }
  std::int64_t count() const { return count_; }
  std::int64_t start(std::int64_t piece) const {
    return ends_.empty() ? piece * chunk_ : (piece == 0 ? 0 : ends_[static_cast<std::size_t>(piece - 1)]);
  }
  std::int64_t end(std::int64_t piece) const {
    if (!ends_.empty()) return ends_[static_cast<std::size_t>(piece)];
    const std::int64_t end = (piece + 1) * chunk_;
    if (extent_ < 0) return piece * chunk_ + noted_size(piece);
    return end < extent_ ? end : extent_;
  }
  std::int64_t size(std::int64_t piece) const { return end(piece) - start(piece); }
  /// Returns the piece that holds `place`.
  std::int64_t find(std::int64_t place) const;
  std::int64_t largest() const;
  std::vector<std::int64_t> sizes() const;

  friend bool operator==(const AxisGrid& a, const AxisGrid& b);
  template <class Archive>
  friend void weft_fields(Archive& archive, AxisGrid& grid) {
    archive(grid.extent_, grid.count_, grid.chunk_, grid.ends_, grid.origin_);
  }

 private:
  std::int64_t noted_size(std::int64_t piece) const;

  std::int64_t extent_ = 0;
  std::int64_t count_ = 1;
  std::int64_t chunk_ = 1;
  /// Where each piece ends, for pieces that are not equal.
  std::vector<std::int64_t> ends_;
  std::array<std::uint64_t, 2> origin_ = {0, 0};
  /// Pieces of a deferred axis and their sizes; of one task only, never part of what the grid is.
  std::vector<std::pair<std::int64_t, std::int64_t>> noted_;
};

/// The chunks of an array: the product of its axes' pieces, numbered in C order.
using Grid = std::vector<AxisGrid>;

/// Tells whether all extents are known before anything has run.
inline bool known(const Grid& grid) {
  for (const AxisGrid& axis : grid) {
    if (!axis.known()) return false;
  }
  return true;
}
std::int64_t chunk_count(const Grid& grid);
Shape shape_of(const Grid& grid);
/// Returns the coordinates of a chunk.
void chunk_coordinates(const Grid& grid, std::int64_t chunk, std::int64_t* coordinates);
std::int64_t chunk_number(const Grid& grid, const std::int64_t* coordinates);
/// Returns the pieces that are cut where one of the two is.
AxisGrid common_refinement(const AxisGrid& a, const AxisGrid& b);
/// Returns a grid for the shape. Throws Error where the chunks do not fit it.
Grid make_grid(const Shape& shape, const Chunks& chunks, std::size_t element_bytes);
/// As above; axes that are not given keep what `present` has.
Grid make_grid(const Shape& shape, const Chunks& chunks, std::size_t element_bytes, const Grid& present);

}  // namespace weft::arrays::expression
