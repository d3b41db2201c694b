// Passes on a pretended device give the bits of the tiles, stay where they were made, and come back when it fails.
#include "arrays/plan/device_pass.hpp"

#include "arrays/plan/device_tasks.hpp"
#include "tests/gpu/devices.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace weft {
namespace {

using arrays::lowering::device_books;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using weft::testing::PretendedDevices;

/// All tests of the program on a pretended device, where the environment asks for it: NumPy's answers once more.
class EverythingOnADevice : public ::testing::Environment {
 public:
  void SetUp() override {
    if (std::getenv("WEFT_TEST_PRETENDED_DEVICE") == nullptr) return;
    std::vector<std::unique_ptr<gpu::Driver>> drivers;
    drivers.push_back(gpu::pretended_driver({.memory_bytes = std::size_t{64} << 20}));
    gpu::set_devices(std::move(drivers), {});
  }
  void TearDown() override {
    if (std::getenv("WEFT_TEST_PRETENDED_DEVICE") != nullptr) gpu::set_devices({}, {});
  }
};
[[maybe_unused]] const auto* const kEverything = ::testing::AddGlobalTestEnvironment(new EverythingOnADevice);

constexpr std::size_t kMiB = std::size_t{1} << 20;

Options on(const char* device, int threads = 2) { return {.threads = threads, .array_device = device}; }
/// The same where results stay where they are, whatever the environment says: what goes through its encoding goes
/// through the host.
Options staying(int threads = 2) { return {.threads = threads, .check_transfer = false, .array_device = "gpu"}; }

void expect_same_bits(const NDArray& expected, const NDArray& seen, const std::string& what) {
  const NDArray a = expected.as_contiguous(), b = seen.as_contiguous();
  ASSERT_EQ(a.dtype(), b.dtype()) << what;
  ASSERT_EQ(a.shape(), b.shape()) << what;
  EXPECT_EQ(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.nbytes())), 0) << what << "\n" << a << "\n" << b;
}

void expect_same_on_device(const Array& array, const std::string& what) {
  const NDArray expected = Client(on("cpu")).compute(array);
  const auto before = device_books().on_device;
  const NDArray seen = Client(on("gpu")).compute(array);
  expect_same_bits(expected, seen, what);
  EXPECT_GT(device_books().on_device, before) << what << ": no pass ran on the device";
}

class DevicePassTest : public ::testing::Test {
 protected:
  const PretendedDevices devices_{{gpu::PretendedDevice{.memory_bytes = 64 * kMiB}}};
};

TEST_F(DevicePassTest, ChainsAndViewsHaveTheBitsOfTheHost) {
  const Array x = random::uniform({120, 90}, {.chunks = {40, 30}, .seed = 3});
  expect_same_on_device(exp(x * 2.0 + 1.0) / sqrt(x + 0.5), "a chain");
  expect_same_on_device(x(slice(1, none)) - x(slice(none, -1)), "neighbours, which span chunks");
  expect_same_on_device(x(slice(none, none, -1), slice(2, none, 3)) * 2.0, "steps backwards");
  expect_same_on_device(transpose(x) * x(slice(0, 90), slice(0, 1)), "a transpose and a column");
  expect_same_on_device((x > 0.5).astype(int8), "a cast");
}

TEST_F(DevicePassTest, ReductionsHaveTheBitsOfTheHost) {
  const Array x = random::uniform({130, 2100}, {.chunks = {50, 1500}, .seed = 4});
  expect_same_on_device(x.sum(), "all");
  expect_same_on_device(x.mean({.axis = 0}), "columns");
  expect_same_on_device(x.std({.axis = 1}), "rows");
  expect_same_on_device(argmax(x, {.axis = 1}), "places");
  expect_same_on_device((x * 2.0 + x(slice(none, none, -1))).max(), "of a chain that is gathered");
}

