// Structures whose chunks a library of CUDA makes, on a pretended device with pretended libraries.
#include "arrays/plan/device_structures.hpp"

#include "arrays/kernels/cublas.hpp"
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
using arrays::lowering::device_books;
using ::testing::HasSubstr;
using weft::testing::PretendedDevices;

constexpr std::size_t kMiB = std::size_t{1} << 20;

Options on(const char* device, int threads = 2) { return {.threads = threads, .array_device = device}; }

/// The pretended library in the place of the machine's, while it lives.
class PretendedCublas {
 public:
  PretendedCublas() : library_(dlopen(WEFT_PRETENDED_CUBLAS, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw Error(dlerror());
    *static_cast<void (**)(void*, std::function<void()>)>(dlsym(library_, "weft_pretended_put")) =
        &gpu::put_on_pretended;
    refuse_at(0);
    number("weft_pretended_products") = 0;
    set_cublas_file(WEFT_PRETENDED_CUBLAS);
  }
  ~PretendedCublas() { set_cublas_file(""); }
  PretendedCublas(const PretendedCublas&) = delete;
  PretendedCublas& operator=(const PretendedCublas&) = delete;
  int products() { return number("weft_pretended_products"); }
  int handles() { return number("weft_pretended_handles"); }
  void refuse_at(int product) { number("weft_pretended_refuse_at") = product; }

 private:
  int& number(const char* name) { return *static_cast<int*>(dlsym(library_, name)); }
  void* const library_;
};

class DeviceStructuresTest : public ::testing::Test {
 protected:
  const PretendedDevices devices_{{gpu::PretendedDevice{.memory_bytes = 64 * kMiB}}};
  PretendedCublas cublas_;

  /// Whole numbers of few digits: their products are exact in every order.
  static Array numbers(const Shape& shape, const Chunks& chunks, Dtype dtype, std::uint64_t seed) {
    return floor(random::uniform(shape, {.chunks = chunks, .seed = seed}) * 8.0 - 4.0).astype(dtype);
  }
  void expect_same(const Array& array, int products, const std::string& what) {
    const NDArray expected = Client(on("cpu")).compute(array).as_contiguous();
    const int before = cublas_.products();
    const NDArray seen = Client(on("gpu")).compute(array).as_contiguous();
    ASSERT_EQ(expected.dtype(), seen.dtype()) << what;
    ASSERT_EQ(expected.shape(), seen.shape()) << what;
    EXPECT_EQ(std::memcmp(expected.data(), seen.data(), static_cast<std::size_t>(expected.nbytes())), 0)
        << what << "\n"
        << expected << "\n"
        << seen;
    EXPECT_EQ(cublas_.products() - before, products) << what << ": calls of the library";
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
  EXPECT_GT(cublas_.products(), 0);
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
  EXPECT_LE(cublas_.handles(), 64) << "handles are used again";
}

TEST_F(DeviceStructuresTest, WhatTheLibraryRefusesTheHostComputes) {
  cublas_.refuse_at(2);
  const Array a = from_ndarray(NDArray::of(std::vector<double>(64, 2.0), {8, 8}), {4, 8});
  const auto before = device_books().came_back;
  EXPECT_EQ(Client(on("gpu", 1)).compute(matmul(a, transpose(a))).at<double>(7, 7), 32.0);
  EXPECT_GT(device_books().came_back, before);
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
