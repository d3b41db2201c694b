#pragma once

#include "arrays/expression/node.hpp"

#include <weft/encode.hpp>

#include <memory>
#include <vector>

namespace weft::arrays::lowering {

using expression::Box;
using expression::Generator;
using expression::Grid;
using expression::IndexMap;
using expression::ReduceSpec;
using kernels::OpCode;

/// What a register of the program is filled from besides other registers.
struct Load {
  std::uint32_t source = 0;
  IndexMap map;
};
struct Generated {
  Generator generator;
  IndexMap map;
  /// How the flat index of the generator's own array grows along each of its axes.
  std::vector<std::int64_t> strides;
};

struct Instruction {
  enum Kind : std::uint8_t { Apply, Cast, Load, Generate, User };
  std::uint8_t kind = Apply;
  TypeCode type = TypeCode::Float64;  ///< of the operands
  OpCode op{};
  std::uint16_t out = 0;
  std::uint16_t a = 0;
  std::uint16_t b = 0;
  std::uint16_t c = 0;
  /// Of loads, generators and functions of the program.
  std::uint32_t index = 0;
};

/// A register that holds one value throughout.
struct Constant {
  std::uint16_t out = 0;
  TypeCode type = TypeCode::Float64;
  std::uint64_t words[2] = {0, 0};
};

/// One pass over chunks: a chain of elementwise operations on sources and generators, fused, with the reduction that
/// consumes it, if one does. Tiles of registers stay in the first-level cache; no other temporary exists.
struct Program {
  std::vector<Load> loads;
  std::vector<Generated> generated;
  std::vector<detail::UserFunction> functions;
  std::vector<Constant> constants;
  std::vector<Instruction> code;
  /// The type of each register.
  std::vector<TypeCode> registers;
  std::uint16_t result = 0;
};

/// The chunks of something that tasks have made or will have made.
struct Source {
  Grid grid;
  TypeCode type = TypeCode::Float64;
  TimeUnit unit = TimeUnit::Generic;
  /// One program where the task makes the boxes that it needs by itself, from nothing but their indices; there are no
  /// chunks then.
  std::vector<Program> made = {};
};

/// All that the tasks of a step need to know besides their inputs: formula, not data. Constant; shared by its tasks.
struct Stage {
  enum Kind : std::uint8_t { Compute, Reduce, Structural };
  std::uint8_t kind = Compute;
  /// What the program runs over: the output's chunks, or those of what is reduced.
  Grid grid;
  TypeCode type = TypeCode::Float64;
  TimeUnit unit = TimeUnit::Generic;
  std::vector<Source> sources;
  Program program;
  ReduceSpec reduce;
  std::shared_ptr<const expression::Structure> structure;
  /// Its passes run in Kokkos' host space where they can, rather than by tiles; the bits are the same.
  bool kokkos = false;
  /// Of a reduction: it reads something and its transpose, which are cut alike.
  bool square = false;
  /// Whether a device runs its passes: where it can, or where that ends first.
  enum Device : std::uint8_t { kNever, kAlways, kWhereFirst };
  std::uint8_t device = kNever;
};

/// A chunk of a source that a task reads.
struct SourceChunk {
  std::uint32_t source = 0;
  std::int64_t chunk = 0;
  auto operator<=>(const SourceChunk&) const = default;
};

/// Appends the chunks that computing `box` of the stage's program reads, without repetition, in an order that only the
/// stage and the box decide.
void list_sources(const Stage& stage, const Box& box, std::vector<SourceChunk>& chunks);

/// A share of a stage, as tasks carry it.
struct StageReference {
  std::shared_ptr<const Stage> stage;
};

}  // namespace weft::arrays::lowering

namespace weft {

template <>
struct Codec<arrays::lowering::StageReference> {
  using Parts = Types<>;
  static void write(Writer& writer, const arrays::lowering::StageReference& reference);
  static void read(Reader& reader, arrays::lowering::StageReference& reference);
};

}  // namespace weft
