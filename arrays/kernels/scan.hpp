#pragma once

#include <weft/dtype.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::arrays::kernels {

/// Last: the last element that is a number. Max: NaN where one came before.
enum class Scan : std::uint8_t { Sum, Product, Last, Max, Min };

/// The type in which a scan of `type` is kept: floats and complex numbers in double precision.
Dtype scan_type(Dtype type);

/// A block of elements in C order: `outer` times `n` places of the axis times `inner`.
struct ScanBlock {
  std::int64_t outer = 1;
  std::int64_t n = 1;
  std::int64_t inner = 1;
};
/// Writes the total along the axis: outer x inner of scan_type(type).
void scan_total(Scan scan, Dtype type, const ScanBlock& block, const void* in, void* totals);
/// Writes the totals before each: of outer x n x inner totals, in scan_type(type); the first are 0 (1, NaN, the least,
/// the greatest).
void scan_before(Scan scan, Dtype type, const ScanBlock& block, const void* totals, void* before);
/// Writes the elements of the scan. `before`: outer x inner of scan_type(type), or null.
void scan_block(Scan scan, Dtype type, const ScanBlock& block, const void* in, const void* before, void* out);

}  // namespace weft::arrays::kernels
