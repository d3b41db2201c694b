#include "arrays/plan/tile_walk.hpp"

#include "arrays/kernels/copy.hpp"
#include "arrays/plan/defer.hpp"
#include "arrays/plan/fold_blocks.hpp"
#include "arrays/plan/generate.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstring>

namespace weft::arrays::lowering {
namespace {

using kernels::kFoldRows;

/// Rows of a strip.
constexpr std::int64_t kStripRows = 64;
/// Elements that are computed at once where what they are computed from is gathered first.
constexpr std::int64_t kGatheredElements = std::int64_t{1} << 15;
/// So that rows of a strip do not all fall on the same sets of the cache.
constexpr std::size_t kRowGap = 64;

std::size_t bytes_of(TypeCode type) { return Dtype(type).size(); }

/// A stretch of a view's axis that lies in one chunk of the source.
struct Stretch {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t piece;
};

/// Cuts the places [begin, end) of the view's axis where the source's chunk changes.
std::vector<Stretch> stretches(const expression::AxisGrid& grid, const expression::AxisMap& map, std::int64_t begin,
                               std::int64_t end) {
  std::vector<Stretch> list;
  if (map.out_axis < 0) return {{0, 1, grid.find(map.start)}};
  for (std::int64_t at = begin; at < end;) {
    const std::int64_t piece = grid.find(map.start + map.step * at);
    std::int64_t next = end;
    if (map.step > 0) {
      next = (grid.end(piece) - map.start + map.step - 1) / map.step;
    } else if (map.step < 0) {
      next = (map.start - grid.start(piece)) / -map.step + 1;
    }
    next = std::max(std::min(next, end), at + 1);
    list.push_back({at, next, piece});
    at = next;
  }
  return list;
}

std::vector<std::int64_t> chunk_strides(const Grid& grid, const std::vector<std::int64_t>& pieces, std::size_t bytes) {
  std::vector<std::int64_t> strides(grid.size());
  auto stride = static_cast<std::int64_t>(bytes);
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= grid[axis].size(pieces[axis]);
  }
  return strides;
}

/// Calls body(pieces, stretch of each source axis) for each combination.
template <class Body>
void each_piece(const std::vector<std::vector<Stretch>>& cuts, const Body& body) {
  std::vector<std::size_t> index(cuts.size(), 0);
  std::vector<std::int64_t> pieces(cuts.size());
  for (const auto& cut : cuts) {
    if (cut.empty()) return;
  }
  for (;;) {
    for (std::size_t axis = 0; axis < cuts.size(); ++axis) pieces[axis] = cuts[axis][index[axis]].piece;
    body(pieces, index);
    std::size_t axis = cuts.size();
    for (;;) {
      if (axis-- == 0) return;
      if (++index[axis] < cuts[axis].size()) break;
      index[axis] = 0;
    }
  }
}

std::vector<std::vector<Stretch>> cut_load(const Source& source, const IndexMap& map, const Box& box) {
  std::vector<std::vector<Stretch>> cuts(map.size());
  for (std::size_t axis = 0; axis < map.size(); ++axis) {
    const std::int32_t out = map[axis].out_axis;
    const std::int64_t begin = out < 0 ? 0 : box.start[static_cast<std::size_t>(out)];
    const std::int64_t end = out < 0 ? 1 : begin + box.extent[static_cast<std::size_t>(out)];
    cuts[axis] = stretches(source.grid[axis], map[axis], begin, end);
  }
  return cuts;
}

/// Returns the address of the element of the view at the box's start, and the strides along the box's axes, for a load
/// that lies in one chunk.
void point_into(const Source& source, const std::vector<std::int64_t>& pieces, const IndexMap& map, const Box& box,
                const std::byte* data, LoadedSource& loaded) {
  const std::vector<std::int64_t> strides = chunk_strides(source.grid, pieces, bytes_of(source.type));
  loaded.first = data;
  for (std::size_t axis = 0; axis < map.size(); ++axis) {
    std::int64_t place = map[axis].start - source.grid[axis].start(pieces[axis]);
    if (map[axis].out_axis >= 0) {
      const auto out = static_cast<std::size_t>(map[axis].out_axis);
      place += map[axis].step * box.start[out];
      loaded.strides[out] += map[axis].step * strides[axis];
    }
    loaded.first += place * strides[axis];
  }
}

void gather(const Stage& stage, const Load& load, const Box& box, const ChunkInputs& inputs,
            const std::vector<std::vector<Stretch>>& cuts, LoadedSource& loaded) {
  const Source& source = stage.sources[load.source];
  const std::size_t ndim = box.ndim();
  const std::size_t bytes = bytes_of(source.type);
  // Axes that no source axis follows are not gathered but repeated.
  std::vector<bool> follows(ndim, false);
  for (const expression::AxisMap& axis : load.map) {
    if (axis.out_axis >= 0) follows[static_cast<std::size_t>(axis.out_axis)] = true;
  }
  auto stride = static_cast<std::int64_t>(bytes);
  for (std::size_t axis = ndim; axis-- > 0;) {
    loaded.strides[axis] = follows[axis] ? stride : 0;
    if (follows[axis]) stride *= box.extent[axis];
  }
  NamedChunks* const named = inputs.named();
  std::byte* room = nullptr;
  if (named != nullptr) {
    room = named->add_room(static_cast<std::size_t>(stride));
  } else {
    loaded.gathered = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(stride));
    room = loaded.gathered.get();
  }
  loaded.first = room;
  each_piece(cuts, [&](const std::vector<std::int64_t>& pieces, const std::vector<std::size_t>& index) {
    Box part = box;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      if (!follows[axis]) part.extent[axis] = 1;
    }
    for (std::size_t axis = 0; axis < cuts.size(); ++axis) {
      if (load.map[axis].out_axis < 0) continue;
      const auto out = static_cast<std::size_t>(load.map[axis].out_axis);
      const Stretch& cut = cuts[axis][index[axis]];
      const std::int64_t begin = std::max(part.start[out], cut.begin);
      const std::int64_t end = std::min(part.start[out] + part.extent[out], cut.end);
      part.start[out] = begin;
      part.extent[out] = std::max<std::int64_t>(0, end - begin);
    }
    if (part.elements() == 0) return;
    LoadedSource from;
    from.strides.assign(ndim, 0);
    point_into(source, pieces, load.map, part,
               inputs.data(load.source, expression::chunk_number(source.grid, pieces.data())), from);
    std::byte* to = room;
    for (std::size_t axis = 0; axis < ndim; ++axis) to += (part.start[axis] - box.start[axis]) * loaded.strides[axis];
    if (named != nullptr) {
      named->copies.push_back({part.extent, loaded.strides, from.strides, from.first, to, bytes});
      return;
    }
    kernels::copy_box(to, loaded.strides.data(), from.first, from.strides.data(), part.extent.data(), ndim, bytes);
  });
}

