#include <weft/gpu.hpp>
#include <weft/weft.hpp>

#include "tests/gpu/devices.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace weft::testing {
namespace {

constexpr std::size_t kCount = 4096, kBytes = kCount * sizeof(std::uint32_t);

std::string why(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(WorkTest, WithoutADeviceItSaysWhy) {
  gpu::set_devices({}, {});
  EXPECT_NE(why([] { add(gpu::DeviceBuffer(numbers(4, 0)), 1); }).find("no device"), std::string::npos);
  EXPECT_NE(gpu::why_no_device(), "");
  // What needs no device works as before.
  EXPECT_EQ(values_of(gpu::DeviceBuffer(numbers(4, 3)).fetch()), (std::vector<std::uint32_t>{3, 4, 5, 6}));
}

TEST(WorkTest, ChainsOfTasksStayOnTheDevice) {
  const PretendedDevices devices({{}}, {64 * kBytes});
  Client client(Options{.scheduler = "threads", .threads = 2});
  std::vector<Future<gpu::DeviceBuffer>> ends;
  for (std::uint32_t i = 0; i < 8; ++i) {
    Future<gpu::DeviceBuffer> last =
        client.submit([](std::uint32_t first) { return add(gpu::DeviceBuffer(numbers(kCount, first)), 1); }, i);
    for (int step = 0; step < 5; ++step)
      last = client.submit([](const gpu::DeviceBuffer& b) { return add(b, 10); }, last);
    ends.push_back(last);
  }
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(values_of(ends[i].result().fetch())[1], i + 52);
  const gpu::DeviceReport report = gpu::report();
  EXPECT_EQ(report.works, 48u);
  EXPECT_EQ(report.uploaded_bytes, 8 * kBytes) << "each chain went to the device once";
}

// Three times the budget in results that are all kept, and more works than slots.
TEST(WorkTest, ThreeTimesTheBudgetCompletesOnThreads) {
  const PretendedDevices devices({{.memory_bytes = 20 * kBytes}}, {12 * kBytes});
  Client client(Options{.scheduler = "threads", .threads = 4});
  std::vector<Future<gpu::DeviceBuffer>> made;
  for (std::uint32_t i = 0; i < 36; ++i)
    made.push_back(client.submit([](std::uint32_t k) { return add(gpu::DeviceBuffer(numbers(kCount, k)), 1); }, i));
  std::vector<Future<std::uint32_t>> sums;
  for (auto& one : made)
    sums.push_back(client.submit([](const gpu::DeviceBuffer& b) { return values_of(add(b, 1).fetch())[0]; }, one));
  for (std::uint32_t i = 0; i < 36; ++i) EXPECT_EQ(sums[i].result(), i + 2);
  EXPECT_LE(gpu::report().peak_bytes, 12 * kBytes);
  EXPECT_GT(gpu::report().evictions, 0u);
}

// Room for one work at a time, an input that all of them share, and threads that take up further tasks while they wait:
// each work must get its room though its task may be below others on its thread's stack.
TEST(WorkTest, TasksThatWaitForRoomBelowOthersStillGetIt) {
  const PretendedDevices devices({{.memory_bytes = 20 * kBytes}}, {3 * kBytes});
  for (const char* const scheduler : {"sync", "threads"}) {
    Client client(Options{.scheduler = scheduler, .threads = 2});
    const gpu::DeviceBuffer shared(numbers(kCount, 100));
    std::vector<Future<std::uint32_t>> sums;
    for (std::uint32_t i = 0; i < 60; ++i) {
      sums.push_back(client.submit(
          [](const gpu::DeviceBuffer& all, std::uint32_t k) {
            gpu::Work work;
            const auto in = work.input(all);
            const auto own = work.input(gpu::DeviceBuffer(numbers(kCount, k)));
            const auto out = work.output(kBytes);
            work.begin();
            work.launch([&](gpu::NativeStream stream) {
              stream.host([a = work.data<const std::uint32_t>(in), b = work.data<const std::uint32_t>(own),
                           to = work.data<std::uint32_t>(out)] {
                for (std::size_t n = 0; n < kCount; ++n) to[n] = a[n] + b[n];
              });
            });
            return values_of(work.finish(out).fetch())[1];
          },
          shared, i));
    }
    for (std::uint32_t i = 0; i < 60; ++i) EXPECT_EQ(sums[i].result(), i + 102);
  }
  EXPECT_LE(gpu::report().peak_bytes, 3 * kBytes);
}

TEST(WorkTest, RunsUnderTheSyncScheduler) {
  const PretendedDevices devices({{}}, {3 * kBytes});
  Client client(Options{.scheduler = "sync"});
  const auto made = client.submit([] { return add(gpu::DeviceBuffer(numbers(kCount, 1)), 1); });
  const auto more = client.submit([](const gpu::DeviceBuffer& b) { return add(b, 1).fetch().size(); }, made);
  EXPECT_EQ(more.result(), kBytes);
}

TEST(WorkTest, AKernelThatFaultsFailsItsTaskAndThoseAfterIt) {
  const PretendedDevices devices({{.fault_at = 3}}, {64 * kBytes});
  Client client(Options{.scheduler = "threads", .threads = 2});
  auto last = client.submit([] { return add(gpu::DeviceBuffer(numbers(kCount, 0)), 1); });
  for (int i = 0; i < 4; ++i) last = client.submit([](const gpu::DeviceBuffer& b) { return add(b, 1); }, last);
  const std::string text = why([&] { last.result(); });
  EXPECT_NE(text.find("a kernel faulted"), std::string::npos) << text;
  EXPECT_NE(text.find("device 0 (pretended device)"), std::string::npos) << text;
  // Other tasks go on, and the next work hears of it at once.
  EXPECT_EQ(client.submit([] { return 5; }).result(), 5);
  EXPECT_NE(why([] { add(gpu::DeviceBuffer(numbers(4, 0)), 1); }).find("failed"), std::string::npos);
}

TEST(WorkTest, AnExceptionBetweenBeginAndFinishGivesEverythingBack) {
  const PretendedDevices devices({{}}, {4 * kBytes});
  EXPECT_THROW(
      {
        gpu::Work work;
        work.input(numbers(kCount, 0));
        work.output(kBytes);
        work.begin();
        throw std::runtime_error("the user's");
      },
      std::runtime_error);
  EXPECT_EQ(gpu::report().used_bytes, 0u);
  EXPECT_EQ(values_of(add(gpu::DeviceBuffer(numbers(kCount, 5)), 1).fetch())[0], 6u);
}

TEST(WorkTest, BytesOfAnotherDeviceComeByWayOfTheHost) {
  const PretendedDevices devices({{}, {}}, {8 * kBytes, 8 * kBytes});
  const gpu::DeviceBuffer first = add(gpu::DeviceBuffer(numbers(kCount, 0)), 1);
  gpu::Work work(first.on_device() && gpu::report(0).works == 1 ? 1 : 0);
  const auto in = work.input(first);
  const auto out = work.output(kBytes);
  work.begin();
  work.launch([&](gpu::NativeStream stream) {
    stream.host([to = work.data(out), from = work.data(in)] { std::memcpy(to, from, kBytes); });
  });
  EXPECT_EQ(values_of(work.finish(out).fetch())[2], 3u);
  EXPECT_EQ(gpu::report(0).works, 1u);
  EXPECT_EQ(gpu::report(1).works, 1u);
}

TEST(WorkTest, WorksGoWhereTheirInputsAre) {
  const PretendedDevices devices({{}, {}}, {8 * kBytes, 8 * kBytes});
  gpu::DeviceBuffer last = add(gpu::DeviceBuffer(numbers(kCount, 0)), 1);
  for (int i = 0; i < 5; ++i) last = add(last, 1);
  EXPECT_EQ(gpu::report(0).works + gpu::report(1).works, 6u);
  EXPECT_EQ(gpu::report(0).works * gpu::report(1).works, 0u) << "all on one";
}

TEST(WorkTest, TravelsAsItsBytes) {
  const PretendedDevices devices({{}}, {8 * kBytes});
  const gpu::DeviceBuffer made = add(gpu::DeviceBuffer(numbers(kCount, 0)), 1);
  EXPECT_EQ(weft_size_of(made), sizeof made);
  Writer writer;
  encode(writer, made);
  const auto again = decode_all<gpu::DeviceBuffer>(writer.data(), writer.size());
  EXPECT_EQ(values_of(again.fetch()), values_of(made.fetch()));
  EXPECT_FALSE(again.on_device());
  EXPECT_EQ(weft_size_of(again), sizeof again + kBytes);
}

TEST(WorkTest, CallsOutOfOrderAreNamed) {
  const PretendedDevices devices({{}}, {8 * kBytes});
  gpu::Work work;
  const auto in = work.input(numbers(4, 0));
  EXPECT_NE(why([&] { work.data(in); }).find("before begin()"), std::string::npos);
  EXPECT_NE(why([&] { work.finish(); }).find("before begin()"), std::string::npos);
  work.begin();
  EXPECT_NE(why([&] { work.output(4); }).find("after begin()"), std::string::npos);
  EXPECT_NE(why([&] { work.begin(); }).find("twice"), std::string::npos);
  EXPECT_NE(why([&] { work.finish(in); }).find("only outputs"), std::string::npos);
  EXPECT_NE(why([&] { work.data(in); }).find("after finish()"), std::string::npos);
  EXPECT_NE(why([] { gpu::Work(7u).begin(); }).find("no device 7"), std::string::npos);
}

TEST(WorkTest, CopiesOnTheDeviceInOrder) {
  const PretendedDevices devices({gpu::PretendedDevice{}});
  gpu::Work work;
  const auto in = work.input(numbers(1000, 7));
  const auto middle = work.scratch(4000), out = work.output(4000);
  work.name("copies");
  work.begin();
  work.copy(middle, in);
  work.copy(out, middle);
  EXPECT_EQ(values_of(work.finish(out).fetch()), values_of(numbers(1000, 7)));
}

TEST(WorkTest, ACopyToAnInputOrOfAnotherSizeIsRefused) {
  const PretendedDevices devices({gpu::PretendedDevice{}});
  gpu::Work work;
  const auto in = work.input(numbers(10, 0));
  const auto out = work.output(44);
  work.begin();
  EXPECT_THROW(work.copy(in, out), gpu::DeviceError);
  EXPECT_THROW(work.copy(out, in), gpu::DeviceError);
}

TEST(WorkTest, TheReportTellsWhereTheDevicesTimeWent) {
  const PretendedDevices devices({gpu::PretendedDevice{.copy_rate = 4e6}});
  const gpu::DeviceBuffer made = add(gpu::DeviceBuffer(numbers(10'000, 1)), 1);
  EXPECT_EQ(values_of(made.fetch()), values_of(numbers(10'000, 2)));
  const gpu::DeviceReport report = gpu::report(0);
  // 40,000 bytes at 4 MB a second, each way.
  EXPECT_GE(report.upload_seconds, 0.01);
  EXPECT_GE(report.download_seconds, 0.01);
  EXPECT_GE(report.kernel_seconds, 0);
  EXPECT_LT(report.kernel_seconds, report.upload_seconds);
  EXPECT_EQ(report.evict_seconds, 0);
}

TEST(WorkTest, TheLedgerHasTheDevicesTime) {
  for (const char* scheduler : {"sync", "threads"}) {
    const PretendedDevices devices({gpu::PretendedDevice{}});
    Client client(Options{.scheduler = scheduler, .threads = 2});
    for (std::uint32_t i = 0; i < 4; ++i) client.submit(&add, gpu::DeviceBuffer(numbers(1000, i)), 1u).result().fetch();
    const LedgerReport ledger = client.ledger();
    ASSERT_EQ(ledger.devices.size(), 1u) << scheduler;
    EXPECT_EQ(ledger.devices[0].works, 4u) << scheduler;
    EXPECT_EQ(ledger.devices[0].uploaded_bytes, 16000u) << scheduler;
    EXPECT_EQ(ledger.devices[0].downloaded_bytes, 16000u) << scheduler;
    EXPECT_GT(ledger.devices[0].kernel_seconds, 0) << scheduler;
    client.submit([] { return 1; }).result();
  }
}

TEST(WorkTest, ADeviceThatFailedIsNotChosenWhileAnotherWorks) {
  const PretendedDevices devices({gpu::PretendedDevice{.fault_at = 1}, gpu::PretendedDevice{}});
  EXPECT_THROW(add(gpu::DeviceBuffer(numbers(10, 1)), 1), gpu::DeviceError);
  EXPECT_TRUE(gpu::usable());
  EXPECT_EQ(values_of(add(gpu::DeviceBuffer(numbers(10, 1)), 1).fetch()), values_of(numbers(10, 2)));
  EXPECT_EQ(gpu::report(1).works, 1u);
}

TEST(LinkTest, EveryWayIsMeasured) {
  const PretendedDevices devices({gpu::PretendedDevice{}});
  const gpu::LinkRates rates = gpu::measure_link(0, 1 << 20);
  EXPECT_GT(rates.to_device, 0);
  EXPECT_GT(rates.to_host, 0);
  EXPECT_GT(rates.on_device, 0);
  EXPECT_GT(rates.empty_work_seconds, 0);
}

}  // namespace
}  // namespace weft::testing
