#include "gpu/driver/watcher.hpp"

#include "gpu/driver/pretended_driver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace weft {
namespace {

TEST(WatcherTest, CallsEachOnceWithItsState) {
  const auto device = gpu::pretended_driver({});
  const gpu::StreamId stream = device->open_stream();
  std::atomic<int> reached{0}, failed{0};
  {
    gpu::Watcher watcher(*device);
    const auto count = [&](gpu::EventState state) { ++(state == gpu::EventState::Reached ? reached : failed); };
    for (int i = 0; i < 100; ++i) watcher.watch(device->record(stream), count);
    while (reached < 100) std::this_thread::yield();
    device->native(stream).host([] { throw std::runtime_error("bad"); });
    for (int i = 0; i < 10; ++i) watcher.watch(device->record(stream), count);
  }
  EXPECT_EQ(reached, 100);
  EXPECT_EQ(failed, 10) << "the end of a watcher waits for what is watched";
}

TEST(WatcherTest, ALaterStreamMayBeFirst) {
  const auto device = gpu::pretended_driver({});
  const gpu::StreamId slow = device->open_stream(), quick = device->open_stream();
  std::atomic<bool> go{false};
  std::atomic<int> order{0}, slow_place{0}, quick_place{0};
  device->native(slow).host([&] { go.wait(false); });
  gpu::Watcher watcher(*device);
  watcher.watch(device->record(slow), [&](gpu::EventState) { slow_place = ++order; });
  watcher.watch(device->record(quick), [&](gpu::EventState) {
    quick_place = ++order;
    go = true;
    go.notify_all();
  });
  while (slow_place == 0) std::this_thread::yield();
  EXPECT_EQ(quick_place, 1);
  EXPECT_EQ(slow_place, 2);
}

}  // namespace
}  // namespace weft
