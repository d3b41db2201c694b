#include "gpu/memory/store.hpp"

#include "tests/gpu/devices.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace weft::testing {
namespace {

constexpr std::size_t kCount = 1024, kBytes = kCount * sizeof(std::uint32_t);

TEST(StoreTest, WhatWasLongestUnusedGoesToTheHostAndComesBack) {
  const PretendedDevices devices({{}}, {4 * kBytes});
  std::vector<gpu::DeviceBuffer> made;
  for (std::uint32_t i = 0; i < 10; ++i) made.push_back(add(gpu::DeviceBuffer(numbers(kCount, i)), 100));
  const gpu::DeviceReport report = gpu::report();
  EXPECT_GE(report.evictions, 6u);
  EXPECT_LE(report.peak_bytes, 4 * kBytes);
  EXPECT_FALSE(made[0].on_device());
  EXPECT_TRUE(made[9].on_device());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const auto values = values_of(add(made[i], 1).fetch());
    ASSERT_EQ(values[0], i + 101);
    ASSERT_EQ(values[kCount - 1], i + 100 + kCount);
  }
}

TEST(StoreTest, BytesThatTheHostHasAreNotCopiedThereAgain) {
  const PretendedDevices devices({{}}, {2 * kBytes});
  const gpu::DeviceBuffer input(numbers(kCount, 7));
  for (int i = 0; i < 5; ++i) add(input, 1);  // results go at once: only inputs could be evicted
  const gpu::DeviceBuffer other(numbers(kCount, 9));
  add(other, 1);
  EXPECT_EQ(gpu::report().evicted_bytes, 0u);
  EXPECT_EQ(gpu::report().uploaded_bytes, 2 * kBytes);
  EXPECT_EQ(values_of(input.fetch())[0], 7u);
}

TEST(StoreTest, TheDeviceIsEmptyWhenNobodyHoldsAnything) {
  const PretendedDevices devices({{}}, {16 * kBytes});
  {
    const gpu::DeviceBuffer a = add(gpu::DeviceBuffer(numbers(kCount, 0)), 1);
    const gpu::DeviceBuffer b = add(a, 1);
    EXPECT_EQ(gpu::report().used_bytes, 2 * kBytes);
  }
  EXPECT_EQ(gpu::report().used_bytes, 0u);
}

// Two works whose operands are more than half of the budget each: they take turns.
TEST(StoreTest, WorksThatDoNotFitTogetherRunOneAfterTheOther) {
  const PretendedDevices devices({{}}, {3 * kBytes});
  const gpu::DeviceBuffer a(numbers(kCount, 0)), b(numbers(kCount, 5));
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (const gpu::DeviceBuffer* input : {&a, &b})
    threads.emplace_back([&, input] {
      const std::uint32_t first = values_of(input->fetch())[0];
      for (std::uint32_t i = 0; i < 50; ++i)
        if (values_of(add(*input, i).fetch())[3] == first + 3 + i) ++right;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 100);
  EXPECT_EQ(gpu::report().works, 100u);
  EXPECT_LE(gpu::report().peak_bytes, 3 * kBytes);
}

TEST(StoreTest, AWorkThatExceedsTheBudgetAloneIsRefusedWithBothSizes) {
  const PretendedDevices devices({{}}, {2 * kBytes});
  const gpu::DeviceBuffer input(numbers(2 * kCount, 0));
  try {
    add(input, 1);
    FAIL();
  } catch (const gpu::DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("needs 16384 bytes"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("budget is 8192 bytes"), std::string::npos) << error.what();
  }
  EXPECT_EQ(gpu::report().used_bytes, 0u);
}

TEST(StoreTest, WhatTheDeviceRefusesIsTriedAgainAfterTheIdleOnesWent) {
  // The card has room for three, the budget thinks of eight.
  const PretendedDevices devices({{.memory_bytes = 3 * kBytes}}, {8 * kBytes});
  std::vector<gpu::DeviceBuffer> made;
  for (std::uint32_t i = 0; i < 6; ++i) made.push_back(add(gpu::DeviceBuffer(numbers(kCount, i)), 1));
  EXPECT_GT(gpu::report().short_of_memory, 0u);
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(values_of(made[i].fetch())[0], i + 1);
}

TEST(StoreTest, ACardThatIsTakenBySomebodyElseIsASentence) {
  const PretendedDevices devices({{.memory_bytes = kBytes}}, {8 * kBytes});
  try {
    add(gpu::DeviceBuffer(numbers(kCount, 1)), 1);
    FAIL();
  } catch (const gpu::DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("another program uses the card"), std::string::npos) << error.what();
  }
  EXPECT_EQ(gpu::report().used_bytes, 0u);
}

TEST(StoreTest, RefusalsInTheMiddleOfManyWorksLoseNothing) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const PretendedDevices devices({{.refuse_every = 2 + seed % 3}}, {6 * kBytes});
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        std::mt19937 random(static_cast<unsigned>(seed) * 10 + t);
        std::vector<std::pair<std::uint32_t, gpu::DeviceBuffer>> held;
        held.emplace_back(t, numbers(kCount, t));
        for (int i = 0; i < 30; ++i) {
          const auto& [first, buffer] = held[random() % held.size()];
          const std::uint32_t more = random() % 100;
          held.emplace_back(first + more, add(buffer, more));
          if (held.size() > 5) held.erase(held.begin());
        }
        bool good = true;
        for (const auto& [first, buffer] : held) good = good && values_of(buffer.fetch())[9] == first + 9;
        if (good) ++right;
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 3) << "seed " << seed;
    EXPECT_EQ(gpu::report().used_bytes, 0u) << "seed " << seed;
  }
}

TEST(StoreTest, ALowerBudgetEvictsAndALowestRefusesWhoWaits) {
  const PretendedDevices devices({{}}, {8 * kBytes});
  std::vector<gpu::DeviceBuffer> made;
  for (std::uint32_t i = 0; i < 4; ++i) made.push_back(add(gpu::DeviceBuffer(numbers(kCount, i)), 1));
  gpu::set_budget(0, kBytes);
  EXPECT_LE(gpu::report().used_bytes, kBytes);
  EXPECT_THROW(add(made[0], 1), gpu::DeviceError);
  gpu::set_budget(0, 2 * kBytes);
  EXPECT_EQ(values_of(add(made[0], 1).fetch())[0], 2u);
}

}  // namespace
}  // namespace weft::testing
