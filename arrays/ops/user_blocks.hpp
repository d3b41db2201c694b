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

/// One of several outputs of a kernel, which lie side by side in a record of bytes for each place that is looped over.
struct RecordPart {
  TypeCode type = TypeCode::Float64;
  TimeUnit unit = TimeUnit::Generic;
  /// In the record.
  std::int64_t offset = 0;
  /// The core dimensions.
  std::vector<std::int64_t> shape;
  Dtype dtype() const { return Dtype(type, unit); }
  std::int64_t bytes() const;
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
  /// Of a kernel with several outputs: the result's last axis is the record's bytes.
  std::vector<RecordPart> parts;

  void identify(Writer& writer) const;
  void needs(const expression::Box& box, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork& work) const;
};

/// Reads one output of a kernel with several from their records.
NodePointer part_of_record(const NodePointer& records, const RecordPart& part, const Grid& grid,
                           const std::source_location& where);

/// Throws Error where a kernel cannot be given these arrays, or cannot write results of so many axes each.
void check_kernel(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                  const std::vector<std::size_t>& ranks, const std::vector<std::size_t>& out_ranks,
                  const std::source_location& where);
/// Returns the type of what a kernel makes, of its output `which`; `declared` is what the user said.
Dtype kernel_result(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                    const std::optional<Dtype>& declared, const std::source_location& where, std::size_t which = 0);

detail::RawView raw_view(const expression::Block& block);
/// Returns which chunk of `grid` begins at the box's start.
BlockInfo block_info(const Grid& grid, const expression::Box& box);

}  // namespace weft::arrays::ops
