// Compares what weft declares of CUDA's libraries with the toolkit's headers, where those are: a wrong one would only
// be seen on a device.
#include "arrays/kernels/cublas_functions.hpp"

#include "tests/arrays/kernels/same_call.hpp"

#include <cublas_v2.h>

#include <type_traits>

namespace weft::arrays::kernels {
namespace {

using testing::SameCall;

static_assert(SameCall<int (*)(int, void*), cublasStatus_t (*)(cublasOperation_t, cudaStream_t)>::value);

// As the library exports them: the header's macros may give the plain names to later versions.
static_assert(SameCall<cublas::Create, decltype(&::cublasCreate_v2)>::value);
static_assert(SameCall<cublas::Destroy, decltype(&::cublasDestroy_v2)>::value);
static_assert(SameCall<cublas::SetStream, decltype(&::cublasSetStream_v2)>::value);
static_assert(SameCall<cublas::SetWorkspace, decltype(&::cublasSetWorkspace_v2)>::value);
static_assert(SameCall<cublas::StatusText, decltype(&::cublasGetStatusString)>::value);
// The header has an overload of it for old callers: that with the type of the sum is the library's.
using TheirGemm = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void*,
                                     const void*, cudaDataType, int, long long, const void*, cudaDataType, int,
                                     long long, const void*, void*, cudaDataType, int, long long, int,
                                     cublasComputeType_t, cublasGemmAlgo_t);
static_assert(std::is_same_v<decltype(static_cast<TheirGemm>(&::cublasGemmStridedBatchedEx)), TheirGemm>);
static_assert(SameCall<cublas::Gemm, TheirGemm>::value);

static_assert(cublas::kAsItIs == CUBLAS_OP_N && cublas::kTransposed == CUBLAS_OP_T);
static_assert(cublas::kFloat32 == CUDA_R_32F && cublas::kFloat64 == CUDA_R_64F);
static_assert(cublas::kComplex64 == CUDA_C_32F && cublas::kComplex128 == CUDA_C_64F);
static_assert(cublas::kComputeFloat32 == CUBLAS_COMPUTE_32F && cublas::kComputeTf32 == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(cublas::kComputeFloat64 == CUBLAS_COMPUTE_64F && cublas::kDefaultAlgorithm == CUBLAS_GEMM_DEFAULT);

}  // namespace
}  // namespace weft::arrays::kernels
