// As cublas_functions_test.cpp, of cuFFT.
#include "arrays/kernels/cufft_functions.hpp"

#include "tests/arrays/kernels/same_call.hpp"

#include <cufft.h>

namespace weft::arrays::kernels {
namespace {

using testing::SameCall;

static_assert(SameCall<cufft::Create, decltype(&::cufftCreate)>::value);
static_assert(SameCall<cufft::Destroy, decltype(&::cufftDestroy)>::value);
static_assert(SameCall<cufft::SetStream, decltype(&::cufftSetStream)>::value);
static_assert(SameCall<cufft::SetWorkArea, decltype(&::cufftSetWorkArea)>::value);
static_assert(SameCall<cufft::SetAutoAllocation, decltype(&::cufftSetAutoAllocation)>::value);
static_assert(SameCall<cufft::MakePlan, decltype(&::cufftMakePlanMany64)>::value);
static_assert(SameCall<cufft::Complex, decltype(&::cufftExecC2C)>::value);
static_assert(SameCall<cufft::Complex, decltype(&::cufftExecZ2Z)>::value);
static_assert(SameCall<cufft::Real, decltype(&::cufftExecR2C)>::value);
static_assert(SameCall<cufft::Real, decltype(&::cufftExecD2Z)>::value);
static_assert(SameCall<cufft::Real, decltype(&::cufftExecC2R)>::value);
static_assert(SameCall<cufft::Real, decltype(&::cufftExecZ2D)>::value);

static_assert(cufft::kR2C == CUFFT_R2C && cufft::kC2R == CUFFT_C2R && cufft::kC2C == CUFFT_C2C);
static_assert(cufft::kD2Z == CUFFT_D2Z && cufft::kZ2D == CUFFT_Z2D && cufft::kZ2Z == CUFFT_Z2Z);
static_assert(cufft::kForward == CUFFT_FORWARD && cufft::kInverse == CUFFT_INVERSE);

}  // namespace
}  // namespace weft::arrays::kernels
