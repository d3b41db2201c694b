#include "arrays/kernels/tile_kernels.hpp"

namespace weft::arrays::kernels {

void fill_elementwise_base(KernelTable& table);
void fill_elementwise_complex(KernelTable& table);
void fill_casts_base(KernelTable& table);
void fill_reduce_base(KernelTable& table);

namespace {

KernelTable* make_table() {
  static KernelTable table{};
  fill_elementwise_base(table);
  fill_elementwise_complex(table);
  fill_casts_base(table);
  fill_reduce_base(table);
#ifdef WEFT_KERNELS_V3
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) fill_v3(table);
#endif
  return &table;
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable& table = *make_table();
  return table;
}

}  // namespace weft::arrays::kernels
