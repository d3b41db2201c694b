#pragma once

#include "arrays/kernels/spaces/pass_items.hpp"

#include <Kokkos_Core.hpp>

// The loops over the work items of a pass, for any space of Kokkos. `instance` is the slot's or the stream's own.

namespace weft::arrays::kernels {
namespace {

template <class Space, class Item>
void each_item(const Space& instance, const char* name, const Item& item) {
  using Policy = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(name, Policy(instance, 0, item.items()), item);
}

/// Writes a pass. `out` and what the operands point at are memory of the space.
template <int W, class Space>
void write_pass(const Space& instance, const Pass& pass, std::byte* out) {
  each_item(instance, "weft::write", WriteItem<W>{pass, out});
}

/// Tells how many states a fold needs beside those of its outputs: one a tile, or none.
inline std::int64_t fold_states(const Pass& pass) {
  return pass.operands[pass.output].moves[pass.axes - 1] != 0 ? 0 : TileOrder(pass).tiles;
}

/// Folds a pass into `outputs`, which have begun. `tiles`: room for fold_states(pass) states, in memory of the space.
template <int W, class Space>
void fold_pass(const Space& instance, const Pass& pass, const FoldTarget& outputs, const ReduceState& tiles) {
  if (fold_states(pass) == 0) {
    FoldColumnsItem<W> item{pass, outputs, 1};
    item.reduced = item.count(false);
    each_item(instance, "weft::fold_columns", item);
    return;
  }
  FoldTarget own = outputs;
  own.state = tiles;
  each_item(instance, "weft::fold_tiles", FoldTileItem<W>{pass, own});
  const MergeTiles merge{pass, own, outputs};
  if (merge.apart())
    each_item(instance, "weft::merge_rows", MergeRowItem{merge});
  else
    each_item(instance, "weft::merge_tiles", MergeAllItem{merge});
}

}  // namespace
}  // namespace weft::arrays::kernels