/// Points at a box that is made: the map moves axes and places, by steps of 1.
void load_made(const Source& source, const Load& load, const Box& box, MadeBlocks& made, LoadedSource& loaded) {
  Box from{std::vector<std::int64_t>(load.map.size()), std::vector<std::int64_t>(load.map.size(), 1)};
  for (std::size_t axis = 0; axis < load.map.size(); ++axis) {
    const auto out = static_cast<std::size_t>(load.map[axis].out_axis);
    from.start[axis] = load.map[axis].start + box.start[out];
    from.extent[axis] = box.extent[out];
  }
  loaded.first = made.block(load.source, from);
  auto stride = static_cast<std::int64_t>(bytes_of(source.type));
  for (std::size_t axis = load.map.size(); axis-- > 0;) {
    loaded.strides[static_cast<std::size_t>(load.map[axis].out_axis)] += stride;
    stride *= from.extent[axis];
  }
}

}  // namespace

std::size_t first_long_axis(const Box& box) {
  std::size_t axis = 0;
  while (axis + 1 < box.ndim() && box.extent[axis] == 1) ++axis;
  return axis;
}

std::int64_t cached_parts(const Box& box, std::size_t axis) {
  if (box.ndim() == 0 || box.elements() <= 2 * kGatheredElements) return 1;
  return std::clamp(box.elements() / kGatheredElements, std::int64_t{1}, box.extent[axis]);
}

