#pragma once

#include "arrays/kernels/spaces/pass.hpp"

#include <string>

namespace weft::arrays::kernels {

/// A box of elements that is moved: from any strides to any others.
struct BoxCopy {
  std::int32_t axes = 0, element_bytes = 1;
  std::int64_t extents[kPassAxes] = {};
  std::int64_t to_strides[kPassAxes] = {}, from_strides[kPassAxes] = {};
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
};

/// What a pass is folded into: `outputs` states of one kernel, the parts side by side.
struct FoldOutputs {
  ReduceCode code{};
  TypeCode type = TypeCode::Float64;
  ReduceState state;
};

/// Numbers that are multiplied by one number where they lie; by 0 they become 0, whatever they were.
struct Scaling {
  bool single = false;
  std::int64_t count = 0;
  double factor = 1;
  std::byte* data = nullptr;
};

/// The loops of one space over the work items of a pass, as functions that do not tell which space it is: so what plans
/// passes for devices is tested where there is none. All memory is the space's. `stream`: what the loops are put on, a
/// cudaStream_t; the host's loops have run when they return, and do not look at it.
/// Threading: any thread; one stream is used by one at a time.
struct SpaceLoops {
  void (*copy)(void* stream, const BoxCopy& box);
  /// Writes every element to `out`, in C order.
  void (*write)(void* stream, const Pass& pass, std::byte* out);
  /// Begins so many states.
  void (*begin)(void* stream, const FoldOutputs& outputs, std::int64_t count);
  /// Folds every element into states that have begun. `tiles`: room for fold_states(pass) states of their own.
  void (*fold)(void* stream, const Pass& pass, const FoldOutputs& outputs, const ReduceState& tiles);
  void (*scale)(void* stream, const Scaling& scaling);
};

/// How many states a fold needs beside those of its outputs.
std::int64_t fold_states(const Pass& pass);

/// The host's: Kokkos' host space where this build has it, else plain loops.
const SpaceLoops& host_loops();
/// Those of CUDA devices; null where this build had no nvcc.
const SpaceLoops* cuda_loops();
/// "sm_90", as this build's kernels for devices were compiled; "" where there are none.
std::string cuda_architectures();

}  // namespace weft::arrays::kernels
