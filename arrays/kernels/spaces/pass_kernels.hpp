#pragma once

#include "arrays/kernels/elementwise_kernels.inc"
#include "arrays/kernels/reduce_kernels.inc"
#include "arrays/kernels/spaces/pass.hpp"
#include "arrays/kernels/spaces/philox.hpp"

// What one work item of a pass does, whatever the space. Included by one file a space, which loops over the items.
// The functions of one element (elementwise.def) and the folds (reduce_kernels.inc) are those of the tile kernels.

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

/// Adds what each operand moves by when the axes before `last` are at the place `number`, counted in C order of those
/// axes that `takes` accepts.
template <class Takes>
WEFT_FUNCTION void move_to(const Pass& pass, int last, std::int64_t number, const Takes& takes, std::int64_t* at) {
  for (int axis = last; axis-- > 0;) {
    if (!takes(axis)) continue;
    const std::int64_t index = number % pass.extents[axis];
    number /= pass.extents[axis];
    for (int i = 0; i < kPassOperands; ++i) at[i] += index * pass.operands[i].moves[axis];
  }
}

struct EveryAxis {
  WEFT_FUNCTION bool operator()(int) const { return true; }
};
/// The axes along which outputs differ, or those along which they do not.
struct OutputAxes {
  const Pass* pass;
  bool differs;
  WEFT_FUNCTION bool operator()(int axis) const { return (pass->operands[pass->output].moves[axis] != 0) == differs; }
};

WEFT_FUNCTION std::int64_t pass_rows(const Pass& pass) {
  std::int64_t rows = 1;
  for (int axis = 0; axis + 1 < pass.axes; ++axis) rows *= pass.extents[axis];
  return rows;
}
WEFT_FUNCTION std::int64_t blocks_of(std::int64_t extent, std::int64_t block) { return (extent + block - 1) / block; }

/// Work item: a block of W elements of one row, written.
template <int W>
struct WriteItem {
  Pass pass;
  std::byte* out;
  std::int64_t items() const { return pass_rows(pass) * blocks_of(pass.extents[pass.axes - 1], W); }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    const int inner = pass.axes - 1;
    const std::int64_t blocks = blocks_of(pass.extents[inner], W);
    const std::int64_t row = item / blocks;
    const std::int64_t column = item % blocks * W;
    const std::int64_t rest = pass.extents[inner] - column;
    const auto n = static_cast<std::size_t>(rest < W ? rest : W);
    std::int64_t at[kPassOperands];
    for (int i = 0; i < kPassOperands; ++i) at[i] = column * pass.operands[i].moves[inner];
    move_to(pass, inner, row, EveryAxis{}, at);
    Registers<W> registers;
    begin_registers(pass, registers);
    const std::byte* const values = static_cast<const std::byte*>(run_block<W>(pass, registers, at, n));
    const std::size_t bytes = pass_bytes(pass.type);
    std::byte* const to = out + static_cast<std::size_t>(row * pass.extents[inner] + column) * bytes;
    with_type(pass.type, GatherTyped{to, values, static_cast<std::int64_t>(bytes), n});
  }
};

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
struct RunFold {
  ReduceState state;
  const void* values;
  std::size_t n;
  std::int64_t place, stride;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    Fold::run(state, values, n, place, stride);
  }
};
struct ColumnsFold {
  ReduceState state;
  const void* values;
  std::size_t n;
  std::int64_t place, stride;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    Fold::columns(state, values, n, place, stride);
  }
};
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

/// Tiles of a pass whose innermost axis is reduced, in TileWalk's order: slabs of the outer axes, tiles along the
/// innermost, rows.
struct TileOrder {
  std::int64_t rows, columns, tiles;
  explicit WEFT_FUNCTION TileOrder(const Pass& pass)
      : rows(pass.extents[pass.axes - 2]),
        columns(blocks_of(pass.extents[pass.axes - 1], kPassTile)),
        tiles(pass_rows(pass) * columns) {}
  /// The row (of all) and the tile along it.
  WEFT_FUNCTION void find(std::int64_t tile, std::int64_t& row, std::int64_t& column) const {
    const std::int64_t slab = tile / (rows * columns);
    column = tile / rows % columns;
    row = slab * rows + tile % rows;
  }
};

