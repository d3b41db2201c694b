#include "arrays/plan/fold_blocks.hpp"

#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <algorithm>

namespace weft::arrays::lowering {
namespace {

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

}  // namespace

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
  if (parts == 1) {
    axis = first_long_axis(first);
    parts = gathered_parts(stage, first, axis);
  }
  std::vector<FoldBlock> blocks;
  for (std::int64_t part = 0; part < parts; ++part) {
    for (std::int64_t chunk = first_chunk; chunk < end_chunk; ++chunk) {
      FoldBlock& block = blocks.emplace_back(FoldBlock{tree.box(chunk), 0});
      if (parts == 1) continue;
      const std::int64_t extent = block.box.extent[axis], begin = part_start(extent, parts, part);
      if (stage.reduce.reduced[axis] == 0) block.first_output = begin * (tree.outputs() / extent);
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
