#include "arrays/plan/tasks.hpp"

#include "arrays/plan/defer.hpp"
#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/fold_blocks.hpp"
#include "core/graph/failed_part.hpp"

#include <weft/error.hpp>
#include <weft/trace_point.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace weft::arrays::lowering {
namespace {

std::vector<Buffer> values_of(const std::vector<Delayed<Buffer>>& handles) {
  std::vector<Buffer> values;
  values.reserve(handles.size());
  for (const Delayed<Buffer>& handle : handles) values.push_back(handle.value());
  return values;
}

/// Chunks of one leaf, where they have fewer elements an output than this. They hold 16 MB of doubles at most: a
/// slot has all of them in memory at once.
constexpr std::int64_t kMostTogether = 8;
constexpr std::int64_t kFewRows = 4;
constexpr std::int64_t kManyOutputs = 4096;
constexpr std::int64_t kLeafElements = std::int64_t{1} << 21;

/// Outputs that are merged and finished at once, so that their states stay in the first-level cache.
constexpr std::int64_t kMergedOutputs = 1024;

const kernels::ReduceKernel& kernel_of(const Stage& stage) {
  return kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result]);
}

/// The chunks that leaves of an output read, each once.
std::vector<SourceChunk> sources_of(const Stage& stage, const ReductionTree& tree, std::int64_t first,
                                    std::int64_t end) {
  std::vector<SourceChunk> chunks;
  for (std::int64_t leaf = first; leaf < end; ++leaf) tree.list_sources(stage, leaf, chunks);
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  return chunks;
}

/// Begins a state piece by piece, each just before something is folded into it: so it is in the cache.
/// Owns: nothing.  Threading: one task.
class StateBeginning {
 public:
  StateBeginning(const Stage& stage, const kernels::ReduceState& state, std::int64_t outputs)
      : stage_(stage), state_(state), outputs_(outputs) {}
  /// Begins what the block is folded into; its outputs follow each other.
  void before(const FoldBlock& block) {
    std::int64_t kept = 1;
    for (std::size_t axis = 0; axis < block.box.ndim(); ++axis) {
      if (stage_.reduce.reduced[axis] == 0) kept *= block.box.extent[axis];
    }
    begin_to(block.first_output + kept);
  }
  /// Begins what nothing was folded into.
  void rest() { begin_to(outputs_); }

 private:
  void begin_to(std::int64_t end) {
    if (end <= begun_) return;
    const kernels::ReduceKernel& kernel = kernel_of(stage_);
    kernel.begin(from_output(state_, kernel, begun_), static_cast<std::size_t>(end - begun_));
    begun_ = end;
  }

  const Stage& stage_;
  const kernels::ReduceState state_;
  const std::int64_t outputs_;
  std::int64_t begun_ = 0;
};

/// Evaluates the part of a reduction below a node, depth first: memory grows with the depth of the tree alone.
class NodeReducer {
 public:
  /// `states`: of the leaves from `first_leaf` on, where they have been folded.
  NodeReducer(const Stage& stage, const ReductionTree& tree, const ChunkInputs& inputs, const Buffer* states = nullptr,
              std::int64_t first_leaf = 0)
      : stage_(stage),
        tree_(tree),
        layout_(state_layout(stage, tree.outputs())),
        kernel_(kernel_of(stage)),
        words_(state_words(stage)),
        inputs_(inputs),
        states_(states),
        first_leaf_(first_leaf) {}

