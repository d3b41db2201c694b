#pragma once

#include "arrays/plan/stage.hpp"

#include <weft/buffer.hpp>
#include <weft/delayed.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace weft::arrays::lowering {

/// Children of a node in the tree of a reduction. The tree depends on the chunks alone, so the bits do too.
inline constexpr std::int64_t kFanIn = 8;

/// The chunks behind one output chunk of a reduction, in C order, and the tree above them. Its leaves are chunks; where
/// a chunk has few elements an output, a leaf is several, folded into one state.
class ReductionTree {
 public:
  ReductionTree(const Stage& stage, std::int64_t output);

  std::int64_t leaves() const { return (chunks_ + group_ - 1) / group_; }
  /// Returns the box of the i-th chunk.
  Box box(std::int64_t chunk) const;
  /// Returns the number of the i-th chunk in the whole grid.
  std::int64_t chunk_number(std::int64_t chunk) const;
  /// Returns the chunks [first, end) of a leaf.
  std::pair<std::int64_t, std::int64_t> chunks_of(std::int64_t leaf) const {
    return {leaf * group_, std::min(chunks_, (leaf + 1) * group_)};
  }
  /// Appends the chunks that a leaf reads, in this stage or another over the same chunks.
  void list_sources(const Stage& stage, std::int64_t leaf, std::vector<SourceChunk>& chunks) const;
  /// Chunks of a leaf, but for the last.
  std::int64_t group() const { return group_; }
  std::int64_t nodes_at(int level) const;
  /// Returns the leaves [first, end) below a node.
  std::pair<std::int64_t, std::int64_t> leaves_below(int level, std::int64_t node) const;
  /// Returns the pieces of the output's chunk along the axes that are kept.
  const std::vector<std::int64_t>& kept() const { return kept_; }
  /// Elements of one output chunk.
  std::int64_t outputs() const { return outputs_; }

 private:
  const Stage& stage_;
  std::vector<std::int64_t> kept_;
  std::int64_t chunks_ = 1;
  std::int64_t group_ = 1;
  std::int64_t outputs_ = 1;
};

class ChunkInputs;

/// What ReduceNode does with the chunks at hand. `states`: of the leaves below the node, where a device has folded
/// them.
Buffer reduce_node(const Stage& stage, std::int64_t output, int level, std::int64_t node, bool last,
                   const ChunkInputs& inputs, const Buffer* states = nullptr);

/// Computes one chunk of an elementwise or structural stage.
struct ComputeChunk {
  Buffer operator()(const StageReference& stage, std::int64_t chunk, const std::vector<Delayed<Buffer>>& inputs) const;
};

/// Reduces what lies below one node of the tree of an output chunk; `last`: and makes the output of it.
struct ReduceNode {
  Buffer operator()(const StageReference& stage, std::int64_t output, int level, std::int64_t node, bool last,
                    const std::vector<Delayed<Buffer>>& inputs) const;
};

/// Reduces some leaves of one output chunk in some stages over the same chunks, block by block in turns, so that what
/// they read in common is brought once. The result is a state for each stage and leaf, as `StatesTogether` lays them.
struct ReduceTogether {
  Buffer operator()(const std::vector<StageReference>& stages, std::int64_t output,
                    const std::vector<std::int64_t>& leaves, const std::vector<Delayed<Buffer>>& inputs) const;
};

/// Where the states of `ReduceTogether` lie: leaf after leaf in stage after stage.
class StatesTogether {
 public:
  StatesTogether(const std::vector<StageReference>& stages, std::int64_t outputs, std::size_t leaves);
  std::uint64_t offset(std::size_t stage, std::size_t leaf) const { return begins_[stage] + leaf * sizes_[stage]; }
  std::uint64_t bytes() const { return begins_.back(); }

 private:
  std::vector<std::uint64_t> sizes_, begins_;
};

/// Merges the states of nodes that are children of one; `last`: and makes the output of it. `offsets`: where each
/// state begins in its buffer.
struct MergeNodes {
  Buffer operator()(const StageReference& stage, std::int64_t output, bool last,
                    const std::vector<std::uint64_t>& offsets, const std::vector<Delayed<Buffer>>& states) const;
};

}  // namespace weft::arrays::lowering