TEST_F(DevicePassTest, ThePersistedStaysOnTheDeviceUntilSomebodyReadsIt) {
  const Client client(staying());
  const Array x = client.persist(random::uniform({64, 64}, {.chunks = {32, 32}, .seed = 1}) + 1.0);
  const Array y = client.persist(x * 2.0);
  client.compute(y.sum());
  const auto report = gpu::report(0);
  EXPECT_EQ(report.uploaded_bytes, 0u) << "numbers that a device makes and reads never were on the host";
  EXPECT_LT(report.downloaded_bytes, 1024u) << "but for the states of the sum";
  const NDArray there = client.compute(y);
  EXPECT_EQ(gpu::report(0).downloaded_bytes - report.downloaded_bytes, 64u * 64 * sizeof(double));
  expect_same_bits(Client(on("cpu")).compute((random::uniform({64, 64}, {.chunks = {32, 32}, .seed = 1}) + 1.0) * 2.0),
                   there, "what was fetched");
}

TEST_F(DevicePassTest, WhatIsEncodedGoesThroughTheHost) {
  Options options = on("gpu");
  options.check_transfer = true;
  const Client client(options);
  const Array x = random::uniform({64, 64}, {.chunks = {32, 32}, .seed = 1});
  expect_same_bits(Client(on("cpu")).compute(x + 1.0), client.compute(client.persist(x + 1.0)), "what was encoded");
  EXPECT_GT(gpu::report(0).works, 0u);
  EXPECT_GE(gpu::report(0).downloaded_bytes, 64u * 64 * sizeof(double));
}

TEST_F(DevicePassTest, AChunkOfTheHostIsCopiedOnceForAllThatReadIt) {
  const Client client(on("gpu"));
  const Array x = from_ndarray(NDArray::of(std::vector<double>(4096, 1.5), {64, 64}), {32, 64});
  const auto sums = client.compute(x * 2.0, x + 1.0, x.sum());
  EXPECT_EQ(gpu::report(0).uploaded_bytes, 4096 * sizeof(double));
  EXPECT_EQ(std::get<2>(sums).item<double>(), 4096 * 1.5);
}

TEST_F(DevicePassTest, HostPassesReadWhatADeviceMade) {
  const Array x = random::uniform({64, 48}, {.chunks = {16, 48}, .seed = 2});
  expect_same_on_device(rechunk(x * 2.0, {64, 8}) + 1.0, "a rechunk between two passes");
  expect_same_on_device(concatenate({x + 1.0, x * 3.0}).mean({.axis = 1}), "a concatenation");
  const Client client(on("gpu"));
  const Array made = client.persist(x * 2.0);
  const Array turned = made.astype(complex128) * Scalar(std::complex<double>(0, 1));
  expect_same_bits(Client(on("cpu")).compute((x * 2.0).astype(complex128) * Scalar(std::complex<double>(0, 1))),
                   client.compute(turned), "complex numbers");
}

TEST(DevicePassBudgetTest, MoreThanTheDeviceHasGoesThroughIt) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 2 * kMiB}}, {kMiB});
  const Client client(on("gpu"));
  const Array x =
      client.persist(random::uniform({3 * 131072}, {.chunks = {32768}, .seed = 5}));  // three times the budget
  const NDArray sum = client.compute((x * 2.0 + 1.0).sum());
  const Array same = random::uniform({3 * 131072}, {.chunks = {32768}, .seed = 5});
  expect_same_bits(Client(on("cpu")).compute((same * 2.0 + 1.0).sum()), sum, "the sum");
  EXPECT_GT(gpu::report(0).evictions, 0u);
  EXPECT_LE(gpu::report(0).peak_bytes, kMiB);
}

TEST(DevicePassBudgetTest, APassThatIsTooLargeForTheDeviceRunsOnTheHost) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = kMiB}}, {64 << 10});
  const auto before = device_books().came_back;
  const Array x = random::uniform({32768}, {.chunks = {32768}, .seed = 5});
  expect_same_bits(Client(on("cpu")).compute(x * 2.0), Client(on("gpu")).compute(x * 2.0), "a large chunk");
  EXPECT_GT(device_books().came_back, before);
}

