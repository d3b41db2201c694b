#pragma once

#include "arrays/kernels/reduce_kernels.inc"
#include "arrays/kernels/spaces/pass_block.hpp"

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
