#pragma once

#include <weft/dtype.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::arrays::kernels {

/// The operations of elementwise.def, by number.
enum class OpCode : std::uint16_t {
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) name,
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
};
inline constexpr std::size_t kOpCodes = 0
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) +1
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
    ;

/// Types that have kernels of their own; times are counted in int64.
inline constexpr std::size_t kKernelTypes = 13;
constexpr TypeCode kernel_type(TypeCode code) {
  return code == TypeCode::Datetime64 || code == TypeCode::Timedelta64 ? TypeCode::Int64 : code;
}

/// Applies an operation to `n` elements that lie side by side. Unused operands are null. `out` may be an operand.
using TileFunction = void (*)(void* out, const void* a, const void* b, const void* c, std::size_t n);
/// Converts `n` elements.
using CastFunction = void (*)(void* out, const void* in, std::size_t n);

/// What a reduction keeps for each of its outputs, as arrays side by side.
struct ReduceState {
  void* parts[3] = {nullptr, nullptr, nullptr};
};

enum class ReduceCode : std::uint8_t {
  Sum,
  Prod,
  Min,
  Max,
  Any,
  All,
  CountNonzero,
  Moments,  ///< count, mean, sum of squared deviations: mean, var and std
  ArgMin,
  ArgMax,
  NanSum,
  NanProd,
  NanMin,
  NanMax,
  NanMoments,
  NanArgMin,
  NanArgMax,
};
inline constexpr std::size_t kReduceCodes = 17;

/// How a reduction works on elements of one type. `place`: the index that arg-reductions note for the first element;
/// `stride`: the distance of the indices of neighbours.
struct ReduceKernel {
  std::uint8_t parts = 0;
  TypeCode types[3] = {};
  void (*begin)(const ReduceState& state, std::size_t n) = nullptr;
  /// Folds element i into output i.
  void (*columns)(const ReduceState& state, const void* values, std::size_t n, std::int64_t place,
                  std::int64_t stride) = nullptr;
  /// Folds all `n` elements into one output.
  void (*run)(const ReduceState& state, const void* values, std::size_t n, std::int64_t place,
              std::int64_t stride) = nullptr;
  /// Where there is one: folds element i of each row into output i, for rows that lie `row_bytes` apart. The state is
  /// read and written once for all of them.
  void (*rows)(const ReduceState& state, const void* values, std::size_t n, std::size_t rows,
               std::int64_t row_bytes) = nullptr;
  /// Folds the state of other elements into this one, output by output.
  void (*merge)(const ReduceState& into, const ReduceState& from, std::size_t n) = nullptr;
};

/// The kernels of one instruction set.
struct KernelTable {
  TileFunction elementwise[kOpCodes][kKernelTypes];
  CastFunction cast[kKernelTypes][kKernelTypes];
  ReduceKernel reduce[kReduceCodes][kKernelTypes];
  /// Uniform numbers in [0, 1): element i has the index first + i * step of the stream of `seed`.
  void (*uniform)(double* out, std::uint64_t seed, std::int64_t first, std::int64_t step, std::size_t n);
  /// 64 random bits each.
  void (*random_bits)(std::uint64_t* out, std::uint64_t seed, std::int64_t first, std::int64_t step, std::size_t n);
  /// Turns `n` uniform numbers into normal or exponential ones, in place.
  void (*normal)(double* values, std::size_t n, double mean, double deviation);
  void (*exponential)(double* values, std::size_t n, double scale);
  /// Writes rows, `to_row` bytes apart, of `n` elements of 4 or 8 bytes: the rows lie one element apart in `from`,
  /// their elements `stride` bytes.
  using Transpose = void (*)(std::byte* to, std::size_t to_row, const std::byte* from, std::int64_t stride,
                             std::size_t rows, std::size_t n);
  Transpose transpose_words;
  Transpose transpose_doubles;
  /// See order.hpp for keys.
  void (*write_double_keys)(const double* values, std::size_t n, std::uint64_t* keys);
  /// Copies the keys whose bits from `above` on are those of `known` to `out`, which has room for n; returns how many.
  std::size_t (*matching_keys)(const std::uint64_t* keys, std::size_t n, int above, std::uint64_t known,
                               std::uint64_t* out);
};

/// Instruction sets that kernels are compiled for.
enum class Vectors : std::uint8_t { Base, Avx2, Avx512 };

/// Returns the kernels for the processor this runs on, or those that were chosen.
const KernelTable& kernels();
/// Chooses other kernels for all that runs from now on; they give the same bits.
void use_kernels(const KernelTable& table);
/// The same, but no wider than `widest`: all give the same bits.
const KernelTable& kernels(Vectors widest);

inline TileFunction elementwise_kernel(OpCode op, TypeCode type) {
  return kernels().elementwise[static_cast<std::size_t>(op)][static_cast<std::size_t>(kernel_type(type))];
}
inline CastFunction cast_kernel(TypeCode to, TypeCode from) {
  return kernels().cast[static_cast<std::size_t>(kernel_type(to))][static_cast<std::size_t>(kernel_type(from))];
}
inline const ReduceKernel& reduce_kernel(ReduceCode code, TypeCode type) {
  return kernels().reduce[static_cast<std::size_t>(code)][static_cast<std::size_t>(kernel_type(type))];
}

/// Replaces what gains from AVX2.
void fill_v3(KernelTable& table);
/// Replaces what gains from AVX-512.
void fill_v4(KernelTable& table);

}  // namespace weft::arrays::kernels
