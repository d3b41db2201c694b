// Structures whose chunks a library of CUDA makes, on a pretended device with pretended libraries.
#include "arrays/plan/device_structures.hpp"

#include "arrays/kernels/cublas.hpp"
#include "arrays/kernels/cufft.hpp"
#include "arrays/plan/device_tasks.hpp"
#include "tests/gpu/devices.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <dlfcn.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace weft {
namespace {

using arrays::kernels::set_cublas_file;
using arrays::kernels::set_cufft_file;
using arrays::lowering::device_books;
using ::testing::HasSubstr;
using weft::testing::PretendedDevices;

constexpr std::size_t kMiB = std::size_t{1} << 20;

Options on(const char* device, int threads = 2) { return {.threads = threads, .array_device = device}; }

/// A pretended library in the place of the machine's, while it lives.
class PretendedLibrary {
 public:
  PretendedLibrary(const char* file, void (*set_file)(const std::string&), const char* calls)
      : library_(dlopen(file, RTLD_NOW | RTLD_LOCAL)), set_file_(set_file), calls_(calls) {
    if (library_ == nullptr) throw Error(dlerror());
    *static_cast<void (**)(void*, std::function<void()>)>(dlsym(library_, "weft_pretended_put")) =
        &gpu::put_on_pretended;
    refuse_at(0);
    number(calls_) = 0;
    set_file_(file);
  }
  ~PretendedLibrary() { set_file_(""); }
  PretendedLibrary(const PretendedLibrary&) = delete;
  PretendedLibrary& operator=(const PretendedLibrary&) = delete;
  int calls() { return number(calls_); }
  void refuse_at(int call) { number("weft_pretended_refuse_at") = call; }
  int& number(const char* name) { return *static_cast<int*>(dlsym(library_, name)); }

 private:
  void* const library_;
  void (*const set_file_)(const std::string&);
  const char* const calls_;
};

class DeviceStructuresTest : public ::testing::Test {
 protected:
  const PretendedDevices devices_{{gpu::PretendedDevice{.memory_bytes = 64 * kMiB}}};
  PretendedLibrary cublas_{WEFT_PRETENDED_CUBLAS, &set_cublas_file, "weft_pretended_products"};

