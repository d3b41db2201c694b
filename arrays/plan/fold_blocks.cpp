#include "arrays/plan/fold_blocks.hpp"

#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <algorithm>
#include <numeric>

namespace weft::arrays::lowering {
namespace {

/// Elements of a stretch at most; longer ones would not stay in the second-level cache.
constexpr std::int64_t kStretchElements = std::int64_t{1} << 17;

/// The side of a square: two of doubles take half of a second-level cache.
constexpr std::int64_t kSide = 256;
/// Outputs below which a leaf is not cut, and elements of a block where it is.
constexpr std::int64_t kManyOutputs = 4096;
constexpr std::int64_t kBlockElements = std::int64_t{1} << 16;

/// Where the i-th of `count` equal parts of an extent begins.
std::int64_t part_start(std::int64_t extent, std::int64_t count, std::int64_t i) { return extent * i / count; }

/// Squares: row after row above the diagonal, column after column below it, and on it a square next to its transpose.
std::vector<FoldBlock> squares(const Stage& stage, const Box& box) {
  const std::int64_t rows = (box.extent[0] + kSide - 1) / kSide, columns = (box.extent[1] + kSide - 1) / kSide;
  std::vector<FoldBlock> blocks;
  const auto add = [&](std::int64_t row, std::int64_t column) {
    const std::int64_t top = part_start(box.extent[0], rows, row);
    const std::int64_t left = part_start(box.extent[1], columns, column);
    FoldBlock block{box, 0};
    block.box.start[0] += top;
    block.box.start[1] += left;
    block.box.extent[0] = part_start(box.extent[0], rows, row + 1) - top;
    block.box.extent[1] = part_start(box.extent[1], columns, column + 1) - left;
    block.first_output = stage.reduce.reduced[0] == 0 ? top : stage.reduce.reduced[1] == 0 ? left : 0;
    blocks.push_back(std::move(block));
  };
  if (box.start[0] == box.start[1]) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = row; column < columns; ++column) {
        add(row, column);
        if (row != column) add(column, row);
      }
    }
  } else if (box.start[0] < box.start[1]) {
    for (std::int64_t i = 0; i < rows * columns; ++i) add(i / columns, i % columns);
  } else {
    for (std::int64_t i = 0; i < rows * columns; ++i) add(i % rows, i / rows);
  }
  return blocks;
}

/// A fold that stops after so many places of the axis, or a multiple, has the same bits: there a tile ends, or as many
/// rows as are folded at once.
std::int64_t even_places(const ReduceSpec& reduce, const Box& box, std::size_t axis) {
  const auto of_extent = [&](std::size_t at, bool reduced) {
    return box.extent[at] == 1 || (reduce.reduced[at] != 0) == reduced;
  };
  if (reduce.reduced[axis] == 0) return 1;
  std::int64_t rest = 1;
  std::size_t at = axis + 1;
  for (; at < box.ndim() && of_extent(at, true); ++at) rest *= box.extent[at];
  if (at == box.ndim()) return TileWalk::kTile / std::gcd(rest, static_cast<std::int64_t>(TileWalk::kTile));
  while (at < box.ndim() && of_extent(at, false)) ++at;
  return at == box.ndim() ? kernels::kFoldRows / std::gcd(rest, kernels::kFoldRows) : 1;
}

}  // namespace

void add_stretches(const ReduceSpec& reduce, const Box& box, bool apart, std::vector<FoldBlock>& blocks) {
  const std::size_t axis = first_long_axis(box);
  const std::int64_t parts = cached_parts(box, axis);
  if (parts == 1) return blocks.push_back({box, 0});
  const std::int64_t extent = box.extent[axis], row = box.elements() / extent;
  const std::int64_t even = even_places(reduce, box, axis);
  const bool evenly = even * row <= kStretchElements || even == 1;
  if (evenly && !apart) return blocks.push_back({box, 0});
  std::int64_t stretch = (extent + parts - 1) / parts;
  if (evenly) stretch = (stretch + even - 1) / even * even;
  std::int64_t outputs = 1;
  for (std::size_t at = axis; at < box.ndim(); ++at) {
    if (reduce.reduced[at] == 0) outputs *= box.extent[at];
  }
  for (std::int64_t begin = 0; begin < extent; begin += stretch) {
    FoldBlock& block = blocks.emplace_back(FoldBlock{box, 0});
    if (reduce.reduced[axis] == 0) block.first_output = begin * (outputs / extent);
    block.box.start[axis] += begin;
    block.box.extent[axis] = std::min(stretch, extent - begin);
  }
}

std::vector<FoldBlock> fold_blocks(const Stage& stage, const ReductionTree& tree, std::int64_t leaf) {
  const auto [first_chunk, end_chunk] = tree.chunks_of(leaf);
  const Box first = tree.box(first_chunk);
  if (stage.square && first.elements() > 0) return squares(stage, first);
  std::size_t axis = 0;
  while (axis < first.ndim() && (stage.reduce.reduced[axis] != 0 || first.extent[axis] == 1)) ++axis;
  std::int64_t parts = 1;
  if (expression::known(stage.grid) && axis < first.ndim() && tree.outputs() >= kManyOutputs) {
    parts = std::clamp((first.elements() + kBlockElements - 1) / kBlockElements, std::int64_t{1}, first.extent[axis]);
  }
  std::vector<FoldBlock> blocks;
  if (parts == 1) {
    for (std::int64_t chunk = first_chunk; chunk < end_chunk; ++chunk) {
      const Box box = tree.box(chunk);
      add_stretches(stage.reduce, box, gathered_parts(stage, box, first_long_axis(box)) > 1, blocks);
    }
    return blocks;
  }
  for (std::int64_t part = 0; part < parts; ++part) {
    for (std::int64_t chunk = first_chunk; chunk < end_chunk; ++chunk) {
      FoldBlock& block = blocks.emplace_back(FoldBlock{tree.box(chunk), 0});
      const std::int64_t extent = block.box.extent[axis], begin = part_start(extent, parts, part);
      block.first_output = begin * (tree.outputs() / extent);
      block.box.start[axis] += begin;
      block.box.extent[axis] = part_start(extent, parts, part + 1) - begin;
    }
  }
  return blocks;
}

MadeBlocks::MadeBlocks(const Stage& stage) : stage_(stage), made_(stage.sources.size()) {}

const std::byte* MadeBlocks::block(std::uint32_t number, const Box& box) {
  const Source& source = stage_.sources[number];
  std::unique_ptr<Made>& made = made_[number];
  if (made == nullptr) {
    made = std::make_unique<Made>();
    made->stage.grid = source.grid;
    made->stage.type = source.type;
    made->stage.program = source.made[0];
    made->stage.kokkos = stage_.kokkos;
  }
  for (const Block& known : made->blocks) {
    if (known.bytes != nullptr && known.box == box) return known.bytes.get();
  }
  Block& block = made->blocks[made->oldest];
  made->oldest = 1 - made->oldest;
  const auto bytes = static_cast<std::size_t>(box.elements()) * Dtype(source.type).size();
  if (block.room < bytes) {
    block.bytes = std::make_unique_for_overwrite<std::byte[]>(bytes);
    block.room = bytes;
  }
  block.box = box;
  const std::vector<SourceChunk> no_chunks;
  const std::vector<Buffer> no_buffers;
  compute_box(made->stage, box, ChunkInputs(no_chunks, no_buffers), block.bytes.get());
  return block.bytes.get();
}

}  // namespace weft::arrays::lowering
