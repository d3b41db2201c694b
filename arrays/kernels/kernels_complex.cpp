// Elementwise kernels for complex numbers, and the casts between all types.
#include "arrays/kernels/elementwise_kernels.inc"

namespace weft::arrays::kernels {

void fill_elementwise_complex(KernelTable& table) {
  fill_elementwise<std::complex<float>, std::complex<double>>(table);
}

template <class... From>
static void fill_all_casts(KernelTable& table, std::tuple<From...>*) {
  (fill_casts<From>(table, static_cast<AllTypes*>(nullptr)), ...);
}

void fill_casts_base(KernelTable& table) { fill_all_casts(table, static_cast<AllTypes*>(nullptr)); }

}  // namespace weft::arrays::kernels
