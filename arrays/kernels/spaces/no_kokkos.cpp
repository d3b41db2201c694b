// Stands in where Kokkos was not found: nobody asks for a space that is not there.
#include "arrays/kernels/spaces/spaces.hpp"

namespace weft::arrays::kernels {

bool has_host_space() { return false; }
std::string host_space_text() { return "off: not found (libtrilinos-kokkos-dev, or a Kokkos that find_package finds)"; }
void write_in_host_space(const Pass&, std::byte*) {}
void fold_in_host_space(const Pass&, ReduceCode, const ReduceState&) {}

}  // namespace weft::arrays::kernels
