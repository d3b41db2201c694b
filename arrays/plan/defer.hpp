#pragma once

#include "arrays/plan/stage.hpp"

#include <weft/buffer.hpp>

#include <memory>
#include <vector>

// Chunks whose extents only running can tell. Such a chunk carries, behind its elements, the extents along the deferred
// axes of its grid, in their order. A task that is given such chunks works with a copy of its stage whose grids know
// the sizes of the pieces it met.

namespace weft::arrays::lowering {

/// Tells whether any grid of the stage has deferred axes.
bool deferred(const Stage& stage);

/// Makes a chunk with room for the extents behind its elements; `words` of them.
Buffer allocate_deferred(std::size_t element_bytes, std::size_t words);
/// Returns the word `index` of the `words` behind a chunk's elements.
std::int64_t& deferred_word(Buffer& chunk, std::size_t words, std::size_t index);
std::int64_t deferred_word(const Buffer& chunk, std::size_t words, std::size_t index);
std::size_t deferred_axes(const Grid& grid);

/// Notes in `grid` the sizes that one of its chunks tells.
void note_sizes(Grid& grid, std::int64_t chunk, const Buffer& buffer);
/// Writes the extents of a chunk behind its elements.
void write_sizes(Buffer& chunk, const Grid& grid, const std::vector<std::int64_t>& extents);

/// Returns the stage with the sizes of the pieces that `chunks` tell.
std::shared_ptr<const Stage> resolve(const Stage& stage, const std::vector<SourceChunk>& chunks,
                                     const std::vector<Buffer>& buffers);

// A state of a deferred reduction carries the extents of its outputs and the number of elements it has met.

/// Words behind such a state.
std::size_t state_words(const Stage& stage);
/// Writes the words of a state of one chunk.
void begin_state_words(Buffer& state, const Stage& stage, const Box& box);
/// Adds the elements that another state has met.
void add_state_words(Buffer& state, const Buffer& other);
std::int64_t elements_met(const Buffer& state);
/// Returns the stage with the extents of the outputs that a state tells; `kept`: the pieces of the output's chunk.
std::shared_ptr<const Stage> resolve_outputs(const Stage& stage, const std::vector<std::int64_t>& kept,
                                             const Buffer& state);
/// Makes the chunk of the output, with the extents of the outputs behind it.
Buffer allocate_output(const Stage& stage, const Buffer& state, std::size_t element_bytes);

}  // namespace weft::arrays::lowering
