#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Chunks of a grid, and the boxes that are read of them; what all chunked formats share.
namespace weft::io {

/// Calls visit(place) for each cell of a grid of `cell` that a box touches.
template <class F>
void each_cell(const std::vector<std::int64_t>& cell, const std::vector<std::int64_t>& start,
               const std::vector<std::int64_t>& extent, F visit) {
  const std::size_t rank = cell.size();
  std::vector<std::int64_t> at(rank), first(rank), last(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (extent[axis] == 0) return;
    at[axis] = first[axis] = start[axis] / cell[axis];
    last[axis] = (start[axis] + extent[axis] - 1) / cell[axis];
  }
  for (;;) {
    visit(at);
    std::size_t axis = rank;
    for (;;) {
      if (axis-- == 0) return;
      if (++at[axis] <= last[axis]) break;
      at[axis] = first[axis];
    }
  }
}

/// A box that is being read: `out` has these strides in bytes.
struct OpenBox {
  const std::vector<std::int64_t>& start;
  const std::vector<std::int64_t>& extent;
  std::byte* out;
  const std::vector<std::int64_t>& strides;
};

/// Memory of this thread for a chunk as it is stored, and as it is decoded; until the thread asks again.
std::span<std::byte> stored_memory(std::uint64_t bytes);
std::span<std::byte> decoded_memory(std::uint64_t bytes);

/// What a box and one chunk of a grid share, and how it comes into the box.
/// Owns: nothing but extents; the box and the strides must outlive it.  Threading: one thread.
class ChunkPart {
 public:
  /// The chunk is the one at `at` of the grid; its elements lie with `chunk_strides`.
  ChunkPart(const std::vector<std::int64_t>& at, const std::vector<std::int64_t>& chunk,
            const std::vector<std::int64_t>& chunk_strides, const OpenBox& box, std::size_t element_bytes);

  /// Calls decode(bytes) with memory for the whole chunk, the box itself where the chunk fits in as it lies.
  template <class Decode>
  void put(std::uint64_t chunk_bytes, Decode decode) const {
    if (whole_) return decode(std::span<std::byte>(out_, chunk_bytes));
    const std::span<std::byte> decoded = decoded_memory(chunk_bytes);
    decode(decoded);
    copy(decoded.data());
  }
  /// For a chunk that was never written.
  void fill(const std::byte* element) const;
  /// Copies the part from a chunk in memory.
  void copy(const std::byte* chunk) const;

 private:
  const std::vector<std::int64_t>& chunk_strides_;
  const std::vector<std::int64_t>& strides_;
  const std::size_t element_bytes_;
  std::vector<std::int64_t> extent_;
  std::int64_t inside_ = 0;
  std::byte* out_;
  bool whole_ = true;
};

}  // namespace weft::io
