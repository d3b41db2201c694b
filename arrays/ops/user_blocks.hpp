#pragma once

#include "arrays/ops/apply.hpp"

#include <weft/ops/blocks.hpp>

namespace weft::arrays::ops {

/// How an axis of an input follows the blocks of the result.
struct InputAxis {
  /// The axis of the result whose block numbers choose a piece of `grid`; -1: given whole.
  std::int32_t out_axis = -1;
  /// The input has extent 1 here and is seen as long as the piece.
  bool stretched = false;
  expression::AxisGrid grid;
};

/// Chunks that a kernel of the program computes, each from one block of each input.
struct UserBlocks {
  static constexpr const char* kName = "map_blocks";
  static constexpr bool kAssembles = false;
  static constexpr bool kTakesDeferred = true;
  detail::UserFunction function;
  std::vector<std::vector<InputAxis>> inputs;
  Grid out;
  /// Leading axes of the result that the kernel does not see: it is called for each place along them.
  std::uint64_t loops = 0;

  void identify(Writer& writer) const;
  void needs(const expression::Box& box, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork& work) const;
};

/// Throws Error where a kernel cannot be given these arrays, or cannot write a result of `rank` axes.
void check_kernel(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                  const std::vector<std::size_t>& ranks, std::size_t rank, const std::source_location& where);
/// Returns the type of what a kernel makes; `declared` is what the user said.
Dtype kernel_result(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                    const std::optional<Dtype>& declared, const std::source_location& where);

detail::RawView raw_view(const expression::Block& block);
/// Returns which chunk of `grid` begins at the box's start.
BlockInfo block_info(const Grid& grid, const expression::Box& box);

}  // namespace weft::arrays::ops
