#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::arrays::kernels {

/// Copies a box of elements between two layouts. Strides are in bytes; axes are put together where both layouts allow,
/// and a transposition goes block by block. `ndim` is at most kMostAxes. `past_cache`: what is written is part of more
/// than the caches hold, so rows go to memory without its lines being read first.
void copy_box(std::byte* to, const std::int64_t* to_strides, const std::byte* from, const std::int64_t* from_strides,
              const std::int64_t* extents, std::size_t ndim, std::size_t element_bytes, bool past_cache = false);

/// From here on a chunk counts as more than the caches hold.
inline constexpr std::size_t kPastCacheBytes = std::size_t{4} << 20;

/// Copies `n` elements that lie `stride` bytes apart to where they lie side by side.
void gather_strided(std::byte* to, const std::byte* from, std::int64_t stride, std::size_t n,
                    std::size_t element_bytes);

/// Copies rows x n elements, rows side by side in `from` (one element apart) and columns `stride` bytes apart, to rows
/// of `to` that lie `to_row` bytes apart: a strip of a transposition.
void gather_rows(std::byte* to, std::size_t to_row, const std::byte* from, std::int64_t stride, std::size_t rows,
                 std::size_t n, std::size_t element_bytes);

inline constexpr std::size_t kMostAxes = 32;

}  // namespace weft::arrays::kernels
