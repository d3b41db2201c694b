#pragma once

#include "arrays/kernels/reduce_kernels.inc"
#include "arrays/kernels/spaces/pass_block.hpp"

#include <cstring>

// The folds of a pass on a block of elements, whatever the space: those of the tile kernels (reduce_kernels.inc).

namespace weft::arrays::kernels {
namespace {

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
  /// Whether columns are folded some rows at once.
  std::uint8_t grouped = 0;
  /// Of complex numbers, which only the host's space knows: what folds them.
  const ReduceKernel* host = nullptr;
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
  void by(const ReduceKernel& kernel) const { kernel.begin(state, n); }
};
/// Folds a run by the threads of a block: one of them, where the order of a fold is not known here.
template <class Fold>
struct RunOfBlock {
  static WEFT_FUNCTION void run(const ReduceState& state, const void* values, std::size_t n, std::int64_t place,
                                std::int64_t stride) {
    if (WEFT_FIRST_THREAD) Fold::run(state, values, n, place, stride);
  }
};
#ifdef __CUDA_ARCH__
/// The lanes of a simple fold are threads of one warp: the same additions in the same order as Simple::run.
template <class T, class A, class Fold, bool kSkipNan>
struct RunOfBlock<Simple<T, A, Fold, kSkipNan>> {
  static __device__ void run(const ReduceState& state, const void* values, std::size_t n, std::int64_t, std::int64_t) {
    if (threadIdx.x >= kLanes) return;
    const T* const x = static_cast<const T*>(values);
    A mine = Fold::template identity<A>();
    for (std::size_t i = threadIdx.x; i < n; i += kLanes) {
      mine = Fold::fold(mine, Simple<T, A, Fold, kSkipNan>::wide(x[i]));
    }
    for (unsigned width = kLanes / 2; width > 0; width /= 2) {
      std::uint64_t word = 0;
      memcpy(&word, &mine, sizeof mine);
      word = __shfl_down_sync(0xffffu, word, width, static_cast<int>(kLanes));
      A other;
      memcpy(&other, &word, sizeof other);
      if (threadIdx.x < width) mine = Fold::fold(mine, other);
    }
    A& sum = *part<A>(state, 0);
    if (threadIdx.x == 0) sum = Fold::fold(sum, mine);
  }
};
#endif

/// Values folded into one output, or each into an output of its own.
template <bool kColumns>
struct ValuesFold {
  ReduceState state;
  const void* values;
  std::size_t n;
  std::int64_t place, stride;
  /// Bytes of a value, and of the parts of a state.
  std::size_t bytes;
  const std::uint8_t* sizes;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    if constexpr (!kColumns) {
      RunOfBlock<Fold>::run(state, values, n, place, stride);
    } else {
#ifdef __CUDA_ARCH__
      WEFT_EACH(i, n) {
        const auto index = static_cast<std::int64_t>(i);
        Fold::columns(state_element(state, index, sizes), static_cast<const std::byte*>(values) + i * bytes, 1,
                      place + index * stride, stride);
      }
#else
      Fold::columns(state, values, n, place, stride);
#endif
    }
  }
  void by(const ReduceKernel& kernel) const {
    (kColumns ? kernel.columns : kernel.run)(state, values, n, place, stride);
  }
};
using RunFold = ValuesFold<false>;
using ColumnsFold = ValuesFold<true>;
/// The folds that take some rows at once (ReduceKernel::rows).
template <class Fold>
inline constexpr bool kFoldsRows = false;
template <class T>
inline constexpr bool kFoldsRows<Moments<T, false>> = true;

struct RowsFold {
  ReduceState state;
  const void* values;
  std::size_t n, rows;
  std::int64_t row_bytes;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    if constexpr (kFoldsRows<Fold>) Fold::rows(state, values, n, rows, row_bytes);
  }
  void by(const ReduceKernel& kernel) const { kernel.rows(state, values, n, rows, row_bytes); }
};
struct MergeFold {
  ReduceState into, from;
  template <class Fold>
  WEFT_FUNCTION void operator()(Fold) const {
    Fold::merge(into, from, 1);
  }
  void by(const ReduceKernel& kernel) const { kernel.merge(into, from, 1); }
};
template <class Use>
WEFT_FUNCTION void fold_with(const FoldTarget& target, const Use& use) {
#ifndef __CUDA_ARCH__
  if (target.host != nullptr) return use.by(*target.host);
#endif
  with_type(target.type, FoldTyped<Use>{target.code, use});
}
WEFT_ITEM_FUNCTION void begin_fold(const FoldTarget& target, const BeginFold& use) { fold_with(target, use); }
WEFT_ITEM_FUNCTION void run_fold(const FoldTarget& target, const RunFold& use) { fold_with(target, use); }
WEFT_ITEM_FUNCTION void columns_fold(const FoldTarget& target, const ColumnsFold& use) { fold_with(target, use); }
WEFT_ITEM_FUNCTION void rows_fold(const FoldTarget& target, const RowsFold& use) { fold_with(target, use); }
WEFT_ITEM_FUNCTION void merge_fold(const FoldTarget& target, const MergeFold& use) { fold_with(target, use); }

/// Rows of a block of columns that wait until they are folded at once. On a device each thread has its own column.
template <int W>
class RowsOfBlock {
 public:
  WEFT_FUNCTION RowsOfBlock(std::size_t bytes, std::size_t n) : bytes_(bytes), n_(n) {}

  WEFT_FUNCTION void take(const void* values) {
    const std::byte* const from = static_cast<const std::byte*>(values);
    std::byte* const to = room_ + rows_ * row_bytes();
#ifdef __CUDA_ARCH__
    if (threadIdx.x < n_) memcpy(to, from + threadIdx.x * bytes_, bytes_);
#else
    std::memcpy(to, from, n_ * bytes_);
#endif
    ++rows_;
  }
  WEFT_FUNCTION void fold(const FoldTarget& target, const ReduceState& state) {
#ifdef __CUDA_ARCH__
    if (threadIdx.x < n_) {
      rows_fold(target, RowsFold{state_element(state, threadIdx.x, target.sizes), room_, 1, rows_,
                                 static_cast<std::int64_t>(row_bytes())});
    }
#else
    rows_fold(target, RowsFold{state, room_, n_, rows_, static_cast<std::int64_t>(row_bytes())});
#endif
    rows_ = 0;
  }

 private:
#ifdef __CUDA_ARCH__
  static constexpr std::size_t kColumns = 1, kBytes = 8;
#else
  static constexpr std::size_t kColumns = W, kBytes = 16;
#endif
  WEFT_FUNCTION std::size_t row_bytes() const { return kColumns * bytes_; }

  const std::size_t bytes_, n_;
  std::size_t rows_ = 0;
  alignas(16) std::byte room_[static_cast<std::size_t>(kFoldRows) * kColumns * kBytes];
};

}  // namespace
}  // namespace weft::arrays::kernels
