#include "arrays/plan/evaluate.hpp"

#include "arrays/kernels/copy.hpp"
#include "arrays/plan/defer.hpp"
#include "arrays/plan/fold_blocks.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <weft/error.hpp>

#include <weft/ndarray.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace weft::arrays::lowering {

using expression::Finish;

namespace {
const std::vector<Buffer> kNoBuffers;
}  // namespace

ChunkInputs::ChunkInputs(const std::vector<SourceChunk>& chunks, NamedChunks& named)
    : chunks_(chunks), buffers_(kNoBuffers), named_(&named) {
  named.chunks = chunks.size();
}

const std::byte* ChunkInputs::data(std::uint32_t source, std::int64_t chunk) const {
  const SourceChunk wanted{source, chunk};
  const auto place = std::lower_bound(chunks_.begin(), chunks_.end(), wanted) - chunks_.begin();
  if (named_ != nullptr) return NamedChunks::address(static_cast<std::size_t>(place));
  return buffers_[static_cast<std::size_t>(place)].data();
}

void compute_box(const Stage& stage, const Box& box, const ChunkInputs& inputs, std::byte* out) {
  const std::size_t axis = first_long_axis(box);
  const std::int64_t parts = gathered_parts(stage, box, axis);
  if (parts == 1) return TileWalk(stage, box, inputs).write(out);
  const std::int64_t extent = box.extent[axis];
  const std::int64_t row = box.elements() / extent * static_cast<std::int64_t>(Dtype(stage.type).size());
  for (std::int64_t part = 0; part < parts; ++part) {
    Box some = box;
    const std::int64_t begin = extent * part / parts;
    some.start[axis] += begin;
    some.extent[axis] = extent * (part + 1) / parts - begin;
    TileWalk(stage, some, inputs).write(out + begin * row);
  }
}

namespace {

/// The reduction of what a program has written of a box, side by side.
Stage reduction_of_values(const Stage& stage, const Box& box) {
  Stage values;
  values.kind = Stage::Reduce;
  values.reduce = stage.reduce;
  values.kokkos = stage.kokkos;
  const TypeCode type = stage.program.registers[stage.program.result];
  Source source{{}, type, stage.unit};
  Load load;
  for (std::size_t axis = 0; axis < box.ndim(); ++axis) {
    source.grid.push_back(expression::AxisGrid::regular(box.extent[axis], box.extent[axis]));
    load.map.push_back({static_cast<std::int32_t>(axis), -box.start[axis], 1});
  }
  values.sources.push_back(std::move(source));
  values.program.loads.push_back(std::move(load));
  values.program.registers.push_back(type);
  Instruction step;
  step.kind = Instruction::Load;
  step.type = type;
  values.program.code.push_back(step);
  return values;
}

}  // namespace

void reduce_box(const Stage& stage, const Box& box, const ChunkInputs& inputs, const kernels::ReduceState& state) {
  if (TileWalk(stage, box, inputs).fold(state)) return;
  const kernels::ReduceKernel& kernel =
      kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result]);
  std::vector<FoldBlock> stretches;
  add_stretches(stage.reduce, box, true, stretches);
  for (const FoldBlock& stretch : stretches) {
    const Stage values = reduction_of_values(stage, stretch.box);
    const auto bytes = static_cast<std::size_t>(stretch.box.elements()) * Dtype(values.sources[0].type).size();
    Buffer room = Buffer::allocate(bytes);
    TileWalk(stage, stretch.box, inputs).write(room.data());
    const std::vector<Buffer> written{std::move(room)};
    const std::vector<SourceChunk> chunks{{0, 0}};
    TileWalk(values, stretch.box, ChunkInputs(chunks, written)).fold(from_output(state, kernel, stretch.first_output));
  }
}

StateLayout state_layout(const Stage& stage, std::int64_t outputs) {
  const kernels::ReduceKernel& kernel =
      kernels::reduce_kernel(stage.reduce.code, stage.program.registers[stage.program.result]);
  StateLayout layout;
  layout.outputs = outputs;
  for (int part = 0; part < kernel.parts; ++part) {
    layout.offsets[part] = layout.bytes;
    layout.bytes += (static_cast<std::size_t>(outputs) * Dtype(kernel.types[part]).size() + 63) / 64 * 64;
  }
  return layout;
}

