// The works of work_test.cpp on a real device: kernels of CUDA in tasks. Skipped where there is none.

#include <weft/gpu.hpp>
#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

namespace {

__global__ void add_kernel(const std::uint32_t* from, std::uint32_t* to, std::size_t count, std::uint32_t more) {
  for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < count;
       i += std::size_t{gridDim.x} * blockDim.x)
    to[i] = from[i] + more;
}
__global__ void faulting_kernel() { __trap(); }

weft::gpu::DeviceBuffer add(const weft::gpu::DeviceBuffer& buffer, std::uint32_t more) {
  weft::gpu::Work work;
  const auto in = work.input(buffer);
  const auto out = work.output(buffer.size());
  work.begin();
  work.launch([&](weft::gpu::NativeStream stream) {
    add_kernel<<<256, 256, 0, static_cast<cudaStream_t>(stream.cuda())>>>(
        work.data<const std::uint32_t>(in), work.data<std::uint32_t>(out), buffer.size() / sizeof(std::uint32_t), more);
  });
  return work.finish(out);
}

weft::Buffer numbers(std::size_t count, std::uint32_t first) {
  weft::Buffer buffer = weft::Buffer::allocate(count * sizeof(std::uint32_t));
  auto* const values = reinterpret_cast<std::uint32_t*>(buffer.data());
  std::iota(values, values + count, first);
  return buffer;
}
std::uint32_t value(const weft::gpu::DeviceBuffer& buffer, std::size_t i) {
  return reinterpret_cast<const std::uint32_t*>(buffer.fetch().data())[i];
}

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (weft::gpu::devices().empty()) GTEST_SKIP() << weft::gpu::why_no_device();
  }
};

TEST_F(DeviceTest, AChainOfTasksStaysThere) {
  weft::Client client(weft::Options{.scheduler = "threads", .threads = 2});
  constexpr std::size_t kCount = std::size_t{1} << 20;
  auto last = client.submit([] { return add(weft::gpu::DeviceBuffer(numbers(kCount, 0)), 1); });
  for (int i = 0; i < 10; ++i) last = client.submit([](const weft::gpu::DeviceBuffer& b) { return add(b, 1); }, last);
  EXPECT_EQ(value(last.result(), 12345), 12345u + 11);
  EXPECT_EQ(weft::gpu::report().evictions, 0u);
}

TEST_F(DeviceTest, ThreeTimesTheBudgetCompletes) {
  constexpr std::size_t kCount = std::size_t{1} << 22, kBytes = kCount * sizeof(std::uint32_t);
  const std::size_t before = weft::gpu::report().budget_bytes;
  weft::gpu::set_budget(0, 12 * kBytes);
  {
    weft::Client client(weft::Options{.scheduler = "threads", .threads = 4});
    std::vector<weft::Future<weft::gpu::DeviceBuffer>> made;
    for (std::uint32_t i = 0; i < 36; ++i)
      made.push_back(
          client.submit([](std::uint32_t k) { return add(weft::gpu::DeviceBuffer(numbers(kCount, k)), 1); }, i));
    for (std::uint32_t i = 0; i < 36; ++i) EXPECT_EQ(value(made[i].result(), 77), i + 78);
    EXPECT_LE(weft::gpu::report().peak_bytes, 12 * kBytes);
    EXPECT_GT(weft::gpu::report().evictions, 0u);
  }
  weft::gpu::set_budget(0, before);
}

// Nobody waits for any of them until the end; most go as graphs, whose kernels and arguments change from one to the
// next.
TEST_F(DeviceTest, ShortWorksGoTogetherAsGraphs) {
  weft::Client client(weft::Options{.scheduler = "threads", .threads = 2});
  constexpr std::size_t kCount = 1024;
  constexpr std::uint32_t kChains = 200, kSteps = 20;
  std::vector<weft::Future<weft::gpu::DeviceBuffer>> ends;
  for (std::uint32_t i = 0; i < kChains; ++i) {
    auto last = client.submit([](std::uint32_t k) { return add(weft::gpu::DeviceBuffer(numbers(kCount, k)), 1); }, i);
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      last = client.submit(
          [](const weft::gpu::DeviceBuffer& buffer) {
            weft::gpu::Work work;
            work.join_batches();
            const auto in = work.input(buffer);
            const auto out = work.output(buffer.size());
            work.begin();
            work.launch([from = work.data<const std::uint32_t>(in), to = work.data<std::uint32_t>(out),
                         count = buffer.size() / sizeof(std::uint32_t)](weft::gpu::NativeStream stream) {
              add_kernel<<<4, 256, 0, static_cast<cudaStream_t>(stream.cuda())>>>(from, to, count, 3);
            });
            return work.leave(out);
          },
          last);
    }
    ends.push_back(last);
  }
  for (std::uint32_t i = 0; i < kChains; ++i) EXPECT_EQ(value(ends[i].result(), 7), i + 8 + 3 * kSteps);
  const weft::gpu::DeviceReport report = weft::gpu::report();
  EXPECT_GT(report.graphs, 0u);
  EXPECT_GT(report.graphs_kept, 0u);
}

TEST_F(DeviceTest, ALaunchThatIsRefusedIsItsWorksErrorAlone) {
  for (const bool joins : {false, true}) {
    weft::gpu::Work work;
    if (joins) work.join_batches();
    work.output(4);
    work.begin();
    EXPECT_THROW(
        {
          work.launch([](weft::gpu::NativeStream stream) {
            faulting_kernel<<<1, 1 << 20, 0, static_cast<cudaStream_t>(stream.cuda())>>>();  // no block is so large
          });
          work.finish();
        },
        weft::gpu::DeviceError);
    EXPECT_TRUE(weft::gpu::usable());
  }
}

// The last: a device that faulted is gone for the process.
TEST_F(DeviceTest, ZAFaultIsASentence) {
  weft::gpu::Work work;
  work.output(4);
  work.begin();
  work.launch([&](weft::gpu::NativeStream stream) {
    faulting_kernel<<<1, 1, 0, static_cast<cudaStream_t>(stream.cuda())>>>();
  });
  try {
    work.finish();
    FAIL();
  } catch (const weft::gpu::DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("failed"), std::string::npos) << error.what();
  }
}

}  // namespace
