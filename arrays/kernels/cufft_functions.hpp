#pragma once

#include <cstddef>

// What weft calls of cuFFT, so that it builds without its header; see cublas_functions.hpp.

namespace weft::arrays::kernels::cufft {

using Handle = int;
using Status = int;

// Of cufftType, and the directions.
inline constexpr int kR2C = 0x2a, kC2R = 0x2c, kC2C = 0x29, kD2Z = 0x6a, kZ2D = 0x6c, kZ2Z = 0x69;
inline constexpr int kForward = -1, kInverse = 1;

using Create = Status (*)(Handle*);
using Destroy = Status (*)(Handle);
using SetStream = Status (*)(Handle, void* stream);
using SetWorkArea = Status (*)(Handle, void* room);
using SetAutoAllocation = Status (*)(Handle, int allocates);
using MakePlan = Status (*)(Handle, int rank, long long* n, long long* in_embedded, long long in_stride,
                            long long in_distance, long long* out_embedded, long long out_stride,
                            long long out_distance, int type, long long batch, std::size_t* room);
using Complex = Status (*)(Handle, void* in, void* out, int direction);
using Real = Status (*)(Handle, void* in, void* out);

}  // namespace weft::arrays::kernels::cufft
