#pragma once

#include "arrays/kernels/elementwise_kernels.inc"
#include "arrays/kernels/reduce_kernels.inc"
#include "arrays/kernels/spaces/pass.hpp"
#include "arrays/kernels/spaces/philox.hpp"

// The instructions of a pass on a block of elements, whatever the space. The functions of one element (elementwise.def)
// and the folds (reduce_kernels.inc) are those of the tile kernels.

#ifdef __CUDACC__
#define WEFT_ITEM_FUNCTION __host__ __device__ __noinline__
#else
#define WEFT_ITEM_FUNCTION [[gnu::noinline]]
#endif

namespace weft::arrays::kernels {
namespace {

/// Elements of a tile; as TileWalk's, because the order of additions follows from it.
constexpr std::int64_t kPassTile = 1024;

/// The registers of one work item, for blocks of W elements.
template <int W>
struct Registers {
  alignas(64) std::byte bytes[kPassRegisters][static_cast<std::size_t>(W) * 8];
  const void* values[kPassRegisters];
};

/// Calls use(T{}) for the type of a code; complex numbers are never asked for, times are counted in int64.
template <class Use>
WEFT_FUNCTION void with_type(TypeCode type, const Use& use) {
  switch (kernel_type(type)) {
    case TypeCode::Bool:
      return use(bool{});
    case TypeCode::Int8:
      return use(std::int8_t{});
    case TypeCode::Int16:
      return use(std::int16_t{});
    case TypeCode::Int32:
      return use(std::int32_t{});
    case TypeCode::Int64:
      return use(std::int64_t{});
    case TypeCode::UInt8:
      return use(std::uint8_t{});
    case TypeCode::UInt16:
      return use(std::uint16_t{});
    case TypeCode::UInt32:
      return use(std::uint32_t{});
    case TypeCode::UInt64:
      return use(std::uint64_t{});
    case TypeCode::Float32:
      return use(float{});
    case TypeCode::Float64:
      return use(double{});
    case TypeCode::Complex64:
    case TypeCode::Complex128:
    case TypeCode::Datetime64:
    case TypeCode::Timedelta64:
      return;
  }
}

struct BytesOf {
  std::size_t* bytes;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    *bytes = sizeof(T);
  }
};
WEFT_FUNCTION std::size_t pass_bytes(TypeCode type) {
  std::size_t bytes = 0;
  with_type(type, BytesOf{&bytes});
  return bytes;
}

/// The operands of one instruction on a block.
struct Block {
  void* out;
  const void* a;
  const void* b;
  const void* c;
  std::size_t n;
};

template <class Operation>
struct ApplyTyped {
  Block block;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    if constexpr ((Operation::kTypes & kind_of<T>()) != 0) {
      apply_tile<Operation, T>(block.out, block.a, block.b, block.c, block.n);
    }
  }
};

WEFT_ITEM_FUNCTION void apply_block(OpCode op, TypeCode type, const Block& block) {
  switch (op) {
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) \
  case OpCode::name:                                           \
    return with_type(type, ApplyTyped<name##_operation>{block});
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
  }
}

template <class From>
struct CastTo {
  Block block;
  template <class To>
  WEFT_FUNCTION void operator()(To) const {
    cast_tile<To, From>(block.out, block.a, block.n);
  }
};
struct CastFrom {
  Block block;
  TypeCode to;
  template <class From>
  WEFT_FUNCTION void operator()(From) const {
    with_type(to, CastTo<From>{block});
  }
};
WEFT_ITEM_FUNCTION void cast_block(TypeCode to, TypeCode from, const Block& block) {
  with_type(from, CastFrom{block, to});
}

struct FillTyped {
  void* out;
  std::uint64_t word;
  std::size_t n;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    T value;
    const std::byte* const from = reinterpret_cast<const std::byte*>(&word);
    std::byte* const to = reinterpret_cast<std::byte*>(&value);
    for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = from[i];
    for (std::size_t i = 0; i < n; ++i) static_cast<T*>(out)[i] = value;
  }
};

struct GatherTyped {
  void* out;
  const std::byte* from;
  std::int64_t stride;
  std::size_t n;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    for (std::size_t i = 0; i < n; ++i) {
      static_cast<T*>(out)[i] = *reinterpret_cast<const T*>(from + static_cast<std::int64_t>(i) * stride);
    }
  }
};

