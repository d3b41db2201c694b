#include "gpu/driver/pretended_driver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

using gpu::CopyWay;
using gpu::EventState;

TEST(PretendedDriverTest, AStreamKeepsItsOrder) {
  const auto device = gpu::pretended_driver({});
  const gpu::StreamId stream = device->open_stream();
  char from[] = "the bytes", to[sizeof from] = {};
  void* const there = device->allocate(sizeof from, stream);
  device->copy(there, from, sizeof from, CopyWay::ToDevice, stream);
  device->native(stream).host([there] { static_cast<char*>(there)[0] = 'T'; });
  device->copy(to, there, sizeof from, CopyWay::ToHost, stream);
  EXPECT_EQ(device->synchronize(device->record(stream)), EventState::Reached);
  EXPECT_STREQ(to, "The bytes");
}

TEST(PretendedDriverTest, AnEventHoldsAnotherStreamBack) {
  const auto device = gpu::pretended_driver({});
  const gpu::StreamId first = device->open_stream(), second = device->open_stream();
  std::atomic<bool> go{false}, ran{false};
  device->native(first).host([&] { go.wait(false); });
  const gpu::Event done = device->record(first);
  device->wait(second, done);
  device->native(second).host([&] { ran = true; });
  const gpu::Event last = device->record(second);
  EXPECT_EQ(device->state(last), EventState::Pending);
  EXPECT_FALSE(ran);
  go = true;
  go.notify_all();
  EXPECT_EQ(device->synchronize(last), EventState::Reached);
  EXPECT_TRUE(ran);
}

TEST(PretendedDriverTest, MemoryEndsAndComesBackInTheOrderOfTheStream) {
  const auto device = gpu::pretended_driver({.memory_bytes = 1024});
  const gpu::StreamId stream = device->open_stream();
  void* const half = device->allocate(512, stream);
  void* const other = device->allocate(512, stream);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(device->allocate(256, stream), nullptr);
  device->release(half, stream);
  EXPECT_NE(device->allocate(512, stream), nullptr);
}

TEST(PretendedDriverTest, AFaultIsStickyAndFailsWhatCameAfter) {
  const auto device = gpu::pretended_driver({});
  const gpu::StreamId stream = device->open_stream();
  bool ran = false;
  device->native(stream).host([] { throw std::runtime_error("address 0"); });
  device->native(stream).host([&ran] { ran = true; });
  EXPECT_EQ(device->synchronize(device->record(stream)), EventState::Failed);
  EXPECT_EQ(device->failure(), "a kernel faulted: address 0");
  EXPECT_FALSE(ran);
}

TEST(PretendedDriverTest, RefusesTheAllocationItIsTold) {
  const auto device = gpu::pretended_driver({.refuse_at = 2});
  const gpu::StreamId stream = device->open_stream();
  EXPECT_NE(device->allocate(256, stream), nullptr);
  EXPECT_EQ(device->allocate(256, stream), nullptr);
  EXPECT_NE(device->allocate(256, stream), nullptr);
}

}  // namespace
}  // namespace weft
