#include "gpu/memory/host_room.hpp"

#include "tests/core/memory/faulty_disk.hpp"
#include "tests/gpu/devices.hpp"

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

namespace weft::testing {
namespace {

constexpr std::size_t kCount = 16384, kBytes = kCount * sizeof(std::uint32_t);
/// Of all of these tests: chunks that a device has room for, those that the host has beside them, and all there are.
constexpr std::size_t kOnDevice = 3, kOnHost = 4, kAll = 20;

/// Gives what is evicted four chunks' room in memory, and this disk.
void limit_host(Disk& disk, std::size_t chunks = kOnHost) {
  gpu::detail::HostLimits limits{chunks * kBytes, {}, &disk};
  limits.directory.path = std::filesystem::temp_directory_path();
  gpu::detail::stores().front()->set_host_limits(limits);
}

std::vector<gpu::DeviceBuffer> make_all() {
  std::vector<gpu::DeviceBuffer> made;
  for (std::uint32_t i = 0; i < kAll; ++i) made.push_back(add(gpu::DeviceBuffer(numbers(kCount, i)), 100));
  return made;
}

TEST(HostRoomTest, WhatNeitherHasRoomForGoesToDiskAndComesBack) {
  FaultyDisk disk;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  const std::vector<gpu::DeviceBuffer> made = make_all();
  EXPECT_LE(gpu::report().host_bytes, kOnHost * kBytes);
  EXPECT_GE(gpu::report().spilled_bytes, (kAll - kOnDevice - kOnHost) * kBytes);
  EXPECT_FALSE(made[0].on_host());
  EXPECT_FALSE(made[0].on_device());
  EXPECT_LT(weft_size_of(made[0]), kBytes) << "bytes on disk take no memory";
  // To a work, and to the host.
  for (std::uint32_t i = 0; i < kAll; ++i) {
    EXPECT_EQ(values_of(add(made[i], 1).fetch()), values_of(numbers(kCount, i + 101))) << i;
    EXPECT_EQ(values_of(made[kAll - 1 - i].fetch()), values_of(numbers(kCount, kAll - 1 - i + 100))) << i;
  }
}

TEST(HostRoomTest, WhatWasWrittenOnceIsNotWrittenAgain) {
  FaultyDisk disk;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  const std::vector<gpu::DeviceBuffer> made = make_all();
  for (int round = 0; round < 3; ++round)
    for (const auto& one : made) EXPECT_EQ(one.fetch().size(), kBytes);
  EXPECT_LE(gpu::report().spilled_bytes, kAll * kBytes);
}

TEST(HostRoomTest, TheDiskIsEmptyWhenNobodyHoldsAnything) {
  FaultyDisk disk;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  make_all();
  EXPECT_GT(gpu::report().spilled_bytes, 0u);
  EXPECT_EQ(gpu::report().host_bytes, 0u);
  EXPECT_EQ(gpu::report().used_bytes, 0u);
}

TEST(HostRoomTest, AFullDiskKeepsEverythingInMemory) {
  FaultyDisk disk;
  disk.room = 3 * kBytes;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  const std::vector<gpu::DeviceBuffer> made = make_all();
  for (std::uint32_t i = 0; i < kAll; ++i)
    EXPECT_EQ(values_of(made[i].fetch()), values_of(numbers(kCount, i + 100))) << i;
  EXPECT_GT(gpu::report().host_bytes, kOnHost * kBytes);
}

TEST(HostRoomTest, WithoutAPlaceToSpillEverythingStaysInMemory) {
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  gpu::detail::stores().front()->set_host_limits({kOnHost * kBytes});
  const std::vector<gpu::DeviceBuffer> made = make_all();
  EXPECT_EQ(gpu::report().spilled_bytes, 0u);
  for (std::uint32_t i = 0; i < kAll; ++i) EXPECT_EQ(values_of(made[i].fetch())[0], i + 100) << i;
}

TEST(HostRoomTest, BytesThatCannotBeReadBackFailWhoNeedsThemAndMayBeTriedAgain) {
  FaultyDisk disk;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  const std::vector<gpu::DeviceBuffer> made = make_all();
  disk.read_error = EIO;
  EXPECT_THROW(made[0].fetch(), MemoryError);
  EXPECT_THROW(add(made[0], 1), MemoryError);
  EXPECT_EQ(values_of(add(made[kAll - 1], 1).fetch())[0], kAll - 1 + 101) << "others go on";
  disk.read_error = 0;
  EXPECT_EQ(values_of(add(made[0], 1).fetch()), values_of(numbers(kCount, 101)));
}

TEST(HostRoomTest, AWorkWaitsForTheDiskWhereTheHostIsFull) {
  FaultyDisk disk;
  disk.hold_writes = true;
  const PretendedDevices devices({{}}, {kOnDevice * kBytes});
  limit_host(disk);
  std::atomic<bool> ended{false};
  std::vector<gpu::DeviceBuffer> made;
  std::thread maker([&] {
    made = make_all();
    ended = true;
  });
  while (disk.held_writes == 0) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(ended);
  EXPECT_LE(gpu::report().host_bytes, kOnHost * kBytes);
  disk.hold_writes = false;
  disk.hold_writes.notify_all();
  maker.join();
  EXPECT_EQ(values_of(made[0].fetch())[0], 100u);
}

TEST(HostRoomTest, TasksOfManyThreadsGetTheirBytesBack) {
  for (const char* scheduler : {"sync", "threads"}) {
    FaultyDisk disk;
    const PretendedDevices devices({{}}, {kOnDevice * kBytes});
    limit_host(disk, 2);
    Client client(Options{.scheduler = scheduler, .threads = 4});
    std::vector<Future<gpu::DeviceBuffer>> made;
    for (std::uint32_t i = 0; i < 30; ++i)
      made.push_back(
          client.submit([](std::uint32_t first) { return add(gpu::DeviceBuffer(numbers(kCount, first)), 1); }, i));
    for (int step = 0; step < 3; ++step)
      for (auto& one : made) one = client.submit([](const gpu::DeviceBuffer& buffer) { return add(buffer, 10); }, one);
    for (std::uint32_t i = 0; i < 30; ++i)
      EXPECT_EQ(values_of(made[i].result().fetch()), values_of(numbers(kCount, i + 31))) << scheduler << i;
    EXPECT_GT(gpu::report().spilled_bytes, 0u);
  }
}

}  // namespace
}  // namespace weft::testing