WEFT_FUNCTION void uniform_block(const PassOperand& operand, std::int64_t first, std::int64_t step, TypeCode type,
                                 void* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t index = first + static_cast<std::int64_t>(i) * step;
    double value = uniform_of(philox_bits(operand.seed, static_cast<std::uint64_t>(index)));
    if (operand.low != 0 || operand.high != 1) value = operand.low + (operand.high - operand.low) * value;
    if (type == TypeCode::Float32)
      static_cast<float*>(out)[i] = static_cast<float>(value);
    else
      static_cast<double*>(out)[i] = value;
  }
}

/// Runs the instructions on n <= W elements that lie along the innermost axis; `at`: where each operand is at the
/// first.
template <int W>
WEFT_ITEM_FUNCTION const void* run_block(const Pass& pass, Registers<W>& registers, const std::int64_t* at,
                                         std::size_t n) {
  const int inner = pass.axes - 1;
  for (int i = 0; i < pass.steps; ++i) {
    const PassStep& step = pass.code[i];
    void* const place = registers.bytes[step.out];
    registers.values[step.out] = place;
    const PassOperand& operand = pass.operands[step.operand];
    const std::int64_t move = operand.moves[inner];
    switch (step.kind) {
      case PassStep::Load: {
        const std::byte* const from = operand.first + at[step.operand];
        if (move == static_cast<std::int64_t>(pass_bytes(step.type)))
          registers.values[step.out] = from;
        else
          with_type(step.type, GatherTyped{place, from, move, n});
        break;
      }
      case PassStep::Uniform:
        uniform_block(operand, operand.base + at[step.operand], move, step.out_type, place, n);
        break;
      case PassStep::Cast:
        cast_block(step.out_type, step.type, Block{place, registers.values[step.a], nullptr, nullptr, n});
        break;
      default:
        apply_block(step.op, step.type,
                    Block{place, registers.values[step.a], registers.values[step.b], registers.values[step.c], n});
    }
  }
  return registers.values[pass.result];
}

template <int W>
WEFT_FUNCTION void begin_registers(const Pass& pass, Registers<W>& registers) {
  for (int i = 0; i < kPassRegisters; ++i) registers.values[i] = registers.bytes[i];
  for (int i = 0; i < pass.constants; ++i) {
    const PassConstant& constant = pass.constant[i];
    with_type(constant.type, FillTyped{registers.bytes[constant.out], constant.word, static_cast<std::size_t>(W)});
  }
}

WEFT_FUNCTION ReduceState state_element(const ReduceState& state, std::int64_t index, const std::uint8_t* sizes) {
  ReduceState moved;
  for (int part = 0; part < 3; ++part) {
    moved.parts[part] =
        state.parts[part] == nullptr ? nullptr : static_cast<std::byte*>(state.parts[part]) + index * sizes[part];
  }
  return moved;
}

/// A fold of a pass: the kernel's number, the state of its outputs, and the bytes of each part.
struct FoldTarget {
  ReduceCode code;
  TypeCode type;
  ReduceState state;
  std::uint8_t sizes[3];
};

template <class Use>
struct FoldTyped {
  ReduceCode code;
  Use use;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    with_fold<T>(code, use);
  }
};
struct BeginFold {
  ReduceState state;
  std::size_t n;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    Fold::begin(state, n);
  }
};
/// Values folded into one output, or each into an output of its own.
template <bool kColumns>
struct ValuesFold {
  ReduceState state;
  const void* values;
  std::size_t n;
  std::int64_t place, stride;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    if constexpr (kColumns)
      Fold::columns(state, values, n, place, stride);
    else
      Fold::run(state, values, n, place, stride);
  }
};
using RunFold = ValuesFold<false>;
using ColumnsFold = ValuesFold<true>;
struct MergeFold {
  ReduceState into, from;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    Fold::merge(into, from, 1);
  }
};
WEFT_ITEM_FUNCTION void begin_fold(const FoldTarget& target, const BeginFold& use) {
  with_type(target.type, FoldTyped<BeginFold>{target.code, use});
}
WEFT_ITEM_FUNCTION void run_fold(const FoldTarget& target, const RunFold& use) {
  with_type(target.type, FoldTyped<RunFold>{target.code, use});
}
WEFT_ITEM_FUNCTION void columns_fold(const FoldTarget& target, const ColumnsFold& use) {
  with_type(target.type, FoldTyped<ColumnsFold>{target.code, use});
}
WEFT_ITEM_FUNCTION void merge_fold(const FoldTarget& target, const MergeFold& use) {
  with_type(target.type, FoldTyped<MergeFold>{target.code, use});
}

}  // namespace
}  // namespace weft::arrays::kernels
