#pragma once

#include "arrays/kernels/elementwise_kernels.inc"
#include "arrays/kernels/spaces/pass.hpp"
#include "arrays/kernels/spaces/philox.hpp"

// The instructions of a pass on a block of elements, whatever the space. The functions of one element (elementwise.def)
// are those of the tile kernels.

#ifdef __CUDACC__
#define WEFT_ITEM_FUNCTION __host__ __device__ __noinline__
#else
#define WEFT_ITEM_FUNCTION [[gnu::noinline]]
#endif

// A work item of a block is run by one thread of the host, and by all threads of a block of a device: each takes every
// so many-th element, the same ones from loop to loop, so that nobody waits for another between instructions.
#ifdef __CUDA_ARCH__
#define WEFT_EACH(i, n) for (std::size_t i = threadIdx.x; i < (n); i += blockDim.x)
#define WEFT_FIRST_THREAD (threadIdx.x == 0)
#define WEFT_WAIT_FOR_BLOCK() __syncthreads()
#else
#define WEFT_EACH(i, n) for (std::size_t i = 0; i < (n); ++i)
#define WEFT_FIRST_THREAD true
#define WEFT_WAIT_FOR_BLOCK() static_cast<void>(0)
#endif

namespace weft::arrays::kernels {
namespace {

/// Elements of a tile; as TileWalk's, because the order of additions follows from it.
constexpr std::int64_t kPassTile = 1024;

/// The registers of one work item, for blocks of W elements at most: on the host its own memory, on a device the
/// block's shared memory, of which the launch asked for registers_bytes().
template <int W>
struct Registers {
  const void* values[kPassRegisters];
#ifdef __CUDA_ARCH__
  std::byte* bytes;
  std::size_t stride;
  WEFT_FUNCTION explicit Registers(const Pass& pass) : stride(static_cast<std::size_t>(pass.block) * pass.width) {
    extern __shared__ __align__(16) std::byte room[];
    bytes = room;
  }
  WEFT_FUNCTION std::byte* place(int number) { return bytes + static_cast<std::size_t>(number) * stride; }
#else
  alignas(64) std::byte bytes[kPassRegisters][static_cast<std::size_t>(W) * 16];
  WEFT_FUNCTION explicit Registers(const Pass&) {}
  WEFT_FUNCTION std::byte* place(int number) { return bytes[number]; }
#endif
};
WEFT_FUNCTION std::size_t registers_bytes(const Pass& pass) {
  return static_cast<std::size_t>(pass.registers) * static_cast<std::size_t>(pass.block) * pass.width;
}

/// Calls use(T{}) for the type of a code; not for complex numbers, times are counted in int64.
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

/// The bits of a complex number.
struct TwoWords {
  std::uint64_t words[2];
};
/// Calls use(T{}) for a type of the size of a code's elements: for what only moves them.
template <class Use>
WEFT_FUNCTION void with_bits(TypeCode type, const Use& use) {
  if (type == TypeCode::Complex64) return use(std::uint64_t{});
  if (type == TypeCode::Complex128) return use(TwoWords{});
  with_type(type, use);
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
  with_bits(type, BytesOf{&bytes});
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
      using R = Result<Operation::kRule, T>;
      R* const results = static_cast<R*>(block.out);
      if constexpr (Operation::kRule == Rule::Select) {
        const bool* const choose = static_cast<const bool*>(block.a);
        const T* const yes = static_cast<const T*>(block.b);
        const T* const no = static_cast<const T*>(block.c);
        WEFT_EACH(i, block.n) results[i] = choose[i] ? yes[i] : no[i];
      } else {
        const T* const left = static_cast<const T*>(block.a);
        const T* const right = static_cast<const T*>(Operation::kArity > 1 ? block.b : block.a);
        WEFT_EACH(i, block.n) results[i] = static_cast<R>(Operation::template apply<T>(left[i], right[i]));
      }
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
    To* const results = static_cast<To*>(block.out);
    const From* const values = static_cast<const From*>(block.a);
    WEFT_EACH(i, block.n) results[i] = convert<To>(values[i]);
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
  const std::uint64_t* words;
  std::size_t n;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    T value;
    const std::byte* const from = reinterpret_cast<const std::byte*>(words);
    std::byte* const to = reinterpret_cast<std::byte*>(&value);
    for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = from[i];
    WEFT_EACH(i, n) static_cast<T*>(out)[i] = value;
  }
};

struct GatherTyped {
  void* out;
  const std::byte* from;
  std::int64_t stride;
  std::size_t n;
  template <class T>
  WEFT_FUNCTION void operator()(T) const {
    WEFT_EACH(i, n) {
      static_cast<T*>(out)[i] = *reinterpret_cast<const T*>(from + static_cast<std::int64_t>(i) * stride);
    }
  }
};

WEFT_FUNCTION void uniform_block(const PassOperand& operand, std::int64_t first, std::int64_t step, TypeCode type,
                                 void* out, std::size_t n) {
  WEFT_EACH(i, n) {
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
    void* const place = registers.place(step.out);
    registers.values[step.out] = place;
    const PassOperand& operand = pass.operands[step.operand];
    const std::int64_t move = operand.moves[inner];
    switch (step.kind) {
      case PassStep::Load: {
        const std::byte* const from = operand.first + at[step.operand];
        if (move == static_cast<std::int64_t>(pass_bytes(step.type)))
          registers.values[step.out] = from;
        else
          with_bits(step.type, GatherTyped{place, from, move, n});
        break;
      }
      case PassStep::Uniform:
        uniform_block(operand, operand.base + at[step.operand], move, step.out_type, place, n);
        break;
      case PassStep::Cast:
        cast_block(step.out_type, step.type, Block{place, registers.values[step.a], nullptr, nullptr, n});
        break;
      case PassStep::OfHost: {
#ifndef __CUDA_ARCH__
        const void* const operands[3] = {registers.values[step.a], registers.values[step.b], registers.values[step.c]};
        pass.host->run(i, place, operands, operand.base + at[step.operand], move, n);
#endif
        break;
      }
      default:
        apply_block(step.op, step.type,
                    Block{place, registers.values[step.a], registers.values[step.b], registers.values[step.c], n});
    }
  }
  return registers.values[pass.result];
}

template <int W>
WEFT_FUNCTION void begin_registers(const Pass& pass, Registers<W>& registers) {
  for (int i = 0; i < pass.registers; ++i) registers.values[i] = registers.place(i);
  for (int i = 0; i < pass.constants; ++i) {
    const PassConstant& constant = pass.constant[i];
    with_bits(constant.type,
              FillTyped{registers.place(constant.out), constant.words, static_cast<std::size_t>(pass.block)});
  }
}

}  // namespace
}  // namespace weft::arrays::kernels
