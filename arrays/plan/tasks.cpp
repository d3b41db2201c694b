#include "arrays/plan/tasks.hpp"

#include "arrays/plan/evaluate.hpp"

#include <algorithm>
#include <cstring>

namespace weft::arrays::lowering {
namespace {

std::vector<Buffer> values_of(const std::vector<Delayed<Buffer>>& handles) {
  std::vector<Buffer> values;
  values.reserve(handles.size());
  for (const Delayed<Buffer>& handle : handles) values.push_back(handle.value());
  return values;
}

/// Evaluates the part of a reduction below a node, depth first: memory grows with the depth of the tree alone.
class NodeReducer {
 public:
  NodeReducer(const Stage& stage, const ReductionTree& tree, const std::vector<Delayed<Buffer>>& inputs,
              const std::vector<SourceChunk>& chunks)
      : stage_(stage),
        tree_(tree),
        layout_(state_layout(stage, tree.outputs())),
        kernel_(kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result])),
        buffers_(values_of(inputs)),
        inputs_(chunks, buffers_) {}

  Buffer reduce(int level, std::int64_t node) {
    if (level == 0) {
      Buffer state = Buffer::allocate(std::max<std::size_t>(layout_.bytes, 1));
      const kernels::ReduceState parts = state_at(layout_, state.data());
      kernel_.begin(parts, static_cast<std::size_t>(layout_.outputs));
      reduce_box(stage_, tree_.box(node), inputs_, parts);
      return state;
    }
    const std::int64_t first = node * kFanIn;
    const std::int64_t end = std::min(first + kFanIn, tree_.nodes_at(level - 1));
    Buffer state = reduce(level - 1, first);
    for (std::int64_t child = first + 1; child < end; ++child) {
      Buffer other = reduce(level - 1, child);
      kernel_.merge(state_at(layout_, state.data()), state_at(layout_, other.data()),
                    static_cast<std::size_t>(layout_.outputs));
    }
    return state;
  }
  const StateLayout& layout() const { return layout_; }

 private:
  const Stage& stage_;
  const ReductionTree& tree_;
  const StateLayout layout_;
  const kernels::ReduceKernel& kernel_;
  const std::vector<Buffer> buffers_;
  const ChunkInputs inputs_;
};

Buffer finished(const Stage& stage, const StateLayout& layout, Buffer& state) {
  const auto bytes = static_cast<std::size_t>(layout.outputs) * Dtype(stage.reduce.out).size();
  Buffer out = Buffer::allocate(std::max<std::size_t>(bytes, 1));
  finish_state(stage, state_at(layout, state.data()), layout.outputs, out.data());
  return out;
}

}  // namespace

ReductionTree::ReductionTree(const Stage& stage, std::int64_t output) : stage_(stage), kept_(stage.grid.size()) {
  for (std::size_t axis = stage.grid.size(); axis-- > 0;) {
    if (stage.reduce.reduced[axis] != 0) {
      leaves_ *= stage.grid[axis].count();
      continue;
    }
    kept_[axis] = output % stage.grid[axis].count();
    output /= stage.grid[axis].count();
    outputs_ *= stage.grid[axis].size(kept_[axis]);
  }
}

Box ReductionTree::box(std::int64_t leaf) const {
  Box box;
  box.start.resize(kept_.size());
  box.extent.resize(kept_.size());
  for (std::size_t axis = kept_.size(); axis-- > 0;) {
    std::int64_t piece = kept_[axis];
    if (stage_.reduce.reduced[axis] != 0) {
      piece = leaf % stage_.grid[axis].count();
      leaf /= stage_.grid[axis].count();
    }
    box.start[axis] = stage_.grid[axis].start(piece);
    box.extent[axis] = stage_.grid[axis].size(piece);
  }
  return box;
}

std::int64_t ReductionTree::nodes_at(int level) const {
  std::int64_t nodes = leaves_;
  for (; level > 0; --level) nodes = (nodes + kFanIn - 1) / kFanIn;
  return nodes;
}

std::pair<std::int64_t, std::int64_t> ReductionTree::leaves_below(int level, std::int64_t node) const {
  std::int64_t width = 1;
  for (; level > 0; --level) width *= kFanIn;
  return {node * width, std::min(leaves_, (node + 1) * width)};
}

Buffer ComputeChunk::operator()(const StageReference& reference, std::int64_t chunk,
                                const std::vector<Delayed<Buffer>>& handles) const {
  const Stage& stage = *reference.stage;
  const Box box = expression::chunk_box(stage.grid, chunk);
  std::vector<SourceChunk> chunks;
  list_sources(stage, box, chunks);
  const std::vector<Buffer> buffers = values_of(handles);
  const ChunkInputs inputs(chunks, buffers);
  const auto bytes = static_cast<std::size_t>(box.elements()) * Dtype(stage.type).size();
  Buffer out = Buffer::allocate(std::max<std::size_t>(bytes, 1));
  if (stage.kind == Stage::Structural) {
    compute_structure(stage, box, inputs, out.data());
  } else {
    compute_box(stage, box, inputs, out.data());
  }
  return out;
}

Buffer ReduceNode::operator()(const StageReference& reference, std::int64_t output, int level, std::int64_t node,
                              bool last, const std::vector<Delayed<Buffer>>& handles) const {
  const Stage& stage = *reference.stage;
  const ReductionTree tree(stage, output);
  std::vector<SourceChunk> chunks;
  if (!handles.empty()) {
    const auto [first, end] = tree.leaves_below(level, node);
    for (std::int64_t leaf = first; leaf < end; ++leaf) list_sources(stage, tree.box(leaf), chunks);
    std::sort(chunks.begin(), chunks.end());
    chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  }
  NodeReducer reducer(stage, tree, handles, chunks);
  Buffer state = reducer.reduce(level, node);
  return last ? finished(stage, reducer.layout(), state) : state;
}

Buffer MergeNodes::operator()(const StageReference& reference, std::int64_t output, bool last,
                              const std::vector<Delayed<Buffer>>& states) const {
  const Stage& stage = *reference.stage;
  const ReductionTree tree(stage, output);
  const StateLayout layout = state_layout(stage, tree.outputs());
  const kernels::ReduceKernel& kernel =
      kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result]);
  Buffer merged = states.front().value().copy();
  for (std::size_t i = 1; i < states.size(); ++i) {
    Buffer other = states[i].value();
    kernel.merge(state_at(layout, merged.data()), state_at(layout, other.data()),
                 static_cast<std::size_t>(layout.outputs));
  }
  return last ? finished(stage, layout, merged) : merged;
}

}  // namespace weft::arrays::lowering