  Buffer reduce(int level, std::int64_t node) {
    if (level == 0 && states_ != nullptr) {
      Buffer state = Buffer::allocate(std::max<std::size_t>(layout_.bytes, 1));
      std::memcpy(state.data(), states_->data() + static_cast<std::size_t>(node - first_leaf_) * layout_.bytes,
                  layout_.bytes);
      return state;
    }
    if (level == 0) {
      Buffer state = allocate_deferred(std::max<std::size_t>(layout_.bytes, 1), words_);
      begin_state_words(state, stage_, tree_.box(tree_.chunks_of(node).first));
      const kernels::ReduceState parts = state_at(layout_, state.data());
      StateBeginning beginning(stage_, parts, layout_.outputs);
      for (const FoldBlock& block : fold_blocks(stage_, tree_, node)) {
        beginning.before(block);
        reduce_box(stage_, block.box, inputs_, from_output(parts, kernel_, block.first_output));
      }
      beginning.rest();
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
  const Buffer* const states_;
  const std::int64_t first_leaf_;
};

/// What the user's call of a reduction is named after.
std::string name_of(const ReduceSpec& reduce) {
  static constexpr const char* kNames[kernels::kReduceCodes] = {
      "sum",    "prod",   "min",     "max",    "any",    "all",     "count_nonzero", "mean",     "argmin",
      "argmax", "nansum", "nanprod", "nanmin", "nanmax", "nanmean", "nanargmin",     "nanargmax"};
  const std::string nan = reduce.code == kernels::ReduceCode::NanMoments ? "nan" : "";
  switch (reduce.finish) {
    case expression::Finish::Mean:
    case expression::Finish::CountedMean:
      return nan + "mean";
    case expression::Finish::Var:
    case expression::Finish::CountedVar:
      return nan + "var";
    case expression::Finish::Std:
    case expression::Finish::CountedStd:
      return nan + "std";
    case expression::Finish::Value:
    case expression::Finish::Place:
      break;
  }
  return kNames[static_cast<std::size_t>(reduce.code)];
}

Buffer finished(const Stage& stage, const StateLayout& layout, Buffer& state) {
  const auto bytes = static_cast<std::size_t>(layout.outputs) * Dtype(stage.reduce.out).size();
  const kernels::ReduceCode code = stage.reduce.code;
  const bool chooses = code == kernels::ReduceCode::Min || code == kernels::ReduceCode::Max ||
                       code == kernels::ReduceCode::NanMin || code == kernels::ReduceCode::NanMax;
  if (chooses && layout.outputs > 0 && state_words(stage) > 0 && elements_met(state) == 0) {
    throw Error(name_of(stage.reduce) + ": the mask chose no element, so there is nothing to choose from");
  }
  Buffer out = allocate_output(stage, state, bytes);
  const std::size_t size = Dtype(stage.reduce.out).size();
  const kernels::ReduceKernel& kernel = kernel_of(stage);
  for (std::int64_t first = 0; first < layout.outputs; first += kMergedOutputs) {
    finish_state(stage, from_output(state_at(layout, state.data()), kernel, first),
                 std::min(kMergedOutputs, layout.outputs - first), out.data() + static_cast<std::size_t>(first) * size);
  }
  return out;
}

}  // namespace

ReductionTree::ReductionTree(const Stage& stage, std::int64_t output) : stage_(stage), kept_(stage.grid.size()) {
  for (std::size_t axis = stage.grid.size(); axis-- > 0;) {
    if (stage.reduce.reduced[axis] != 0) {
      chunks_ *= stage.grid[axis].count();
      continue;
    }
    kept_[axis] = output % stage.grid[axis].count();
    output /= stage.grid[axis].count();
    outputs_ *= stage.grid[axis].size(kept_[axis]);
  }
  if (stage.square || outputs_ < kManyOutputs || !expression::known(stage.grid)) return;
  const std::int64_t elements = box(0).elements();
  if (elements >= kFewRows * outputs_) return;
  group_ = std::clamp(kLeafElements / std::max<std::int64_t>(elements, 1), std::int64_t{1}, kMostTogether);
}

void ReductionTree::list_sources(const Stage& stage, std::int64_t leaf, std::vector<SourceChunk>& chunks) const {
  const auto [first, end] = chunks_of(leaf);
  for (std::int64_t chunk = first; chunk < end; ++chunk) lowering::list_sources(stage, box(chunk), chunks);
}

Box ReductionTree::box(std::int64_t chunk) const {
  Box box;
  box.start.resize(kept_.size());
  box.extent.resize(kept_.size());
  for (std::size_t axis = kept_.size(); axis-- > 0;) {
    std::int64_t piece = kept_[axis];
    if (stage_.reduce.reduced[axis] != 0) {
      piece = chunk % stage_.grid[axis].count();
      chunk /= stage_.grid[axis].count();
    }
    box.start[axis] = stage_.grid[axis].start(piece);
    box.extent[axis] = stage_.grid[axis].size(piece);
  }
  return box;
}

std::int64_t ReductionTree::chunk_number(std::int64_t chunk) const {
  std::int64_t number = 0, width = 1;
  for (std::size_t axis = kept_.size(); axis-- > 0;) {
    const std::int64_t count = stage_.grid[axis].count();
    number += width * (stage_.reduce.reduced[axis] != 0 ? chunk % count : kept_[axis]);
    if (stage_.reduce.reduced[axis] != 0) chunk /= count;
    width *= count;
  }
  return number;
}

std::int64_t ReductionTree::nodes_at(int level) const {
  std::int64_t nodes = leaves();
  for (; level > 0; --level) nodes = (nodes + kFanIn - 1) / kFanIn;
  return nodes;
}

std::pair<std::int64_t, std::int64_t> ReductionTree::leaves_below(int level, std::int64_t node) const {
  std::int64_t width = 1;
  for (; level > 0; --level) width *= kFanIn;
  return {node * width, std::min(leaves(), (node + 1) * width)};
}

namespace {

std::string place_text(const Grid& grid, std::int64_t chunk) {
  std::vector<std::int64_t> place(grid.size());
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    place[axis] = chunk % grid[axis].count();
    chunk /= grid[axis].count();
  }
  std::string text;
  for (const std::int64_t one : place) text += (text.empty() ? "(" : ", ") + std::to_string(one);
  return (text.empty() ? "(" : text) + (place.size() == 1 ? ",)" : ")");
}

/// The chunks of some leaves.
std::string leaves_text(const Stage& stage, const ReductionTree& tree, std::int64_t first, std::int64_t end) {
  const std::int64_t begin = tree.chunks_of(first).first, last = tree.chunks_of(end - 1).second - 1;
  std::string text = "chunk " + place_text(stage.grid, tree.chunk_number(begin));
  if (begin != last) text += " to " + place_text(stage.grid, tree.chunk_number(last));
  return text + " of what is reduced";
}

/// A chunk of a reduction's result.
std::string output_text(const Stage& stage, std::int64_t output) {
  Grid kept;
  for (std::size_t axis = 0; axis < stage.grid.size(); ++axis) {
    if (stage.reduce.reduced[axis] == 0) kept.push_back(stage.grid[axis]);
  }
  return "chunk " + place_text(kept, output) + " of the result of " + name_of(stage.reduce) + ", of shape " +
         Shape(expression::chunk_box(kept, output).extent).text();
}

/// Does the work of a task; what that throws is told with the chunk, unless it tells it.
template <class Tell, class Work>
Buffer telling(const Tell& tell, const Work& work) {
  try {
    return work();
  } catch (const weft::detail::TracePoint&) {
    throw;
  } catch (const std::exception& error) {
    if (std::string_view(error.what()).find("chunk (") == std::string_view::npos)
      weft::detail::note_failed_part(tell());
    throw;
  } catch (...) {
    weft::detail::note_failed_part(tell());
    throw;
  }
}

Buffer computed(const StageReference& reference, std::int64_t chunk, const std::vector<Delayed<Buffer>>& handles) {
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

}  // namespace

Buffer ComputeChunk::operator()(const StageReference& reference, std::int64_t chunk,
                                const std::vector<Delayed<Buffer>>& handles) const {
  return telling(
      [&] {
        const Stage& stage = *reference.stage;
        const std::string name = stage.kind == Stage::Structural ? stage.structure->type->name : "an elementwise pass";
        return "chunk " + place_text(stage.grid, chunk) + " of " + name + ", of shape " +
               Shape(expression::chunk_box(stage.grid, chunk).extent).text();
      },
      [&] { return computed(reference, chunk, handles); });
}

namespace {

Buffer reduced(const StageReference& reference, std::int64_t output, int level, std::int64_t node, bool last,
               const std::vector<Delayed<Buffer>>& handles) {
  const Stage* stage = reference.stage.get();
  std::vector<SourceChunk> chunks;
  if (!handles.empty()) {
    const ReductionTree planned(*stage, output);
    const auto [first, end] = planned.leaves_below(level, node);
    chunks = sources_of(*stage, planned, first, end);
  }
  const std::vector<Buffer> buffers = values_of(handles);
  MadeBlocks made(*stage);
  const ChunkInputs inputs(chunks, buffers, &made);
  std::shared_ptr<const Stage> resolved;
  if (deferred(*stage)) {
    resolved = resolve(*stage, chunks, buffers);
    stage = resolved.get();
  }
  return reduce_node(*stage, output, level, node, last, inputs);
}

}  // namespace

Buffer ReduceNode::operator()(const StageReference& reference, std::int64_t output, int level, std::int64_t node,
                              bool last, const std::vector<Delayed<Buffer>>& handles) const {
  return telling(
      [&] {
        const ReductionTree tree(*reference.stage, output);
        const auto [first, end] = tree.leaves_below(level, node);
        return leaves_text(*reference.stage, tree, first, end);
      },
      [&] { return reduced(reference, output, level, node, last, handles); });
}

Buffer reduce_node(const Stage& stage, std::int64_t output, int level, std::int64_t node, bool last,
                   const ChunkInputs& inputs, const Buffer* states) {
  const ReductionTree tree(stage, output);
  NodeReducer reducer(stage, tree, inputs, states, tree.leaves_below(level, node).first);
  Buffer state = reducer.reduce(level, node);
  return last ? finished(stage, reducer.layout(), state) : state;
}

StatesTogether::StatesTogether(const std::vector<StageReference>& stages, std::int64_t outputs, std::size_t leaves) {
  begins_.push_back(0);
  for (const StageReference& stage : stages) {
    sizes_.push_back(state_layout(*stage.stage, outputs).bytes);
    begins_.push_back(begins_.back() + leaves * sizes_.back());
  }
}

namespace {

Buffer reduced_together(const std::vector<StageReference>& stages, std::int64_t output,
                        const std::vector<std::int64_t>& leaves, const std::vector<Delayed<Buffer>>& handles) {
  struct Part {
    const Stage* stage;
    kernels::ReduceState state;
    std::vector<FoldBlock> blocks;
    std::size_t inputs;
    StateBeginning beginning;
  };
  struct Inputs {
    std::vector<SourceChunk> chunks;
    std::vector<Buffer> buffers;
    std::unique_ptr<MadeBlocks> made;
  };
  const std::vector<Buffer> buffers = values_of(handles);
  const std::int64_t outputs = ReductionTree(*stages[0].stage, output).outputs();
  const StatesTogether places(stages, outputs, leaves.size());
  Buffer states = Buffer::allocate(std::max<std::size_t>(places.bytes(), 1));
  std::vector<Part> parts;
  std::vector<Inputs> inputs(stages.size());
  std::size_t steps = 0, taken = 0;
  for (std::size_t number = 0; number < stages.size(); ++number) {
    const Stage& stage = *stages[number].stage;
    const ReductionTree tree(stage, output);
    Inputs& its = inputs[number];
    for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
      const StateLayout layout = state_layout(stage, outputs);
      const kernels::ReduceState state = state_at(layout, states.data() + places.offset(number, leaf));
      parts.push_back(
          {&stage, state, fold_blocks(stage, tree, leaves[leaf]), number, StateBeginning(stage, state, outputs)});
      steps = std::max(steps, parts.back().blocks.size());
      tree.list_sources(stage, leaves[leaf], its.chunks);
    }
    std::sort(its.chunks.begin(), its.chunks.end());
    its.chunks.erase(std::unique(its.chunks.begin(), its.chunks.end()), its.chunks.end());
    const auto begin = buffers.begin() + static_cast<std::ptrdiff_t>(taken);
    its.buffers.assign(begin, begin + static_cast<std::ptrdiff_t>(its.chunks.size()));
    taken += its.chunks.size();
    its.made = std::make_unique<MadeBlocks>(stage);
  }
  for (std::size_t step = 0; step < steps; ++step) {
    for (Part& part : parts) {
      if (step >= part.blocks.size()) continue;
      const Inputs& its = inputs[part.inputs];
      const FoldBlock& block = part.blocks[step];
      part.beginning.before(block);
      reduce_box(*part.stage, block.box, ChunkInputs(its.chunks, its.buffers, its.made.get()),
                 from_output(part.state, kernel_of(*part.stage), block.first_output));
    }
  }
  for (Part& part : parts) part.beginning.rest();
  return states;
}

/// Merges states whose extents are known, and makes the output of them where they are the `last`.
Buffer merged_known(const Stage& stage, std::int64_t outputs, bool last, const std::vector<std::uint64_t>& offsets,
                    const std::vector<Delayed<Buffer>>& states) {
  const StateLayout layout = state_layout(stage, outputs);
  const kernels::ReduceKernel& kernel = kernel_of(stage);
  const StateLayout piece_layout = state_layout(stage, std::min(outputs, kMergedOutputs));
  const std::size_t out_size = Dtype(stage.reduce.out).size();
  const std::size_t bytes = last ? static_cast<std::size_t>(outputs) * out_size : layout.bytes;
  Buffer made = Buffer::allocate(std::max<std::size_t>(bytes, 1));
  Buffer piece = Buffer::allocate(std::max<std::size_t>(piece_layout.bytes, 1));
  std::vector<Buffer> buffers = values_of(states);
  std::vector<kernels::ReduceState> parts;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    parts.push_back(state_at(layout, buffers[i].data() + offsets[i]));
  }
  for (std::int64_t first = 0; first < outputs; first += kMergedOutputs) {
    const std::int64_t n = std::min(kMergedOutputs, outputs - first);
    const kernels::ReduceState into =
        last ? state_at(piece_layout, piece.data()) : from_output(state_at(layout, made.data()), kernel, first);
    const kernels::ReduceState one = from_output(parts.front(), kernel, first);
    for (int part = 0; part < kernel.parts; ++part) {
      std::memcpy(into.parts[part], one.parts[part], static_cast<std::size_t>(n) * Dtype(kernel.types[part]).size());
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
      kernel.merge(into, from_output(parts[i], kernel, first), static_cast<std::size_t>(n));
    }
    if (last) finish_state(stage, into, n, made.data() + static_cast<std::size_t>(first) * out_size);
  }
  return made;
}

