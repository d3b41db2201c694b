#pragma once

#include "arrays/kernels/spaces/pass.hpp"

#include <string>

// Passes in execution spaces of Kokkos. The functions of one element and the folds are those of the tile kernels, so
// the bits are the same; what differs is who loops.

namespace weft::arrays::kernels {

/// Tells whether this build has Kokkos' host space.
bool has_host_space();
/// Returns Kokkos' version and what it was built with, or why it is absent; for `weft --version`.
std::string host_space_text();

/// Writes every element of the box to `out`, in C order.
/// Threading: any thread; each call is one loop on the calling thread's instance.
void write_in_host_space(const Pass& pass, std::byte* out);
/// Folds every element into a state that has begun. Tiles and their order are those of TileWalk.
void fold_in_host_space(const Pass& pass, ReduceCode code, const ReduceState& state);

}  // namespace weft::arrays::kernels