std::int64_t gathered_parts(const Stage& stage, const Box& box, std::size_t axis) {
  const std::int64_t parts = cached_parts(box, axis);
  if (parts == 1 || !expression::known(stage.grid)) return 1;
  const auto spans = [&](const Load& load) {
    const Source& source = stage.sources[load.source];
    if (!source.made.empty() || !expression::known(source.grid)) return false;
    for (const auto& cut : cut_load(source, load.map, box)) {
      if (cut.size() > 1) return true;
    }
    return false;
  };
  const std::vector<Load>& loads = stage.program.loads;
  return std::any_of(loads.begin(), loads.end(), spans) ? parts : 1;
}

LoadedSource prepare_load(const Stage& stage, const Load& load, const Box& box, const ChunkInputs& inputs) {
  const Source& source = stage.sources[load.source];
  LoadedSource loaded;
  loaded.strides.assign(box.ndim(), 0);
  if (!source.made.empty()) {
    load_made(source, load, box, inputs.made(), loaded);
    return loaded;
  }
  const auto cuts = cut_load(source, load.map, box);
  bool single = true;
  for (const auto& cut : cuts) single = single && cut.size() <= 1;
  if (!single) {
    gather(stage, load, box, inputs, cuts, loaded);
    return loaded;
  }
  std::vector<std::int64_t> pieces(cuts.size());
  for (std::size_t axis = 0; axis < cuts.size(); ++axis) pieces[axis] = cuts[axis].front().piece;
  point_into(source, pieces, load.map, box,
             inputs.data(load.source, expression::chunk_number(source.grid, pieces.data())), loaded);
  return loaded;
}

void list_sources(const Stage& stage, const Box& whole, std::vector<SourceChunk>& chunks) {
  Box box = whole;
  if (box.elements() == 0) {
    if (!deferred(stage)) return;
    // The chunks are read for the extents they tell.
    for (std::int64_t& extent : box.extent) extent = std::max<std::int64_t>(extent, 1);
  }
  const std::size_t before = chunks.size();
  const auto note = [&](std::uint32_t source, std::int64_t chunk) { chunks.push_back({source, chunk}); };
  if (stage.kind == Stage::Structural) {
    std::vector<expression::Need> needs;
    stage.structure->type->needs(stage.structure->parameters.get(), box, needs);
    for (const expression::Need& need : needs) {
      const Source& source = stage.sources[need.input];
      if (!source.made.empty()) continue;
      if (need.box.elements() == 0 && expression::known(source.grid)) continue;
      each_piece(cut_load(source, expression::identity_map(source.grid.size()), need.box),
                 [&](const std::vector<std::int64_t>& pieces, const std::vector<std::size_t>&) {
                   note(need.input, expression::chunk_number(source.grid, pieces.data()));
                 });
    }
  } else {
    for (const Load& load : stage.program.loads) {
      const Source& source = stage.sources[load.source];
      if (!source.made.empty()) continue;
      each_piece(cut_load(source, load.map, box),
                 [&](const std::vector<std::int64_t>& pieces, const std::vector<std::size_t>&) {
                   note(load.source, expression::chunk_number(source.grid, pieces.data()));
                 });
    }
  }
  std::sort(chunks.begin() + static_cast<std::ptrdiff_t>(before), chunks.end());
  chunks.erase(std::unique(chunks.begin() + static_cast<std::ptrdiff_t>(before), chunks.end()), chunks.end());
}

