#include "arrays/plan/defer.hpp"

#include <algorithm>

namespace weft::arrays::lowering {

bool deferred(const Stage& stage) {
  if (!expression::known(stage.grid)) return true;
  return std::any_of(stage.sources.begin(), stage.sources.end(),
                     [](const Source& source) { return !expression::known(source.grid); });
}

std::size_t deferred_axes(const Grid& grid) {
  return static_cast<std::size_t>(
      std::count_if(grid.begin(), grid.end(), [](const expression::AxisGrid& axis) { return !axis.known(); }));
}

Buffer allocate_deferred(std::size_t element_bytes, std::size_t words) {
  return Buffer::allocate((element_bytes + 7) / 8 * 8 + words * sizeof(std::int64_t));
}

std::int64_t& deferred_word(Buffer& chunk, std::size_t words, std::size_t index) {
  return reinterpret_cast<std::int64_t*>(
      chunk.data() + chunk.size())[static_cast<std::ptrdiff_t>(index) - static_cast<std::ptrdiff_t>(words)];
}

std::int64_t deferred_word(const Buffer& chunk, std::size_t words, std::size_t index) {
  return reinterpret_cast<const std::int64_t*>(
      chunk.data() + chunk.size())[static_cast<std::ptrdiff_t>(index) - static_cast<std::ptrdiff_t>(words)];
}

void note_sizes(Grid& grid, std::int64_t chunk, const Buffer& buffer) {
  const std::size_t words = deferred_axes(grid);
  if (words == 0) return;
  std::vector<std::int64_t> at(grid.size());
  expression::chunk_coordinates(grid, chunk, at.data());
  std::size_t word = 0;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    if (!grid[axis].known()) grid[axis].note_size(at[axis], deferred_word(buffer, words, word++));
  }
}

void write_sizes(Buffer& chunk, const Grid& grid, const std::vector<std::int64_t>& extents) {
  const std::size_t words = deferred_axes(grid);
  std::size_t word = 0;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    if (!grid[axis].known()) deferred_word(chunk, words, word++) = extents[axis];
  }
}

std::shared_ptr<const Stage> resolve(const Stage& stage, const std::vector<SourceChunk>& chunks,
                                     const std::vector<Buffer>& buffers) {
  auto resolved = std::make_shared<Stage>(stage);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    note_sizes(resolved->sources[chunks[i].source].grid, chunks[i].chunk, buffers[i]);
  }
  // The pieces of a program's own grid are those of what it loads: only axes of one origin meet in it.
  for (const Load& load : stage.program.loads) {
    const Grid& source = resolved->sources[load.source].grid;
    for (std::size_t axis = 0; axis < source.size(); ++axis) {
      if (source[axis].known() || load.map[axis].out_axis < 0) continue;
      resolved->grid[static_cast<std::size_t>(load.map[axis].out_axis)].take_notes(source[axis]);
    }
  }
  return resolved;
}

namespace {

bool keeps_deferred(const Stage& stage, std::size_t axis) {
  return !stage.grid[axis].known() && stage.reduce.reduced[axis] == 0;
}

}  // namespace

std::size_t state_words(const Stage& stage) {
  if (!deferred(stage)) return 0;
  std::size_t words = 1;
  for (std::size_t axis = 0; axis < stage.grid.size(); ++axis) words += keeps_deferred(stage, axis) ? 1 : 0;
  return words;
}

void begin_state_words(Buffer& state, const Stage& stage, const Box& box) {
  const std::size_t words = state_words(stage);
  if (words == 0) return;
  std::size_t word = 0;
  for (std::size_t axis = 0; axis < stage.grid.size(); ++axis) {
    if (keeps_deferred(stage, axis)) deferred_word(state, words, word++) = box.extent[axis];
  }
  deferred_word(state, words, word) = box.elements();
}

void add_state_words(Buffer& state, const Buffer& other) { deferred_word(state, 1, 0) += elements_met(other); }

std::int64_t elements_met(const Buffer& state) { return deferred_word(state, 1, 0); }

std::shared_ptr<const Stage> resolve_outputs(const Stage& stage, const std::vector<std::int64_t>& kept,
                                             const Buffer& state) {
  auto resolved = std::make_shared<Stage>(stage);
  const std::size_t words = state_words(stage);
  std::size_t word = 0;
  for (std::size_t axis = 0; axis < stage.grid.size(); ++axis) {
    if (!keeps_deferred(stage, axis)) continue;
    resolved->grid[axis].note_size(kept[axis], deferred_word(state, words, word++));
  }
  return resolved;
}

Buffer allocate_output(const Stage& stage, const Buffer& state, std::size_t element_bytes) {
  const std::size_t words = state_words(stage);
  if (words <= 1) return Buffer::allocate(std::max<std::size_t>(element_bytes, 1));
  Buffer out = allocate_deferred(element_bytes, words - 1);
  for (std::size_t word = 0; word + 1 < words; ++word) {
    deferred_word(out, words - 1, word) = deferred_word(state, words, word);
  }
  return out;
}

}  // namespace weft::arrays::lowering
