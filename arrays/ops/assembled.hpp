#pragma once

#include "arrays/ops/apply.hpp"

#include <utility>
#include <vector>

namespace weft::arrays::ops {

/// Reads place (index + shift) mod extent.
struct Roll {
  static constexpr const char* kName = "roll";
  static constexpr bool kAssembles = true;
  std::uint64_t axis;
  std::int64_t shift;
  std::int64_t extent;
  void needs(const expression::Box& out, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork&) const {}
  NodePointer cut(const Node& node) const;
};

/// Elements at listed places of one axis. The places of a chunk are fetched as one box for each piece of the source
/// that has some, from the first to the last.
struct Take {
  static constexpr const char* kName = "take";
  static constexpr bool kAssembles = false;
  std::uint64_t axis;
  std::vector<std::int64_t> places;
  /// Of the source, along the axis.
  expression::AxisGrid pieces;
  void identify(Writer& writer) const;
  void needs(const expression::Box& out, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork& work) const;
  NodePointer cut(const Node& node) const;
};

/// Elements of C-order arrays of equal size and other shapes. A chunk of the result is a run of elements: it is whole
/// along its last axes, and one place long along the first ones.
struct Reshape {
  static constexpr const char* kName = "reshape";
  static constexpr bool kAssembles = false;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  /// Elements of the source before the result's first.
  std::int64_t skipped = 0;
  /// The places [first, end) in the source's order that a chunk of the result has.
  std::pair<std::int64_t, std::int64_t> flat(const expression::Box& out) const;
  void needs(const expression::Box& out, std::vector<expression::Need>& needs) const;
  void run(const expression::ChunkWork& work) const;
  NodePointer cut(const Node& node) const;
};

/// The chunks of a reshaped array: runs of about `run` elements.
Grid reshaped_grid(const Shape& shape, std::int64_t run);

/// Returns the node with its one input cut where a box that it needs begins or ends; null where that is nowhere, or too
/// often.
NodePointer cut_at_needs(const Node& node);

/// Returns the part of a structure's result as the structure of a part of its input, where the part is small and the
/// structure one that can be; null elsewhere. `places`: one for each axis.
NodePointer part_of(const NodePointer& node, const std::vector<slice::Places>& places,
                    const std::source_location& where);

}  // namespace weft::arrays::ops