TileWalk::TileWalk(const Stage& stage, const Box& box, const ChunkInputs& inputs)
    : stage_(stage), program_(stage.program), result_bytes_(bytes_of(stage.program.registers[stage.program.result])) {
  const std::size_t ndim = box.ndim();
  empty_ = box.elements() == 0;
  if (empty_) return;
  const std::size_t operands = program_.loads.size() + program_.generated.size() + 2;
  bases_.assign(operands, 0);
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    axes_.push_back({box.extent[axis], std::vector<std::int64_t>(operands, 0)});
  }
  std::size_t operand = 0;
  for (const Load& load : program_.loads) {
    loaded_.push_back(prepare_load(stage_, load, box, inputs));
    for (std::size_t axis = 0; axis < ndim; ++axis) axes_[axis].moves[operand] = loaded_.back().strides[axis];
    ++operand;
  }
  for (const Generated& generated : program_.generated) {
    for (std::size_t axis = 0; axis < generated.map.size(); ++axis) {
      const expression::AxisMap& map = generated.map[axis];
      bases_[operand] += generated.strides[axis] * map.start;
      if (map.out_axis < 0) continue;
      const auto out = static_cast<std::size_t>(map.out_axis);
      bases_[operand] += generated.strides[axis] * map.step * box.start[out];
      axes_[out].moves[operand] += generated.strides[axis] * map.step;
    }
    ++operand;
  }
  if (stage_.kind == Stage::Reduce) {
    std::int64_t stride = 1;
    for (std::size_t axis = ndim; axis-- > 0;) {
      if (stage_.reduce.reduced[axis] != 0) continue;
      axes_[axis].moves[operand] = stride;
      stride *= box.extent[axis];
    }
    for (std::size_t axis = 0; axis < stage_.reduce.place_strides.size(); ++axis) {
      axes_[axis].moves[operand + 1] = stage_.reduce.place_strides[axis];
      bases_[operand + 1] += stage_.reduce.place_strides[axis] * box.start[axis];
    }
  }
  std::vector<Axis> all;
  if (stage_.kind == Stage::Reduce) all = axes_;
  axes_ = merged(std::move(axes_), operands);
  rows_ = axes_[axes_.size() - 2].extent;
  if (stage_.kind == Stage::Reduce) find_line(std::move(all));
  prepare_registers();
}

/// Puts axes together where every operand runs on from one to the next; there are two at least.
std::vector<TileWalk::Axis> TileWalk::merged(std::vector<Axis> axes, std::size_t operands) {
  std::vector<Axis> merged;
  for (Axis& axis : axes) {
    if (axis.extent == 1) continue;
    if (!merged.empty()) {
      Axis& outer = merged.back();
      bool runs_on = true;
      for (std::size_t i = 0; i < operands; ++i) {
        runs_on = runs_on && outer.moves[i] == axis.moves[i] * axis.extent;
      }
      if (runs_on) {
        axis.extent *= outer.extent;
        outer = std::move(axis);
        continue;
      }
    }
    merged.push_back(std::move(axis));
  }
  while (merged.size() < 2) merged.insert(merged.begin(), Axis{1, std::vector<std::int64_t>(operands, 0)});
  return merged;
}

/// Of the lines that all operands' axes would make if elements lay side by side: only where outputs and places run on
/// is asked.
void TileWalk::find_line(std::vector<Axis> axes) {
  for (Axis& axis : axes) axis.moves.erase(axis.moves.begin(), axis.moves.end() - 2);
  const std::vector<Axis> whole = merged(std::move(axes), 2);
  const Axis &inner = whole.back(), &rows = whole[whole.size() - 2];
  const bool columns = inner.moves[0] != 0;
  line_ = columns ? rows.extent : inner.extent;
  in_lines_ = inner.extent == axes_.back().extent && (!columns || rows.extent == rows_);
}