kernels::ReduceState from_output(const kernels::ReduceState& state, const kernels::ReduceKernel& kernel,
                                 std::int64_t output) {
  kernels::ReduceState at = state;
  for (int part = 0; part < kernel.parts; ++part) {
    at.parts[part] =
        static_cast<std::byte*>(at.parts[part]) + output * static_cast<std::int64_t>(Dtype(kernel.types[part]).size());
  }
  return at;
}

kernels::ReduceState state_at(const StateLayout& layout, std::byte* data) {
  return {{data + layout.offsets[0], data + layout.offsets[1], data + layout.offsets[2]}};
}

namespace {

/// Writes a double or complex value for each output, then as the output's type.
template <class Value>
void write_values(const Stage& stage, std::int64_t outputs, std::byte* out, const Value& value) {
  using V = std::decay_t<decltype(value(0))>;
  std::vector<V> values(static_cast<std::size_t>(outputs));
  for (std::int64_t i = 0; i < outputs; ++i) values[static_cast<std::size_t>(i)] = value(i);
  kernels::cast_kernel(stage.reduce.out, dtype_of<V>().code())(out, values.data(), values.size());
}

}  // namespace

void finish_state(const Stage& stage, const kernels::ReduceState& state, std::int64_t outputs, std::byte* out) {
  const ReduceSpec& reduce = stage.reduce;
  const kernels::ReduceKernel& kernel =
      kernels::reduce_kernel(reduce.code, stage.program.registers[stage.program.result]);
  const auto n = static_cast<std::size_t>(outputs);
  const double* const counts = static_cast<const double*>(state.parts[0]);
  const double* const squares = static_cast<const double*>(state.parts[2]);
  const auto spread = [&](std::int64_t i, double count) { return squares[i] / std::max(count - reduce.ddof, 0.0); };
  switch (reduce.finish) {
    case Finish::Value:
      kernels::cast_kernel(reduce.out, kernel.types[0])(out, state.parts[0], n);
      return;
    case Finish::Place: {
      const std::int64_t* const places = static_cast<const std::int64_t*>(state.parts[1]);
      if (std::find(places, places + outputs, -1) != places + outputs) {
        throw Error(std::string(reduce.code == kernels::ReduceCode::NanArgMin ? "nanargmin" : "nanargmax") +
                    ": all elements of one slice are NaN; there is no place to tell: choose among those that have "
                    "numbers, or put one in with where(isnan(x), ...)");
      }
      kernels::cast_kernel(reduce.out, TypeCode::Int64)(out, places, n);
      return;
    }
    case Finish::Mean:
      if (kernel.types[0] == TypeCode::Complex128) {
        const auto* const sums = static_cast<const std::complex<double>*>(state.parts[0]);
        write_values(stage, outputs, out, [&](std::int64_t i) { return sums[i] / reduce.count; });
      } else {
        std::vector<double> sums(n);
        kernels::cast_kernel(TypeCode::Float64, kernel.types[0])(sums.data(), state.parts[0], n);
        write_values(stage, outputs, out,
                     [&](std::int64_t i) { return sums[static_cast<std::size_t>(i)] / reduce.count; });
      }
      return;
    case Finish::Var:
      write_values(stage, outputs, out, [&](std::int64_t i) { return spread(i, reduce.count); });
      return;
    case Finish::Std:
      write_values(stage, outputs, out, [&](std::int64_t i) { return std::sqrt(spread(i, reduce.count)); });
      return;
    case Finish::CountedMean: {
      constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
      if (kernel.types[1] == TypeCode::Complex128) {
        const auto* const means = static_cast<const std::complex<double>*>(state.parts[1]);
        write_values(stage, outputs, out,
                     [&](std::int64_t i) { return counts[i] == 0 ? std::complex<double>(kNan, kNan) : means[i]; });
      } else {
        const double* const means = static_cast<const double*>(state.parts[1]);
        write_values(stage, outputs, out, [&](std::int64_t i) { return counts[i] == 0 ? kNan : means[i]; });
      }
      return;
    }
    case Finish::CountedVar:
    case Finish::CountedStd:
      write_values(stage, outputs, out, [&](std::int64_t i) {
        if (counts[i] - reduce.ddof <= 0) return std::numeric_limits<double>::quiet_NaN();
        const double value = spread(i, counts[i]);
        return reduce.finish == Finish::CountedStd ? std::sqrt(value) : value;
      });
      return;
  }
}

