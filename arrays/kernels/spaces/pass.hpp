#pragma once

#include "arrays/kernels/tile_kernels.hpp"

namespace weft::arrays::kernels {

// A pass over a box, as kernels of an execution space take it: flat, of one size, without a pointer but to elements;
// one that the host's space alone runs may point to the kernels of tiles.

inline constexpr int kPassAxes = 6;
inline constexpr int kPassSteps = 48;
inline constexpr int kPassRegisters = 32;
inline constexpr int kPassOperands = 12;
inline constexpr int kPassConstants = 16;

/// Rows whose deviations are folded at once, from their own mean.
inline constexpr std::int64_t kFoldRows = 32;

/// The instructions of a pass that only the host's space knows, by the kernels of tiles: those of complex numbers,
/// functions of the program, generators of other than uniform numbers. Lives as long as the pass runs.
/// Threading: any thread.
class HostSteps {
 public:
  virtual ~HostSteps() = default;
  /// Runs the instruction of this number on `n` elements. Of a generator, the first has the index `first`, the next
  /// ones follow by `step`.
  virtual void run(int number, void* out, const void* const (&operands)[3], std::int64_t first, std::int64_t step,
                   std::size_t n) const = 0;
};

/// An instruction: registers[out] becomes something of registers a, b and c, or of an operand.
struct PassStep {
  enum Kind : std::uint8_t { Apply, Cast, Load, Uniform, OfHost };
  std::uint8_t kind = Apply;
  TypeCode type = TypeCode::Float64;      ///< of the operands
  TypeCode out_type = TypeCode::Float64;  ///< of what it makes
  std::uint8_t out = 0, a = 0, b = 0, c = 0;
  std::uint8_t operand = 0;
  OpCode op{};
};

/// Something that moves with the place in the box: elements in memory (moves in bytes), the index of a generator, the
/// output of a reduction, the place that an arg-reduction notes.
struct PassOperand {
  const std::byte* first = nullptr;
  std::int64_t base = 0;
  std::int64_t moves[kPassAxes] = {};
  /// Of a generator of uniform numbers: its seed and its range.
  std::uint64_t seed = 0;
  double low = 0, high = 1;
};

struct PassConstant {
  std::uint64_t words[2] = {0, 0};
  TypeCode type = TypeCode::Float64;
  std::uint8_t out = 0;
};

/// Axes are merged where all operands allow it; the last one is innermost. There are two axes at least.
struct Pass {
  std::int32_t axes = 0, steps = 0, constants = 0;
  /// Register of the result, and its type.
  std::uint8_t result = 0;
  TypeCode type = TypeCode::Float64;
  /// Operands that say where a reduction's outputs and places are; how many there are, with these two.
  std::uint8_t output = 0, place = 0, used = 0;
  /// Registers that there are, and the bytes of an element of the widest.
  std::uint8_t registers = 0, width = 8;
  /// Elements that are computed at once; the space sets it.
  std::int32_t block = 0;
  std::int64_t extents[kPassAxes] = {};
  /// Of a fold: elements of a line, that is of the innermost axes that go to one output, as many as follow each other;
  /// where the innermost axis has outputs of its own, the rows that do.
  std::int64_t line = 1;
  /// Where there are instructions that only the host's space knows.
  const HostSteps* host = nullptr;
  PassStep code[kPassSteps];
  PassOperand operands[kPassOperands];
  PassConstant constant[kPassConstants];
};

}  // namespace weft::arrays::kernels
