#pragma once

#include "arrays/plan/tasks.hpp"

#include <array>
#include <memory>
#include <vector>

namespace weft::arrays::lowering {

/// A part of a leaf that is folded in one walk, and the first output it goes to.
struct FoldBlock {
  Box box;
  std::int64_t first_output = 0;
};

/// Cuts a leaf into the blocks that it is folded in, in their order; the stage and the leaf's place alone decide.
///
/// Where a pass reads an array and its transpose, blocks are squares: of the leaves (i, j) and (j, i), blocks of equal
/// number read the same elements. Where there are many outputs, a block is a stretch of them, through all chunks of
/// the leaf. Blocks are so large that what they read stays in the second-level cache.
std::vector<FoldBlock> fold_blocks(const Stage& stage, const ReductionTree& tree, std::int64_t leaf);

/// Cuts a box, from which the first `outputs` are folded, into stretches of its first long axis that are computed one
/// after the other where that gains something (`apart`), and where their bits are not those of the whole in any case.
/// The box and the reduction alone decide what bits a fold of these has.
void add_stretches(const expression::ReduceSpec& reduce, const Box& box, bool apart, std::vector<FoldBlock>& blocks);

/// Boxes of sources that have no chunks, made when they are asked for. The last two of each source are kept: a square
/// and its transpose read the same two.
///
/// For: passes over generated numbers and their transpose. Owns: the boxes.  Threading: one task.
class MadeBlocks {
 public:
  explicit MadeBlocks(const Stage& stage);

  /// Returns the elements of a box in C order; good until two other boxes of that source have been asked for.
  const std::byte* block(std::uint32_t source, const Box& box);

 private:
  struct Block {
    Box box;
    std::unique_ptr<std::byte[]> bytes;
    std::size_t room = 0;
  };
  struct Made {
    Stage stage;
    std::array<Block, 2> blocks;
    std::size_t oldest = 0;
  };
  const Stage& stage_;
  std::vector<std::unique_ptr<Made>> made_;
};

}  // namespace weft::arrays::lowering
