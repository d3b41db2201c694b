#include "arrays/plan/tasks.hpp"

#include "arrays/plan/defer.hpp"
#include "arrays/plan/evaluate.hpp"

#include <weft/error.hpp>

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
  NodeReducer(const Stage& stage, const ReductionTree& tree, const ChunkInputs& inputs)
      : stage_(stage),
        tree_(tree),
        layout_(state_layout(stage, tree.outputs())),
        kernel_(kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result])),
        words_(state_words(stage)),
        inputs_(inputs) {}

  Buffer reduce(int level, std::int64_t node) {
    if (level == 0) {
      const Box box = tree_.box(node);
      Buffer state = allocate_deferred(std::max<std::size_t>(layout_.bytes, 1), words_);
      begin_state_words(state, stage_, box);
      const kernels::ReduceState parts = state_at(layout_, state.data());
      kernel_.begin(parts, static_cast<std::size_t>(layout_.outputs));
      reduce_box(stage_, box, inputs_, parts);
      return state;
    }
    const std::int64_t first = node * kFanIn;
    const std::int64_t end = std::min(first + kFanIn, tree_.nodes_at(level - 1));
    Buffer state = reduce(level - 1, first);
    for (std::int64_t child = first + 1; child < end; ++child) {
      Buffer other = reduce(level - 1, child);
      kernel_.merge(state_at(layout_, state.data()), state_at(layout_, other.data()),
                    static_cast<std::size_t>(layout_.outputs));
      if (words_ > 0) add_state_words(state, other);
    }
    return state;
  }
  const StateLayout& layout() const { return layout_; }

 private:
  const Stage& stage_;
  const ReductionTree& tree_;
  const StateLayout layout_;
  const kernels::ReduceKernel& kernel_;
  const std::size_t words_;
  const ChunkInputs& inputs_;
};

Buffer finished(const Stage& stage, const StateLayout& layout, Buffer& state) {
  const auto bytes = static_cast<std::size_t>(layout.outputs) * Dtype(stage.reduce.out).size();
  const kernels::ReduceCode code = stage.reduce.code;
  const bool chooses = code == kernels::ReduceCode::Min || code == kernels::ReduceCode::Max ||
                       code == kernels::ReduceCode::NanMin || code == kernels::ReduceCode::NanMax;
  if (chooses && layout.outputs > 0 && state_words(stage) > 0 && elements_met(state) == 0) {
    throw Error("min or max: the mask chose no element, so there is nothing to choose from");
  }
  Buffer out = allocate_output(stage, state, bytes);
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
  const Stage* stage = reference.stage.get();
  Box box = expression::chunk_box(stage->grid, chunk);
  std::vector<SourceChunk> chunks;
  list_sources(*stage, box, chunks);
  const std::vector<Buffer> buffers = values_of(handles);
  const ChunkInputs inputs(chunks, buffers);
  std::shared_ptr<const Stage> resolved;
  if (deferred(*stage)) {
    resolved = resolve(*stage, chunks, buffers);
    stage = resolved.get();
  }
  if (stage->kind == Stage::Structural) return compute_structure(*stage, box, inputs);
  const std::size_t words = deferred_axes(stage->grid);
  if (words > 0) box = expression::chunk_box(stage->grid, chunk);
  const auto bytes = static_cast<std::size_t>(box.elements()) * Dtype(stage->type).size();
  Buffer out = words > 0 ? allocate_deferred(bytes, words) : Buffer::allocate(std::max<std::size_t>(bytes, 1));
  compute_box(*stage, box, inputs, out.data());
  write_sizes(out, stage->grid, box.extent);
  return out;
}

Buffer ReduceNode::operator()(const StageReference& reference, std::int64_t output, int level, std::int64_t node,
                              bool last, const std::vector<Delayed<Buffer>>& handles) const {
  const Stage* stage = reference.stage.get();
  std::vector<SourceChunk> chunks;
  if (!handles.empty()) {
    const ReductionTree planned(*stage, output);
    const auto [first, end] = planned.leaves_below(level, node);
    for (std::int64_t leaf = first; leaf < end; ++leaf) list_sources(*stage, planned.box(leaf), chunks);
    std::sort(chunks.begin(), chunks.end());
    chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  }
  const std::vector<Buffer> buffers = values_of(handles);
  const ChunkInputs inputs(chunks, buffers);
  std::shared_ptr<const Stage> resolved;
  if (deferred(*stage)) {
    resolved = resolve(*stage, chunks, buffers);
    stage = resolved.get();
  }
  const ReductionTree tree(*stage, output);
  NodeReducer reducer(*stage, tree, inputs);
  Buffer state = reducer.reduce(level, node);
  return last ? finished(*stage, reducer.layout(), state) : state;
}

Buffer MergeNodes::operator()(const StageReference& reference, std::int64_t output, bool last,
                              const std::vector<Delayed<Buffer>>& states) const {
  const Stage* stage = reference.stage.get();
  Buffer merged = states.front().value().copy();
  std::shared_ptr<const Stage> resolved;
  const std::size_t words = state_words(*stage);
  if (words > 0) {
    resolved = resolve_outputs(*stage, ReductionTree(*stage, output).kept(), merged);
    stage = resolved.get();
  }
  const ReductionTree tree(*stage, output);
  const StateLayout layout = state_layout(*stage, tree.outputs());
  const kernels::ReduceKernel& kernel =
      kernels::reduce_kernel(stage->reduce.code, stage->program.registers[stage->program.result]);
  for (std::size_t i = 1; i < states.size(); ++i) {
    Buffer other = states[i].value();
    kernel.merge(state_at(layout, merged.data()), state_at(layout, other.data()),
                 static_cast<std::size_t>(layout.outputs));
    if (words > 0) add_state_words(merged, other);
  }
  return last ? finished(*stage, layout, merged) : merged;
}

}  // namespace weft::arrays::lowering
