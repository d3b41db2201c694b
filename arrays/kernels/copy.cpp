#include "arrays/kernels/copy.hpp"

#include "arrays/kernels/tile_kernels.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace weft::arrays::kernels {
namespace {

struct Bytes16 {
  std::uint64_t words[2];
};

/// Calls body with a type of the element's size.
template <class Body>
void with_size(std::size_t element_bytes, const Body& body) {
  switch (element_bytes) {
    case 1:
      return body(std::uint8_t{});
    case 2:
      return body(std::uint16_t{});
    case 4:
      return body(std::uint32_t{});
    case 8:
      return body(std::uint64_t{});
    default:
      return body(Bytes16{});
  }
}

/// Rows of a strip: what lies side by side in the source is then several lines, which it is read by.
constexpr std::int64_t kStrip = 32;

/// Copies a row, whole lines of it past the caches.
void stream_row(std::byte* to, const std::byte* from, std::size_t bytes) {
#if defined(__SSE2__)
  constexpr std::size_t kLine = 64;
  const std::size_t head = (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine;
  if (bytes >= 4 * kLine) {
    std::memcpy(to, from, head);
    std::size_t at = head;
    for (; at + kLine <= bytes; at += kLine) {
      for (std::size_t part = 0; part < kLine; part += 16) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + at + part),
                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at + part)));
      }
    }
    std::memcpy(to + at, from + at, bytes - at);
    return;
  }
#endif
  std::memcpy(to, from, bytes);
}

/// The inner two axes of a copy.
void copy_plane(std::byte* to, std::int64_t to_row, std::int64_t to_column, const std::byte* from,
                std::int64_t from_row, std::int64_t from_column, std::int64_t rows, std::int64_t columns,
                std::size_t element_bytes, bool past_cache) {
  const auto size = static_cast<std::int64_t>(element_bytes);
  if (to_column == size && from_column == size && past_cache) {
    for (std::int64_t row = 0; row < rows; ++row) {
      stream_row(to + row * to_row, from + row * from_row, static_cast<std::size_t>(columns) * element_bytes);
    }
#if defined(__SSE2__)
    _mm_sfence();
#endif
    return;
  }
  if (to_column == size && from_column == size) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::memcpy(to + row * to_row, from + row * from_row, static_cast<std::size_t>(columns) * element_bytes);
    }
    return;
  }
  if (to_column == size && from_row == size) {
    for (std::int64_t row = 0; row < rows; row += kStrip) {
      gather_rows(to + row * to_row, static_cast<std::size_t>(to_row), from + row * size, from_column,
                  static_cast<std::size_t>(std::min(kStrip, rows - row)), static_cast<std::size_t>(columns),
                  element_bytes);
    }
    return;
  }
  with_size(element_bytes, [&](auto element) {
    using E = decltype(element);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::byte* out = to + row * to_row;
      const std::byte* in = from + row * from_row;
      for (std::int64_t column = 0; column < columns; ++column, out += to_column, in += from_column) {
        *reinterpret_cast<E*>(out) = *reinterpret_cast<const E*>(in);
      }
    }
  });
}

}  // namespace

void gather_strided(std::byte* to, const std::byte* from, std::int64_t stride, std::size_t n,
                    std::size_t element_bytes) {
  with_size(element_bytes, [&](auto element) {
    using E = decltype(element);
    E* const out = reinterpret_cast<E*>(to);
    if (stride == 0) {
      const E value = *reinterpret_cast<const E*>(from);
      for (std::size_t i = 0; i < n; ++i) out[i] = value;
      return;
    }
    const std::byte* in = from;
    for (std::size_t i = 0; i < n; ++i, in += stride) out[i] = *reinterpret_cast<const E*>(in);
  });
}

void gather_rows(std::byte* to, std::size_t to_row, const std::byte* from, std::int64_t stride, std::size_t rows,
                 std::size_t n, std::size_t element_bytes) {
  if (element_bytes == 8) return kernels().transpose_doubles(to, to_row, from, stride, rows, n);
  if (element_bytes == 4) return kernels().transpose_words(to, to_row, from, stride, rows, n);
  with_size(element_bytes, [&](auto element) {
    using E = decltype(element);
    for (std::size_t i = 0; i < n; ++i, from += stride) {
      const E* const in = reinterpret_cast<const E*>(from);
      for (std::size_t row = 0; row < rows; ++row) reinterpret_cast<E*>(to + row * to_row)[i] = in[row];
    }
  });
}

void copy_box(std::byte* to, const std::int64_t* to_strides, const std::byte* from, const std::int64_t* from_strides,
              const std::int64_t* extents, std::size_t ndim, std::size_t element_bytes, bool past_cache) {
  // 1. Leave out axes of extent 1, and put together those that run on.
  std::int64_t extent[kMostAxes], out[kMostAxes], in[kMostAxes];
  std::size_t axes = 0;
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    if (extents[axis] == 0) return;
    if (extents[axis] == 1) continue;
    if (axes > 0 && out[axes - 1] == to_strides[axis] * extents[axis] &&
        in[axes - 1] == from_strides[axis] * extents[axis]) {
      extent[axes - 1] *= extents[axis];
      out[axes - 1] = to_strides[axis];
      in[axes - 1] = from_strides[axis];
      continue;
    }
    extent[axes] = extents[axis];
    out[axes] = to_strides[axis];
    in[axes] = from_strides[axis];
    ++axes;
  }
  while (axes < 2) {
    for (std::size_t axis = axes; axis > 0; --axis) {
      extent[axis] = extent[axis - 1];
      out[axis] = out[axis - 1];
      in[axis] = in[axis - 1];
    }
    extent[0] = 1;
    out[0] = in[0] = 0;
    if (axes == 0) out[0] = in[0] = static_cast<std::int64_t>(element_bytes);
    ++axes;
  }
  // 2. Bring the axis that runs on in the source next to the innermost one, so that a plane is a transposition.
  for (std::size_t axis = 0; axis + 2 < axes; ++axis) {
    if (in[axis] == static_cast<std::int64_t>(element_bytes) && in[axes - 1] != in[axis]) {
      std::swap(extent[axis], extent[axes - 2]);
      std::swap(out[axis], out[axes - 2]);
      std::swap(in[axis], in[axes - 2]);
    }
  }
  // 3. Plane by plane.
  std::int64_t index[kMostAxes] = {};
  for (;;) {
    copy_plane(to, out[axes - 2], out[axes - 1], from, in[axes - 2], in[axes - 1], extent[axes - 2], extent[axes - 1],
               element_bytes, past_cache);
    std::size_t axis = axes - 2;
    for (;;) {
      if (axis-- == 0) return;
      to += out[axis];
      from += in[axis];
      if (++index[axis] < extent[axis]) break;
      to -= out[axis] * extent[axis];
      from -= in[axis] * extent[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace weft::arrays::kernels