void TileWalk::prepare_registers() {
  const std::size_t tile = std::min<std::size_t>(kTile, static_cast<std::size_t>(axes_.back().extent));
  std::size_t bytes = 64;
  std::vector<std::size_t> offsets;
  for (const TypeCode type : program_.registers) {
    offsets.push_back(bytes);
    // A line more than needed, so that registers do not all fall on the same sets of the cache.
    bytes += (tile * bytes_of(type) + 63) / 64 * 64 + 64;
  }
  memory_.resize(bytes + 64);
  std::byte* const base = memory_.data() + (64 - reinterpret_cast<std::uintptr_t>(memory_.data()) % 64);
  for (const std::size_t offset : offsets) {
    registers_.push_back(base + offset - 64);
    values_.push_back(registers_.back());
  }
  for (const Constant& constant : program_.constants) {
    kernels::gather_strided(registers_[constant.out], reinterpret_cast<const std::byte*>(constant.words), 0, tile,
                            bytes_of(constant.type));
  }
  strips_.resize(program_.loads.size() + program_.generated.size());
  scratch_.resize(tile);
  at_.resize(bases_.size());
}

/// Tells whether an operand's neighbours are found along the rows, `next` apart.
bool TileWalk::runs_along_rows(std::size_t operand, std::int64_t next) const {
  return axes_.back().moves[operand] != 0 && axes_[axes_.size() - 2].moves[operand] == next;
}

const void* TileWalk::load_tile(const Instruction& step, std::size_t n, std::int64_t row, std::byte* place) {
  const std::size_t size = bytes_of(step.type);
  const std::byte* const from = loaded_[step.index].first + at_[step.index];
  const std::int64_t stride = axes_.back().moves[step.index];
  if (stride == static_cast<std::int64_t>(size)) return from;
  if (!runs_along_rows(step.index, static_cast<std::int64_t>(size)) || rows_ < kStripRows / 8) {
    kernels::gather_strided(place, from, stride, n, size);
    return place;
  }
  Strip& strip = strips_[step.index];
  const std::int64_t in_strip = row % kStripRows;
  if (in_strip == 0) {
    if (strip.bytes == nullptr) {
      strip.row_bytes = scratch_.size() * size + kRowGap;
      strip.bytes = std::make_unique_for_overwrite<std::byte[]>(strip.row_bytes * kStripRows);
    }
    kernels::gather_rows(strip.bytes.get(), strip.row_bytes, from, stride,
                         static_cast<std::size_t>(std::min(kStripRows, rows_ - row)), n, size);
  }
  return strip.bytes.get() + static_cast<std::size_t>(in_strip) * strip.row_bytes;
}

const void* TileWalk::generated_tile(const Instruction& step, std::size_t n, std::int64_t row, std::byte* place) {
  const std::size_t operand = program_.loads.size() + step.index;
  const expression::Generator& generator = program_.generated[step.index].generator;
  const std::int64_t first = bases_[operand] + at_[operand];
  const std::int64_t stride = axes_.back().moves[operand];
  if (stride == 1 || !runs_along_rows(operand, 1) || rows_ < kStripRows / 8) {
    generate_tile(generator, first, stride, n, place, scratch_.data());
    return place;
  }
  const std::size_t size = bytes_of(step.type);
  Strip& strip = strips_[operand];
  const std::int64_t in_strip = row % kStripRows;
  if (in_strip == 0) {
    if (strip.bytes == nullptr) {
      strip.row_bytes = scratch_.size() * size + kRowGap;
      strip.bytes = std::make_unique_for_overwrite<std::byte[]>(strip.row_bytes * kStripRows);
      strip.made = std::make_unique_for_overwrite<std::byte[]>(kStripRows * size * scratch_.size());
    }
    const auto rows = static_cast<std::size_t>(std::min(kStripRows, rows_ - row));
    for (std::size_t i = 0; i < n; ++i) {
      generate_tile(generator, first + static_cast<std::int64_t>(i) * stride, 1, rows,
                    strip.made.get() + i * kStripRows * size, scratch_.data());
    }
    kernels::gather_rows(strip.bytes.get(), strip.row_bytes, strip.made.get(),
                         kStripRows * static_cast<std::int64_t>(size), rows, n, size);
  }
  return strip.bytes.get() + static_cast<std::size_t>(in_strip) * strip.row_bytes;
}

