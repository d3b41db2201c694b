#pragma once

#include "arrays/kernels/device_stream.hpp"

#include <weft/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::arrays::kernels {

// Products of matrices on devices by cuBLAS. The library is loaded when it is first needed; weft needs none of its
// files to build. Threading: any thread.

/// c = op(a) op(b), or added to what c holds, for `count` matrices; column by column, as Fortran has them. Strides from
/// one matrix to the next and leading dimensions count elements.
struct DeviceProduct {
  TypeCode type = TypeCode::Float64;
  bool transposes_a = false, transposes_b = false, adds = false;
  std::int64_t m = 0, n = 0, k = 0, count = 1;
  const std::byte *a = nullptr, *b = nullptr;
  std::byte* c = nullptr;
  std::int64_t lda = 0, ldb = 0, ldc = 0;
  std::int64_t stride_a = 0, stride_b = 0, stride_c = 0;
};

/// Returns why the library cannot be used and what to do, "" where it can.
std::string why_no_cublas();
/// Float and complex numbers, whose extents the library can count.
bool cublas_knows(const DeviceProduct& product);
/// Bytes that the library works in, which are the caller's until the product is done.
std::size_t cublas_room(const DeviceProduct& product);
/// Puts a product on a stream. Throws gpu::DeviceError, which says what the library refused.
void multiply_on_device(const DeviceStream& stream, const DeviceProduct& product, std::byte* room);
/// Returns whether products of float32 round their factors to TF32 (WEFT_TF32=1): many times as fast, three digits.
bool wants_tf32();

/// Loads this file instead of the machine's library from now on, "" for that one again; for tests.
void set_cublas_file(const std::string& file);

}  // namespace weft::arrays::kernels
