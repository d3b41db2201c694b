#pragma once

#include <cstddef>
#include <cstdint>

// What weft calls of cuBLAS (CUDA 11 and later), so that it builds without its header. Enumerations are ints here;
// tests/arrays/kernels/cublas_functions_test.cpp compares each with the toolkit's header where that is found.

namespace weft::arrays::kernels::cublas {

using Handle = struct CublasContext*;
using Status = int;

// Of cublasOperation_t, cudaDataType_t, cublasComputeType_t, cublasGemmAlgo_t.
inline constexpr int kAsItIs = 0, kTransposed = 1;
inline constexpr int kFloat32 = 0, kFloat64 = 1, kComplex64 = 4, kComplex128 = 5;
inline constexpr int kComputeFloat32 = 68, kComputeTf32 = 77, kComputeFloat64 = 70;
inline constexpr int kDefaultAlgorithm = -1;

using Create = Status (*)(Handle*);
using Destroy = Status (*)(Handle);
using SetStream = Status (*)(Handle, void* stream);
using SetWorkspace = Status (*)(Handle, void* workspace, std::size_t bytes);
using StatusText = const char* (*)(Status);
using Gemm = Status (*)(Handle, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int type_a,
                        int lda, long long stride_a, const void* b, int type_b, int ldb, long long stride_b,
                        const void* beta, void* c, int type_c, int ldc, long long stride_c, int count, int compute,
                        int algorithm);

}  // namespace weft::arrays::kernels::cublas
