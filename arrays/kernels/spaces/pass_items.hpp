#pragma once

#include "arrays/kernels/spaces/pass_folds.hpp"

// What one work item of a pass does, whatever the space. Included by one file a space, which loops over the items.

namespace weft::arrays::kernels {
namespace {

/// Adds what each operand moves by when the axes before `last` are at the place `number`, counted in C order of those
/// axes that `takes` accepts.
template <class Takes>
WEFT_FUNCTION void move_to(const Pass& pass, int last, std::int64_t number, const Takes& takes, std::int64_t* at) {
  for (int axis = last; axis-- > 0;) {
    if (!takes(axis)) continue;
    const std::int64_t index = number % pass.extents[axis];
    number /= pass.extents[axis];
    for (int i = 0; i < pass.used; ++i) at[i] += index * pass.operands[i].moves[axis];
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

/// Work item: a block of elements of one row, written.
template <int W>
struct WriteItem {
  static constexpr bool kOfBlock = true;
  Pass pass;
  std::byte* out;
  std::size_t room() const { return registers_bytes(pass); }
  std::int64_t items() const { return pass_rows(pass) * blocks_of(pass.extents[pass.axes - 1], pass.block); }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    const int inner = pass.axes - 1;
    const std::int64_t block = pass.block;
    const std::int64_t blocks = blocks_of(pass.extents[inner], block);
    const std::int64_t row = item / blocks;
    const std::int64_t column = item % blocks * block;
    const std::int64_t rest = pass.extents[inner] - column;
    const auto n = static_cast<std::size_t>(rest < block ? rest : block);
    std::int64_t at[kPassOperands];
    for (int i = 0; i < pass.used; ++i) at[i] = column * pass.operands[i].moves[inner];
    move_to(pass, inner, row, EveryAxis{}, at);
    Registers<W> registers(pass);
    begin_registers(pass, registers);
    const std::byte* const values = static_cast<const std::byte*>(run_block<W>(pass, registers, at, n));
    const std::size_t bytes = pass_bytes(pass.type);
    std::byte* const to = out + static_cast<std::size_t>(row * pass.extents[inner] + column) * bytes;
    with_bits(pass.type, GatherTyped{to, values, static_cast<std::int64_t>(bytes), n});
  }
};

/// Lines of a pass whose innermost axis is reduced, and their tiles. A line runs through several axes where operands do
/// not let them be put together; tiles are cut as if they did, so that the bits do not hang on where operands lie.
struct TileOrder {
  std::int64_t lines, columns, tiles;
  explicit WEFT_FUNCTION TileOrder(const Pass& pass)
      : lines(pass_rows(pass) * pass.extents[pass.axes - 1] / pass.line),
        columns(blocks_of(pass.line, kPassTile)),
        tiles(lines * columns) {}
};
/// The axes before those of a line.
WEFT_FUNCTION int axes_before_line(const Pass& pass) {
  int axis = pass.axes;
  for (std::int64_t covered = 1; axis > 0 && (covered < pass.line || axis == pass.axes);) {
    covered *= pass.extents[--axis];
  }
  return axis;
}

/// Work item: one tile, folded into a state of its own.
template <int W>
struct FoldTileItem {
  static constexpr bool kOfBlock = true;
  Pass pass;
  /// One state a tile.
  FoldTarget tiles;
  /// Registers, and behind them the values of the tile.
  std::size_t room() const { return registers_bytes(pass) + static_cast<std::size_t>(kPassTile) * pass.width; }
  std::int64_t items() const { return TileOrder(pass).tiles; }
  WEFT_FUNCTION void operator()(std::int64_t tile) const {
    const int inner = pass.axes - 1;
    const std::int64_t columns = TileOrder(pass).columns, width = pass.extents[inner];
    const std::int64_t in_line = tile % columns * kPassTile;
    const std::int64_t rest = pass.line - in_line;
    const std::int64_t n = rest < kPassTile ? rest : kPassTile;
    std::int64_t row = (tile / columns * pass.line + in_line) / width;
    std::int64_t column = (tile / columns * pass.line + in_line) % width;
    std::int64_t at[kPassOperands];
    move_into(column, row, at);
    const PassOperand& place = pass.operands[pass.place];
    const std::int64_t first_place = place.base + at[pass.place];
    Registers<W> registers(pass);
    begin_registers(pass, registers);
#ifdef __CUDA_ARCH__
    std::byte* const values = registers.bytes + registers_bytes(pass);
#else
    alignas(64) std::byte values[kPassTile * 16];
#endif
    const std::size_t bytes = pass_bytes(pass.type);
    const std::int64_t step = pass.block;
    for (std::int64_t done = 0; done < n;) {
      std::int64_t count = n - done < step ? n - done : step;
      if (width - column < count) count = width - column;
      const void* const block = run_block<W>(pass, registers, at, static_cast<std::size_t>(count));
      with_bits(pass.type,
                GatherTyped{values + static_cast<std::size_t>(done) * bytes, static_cast<const std::byte*>(block),
                            static_cast<std::int64_t>(bytes), static_cast<std::size_t>(count)});
      done += count;
      column += count;
      if (column < width) {
        for (int i = 0; i < pass.used; ++i) at[i] += count * pass.operands[i].moves[inner];
      } else if (done < n) {
        column = 0;
        move_into(column, ++row, at);
      }
    }
    const ReduceState own = state_element(tiles.state, tile, tiles.sizes);
    if (WEFT_FIRST_THREAD) begin_fold(tiles, BeginFold{own, 1});
    WEFT_WAIT_FOR_BLOCK();
    run_fold(tiles,
             RunFold{own, values, static_cast<std::size_t>(n), first_place, place.moves[inner], bytes, tiles.sizes});
    // The next tile is written where this one lies.
    WEFT_WAIT_FOR_BLOCK();
  }

 private:
  WEFT_FUNCTION void move_into(std::int64_t column, std::int64_t row, std::int64_t* at) const {
    for (int i = 0; i < pass.used; ++i) at[i] = column * pass.operands[i].moves[pass.axes - 1];
    move_to(pass, pass.axes - 1, row, EveryAxis{}, at);
  }
};

/// The states of tiles, merged into their outputs in the order of the tiles.
struct MergeTiles {
  static constexpr bool kOfBlock = false;
  Pass pass;
  FoldTarget tiles, outputs;
  /// Tells whether each line has an output of its own.
  bool apart() const {
    for (int axis = 0; axis < axes_before_line(pass); ++axis) {
      if (pass.extents[axis] > 1 && pass.operands[pass.output].moves[axis] == 0) return false;
    }
    return true;
  }
  WEFT_FUNCTION void merge_line(std::int64_t line) const {
    std::int64_t at[kPassOperands] = {};
    move_to(pass, axes_before_line(pass), line, EveryAxis{}, at);
    const ReduceState into = state_element(outputs.state, at[pass.output], outputs.sizes);
    const std::int64_t columns = TileOrder(pass).columns;
    for (std::int64_t tile = line * columns; tile < (line + 1) * columns; ++tile) {
      merge_fold(outputs, MergeFold{into, state_element(tiles.state, tile, tiles.sizes)});
    }
  }
};
/// Work item: a line, where each has an output of its own.
struct MergeRowItem : MergeTiles {
  std::int64_t items() const { return TileOrder(pass).lines; }
  WEFT_FUNCTION void operator()(std::int64_t line) const { merge_line(line); }
};
/// Work item: everything, where several lines have one output.
struct MergeAllItem : MergeTiles {
  std::int64_t items() const { return 1; }
  WEFT_FUNCTION void operator()(std::int64_t) const {
    const std::int64_t lines = TileOrder(pass).lines;
    for (std::int64_t line = 0; line < lines; ++line) merge_line(line);
  }
};

/// Work item: a block of neighbouring outputs, each of them a column: all that is folded into them, row by row.
template <int W>
struct FoldColumnsItem {
  static constexpr bool kOfBlock = true;
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
  std::size_t room() const { return registers_bytes(pass); }
  std::int64_t items() const { return count(true) * blocks_of(pass.extents[pass.axes - 1], pass.block); }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    const int inner = pass.axes - 1;
    const std::int64_t block = pass.block;
    const std::int64_t blocks = blocks_of(pass.extents[inner], block);
    const std::int64_t column = item % blocks * block;
    const std::int64_t rest = pass.extents[inner] - column;
    const auto n = static_cast<std::size_t>(rest < block ? rest : block);
    std::int64_t first[kPassOperands];
    for (int i = 0; i < pass.used; ++i) first[i] = column * pass.operands[i].moves[inner];
    move_to(pass, inner, item / blocks, OutputAxes{&pass, true}, first);
    const PassOperand& place = pass.operands[pass.place];
    const ReduceState own = state_element(outputs.state, first[pass.output], outputs.sizes);
    Registers<W> registers(pass);
    begin_registers(pass, registers);
    const std::size_t bytes = pass_bytes(pass.type);
    RowsOfBlock<W> rows(bytes, n);
    for (std::int64_t row = 0; row < reduced; ++row) {
      std::int64_t at[kPassOperands];
      for (int i = 0; i < pass.used; ++i) at[i] = first[i];
      move_to(pass, inner, row, OutputAxes{&pass, false}, at);
      const void* const values = run_block<W>(pass, registers, at, n);
      if (outputs.grouped == 0) {
        columns_fold(outputs, ColumnsFold{own, values, n, place.base + at[pass.place], place.moves[inner], bytes,
                                          outputs.sizes});
        continue;
      }
      rows.take(values);
      const std::int64_t next = row % pass.line + 1;
      if (next % kFoldRows == 0 || next == pass.line) rows.fold(outputs, own);
    }
  }
};

}  // namespace
}  // namespace weft::arrays::kernels