  /// Whole numbers of few digits: their products are exact in every order.
  static Array numbers(const Shape& shape, const Chunks& chunks, Dtype dtype, std::uint64_t seed) {
    return floor(random::uniform(shape, {.chunks = chunks, .seed = seed}) * 8.0 - 4.0).astype(dtype);
  }
  void expect_same(const Array& array, int products, const std::string& what) {
    const NDArray expected = Client(on("cpu")).compute(array).as_contiguous();
    const int before = cublas_.calls();
    const NDArray seen = Client(on("gpu")).compute(array).as_contiguous();
    ASSERT_EQ(expected.dtype(), seen.dtype()) << what;
    ASSERT_EQ(expected.shape(), seen.shape()) << what;
    EXPECT_EQ(std::memcmp(expected.data(), seen.data(), static_cast<std::size_t>(expected.nbytes())), 0)
        << what << "\n"
        << expected << "\n"
        << seen;
    EXPECT_EQ(cublas_.calls() - before, products) << what << ": calls of the library";
  }
};

TEST_F(DeviceStructuresTest, ProductsOfMatricesOfEveryType) {
  for (const Dtype dtype : {float32, float64, complex64, complex128}) {
    const Array a = numbers({30, 22}, {10, 11}, dtype, 1), b = numbers({22, 26}, {11, 13}, dtype, 2);
    expect_same(matmul(a, b), 3 * 2 * 2, "a b, " + dtype.name());
  }
}

TEST_F(DeviceStructuresTest, TransposesAndSlicesAreReadWhereTheyLie) {
  const Array a = numbers({24, 20}, {12, 10}, float64, 1), b = numbers({24, 16}, {12, 8}, float64, 2);
  expect_same(matmul(transpose(a), b), 2 * 2 * 2, "a.T b");
  expect_same(matmul(transpose(b), a), 2 * 2 * 2, "b.T a");
  expect_same(matmul(transpose(a), transpose(numbers({9, 24}, {9, 12}, float64, 3))), 2 * 2, "a.T c.T");
  expect_same(matmul(a(slice(2, 22), slice(none, none)), transpose(a)), 2 * 2 * 2, "some rows");
}

TEST_F(DeviceStructuresTest, ChunksThatDoNotMeetAreGathered) {
  const Array a = numbers({24, 20}, {12, 7}, float64, 1), b = numbers({20, 16}, {9, 8}, float64, 2);
  const NDArray expected = Client(on("cpu")).compute(matmul(a, b));
  const NDArray seen = Client(on("gpu")).compute(matmul(a, b));
  EXPECT_EQ(std::memcmp(expected.data(), seen.data(), static_cast<std::size_t>(expected.nbytes())), 0);
  EXPECT_GT(cublas_.calls(), 0);
}

TEST_F(DeviceStructuresTest, StacksOfMatricesAndOtherSums) {
  const Array a = numbers({3, 8, 6}, {3, 4, 6}, float32, 1), b = numbers({3, 6, 5}, {3, 6, 5}, float32, 2);
  expect_same(matmul(a, b), 2, "a stack");
  expect_same(einsum("bij,bjk->bik", {a, b}), 2, "the same by its axes");
  expect_same(tensordot(numbers({4, 5, 6}, {4, 5, 6}, float64, 3), numbers({5, 6, 7}, {5, 6, 7}, float64, 4), 2), 1,
              "two axes summed over");
  expect_same(einsum("ij,kj->ik", {numbers({9, 8}, {9, 8}, float64, 5), numbers({7, 8}, {7, 8}, float64, 6)}), 1,
              "a b.T");
  expect_same(dot(numbers({40}, {10}, float64, 7), numbers({40}, {10}, float64, 8)), 4, "two vectors");
  expect_same(matmul(numbers({12, 10}, {6, 10}, float64, 9), numbers({10}, {10}, float64, 10)), 2, "a vector");
}

TEST_F(DeviceStructuresTest, WholeNumbersStayOnTheHost) {
  expect_same(matmul(numbers({12, 10}, {6, 10}, int64, 1), numbers({10, 4}, {10, 4}, int64, 2)), 0, "integers");
}

TEST_F(DeviceStructuresTest, ResultsStayThereForWhatFollows) {
  const Client client(Options{.threads = 2, .check_transfer = false, .array_device = "gpu"});
  const Array a = numbers({64, 64}, {32, 32}, float64, 1);
  const Array kept = client.persist(matmul(a, a) + 1.0);
  EXPECT_EQ(gpu::report(0).downloaded_bytes, 0u);
  const NDArray expected = Client(on("cpu")).compute(matmul(a, a) + 1.0);
  const NDArray seen = client.compute(kept);
  EXPECT_EQ(std::memcmp(expected.data(), seen.data(), static_cast<std::size_t>(expected.nbytes())), 0);
  EXPECT_LE(cublas_.number("weft_pretended_handles"), 64) << "handles are used again";
}

TEST_F(DeviceStructuresTest, WhatTheLibraryRefusesTheHostComputes) {
  cublas_.refuse_at(2);
  const Array a = from_ndarray(NDArray::of(std::vector<double>(64, 2.0), {8, 8}), {4, 8});
  const auto before = device_books().came_back;
  EXPECT_EQ(Client(on("gpu", 1)).compute(matmul(a, transpose(a))).at<double>(7, 7), 32.0);
  EXPECT_GT(device_books().came_back, before);
  EXPECT_TRUE(gpu::usable());
}

class DeviceTransformsTest : public ::testing::Test {
 protected:
  const PretendedDevices devices_{{gpu::PretendedDevice{.memory_bytes = 64 * kMiB}}};
  PretendedLibrary cufft_{WEFT_PRETENDED_CUFFT, &set_cufft_file, "weft_pretended_transforms"};

