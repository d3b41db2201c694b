// Kernels that every processor of the architecture can run, and those for complex numbers.
#include "arrays/kernels/elementwise_kernels.inc"
#include "arrays/kernels/order_kernels.inc"
#include "arrays/kernels/random_kernels.inc"
#include "arrays/kernels/transpose_kernels.inc"

namespace weft::arrays::kernels {

void fill_elementwise_base(KernelTable& table) {
  fill_elementwise<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                   std::uint32_t, std::uint64_t, float, double>(table);
  fill_order(table);
  fill_random(table);
  fill_transpose(table);
}

}  // namespace weft::arrays::kernels
