// Passes in Kokkos' host space: the same work items that a device runs.
#include "arrays/kernels/spaces/spaces.hpp"

#include "arrays/kernels/spaces/host_instance.hpp"
#include "arrays/kernels/spaces/pass_loops.hpp"

#include <vector>

namespace weft::arrays::kernels {
namespace {

/// Elements of a block: enough to hide the choice of the instruction, few enough for the first-level cache.
constexpr int kHostBlock = 128;

}  // namespace

bool has_host_space() { return true; }

std::string host_space_text() {
  constexpr int kVersion = KOKKOS_VERSION;
  return std::to_string(kVersion / 10000) + "." + std::to_string(kVersion / 100 % 100) + "." +
         std::to_string(kVersion % 100) + ", space " + HostSpace::name();
}

void write_in_host_space(const Pass& pass, std::byte* out) { write_pass<kHostBlock>(host_instance(), pass, out); }

void fold_in_host_space(const Pass& pass, ReduceCode code, const ReduceState& state) {
  const ReduceKernel& kernel = reduce_kernel(code, pass.type);
  FoldTarget outputs{code, pass.type, state, {0, 0, 0}};
  ReduceState tiles;
  std::vector<std::vector<std::byte>> memory(kernel.parts);
  for (int part = 0; part < kernel.parts; ++part) {
    outputs.sizes[part] = static_cast<std::uint8_t>(Dtype(kernel.types[part]).size());
    memory[static_cast<std::size_t>(part)].resize(static_cast<std::size_t>(fold_states(pass)) * outputs.sizes[part]);
    tiles.parts[part] = memory[static_cast<std::size_t>(part)].data();
  }
  for (int part = kernel.parts; part < 3; ++part) outputs.state.parts[part] = nullptr;
  fold_pass<kHostBlock>(host_instance(), pass, outputs, tiles);
}

}  // namespace weft::arrays::kernels
