#pragma once

#include "arrays/kernels/spaces/loops.hpp"
#include "arrays/kernels/spaces/pass_items.hpp"

// The loops over the work items of a pass, for any space: whoever includes this has an each_item(instance, name, item)
// beside its instance, which runs `item` for each of item.items() numbers: kOfBlock says whether a block of threads
// runs one together, with item.room() bytes that they share. `instance` is the slot's or the stream's own. block_of and
// column_block_of say how many elements, W at most, a block of the space computes at once.

namespace weft::arrays::kernels {
namespace {

/// Writes a pass. `out` and what the operands point at are memory of the space.
template <int W, class Space>
void write_pass(const Space& instance, const Pass& pass, std::byte* out) {
  WriteItem<W> item{pass, out};
  item.pass.block = block_of(instance, pass, W);
  each_item(instance, "weft::write", item);
}

/// How many states a fold needs beside those of its outputs: one a tile, or none.
inline std::int64_t tile_states(const Pass& pass) {
  return pass.operands[pass.output].moves[pass.axes - 1] != 0 ? 0 : TileOrder(pass).tiles;
}

/// Work item: an element of a box that is moved.
struct CopyItem {
  static constexpr bool kOfBlock = false;
  BoxCopy box;
  std::int64_t items() const {
    std::int64_t product = 1;
    for (int axis = 0; axis < box.axes; ++axis) product *= box.extents[axis];
    return product;
  }
  template <class T>
  WEFT_FUNCTION void move(std::int64_t from, std::int64_t to) const {
    *reinterpret_cast<T*>(box.to + to) = *reinterpret_cast<const T*>(box.from + from);
  }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    std::int64_t from = 0, to = 0;
    for (int axis = box.axes; axis-- > 0;) {
      const std::int64_t index = item % box.extents[axis];
      item /= box.extents[axis];
      from += index * box.from_strides[axis];
      to += index * box.to_strides[axis];
    }
    switch (box.element_bytes) {
      case 1:
        return move<std::uint8_t>(from, to);
      case 2:
        return move<std::uint16_t>(from, to);
      case 4:
        return move<std::uint32_t>(from, to);
      case 8:
        return move<std::uint64_t>(from, to);
      default:
        for (int word = 0; word < box.element_bytes; word += 8) move<std::uint64_t>(from + word, to + word);
    }
  }
};

/// Work item: a number that is scaled.
struct ScaleItem {
  static constexpr bool kOfBlock = false;
  Scaling scaling;
  std::int64_t items() const { return scaling.count; }
  template <class T>
  WEFT_FUNCTION void scale(std::int64_t item) const {
    T& number = reinterpret_cast<T*>(scaling.data)[item];
    number = scaling.factor == 0 ? T(0) : number * static_cast<T>(scaling.factor);
  }
  WEFT_FUNCTION void operator()(std::int64_t item) const { scaling.single ? scale<float>(item) : scale<double>(item); }
};

/// Work item: a state that begins.
struct BeginItem {
  static constexpr bool kOfBlock = false;
  FoldTarget outputs;
  std::int64_t count;
  std::int64_t items() const { return count; }
  WEFT_FUNCTION void operator()(std::int64_t item) const {
    begin_fold(outputs, BeginFold{state_element(outputs.state, item, outputs.sizes), 1});
  }
};

/// What work items know of a fold.
inline FoldTarget target_of(const FoldOutputs& outputs) {
  const ReduceKernel& kernel = reduce_kernel(outputs.code, outputs.type);
  FoldTarget target{outputs.code, outputs.type, outputs.state, {0, 0, 0}, kernel.rows != nullptr};
  if (outputs.type == TypeCode::Complex64 || outputs.type == TypeCode::Complex128) target.host = &kernel;
  for (int part = 0; part < 3; ++part) {
    if (part < kernel.parts)
      target.sizes[part] = static_cast<std::uint8_t>(Dtype(kernel.types[part]).size());
    else
      target.state.parts[part] = nullptr;
  }
  return target;
}

/// Folds a pass into `outputs`, which have begun. `tiles`: room for tile_states(pass) states, in memory of the space.
template <int W, class Space>
void fold_pass(const Space& instance, const Pass& pass, const FoldTarget& outputs, const ReduceState& tiles) {
  if (tile_states(pass) == 0) {
    FoldColumnsItem<W> item{pass, outputs, 1};
    item.pass.block = column_block_of(instance, W);
    item.reduced = item.count(false);
    each_item(instance, "weft::fold_columns", item);
    return;
  }
  FoldTarget own = outputs;
  own.state = tiles;
  FoldTileItem<W> item{pass, own};
  item.pass.block = block_of(instance, pass, W);
  each_item(instance, "weft::fold_tiles", item);
  const MergeTiles merge{pass, own, outputs};
  if (merge.apart())
    each_item(instance, "weft::merge_rows", MergeRowItem{merge});
  else
    each_item(instance, "weft::merge_tiles", MergeAllItem{merge});
}

}  // namespace
}  // namespace weft::arrays::kernels
