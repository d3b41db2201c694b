#include "arrays/kernels/tile_kernels.hpp"

#include <atomic>

namespace weft::arrays::kernels {

void fill_elementwise_base(KernelTable& table);
void fill_elementwise_complex(KernelTable& table);
void fill_casts_base(KernelTable& table);
void fill_reduce_base(KernelTable& table);

namespace {

void fill_base(KernelTable& table) {
  fill_elementwise_base(table);
  fill_elementwise_complex(table);
  fill_casts_base(table);
  fill_reduce_base(table);
}

/// Returns the table of the widest vectors that the processor has, `widest` at most.
KernelTable* make_table([[maybe_unused]] Vectors widest) {
  auto* const table = new KernelTable{};
  fill_base(*table);
#ifdef WEFT_KERNELS_V3
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (widest < Vectors::Avx2 || !v3) return table;
  fill_v3(*table);
  if (widest == Vectors::Avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
    fill_v4(*table);
  }
#endif
  return table;
}

}  // namespace

namespace {

std::atomic<const KernelTable*>& chosen() {
  static std::atomic<const KernelTable*> table{&kernels(Vectors::Avx512)};
  return table;
}

}  // namespace

const KernelTable& kernels() { return *chosen().load(std::memory_order_acquire); }

void use_kernels(const KernelTable& table) { chosen().store(&table, std::memory_order_release); }

const KernelTable& kernels(Vectors widest) {
  static const KernelTable* const tables[] = {make_table(Vectors::Base), make_table(Vectors::Avx2),
                                              make_table(Vectors::Avx512)};
  return *tables[static_cast<std::size_t>(widest)];
}

}  // namespace weft::arrays::kernels
