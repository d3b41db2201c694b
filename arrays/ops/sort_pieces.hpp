#pragma once

#include "arrays/ops/lanes.hpp"

namespace weft::arrays::ops {

/// Pieces that a vector is sorted in, at most: their number squared is that of the stretches that change places.
inline constexpr std::int64_t kMostSortPieces = 256;

/// What is made of the keys in the end.
struct SortedForm {
  /// Keys have places (kernels::PlacedKey), which are the result.
  bool placed = false;
  Dtype dtype;
};

/// Puts a vector in order whose pieces are, each by itself. `keys` has the chunks `pieces`, of uint64 or, with places,
/// complex128 elements.
///
/// 1. Where each boundary of the result lies in each piece is found by asking the pieces for a few keys at a time
///    (`SplitProbe`) and narrowing what is possible (`SplitNarrow`): a few rounds of small tasks.
/// 2. Each piece gives one stretch to each chunk of the result (`SplitStretch`); their lengths only running can tell.
/// 3. Each chunk of the result merges its stretches (`MergeStretches`).
/// Every element moves twice, however many pieces there are.
Array sort_pieces(const Array& keys, const AxisGrid& pieces, const SortedForm& form, const std::source_location& where);

}  // namespace weft::arrays::ops