Buffer merged(const StageReference& reference, std::int64_t output, bool last,
              const std::vector<std::uint64_t>& offsets, const std::vector<Delayed<Buffer>>& states) {
  const Stage& planned = *reference.stage;
  if (state_words(planned) == 0) {
    return merged_known(planned, ReductionTree(planned, output).outputs(), last, offsets, states);
  }
  Buffer merged = states.front().value().copy();
  const std::shared_ptr<const Stage> stage = resolve_outputs(planned, ReductionTree(planned, output).kept(), merged);
  const ReductionTree tree(*stage, output);
  const StateLayout layout = state_layout(*stage, tree.outputs());
  const kernels::ReduceKernel& kernel = kernel_of(*stage);
  for (std::size_t i = 1; i < states.size(); ++i) {
    Buffer other = states[i].value();
    kernel.merge(state_at(layout, merged.data()), state_at(layout, other.data() + offsets[i]),
                 static_cast<std::size_t>(layout.outputs));
    add_state_words(merged, other);
  }
  return last ? finished(*stage, layout, merged) : merged;
}

}  // namespace

Buffer ReduceTogether::operator()(const std::vector<StageReference>& stages, std::int64_t output,
                                  const std::vector<std::int64_t>& leaves,
                                  const std::vector<Delayed<Buffer>>& handles) const {
  return telling(
      [&] {
        const Stage& stage = *stages[0].stage;
        return leaves_text(stage, ReductionTree(stage, output), leaves.front(), leaves.front() + 1);
      },
      [&] { return reduced_together(stages, output, leaves, handles); });
}

Buffer MergeNodes::operator()(const StageReference& reference, std::int64_t output, bool last,
                              const std::vector<std::uint64_t>& offsets,
                              const std::vector<Delayed<Buffer>>& states) const {
  return telling([&] { return output_text(*reference.stage, output); },
                 [&] { return merged(reference, output, last, offsets, states); });
}

}  // namespace weft::arrays::lowering