void read_box(const Source& source, std::uint32_t number, const Box& box, const ChunkInputs& inputs, std::byte* out,
              const std::vector<std::int64_t>& strides, bool past_cache) {
  // One load of a program that only loads; the pieces are copied straight to their place.
  const std::size_t bytes = Dtype(source.type).size();
  std::vector<std::int64_t> first(box.ndim()), last(box.ndim()), piece(box.ndim());
  for (std::size_t axis = 0; axis < box.ndim(); ++axis) {
    if (box.extent[axis] == 0) return;
    first[axis] = piece[axis] = source.grid[axis].find(box.start[axis]);
    last[axis] = source.grid[axis].find(box.start[axis] + box.extent[axis] - 1);
  }
  for (;;) {
    std::vector<std::int64_t> extent(box.ndim()), from_strides(box.ndim());
    auto stride = static_cast<std::int64_t>(bytes);
    const std::byte* from = inputs.data(number, expression::chunk_number(source.grid, piece.data()));
    std::byte* to = out;
    for (std::size_t axis = box.ndim(); axis-- > 0;) {
      const std::int64_t start = source.grid[axis].start(piece[axis]);
      const std::int64_t begin = std::max(start, box.start[axis]);
      const std::int64_t end = std::min(source.grid[axis].end(piece[axis]), box.start[axis] + box.extent[axis]);
      extent[axis] = end - begin;
      from_strides[axis] = stride;
      from += (begin - start) * stride;
      to += (begin - box.start[axis]) * strides[axis];
      stride *= source.grid[axis].size(piece[axis]);
    }
    kernels::copy_box(to, strides.data(), from, from_strides.data(), extent.data(), box.ndim(), bytes, past_cache);
    std::size_t axis = box.ndim();
    for (;;) {
      if (axis-- == 0) return;
      if (++piece[axis] <= last[axis]) break;
      piece[axis] = first[axis];
    }
  }
}

namespace {

/// Gives boxes along deferred axes their true extents; returns those of the chunk.
Box true_boxes(const Stage& stage, const Box& planned, std::vector<expression::Need>& needs) {
  Box box = planned;
  for (expression::Need& need : needs) {
    const Grid& grid = stage.sources[need.input].grid;
    for (std::size_t axis = 0; axis < grid.size(); ++axis) {
      if (!grid[axis].known()) need.box.extent[axis] = grid[axis].size(grid[axis].find(need.box.start[axis]));
    }
  }
  for (std::size_t axis = 0; axis < stage.grid.size(); ++axis) {
    if (stage.grid[axis].known() || needs.empty()) continue;
    // Axes are the source's from the last one on. Whoever adds axes in front allocates its chunks itself.
    const std::size_t from = axis + needs[0].box.ndim();
    if (from >= stage.grid.size()) box.extent[axis] = needs[0].box.extent[from - stage.grid.size()];
  }
  return box;
}

expression::Block block_of(const Stage& stage, const std::vector<std::int64_t>& extents, Buffer& chunk) {
  const std::size_t words = deferred_axes(stage.grid);
  const Dtype dtype(stage.type, stage.unit);
  const auto bytes = static_cast<std::size_t>(Box{extents, extents}.elements()) * dtype.size();
  chunk = words > 0 ? allocate_deferred(bytes, words) : Buffer::allocate(std::max<std::size_t>(bytes, 1));
  write_sizes(chunk, stage.grid, extents);
  return {chunk.data(), dtype, extents, c_strides(Shape(extents), dtype.size())};
}

/// Makes boxes of sources that have no chunks.
/// Owns: a stage for each such source, and what was made.  Threading: one task.
class BoxMaker {
 public:
  explicit BoxMaker(const Stage& stage) : stage_(stage), stages_(stage.sources.size()) {}