const void* TileWalk::run_tile(std::size_t n, std::int64_t row, std::byte* direct) {
  const std::size_t last = program_.code.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const Instruction& step = program_.code[i];
    std::byte* const place = direct != nullptr && i == last ? direct : registers_[step.out];
    switch (static_cast<Instruction::Kind>(step.kind)) {
      case Instruction::Load:
        values_[step.out] = load_tile(step, n, row, place);
        continue;
      case Instruction::Generate:
        values_[step.out] = generated_tile(step, n, row, place);
        continue;
      case Instruction::Cast:
        kernels::cast_kernel(program_.registers[step.out], step.type)(place, values_[step.a], n);
        break;
      case Instruction::User: {
        const void* const operands[] = {values_[step.a], values_[step.b], values_[step.c]};
        const detail::UserFunction& function = program_.functions[step.index];
        function.kernel->tile(function.callable.get(), place, operands, n);
        break;
      }
      case Instruction::Apply:
        kernels::elementwise_kernel(step.op, step.type)(place, values_[step.a], values_[step.b], values_[step.c], n);
        break;
    }
    values_[step.out] = place;
  }
  return values_[program_.result];
}

template <class Visit>
void TileWalk::each_tile(const Visit& visit) {
  const Axis& inner = axes_.back();
  const Axis& rows = axes_[axes_.size() - 2];
  const std::size_t outer = axes_.size() - 2;
  std::vector<std::int64_t> index(outer, 0);
  std::vector<std::int64_t> slab(bases_.size(), 0);
  std::int64_t element = 0;  // of the slab's first element, in C order
  for (;;) {
    for (std::int64_t column = 0; column < inner.extent; column += static_cast<std::int64_t>(kTile)) {
      const auto n = static_cast<std::size_t>(std::min<std::int64_t>(kTile, inner.extent - column));
      for (std::size_t i = 0; i < at_.size(); ++i) at_[i] = slab[i] + column * inner.moves[i];
      for (std::int64_t row = 0; row < rows.extent; ++row) {
        visit(n, row, element + row * inner.extent + column);
        for (std::size_t i = 0; i < at_.size(); ++i) at_[i] += rows.moves[i];
      }
    }
    element += rows.extent * inner.extent;
    std::size_t axis = outer;
    for (;;) {
      if (axis-- == 0) return;
      for (std::size_t i = 0; i < slab.size(); ++i) slab[i] += axes_[axis].moves[i];
      if (++index[axis] < axes_[axis].extent) break;
      for (std::size_t i = 0; i < slab.size(); ++i) slab[i] -= axes_[axis].moves[i] * axes_[axis].extent;
      index[axis] = 0;
    }
  }
}

void TileWalk::write(std::byte* out) {
  if (empty_ || (stage_.kokkos && write_in_space(out))) return;
  each_tile([&](std::size_t n, std::int64_t row, std::int64_t element) {
    std::byte* const place = out + static_cast<std::size_t>(element) * result_bytes_;
    // A program without steps gives a constant.
    const void* const values = program_.code.empty() ? values_[program_.result] : run_tile(n, row, place);
    if (values != place) std::memcpy(place, values, n * result_bytes_);
  });
}

bool TileWalk::fold(const kernels::ReduceState& state) {
  if (empty_ || (stage_.kokkos && fold_in_space(state))) return true;
  const kernels::ReduceKernel& kernel = kernels::reduce_kernel(stage_.reduce.code, program_.registers[program_.result]);
  const bool columns = axes_.back().moves[bases_.size() - 2] != 0;
  if (columns ? kernel.rows == nullptr : in_lines_) {
    fold_tiles(kernel, state);
  } else if (columns && in_lines_) {
    fold_rows(kernel, state);
  } else if (!columns && axes_.back().extent <= static_cast<std::int64_t>(kTile)) {
    fold_lines(kernel, state);
  } else {
    return false;
  }
  return true;
}

