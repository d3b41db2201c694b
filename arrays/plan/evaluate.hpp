#pragma once

#include "arrays/plan/stage.hpp"

#include <weft/buffer.hpp>

#include <vector>

namespace weft::arrays::lowering {

class MadeBlocks;

/// Chunks that are named and not there, so that a pass is worked out before a device has room for it. An address
/// names an operand and a place in it (`address`); what would be gathered is noted instead.
struct NamedChunks {
  struct Copy {
    std::vector<std::int64_t> extents, to_strides, from_strides;
    const std::byte* from = nullptr;
    std::byte* to = nullptr;
    std::size_t element_bytes = 0;
  };
  /// Chunks are operands in their order; behind them come the rooms that are gathered into, of so many bytes.
  std::size_t chunks = 0;
  std::vector<std::size_t> rooms;
  std::vector<Copy> copies;

  /// No operand has so many bytes.
  static constexpr int kPlaceBits = 44;
  static std::byte* address(std::size_t operand) {
    return reinterpret_cast<std::byte*>((static_cast<std::uintptr_t>(operand) + 1) << kPlaceBits);
  }
  std::byte* add_room(std::size_t bytes) {
    rooms.push_back(bytes);
    return address(chunks + rooms.size() - 1);
  }
};

/// The chunks a task was given.
/// Owns: nothing; the task's inputs outlive it.  Threading: one task.
class ChunkInputs {
 public:
  /// `made`: for sources of a pass that have no chunks; outlives this.
  ChunkInputs(const std::vector<SourceChunk>& chunks, const std::vector<Buffer>& buffers, MadeBlocks* made = nullptr)
      : chunks_(chunks), buffers_(buffers), made_(made) {}
  /// The same chunks by their names alone.
  ChunkInputs(const std::vector<SourceChunk>& chunks, NamedChunks& named);
  /// Returns the elements of a chunk, in C order.
  const std::byte* data(std::uint32_t source, std::int64_t chunk) const;
  MadeBlocks& made() const { return *made_; }
  /// Null where the chunks are there.
  NamedChunks* named() const { return named_; }

 private:
  const std::vector<SourceChunk>& chunks_;
  const std::vector<Buffer>& buffers_;
  MadeBlocks* const made_ = nullptr;
  NamedChunks* named_ = nullptr;
};

/// Computes the elements of `box` into `out`, in C order.
void compute_box(const Stage& stage, const Box& box, const ChunkInputs& inputs, std::byte* out);

/// The state of a reduction for the outputs of one chunk: parts side by side in one buffer.
struct StateLayout {
  std::int64_t outputs = 0;
  std::size_t offsets[3] = {0, 0, 0};
  std::size_t bytes = 0;
};
StateLayout state_layout(const Stage& stage, std::int64_t outputs);
kernels::ReduceState state_at(const StateLayout& layout, std::byte* data);
/// The state from a given output on.
kernels::ReduceState from_output(const kernels::ReduceState& state, const kernels::ReduceKernel& kernel,
                                 std::int64_t output);

/// Folds the elements of `box` into a state that has begun; its outputs are the kept axes of the box in C order.
void reduce_box(const Stage& stage, const Box& box, const ChunkInputs& inputs, const kernels::ReduceState& state);

/// Turns a state into the elements of the output.
void finish_state(const Stage& stage, const kernels::ReduceState& state, std::int64_t outputs, std::byte* out);

/// Computes a chunk of a structural stage. Of a resolved one (defer.hpp), `box` is the planned one.
Buffer compute_structure(const Stage& stage, const Box& box, const ChunkInputs& inputs);

/// Copies `box` of a source to `out`, whose strides are in bytes. `past_cache`: as for kernels::copy_box.
void read_box(const Source& source, std::uint32_t number, const Box& box, const ChunkInputs& inputs, std::byte* out,
              const std::vector<std::int64_t>& strides, bool past_cache);

}  // namespace weft::arrays::lowering
