// The kernels that gain from vectors of 64 bytes: those that compute more than they move. As for kernels_v3.cpp, only
// code with internal linkage is reachable from here.
#include "arrays/kernels/order_kernels.inc"
#include "arrays/kernels/random_kernels.inc"

namespace weft::arrays::kernels {

void fill_v4(KernelTable& table) {
  fill_order(table);
  fill_random(table);
}

}  // namespace weft::arrays::kernels