void TileWalk::fold_tiles(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state) {
  const std::size_t output = bases_.size() - 2;
  const std::size_t place = bases_.size() - 1;
  const bool along_columns = axes_.back().moves[output] != 0;
  const std::int64_t stride = axes_.back().moves[place];
  each_tile([&](std::size_t n, std::int64_t row, std::int64_t) {
    const void* const values = program_.code.empty() ? values_[program_.result] : run_tile(n, row, nullptr);
    (along_columns ? kernel.columns : kernel.run)(from_output(state, kernel, at_[output]), values, n,
                                                  bases_[place] + at_[place], stride);
  });
}

/// Short rows of which several make a line: they are put side by side until they fill a tile.
void TileWalk::fold_lines(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state) {
  const std::size_t place = bases_.size() - 1;
  const std::int64_t stride = axes_.back().moves[place];
  const auto waiting = std::make_unique_for_overwrite<std::byte[]>(2 * kTile * result_bytes_);
  kernels::ReduceState at;
  std::size_t filled = 0;
  std::int64_t in_line = 0, first_place = 0;
  const auto fold = [&](std::size_t n) {
    kernel.run(at, waiting.get(), n, first_place, stride);
    first_place += static_cast<std::int64_t>(n) * stride;
    filled -= n;
    std::memmove(waiting.get(), waiting.get() + n * result_bytes_, filled * result_bytes_);
  };
  each_tile([&](std::size_t n, std::int64_t row, std::int64_t) {
    if (in_line == 0) {
      at = from_output(state, kernel, at_[bases_.size() - 2]);
      first_place = bases_[place] + at_[place];
    }
    std::byte* const to = waiting.get() + filled * result_bytes_;
    const void* const values = program_.code.empty() ? values_[program_.result] : run_tile(n, row, to);
    if (values != to) std::memcpy(to, values, n * result_bytes_);
    filled += n;
    in_line += static_cast<std::int64_t>(n);
    if (filled >= kTile) fold(kTile);
    if (in_line < line_) return;
    if (filled > 0) fold(filled);
    in_line = 0;
  });
}

/// Several rows at once: read where they lie if the program only loads them, else written side by side first.
void TileWalk::fold_rows(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state) {
  const bool lies = program_.code.size() == 1 && program_.code[0].kind == Instruction::Load &&
                    axes_.back().moves[0] == static_cast<std::int64_t>(result_bytes_);
  const std::int64_t row_move = axes_[axes_.size() - 2].moves[0];
  std::unique_ptr<std::byte[]> made;
  const std::size_t made_row = scratch_.size() * result_bytes_ + kRowGap;
  if (!lies) made = std::make_unique_for_overwrite<std::byte[]>(made_row * kFoldRows);
  const std::byte* first = nullptr;
  each_tile([&](std::size_t n, std::int64_t row, std::int64_t) {
    const std::int64_t in_block = row % kFoldRows;
    if (lies) {
      if (in_block == 0) first = loaded_[0].first + at_[0];
    } else {
      std::byte* const place = made.get() + static_cast<std::size_t>(in_block) * made_row;
      const void* const values = program_.code.empty() ? values_[program_.result] : run_tile(n, row, place);
      if (values != place) std::memcpy(place, values, n * result_bytes_);
      first = made.get();
    }
    if (in_block + 1 < kFoldRows && row + 1 < rows_) return;
    kernel.rows(from_output(state, kernel, at_[bases_.size() - 2]), first, n, static_cast<std::size_t>(in_block + 1),
                lies ? row_move : static_cast<std::int64_t>(made_row));
  });
}

}  // namespace weft::arrays::lowering
