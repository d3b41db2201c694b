#pragma once

#include "arrays/kernels/spaces/pass.hpp"
#include "arrays/plan/evaluate.hpp"

#include <memory>
#include <vector>

namespace weft::arrays::lowering {

/// Where a load's elements lie for the box that is computed: the address of the first, and how it moves along each axis
/// of the box. A load that spans several chunks is gathered first.
struct LoadedSource {
  const std::byte* first = nullptr;
  std::vector<std::int64_t> strides;
  std::unique_ptr<std::byte[]> gathered;
};
LoadedSource prepare_load(const Stage& stage, const Load& load, const Box& box, const ChunkInputs& inputs);

/// Into how many stretches of its first long axis a box is cut: several where a load spans chunks, so that what is
/// gathered at once stays in the second-level cache. The stage and the box alone decide.
std::int64_t gathered_parts(const Stage& stage, const Box& box, std::size_t axis);
/// Into how many it is cut where a load does: no more than its extent, one where it is small.
std::int64_t cached_parts(const Box& box, std::size_t axis);
/// The first axis of a box that has several places, or its last.
std::size_t first_long_axis(const Box& box);

/// Runs a program over a box, tile by tile.
///
/// For: one pass over memory, whatever the length of the chain. Owns: the registers.  Threading: one thread.
///
/// Axes of the box are put together where every operand allows it. What is left: outer axes, rows, and columns in tiles
/// of at most kTile. Loads and generators that run along the rows are transposed strip by strip.
class TileWalk {
 public:
  static constexpr std::size_t kTile = 1024;

  TileWalk(const Stage& stage, const Box& box, const ChunkInputs& inputs);

  /// Writes every element to `out`, in C order.
  void write(std::byte* out);
  /// Folds every element into the state, in an order that the box and the reduction alone decide: as if the elements
  /// lay side by side in C order. Returns false, and has done nothing, where they must be written so first.
  bool fold(const kernels::ReduceState& state);

  /// The pass as execution spaces take it; false where it has what they do not know (complex numbers, functions of the
  /// program, other generators than uniform numbers, more registers than fit): then tiles compute it. `host`: runs what
  /// only the host's space knows.
  bool flatten(kernels::Pass& pass, const kernels::HostSteps* host = nullptr) const;

 private:
  struct Axis {
    std::int64_t extent;
    std::vector<std::int64_t> moves;  ///< of each operand
  };
  /// Rows of an operand that runs along them, brought at once.
  struct Strip {
    std::unique_ptr<std::byte[]> bytes;
    std::unique_ptr<std::byte[]> made;
    std::size_t row_bytes = 0;
  };
  template <class Visit>
  void each_tile(const Visit& visit);
  bool write_in_space(std::byte* out) const;
  bool fold_in_space(const kernels::ReduceState& state) const;
  static std::vector<Axis> merged(std::vector<Axis> axes, std::size_t operands);
  void find_line(std::vector<Axis> axes);
  void prepare_registers();
  const void* run_tile(std::size_t n, std::int64_t row, std::byte* direct);
  const void* load_tile(const Instruction& step, std::size_t n, std::int64_t row, std::byte* place);
  const void* generated_tile(const Instruction& step, std::size_t n, std::int64_t row, std::byte* place);
  bool runs_along_rows(std::size_t operand, std::int64_t next) const;
  void fold_tiles(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state);
  void fold_lines(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state);
  void fold_rows(const kernels::ReduceKernel& kernel, const kernels::ReduceState& state);

  const Stage& stage_;
  const Program& program_;
  std::vector<LoadedSource> loaded_;
  /// Operands in order: loads, generators, the output of a reduction, the place it notes.
  std::vector<Axis> axes_;
  std::vector<std::int64_t> bases_;
  std::size_t result_bytes_;
  std::vector<std::byte> memory_;
  std::vector<std::byte*> registers_;
  std::vector<const void*> values_;
  /// Of each load and each generator.
  std::vector<Strip> strips_;
  std::vector<double> scratch_;
  /// Offsets of the present tile, one for each operand.
  std::vector<std::int64_t> at_;
  std::int64_t rows_ = 1;
  /// Of a fold: elements of a line (Pass::line), and whether the innermost axes of the box and those of the walk are
  /// cut into the same lines, or rows.
  std::int64_t line_ = 1;
  bool in_lines_ = true;
  bool empty_ = false;
};

}  // namespace weft::arrays::lowering
