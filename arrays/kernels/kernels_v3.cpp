// The kernels that gain from wide vectors, compiled for processors with AVX2. Only code with internal linkage is
// reachable from here, so that no other file is given a function compiled for it.
#include "arrays/kernels/elementwise_kernels.inc"
#include "arrays/kernels/order_kernels.inc"
#include "arrays/kernels/random_kernels.inc"
#include "arrays/kernels/reduce_kernels.inc"
#include "arrays/kernels/transpose_kernels.inc"

namespace weft::arrays::kernels {

void fill_v3(KernelTable& table) {
  fill_elementwise<bool, std::int32_t, std::int64_t, std::uint8_t, float, double>(table);
  fill_reduce<std::int32_t>(table);
  fill_reduce<std::int64_t>(table);
  fill_reduce<float>(table);
  fill_reduce<double>(table);
  fill_order(table);
  fill_random(table);
  fill_transpose(table);
}

}  // namespace weft::arrays::kernels