  /// Returns the elements of a box in C order; they live as long as this.
  std::byte* make(std::uint32_t input, const Box& box) {
    const auto bytes = static_cast<std::size_t>(box.elements()) * Dtype(stage_.sources[input].type).size();
    made_.push_back(Buffer::allocate(std::max<std::size_t>(1, bytes)));
    make(input, box, made_.back().data());
    return made_.back().data();
  }
  void make(std::uint32_t input, const Box& box, std::byte* out) {
    std::unique_ptr<Stage>& stage = stages_[input];
    if (stage == nullptr) {
      stage = std::make_unique<Stage>();
      stage->grid = stage_.sources[input].grid;
      stage->type = stage_.sources[input].type;
      stage->program = stage_.sources[input].made[0];
      stage->kokkos = stage_.kokkos;
    }
    compute_box(*stage, box, ChunkInputs(chunks_, buffers_), out);
  }
  void forget() { made_.clear(); }

 private:
  const Stage& stage_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<Buffer> made_;
  const std::vector<SourceChunk> chunks_;
  const std::vector<Buffer> buffers_;
};

/// Puts a box that has no chunks to its place in the output.
void place_made(BoxMaker& maker, const expression::Need& need, const expression::Block& output, std::byte* to,
                const std::vector<std::int64_t>& strides) {
  if (need.box.elements() == 0) return;
  const auto packed = c_strides(Shape(need.box.extent), output.dtype.size());
  bool lies = true;
  for (std::size_t axis = 0; axis < packed.size(); ++axis) {
    lies = lies && (need.box.extent[axis] == 1 || packed[axis] == strides[axis]);
  }
  if (lies) return maker.make(need.input, need.box, to);
  kernels::copy_box(to, strides.data(), maker.make(need.input, need.box), packed.data(), need.box.extent.data(),
                    need.box.ndim(), output.dtype.size());
  maker.forget();
}

}  // namespace

Buffer compute_structure(const Stage& stage, const Box& planned, const ChunkInputs& inputs) {
  using expression::Block;
  const expression::StructureType& type = *stage.structure->type;
  const void* const parameters = stage.structure->parameters.get();
  std::vector<expression::Need> needs;
  type.needs(parameters, planned, needs);
  Box box = planned;
  if (deferred(stage)) {
    Box met = true_boxes(stage, planned, needs);
    if (!type.defers) box = std::move(met);
  }
  Buffer chunk;
  Block output;
  if (!type.defers) output = block_of(stage, box.extent, chunk);
  BoxMaker maker(stage);
  if (type.assembles) {
    for (const expression::Need& need : needs) {
      std::byte* to = output.data;
      for (std::size_t axis = 0; axis < need.out_start.size(); ++axis)
        to += need.out_start[axis] * output.strides[axis];
      // Axes that the input lacks have extent 1 in the output; the input's align with the last ones.
      const std::size_t shift = output.strides.size() - need.box.ndim();
      const std::vector<std::int64_t> strides(output.strides.begin() + static_cast<std::ptrdiff_t>(shift),
                                              output.strides.end());
      if (!stage.sources[need.input].made.empty()) {
        place_made(maker, need, output, to, strides);
        continue;
      }
      read_box(stage.sources[need.input], need.input, need.box, inputs, to, strides,
               chunk.size() >= kernels::kPastCacheBytes);
    }
    return chunk;
  }
  std::vector<Block> blocks(needs.size());
  std::vector<LoadedSource> loaded;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const Source& source = stage.sources[needs[i].input];
    blocks[i].dtype = Dtype(source.type, source.unit);
    blocks[i].shape = needs[i].box.extent;
    blocks[i].strides.assign(needs[i].box.ndim(), 0);
    if (needs[i].box.elements() == 0) continue;
    if (!source.made.empty()) {
      blocks[i].data = maker.make(needs[i].input, needs[i].box);
      blocks[i].strides = c_strides(Shape(needs[i].box.extent), blocks[i].dtype.size());
      continue;
    }
    loaded.push_back(
        prepare_load(stage, Load{needs[i].input, expression::identity_map(source.grid.size())}, needs[i].box, inputs));
    blocks[i].data = const_cast<std::byte*>(loaded.back().first);
    blocks[i].strides = loaded.back().strides;
  }
  type.run(parameters, {box, needs, blocks, output,
                        [&](const std::vector<std::int64_t>& extents) { return block_of(stage, extents, chunk); }});
  return chunk;
}

}  // namespace weft::arrays::lowering