/// Work item: one tile, folded into a state of its own.
template <int W>
struct FoldTileItem {
  Pass pass;
  /// One state a tile.
  FoldTarget tiles;
  std::int64_t items() const { return TileOrder(pass).tiles; }
  WEFT_FUNCTION void operator()(std::int64_t tile) const {
    const int inner = pass.axes - 1;
    std::int64_t row, column;
    TileOrder(pass).find(tile, row, column);
    const std::int64_t rest = pass.extents[inner] - column * kPassTile;
    const std::int64_t n = rest < kPassTile ? rest : kPassTile;
    std::int64_t at[kPassOperands];
    for (int i = 0; i < kPassOperands; ++i) at[i] = column * kPassTile * pass.operands[i].moves[inner];
    move_to(pass, inner, row, EveryAxis{}, at);
    const PassOperand& place = pass.operands[pass.place];
    const std::int64_t first_place = place.base + at[pass.place];
    Registers<W> registers;
    begin_registers(pass, registers);
    alignas(64) std::byte values[kPassTile * 8];
    const std::size_t bytes = pass_bytes(pass.type);
    for (std::int64_t done = 0; done < n; done += W) {
      const auto count = static_cast<std::size_t>(n - done < W ? n - done : W);
      const void* const block = run_block<W>(pass, registers, at, count);
      with_type(pass.type, GatherTyped{values + static_cast<std::size_t>(done) * bytes,
                                       static_cast<const std::byte*>(block), static_cast<std::int64_t>(bytes), count});
      for (int i = 0; i < kPassOperands; ++i) at[i] += W * pass.operands[i].moves[inner];
    }
    const ReduceState own = state_element(tiles.state, tile, tiles.sizes);
    begin_fold(tiles, BeginFold{own, 1});
    run_fold(tiles, RunFold{own, values, static_cast<std::size_t>(n), first_place, place.moves[inner]});
  }
};

/// The states of tiles, merged into their outputs in the order of the tiles.
struct MergeTiles {
  Pass pass;
  FoldTarget tiles, outputs;
  /// Tells whether each row has outputs of its own.
  bool apart() const {
    for (int axis = 0; axis + 1 < pass.axes; ++axis) {
      if (pass.extents[axis] > 1 && pass.operands[pass.output].moves[axis] == 0) return false;
    }
    return true;
  }
  WEFT_FUNCTION void merge(std::int64_t tile, std::int64_t row) const {
    std::int64_t at[kPassOperands] = {};
    move_to(pass, pass.axes - 1, row, EveryAxis{}, at);
    merge_fold(outputs, MergeFold{state_element(outputs.state, at[pass.output], outputs.sizes),
                                  state_element(tiles.state, tile, tiles.sizes)});
  }
};
/// Work item: a row, where each has outputs of its own.
struct MergeRowItem : MergeTiles {
  std::int64_t items() const { return pass_rows(pass); }
  WEFT_FUNCTION void operator()(std::int64_t row) const {
    const TileOrder order(pass);
    const std::int64_t slab = row / order.rows;
    for (std::int64_t column = 0; column < order.columns; ++column) {
      merge((slab * order.columns + column) * order.rows + row % order.rows, row);
    }
  }
};
/// Work item: everything, where outputs repeat from row to row.
struct MergeAllItem : MergeTiles {
  std::int64_t items() const { return 1; }
  WEFT_FUNCTION void operator()(std::int64_t) const {
    const TileOrder order(pass);
    for (std::int64_t tile = 0; tile < order.tiles; ++tile) {
      std::int64_t row, column;
      order.find(tile, row, column);
      merge(tile, row);
    }
  }
};

/// Work item: W neighbouring outputs, each of them a column: all that is folded into them, row by row.
template <int W>
struct FoldColumnsItem {
  Pass pass;
  FoldTarget outputs;
  std::int64_t count(bool differs) const {
    std::int64_t product = 1;
    for (int axis = 0; axis + 1 < pass.axes; ++axis) {
      if (OutputAxes{&pass, differs}(axis)) product *= pass.extents[axis];
    }
    return product;
  }
  std::int64_t reduced;
  std::int64_t items() const { return count(true) * blocks_of(pass.extents[pass.axes - 1], W); }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    const int inner = pass.axes - 1;
    const std::int64_t blocks = blocks_of(pass.extents[inner], W);
    const std::int64_t column = item % blocks * W;
    const std::int64_t rest = pass.extents[inner] - column;
    const auto n = static_cast<std::size_t>(rest < W ? rest : W);
    std::int64_t first[kPassOperands];
    for (int i = 0; i < kPassOperands; ++i) first[i] = column * pass.operands[i].moves[inner];
    move_to(pass, inner, item / blocks, OutputAxes{&pass, true}, first);
    const PassOperand& place = pass.operands[pass.place];
    const ReduceState own = state_element(outputs.state, first[pass.output], outputs.sizes);
    Registers<W> registers;
    begin_registers(pass, registers);
    for (std::int64_t row = 0; row < reduced; ++row) {
      std::int64_t at[kPassOperands];
      for (int i = 0; i < kPassOperands; ++i) at[i] = first[i];
      move_to(pass, inner, row, OutputAxes{&pass, false}, at);
      const void* const values = run_block<W>(pass, registers, at, n);
      columns_fold(outputs, ColumnsFold{own, values, n, place.base + at[pass.place], place.moves[inner]});
    }
  }
};

}  // namespace
}  // namespace weft::arrays::kernels
