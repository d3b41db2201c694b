// Reductions that every processor of the architecture can run.
#include "arrays/kernels/reduce_kernels.inc"

#include <tuple>

namespace weft::arrays::kernels {

template <class... T>
static void fill_all(KernelTable& table) {
  (fill_reduce<T>(table), ...);
}

void fill_reduce_base(KernelTable& table) {
  fill_all<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
           std::uint64_t, float, double, std::complex<float>, std::complex<double>>(table);
}

}  // namespace weft::arrays::kernels