TEST(DevicePassFaultTest, ADeviceThatIsLostLeavesThePassesToTheHost) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 64 * kMiB, .fault_at = 3}});
  const Array x = from_ndarray(NDArray::of(std::vector<double>(4096, 1.5), {8, 512}), {1, 512});
  const Array sums = (x * 2.0 + 1.0).sum({.axis = 1});
  expect_same_bits(Client(on("cpu")).compute(sums), Client(on("gpu", 1)).compute(sums), "the answer");
  EXPECT_FALSE(gpu::usable());
  EXPECT_THAT([&] { Client(on("gpu")).compute(x + 1.0); },
              ThrowsMessage<ConfigError>(HasSubstr("every device of this process has failed")));
}

TEST(DevicePassFaultTest, WhatOnlyTheLostDeviceHeldIsToldWithItsReason) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 64 * kMiB, .fault_at = 3}});
  const Client client(staying(1));
  const Array kept = client.persist(random::uniform({512}, {.chunks = {512}, .seed = 1}) + 1.0);
  client.compute(kept.sum());
  const Array x = from_ndarray(NDArray::of(std::vector<double>(512, 1.5), {512}));
  EXPECT_EQ(client.compute((x * 2.0).sum()).item<double>(), 512 * 3.0) << "the host has what this needs";
  EXPECT_THAT([&] { client.compute(to_delayed(kept)[0]); }, ThrowsMessage<Error>(HasSubstr("What it held is lost")));
}

TEST(DevicePassFaultTest, TheOtherDeviceTakesOver) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 64 * kMiB, .fault_at = 1},
                                  gpu::PretendedDevice{.memory_bytes = 64 * kMiB}});
  const Array x = from_ndarray(NDArray::of(std::vector<double>(4096, 1.5), {4096}), {512});
  expect_same_bits(Client(on("cpu")).compute(x * 2.0 + 1.0), Client(on("gpu", 1)).compute(x * 2.0 + 1.0), "the answer");
  EXPECT_TRUE(gpu::usable());
  // Some had begun on the first before it was seen to fail; from then on all go to the other.
  const std::uint64_t before = gpu::report(1).works;
  expect_same_bits(Client(on("cpu")).compute(x * 3.0 + 1.0), Client(on("gpu", 1)).compute(x * 3.0 + 1.0), "the next");
  EXPECT_EQ(gpu::report(1).works, before + 8);
}

TEST(DevicePassPlacementTest, WithoutADeviceAskingForOneIsOneSentenceAndAutoGoesOn) {
  const PretendedDevices devices({});
  const Array x = ones({1000}) + 1.0;
  EXPECT_THAT([&] { Client(on("gpu")).compute(x); }, ThrowsMessage<ConfigError>(HasSubstr("--weft-array-device=gpu")));
  EXPECT_EQ(Client(on("auto")).compute(x.sum()).item<double>(), 2000);
}

TEST(DevicePassPlacementTest, KernelsForAnotherDeviceAreToldInWords) {
  using arrays::lowering::architecture_mismatch;
  EXPECT_EQ(architecture_mismatch("sm_90", 9, 0), "");
  EXPECT_EQ(architecture_mismatch("sm_80, sm_90", 8, 6), "") << "what was compiled for an older device is translated";
  EXPECT_THAT(architecture_mismatch("sm_90", 8, 0), HasSubstr("built for sm_90, this device is sm_80"));
}

TEST(DevicePassPlacementTest, TinyChunksNeverLeaveTheHost) {
  const PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = 64 * kMiB}});
  Client(on("auto")).compute((random::uniform({1000}, {.chunks = {100}, .seed = 1}) * 2.0).sum());
  EXPECT_EQ(gpu::report(0).works, 0u);
}

}  // namespace
}  // namespace weft
