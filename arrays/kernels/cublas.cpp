#include "arrays/kernels/cublas.hpp"

#include "arrays/kernels/cublas_functions.hpp"
#include "arrays/kernels/cuda_library.hpp"

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::arrays::kernels {
namespace {

using cublas::Handle;

/// The library's functions, and handles that nobody uses now; one is made for its device, and takes any stream of it.
/// Owns: the library and the handles, which stay until the program ends.  Threading: any thread; a mutex for the
/// handles.
struct Library {
  explicit Library(const std::string& file) {
    void* const handle =
        open_cuda_library({"libcublas.so.13", "libcublas.so.12", "libcublas.so.11", "libcublas.so"}, file, problem);
    find_cuda_function(handle, "cublasCreate_v2", create, problem);
    find_cuda_function(handle, "cublasDestroy_v2", destroy, problem);
    find_cuda_function(handle, "cublasSetStream_v2", set_stream, problem);
    find_cuda_function(handle, "cublasSetWorkspace_v2", set_workspace, problem);
    find_cuda_function(handle, "cublasGetStatusString", status_text, problem);
    find_cuda_function(handle, "cublasGemmStridedBatchedEx", gemm, problem);
  }
  void check(cublas::Status status, const char* what) const {
    if (status == 0) return;
    throw gpu::DeviceError(std::string("cuBLAS: ") + what + " was refused: " + status_text(status));
  }
  Handle take(unsigned device) {
    {
      const std::lock_guard lock(mutex);
      const auto mine = std::find_if(idle.begin(), idle.end(), [&](const auto& one) { return one.first == device; });
      if (mine != idle.end()) {
        const Handle handle = mine->second;
        idle.erase(mine);
        return handle;
      }
    }
    Handle handle = nullptr;
    check(create(&handle), "a handle");
    return handle;
  }
  void give_back(unsigned device, Handle handle) {
    const std::lock_guard lock(mutex);
    idle.emplace_back(device, handle);
  }

  std::string problem;
  cublas::Create create = nullptr;
  cublas::Destroy destroy = nullptr;
  cublas::SetStream set_stream = nullptr;
  cublas::SetWorkspace set_workspace = nullptr;
  cublas::StatusText status_text = nullptr;
  cublas::Gemm gemm = nullptr;
  std::mutex mutex;
  std::vector<std::pair<unsigned, Handle>> idle;
};

LoadedLibrary<Library>& loaded() {
  // Never destroyed: the driver may be gone when static objects are.
  static auto& it = *new LoadedLibrary<Library>;
  return it;
}

/// A handle for the time of one call.
struct Lease {
  Lease(Library& of, unsigned on) : library(of), device(on), handle(of.take(on)) {}
  ~Lease() { library.give_back(device, handle); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Library& library;
  const unsigned device;
  const Handle handle;
};

struct Types {
  int data, compute;
};
Types types_of(TypeCode type) {
  if (type == TypeCode::Float32) {
    return {cublas::kFloat32, wants_tf32() ? cublas::kComputeTf32 : cublas::kComputeFloat32};
  }
  if (type == TypeCode::Complex64) {
    return {cublas::kComplex64, wants_tf32() ? cublas::kComputeTf32 : cublas::kComputeFloat32};
  }
  if (type == TypeCode::Complex128) return {cublas::kComplex128, cublas::kComputeFloat64};
  return {cublas::kFloat64, cublas::kComputeFloat64};
}

/// 1 and 0 of the type that the library takes factors in.
struct Factors {
  std::complex<double> doubles[2] = {1.0, 0.0};
  std::complex<float> floats[2] = {1.0F, 0.0F};
  const void* one(TypeCode type) const { return at(type, 0); }
  const void* zero(TypeCode type) const { return at(type, 1); }

 private:
  /// A real number lies where a complex one begins.
  const void* at(TypeCode type, int number) const {
    const bool single = type == TypeCode::Float32 || type == TypeCode::Complex64;
    return single ? static_cast<const void*>(&floats[number]) : &doubles[number];
  }
};

}  // namespace

std::string why_no_cublas() {
  if (pretended_device() && !loaded().replaced()) return "the machine's cuBLAS knows no pretended device";
  const std::string problem = loaded().get()->problem;
  if (problem.empty()) return {};
  return "cuBLAS could not be loaded (" + problem +
         "): install the CUDA toolkit's libcublas, or add its folder to LD_LIBRARY_PATH";
}

bool cublas_knows(const DeviceProduct& product) {
  const bool type = product.type == TypeCode::Float32 || product.type == TypeCode::Float64 ||
                    product.type == TypeCode::Complex64 || product.type == TypeCode::Complex128;
  const std::int64_t extents[] = {product.m,   product.n,   product.k,  product.count,
                                  product.lda, product.ldb, product.ldc};
  return type && std::all_of(std::begin(extents), std::end(extents), [](std::int64_t extent) {
           return extent > 0 && extent <= std::numeric_limits<int>::max();
         });
}

std::size_t cublas_room(const DeviceProduct& product) {
  // What the library recommends for the largest products on the newest devices; small ones never use it.
  constexpr std::size_t kMost = std::size_t{32} << 20, kLeast = std::size_t{64} << 10;
  const auto written = static_cast<std::size_t>(product.m * product.n * product.count) * Dtype(product.type).size();
  return std::clamp(written, kLeast, kMost);
}

bool wants_tf32() {
  static const bool wanted = [] {
    const char* const named = std::getenv("WEFT_TF32");
    return named != nullptr && std::string_view(named) == "1";
  }();
  return wanted;
}

void multiply_on_device(const DeviceStream& stream, const DeviceProduct& product, std::byte* room) {
  if (const std::string why = why_no_cublas(); !why.empty()) throw gpu::DeviceError(why);
  const std::shared_ptr<Library> blas = loaded().get();
  const Lease lease(*blas, stream.device());
  blas->check(blas->set_stream(lease.handle, stream.native()), "a stream");
  // After the stream: setting that gives the library's own room back to it.
  blas->check(blas->set_workspace(lease.handle, room, cublas_room(product)), "room to work in");
  const Types types = types_of(product.type);
  const Factors factors;
  const auto count = [](std::int64_t value) { return static_cast<int>(value); };
  const auto op = [](bool transposes) { return transposes ? cublas::kTransposed : cublas::kAsItIs; };
  blas->check(
      blas->gemm(lease.handle, op(product.transposes_a), op(product.transposes_b), count(product.m), count(product.n),
                 count(product.k), factors.one(product.type), product.a, types.data, count(product.lda),
                 product.stride_a, product.b, types.data, count(product.ldb), product.stride_b,
                 product.adds ? factors.one(product.type) : factors.zero(product.type), product.c, types.data,
                 count(product.ldc), product.stride_c, count(product.count), types.compute, cublas::kDefaultAlgorithm),
      "a product of matrices");
}

void set_cublas_file(const std::string& file) { loaded().replace(file); }

}  // namespace weft::arrays::kernels
