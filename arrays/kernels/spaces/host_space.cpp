// Passes in Kokkos' host space: the same work items that a device runs.
#include "arrays/kernels/spaces/host_instance.hpp"
// Its loops are found by host_loops.hpp.
#include "arrays/kernels/spaces/host_loops.hpp"

namespace weft::arrays::kernels {

bool has_host_space() { return true; }

std::string host_space_text() {
  constexpr int kVersion = KOKKOS_VERSION;
  return std::to_string(kVersion / 10000) + "." + std::to_string(kVersion / 100 % 100) + "." +
         std::to_string(kVersion % 100) + ", space " + HostSpace::name();
}

}  // namespace weft::arrays::kernels