  static Array reals(const Shape& shape, const Chunks& chunks) {
    return random::uniform(shape, {.chunks = chunks, .seed = 3}) - 0.5;
  }
  static Array complexes(const Shape& shape, const Chunks& chunks) {
    return reals(shape, chunks).astype(complex128) * Scalar(std::complex<double>(1, -2)) +
           reals(shape, chunks).astype(complex128) * reals(shape, chunks).astype(complex128) *
               Scalar(std::complex<double>(0, 1));
  }
  void expect_close(const Array& array, int transforms, const std::string& what, double tolerance = 1e-12) {
    const NDArray expected = Client(on("cpu")).compute(array);
    const int before = cufft_.calls();
    const NDArray seen = Client(on("gpu")).compute(array);
    ASSERT_EQ(expected.dtype(), seen.dtype()) << what;
    ASSERT_EQ(expected.shape(), seen.shape()) << what;
    const Client host(on("cpu"));
    const double most =
        host.compute(abs(from_ndarray(expected).astype(complex128) - from_ndarray(seen).astype(complex128)).max())
            .item<double>();
    EXPECT_LE(most, tolerance * std::max<double>(1, static_cast<double>(expected.size()))) << what;
    EXPECT_EQ(cufft_.calls() - before, transforms) << what << ": calls of the library";
  }
};

TEST_F(DeviceTransformsTest, ComplexNumbersForthAndBackInEveryNorm) {
  for (const fft::Norm norm : {fft::Norm::Backward, fft::Norm::Ortho, fft::Norm::Forward}) {
    expect_close(fft::fft(complexes({6, 20}, {2, 20}), {.norm = norm}), 3, "fft");
    expect_close(fft::ifft(complexes({6, 20}, {2, 20}), {.norm = norm}), 3, "ifft");
  }
  expect_close(fft::fft(complexes({6, 20}, {3, 20}).astype(complex64)), 2, "single precision", 1e-6);
}

TEST_F(DeviceTransformsTest, EveryAxisAndSeveral) {
  expect_close(fft::fft(complexes({12, 9}, {12, 3}), {.axis = 0}), 3, "the first axis");
  expect_close(fft::fft(complexes({4, 6, 5}, {2, 6, 5}), {.axis = 1}), 4, "the middle axis: a call for each before it");
  expect_close(fft::fft2(complexes({3, 6, 8}, {1, 6, 8})), 3, "two axes");
  expect_close(fft::ifftn(complexes({4, 6, 5}, {4, 6, 5})), 1, "three axes");
}

TEST_F(DeviceTransformsTest, RealNumbers) {
  expect_close(fft::rfft(reals({6, 20}, {2, 20})), 3, "rfft");
  expect_close(fft::rfft(reals({6, 21}, {2, 21})), 3, "rfft of an odd number");
  expect_close(fft::fft(reals({6, 20}, {2, 20})), 3, "the whole spectrum");
  expect_close(fft::irfft(fft::rfft(reals({6, 20}, {2, 20}))), 6, "there and back");
  expect_close(fft::rfft2(reals({2, 6, 8}, {1, 6, 8})), 2, "two axes");
}

TEST_F(DeviceTransformsTest, ZerosBehindAndSomeOfTheElements) {
  expect_close(fft::fft(complexes({4, 10}, {2, 10}), {.n = 16}), 2, "more than there are");
  expect_close(fft::fft(complexes({4, 10}, {2, 10}), {.n = 6}), 2, "fewer than there are");
  expect_close(fft::rfft(reals({4, 10}, {2, 10}), {.n = 13}), 2, "real, more than there are");
}

TEST_F(DeviceTransformsTest, WhatTheLibraryRefusesTheHostComputes) {
  cufft_.refuse_at(2);
  expect_close(fft::fft(complexes({6, 20}, {2, 20})), 3, "one of three was refused");
  EXPECT_TRUE(gpu::usable());
}

TEST(DeviceStructuresLibraryTest, WithoutTheLibraryProductsRunOnTheHostAndItSaysWhatToInstall) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 64 * kMiB}});
  set_cublas_file("/nonexistent/libcublas.so");
  EXPECT_THAT(arrays::kernels::why_no_cublas(), HasSubstr("install the CUDA toolkit's libcublas"));
  const Array a = from_ndarray(NDArray::of(std::vector<double>(64, 2.0), {8, 8}), {4, 8});
  EXPECT_EQ(Client(on("gpu")).compute(matmul(a, transpose(a))).at<double>(7, 7), 32.0);
  set_cublas_file("");
}

}  // namespace
}  // namespace weft
