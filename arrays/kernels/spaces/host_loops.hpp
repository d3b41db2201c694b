#pragma once

#include "arrays/kernels/spaces/pass.hpp"

namespace weft::arrays::kernels {
namespace {

template <class Space>
int block_of(const Space&, const Pass&, int most) {
  return most;
}
template <class Space>
int column_block_of(const Space&, int most) {
  return most;
}

}  // namespace
}  // namespace weft::arrays::kernels

#include "arrays/kernels/spaces/pass_loops.hpp"
#include "arrays/kernels/spaces/spaces.hpp"

#include <vector>

// What the host's space exports, whoever loops: included by the one file that has host_instance() and each_item().

namespace weft::arrays::kernels {
namespace {

/// Elements of a block: enough to hide the choice of the instruction, few enough for the first-level cache.
constexpr int kHostBlock = 128;

}  // namespace

std::int64_t fold_states(const Pass& pass) { return tile_states(pass); }

const SpaceLoops& host_loops() {
  static constexpr SpaceLoops loops{
      [](void*, const BoxCopy& box) { each_item(host_instance(), "weft::copy", CopyItem{box}); },
      [](void*, const Pass& pass, std::byte* out) { write_pass<kHostBlock>(host_instance(), pass, out); },
      [](void*, const FoldOutputs& outputs, std::int64_t count) {
        each_item(host_instance(), "weft::begin", BeginItem{target_of(outputs), count});
      },
      [](void*, const Pass& pass, const FoldOutputs& outputs, const ReduceState& tiles) {
        fold_pass<kHostBlock>(host_instance(), pass, target_of(outputs), tiles);
      },
      [](void*, const Scaling& scaling) { each_item(host_instance(), "weft::scale", ScaleItem{scaling}); }};
  return loops;
}

void write_in_host_space(const Pass& pass, std::byte* out) { host_loops().write(nullptr, pass, out); }

void fold_in_host_space(const Pass& pass, ReduceCode code, const ReduceState& state) {
  const ReduceKernel& kernel = reduce_kernel(code, pass.type);
  ReduceState tiles;
  std::vector<std::vector<std::byte>> memory(kernel.parts);
  for (int part = 0; part < kernel.parts; ++part) {
    const std::size_t size = Dtype(kernel.types[part]).size();
    memory[static_cast<std::size_t>(part)].resize(static_cast<std::size_t>(tile_states(pass)) * size);
    tiles.parts[part] = memory[static_cast<std::size_t>(part)].data();
  }
  host_loops().fold(nullptr, pass, FoldOutputs{code, pass.type, state}, tiles);
}

}  // namespace weft::arrays::kernels
