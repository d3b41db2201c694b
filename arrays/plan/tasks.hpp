#pragma once

#include "arrays/plan/stage.hpp"

#include <weft/buffer.hpp>
#include <weft/delayed.hpp>

#include <vector>

namespace weft::arrays::lowering {

/// Children of a node in the tree of a reduction. The tree depends on the chunks alone, so the bits do too.
inline constexpr std::int64_t kFanIn = 8;

/// The chunks behind one output chunk of a reduction, in C order, and the tree above them.
class ReductionTree {
 public:
  ReductionTree(const Stage& stage, std::int64_t output);

  std::int64_t leaves() const { return leaves_; }
  /// Returns the box of the i-th chunk.
  Box box(std::int64_t leaf) const;
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
  std::int64_t leaves_ = 1;
  std::int64_t outputs_ = 1;
};

/// Computes one chunk of an elementwise or structural stage.
struct ComputeChunk {
  Buffer operator()(const StageReference& stage, std::int64_t chunk, const std::vector<Delayed<Buffer>>& inputs) const;
};

/// Reduces what lies below one node of the tree of an output chunk; `last`: and makes the output of it.
struct ReduceNode {
  Buffer operator()(const StageReference& stage, std::int64_t output, int level, std::int64_t node, bool last,
                    const std::vector<Delayed<Buffer>>& inputs) const;
};

/// Merges the states of nodes that are children of one; `last`: and makes the output of it.
struct MergeNodes {
  Buffer operator()(const StageReference& stage, std::int64_t output, bool last,
                    const std::vector<Delayed<Buffer>>& states) const;
};

}  // namespace weft::arrays::lowering
