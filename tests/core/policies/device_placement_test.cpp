#include "core/policies/device_placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weft::policies {
namespace {

constexpr double kMB = 1e6;
const DeviceState kIdle{0, 1e12, 1e12};

DevicePass chain(double elements, double host_share) {
  DevicePass pass;
  pass.steps = 4 * elements;
  pass.host_bytes = 8 * elements * host_share;
  pass.device_bytes = 8 * elements * (1 - host_share);
  pass.out_bytes = 8 * elements;
  return pass;
}

TEST(DevicePlacementTest, TinyPassesStayOnTheCpuAndLargeResidentOnesDoNot) {
  const DeviceRates rates;
  EXPECT_EQ(place_pass(chain(100, 1), rates, kIdle), DeviceChoice::Cpu);
  EXPECT_EQ(place_pass(chain(100, 0), rates, kIdle), DeviceChoice::Cpu);
  EXPECT_EQ(place_pass(chain(32 * kMB, 0), rates, kIdle), DeviceChoice::Device);
}

TEST(DevicePlacementTest, ACopyOverASlowLinkIsNotWorthAShortPass) {
  DeviceRates rates;
  rates.link_bytes = 1e9;
  EXPECT_EQ(place_pass(chain(kMB, 1), rates, kIdle), DeviceChoice::Cpu);
  EXPECT_EQ(place_pass(chain(kMB, 0), rates, kIdle), DeviceChoice::Device) << "what lies there is computed there";
}

TEST(DevicePlacementTest, AQueueOnTheDeviceSendsPassesToTheCpu) {
  const DeviceRates rates;
  const DevicePass pass = chain(kMB, 1);
  DeviceState busy = kIdle;
  ASSERT_EQ(place_pass(pass, rates, busy), DeviceChoice::Device);
  busy.waiting_s = cpu_seconds(pass, rates);
  EXPECT_EQ(place_pass(pass, rates, busy), DeviceChoice::Cpu);
}

TEST(DevicePlacementTest, WhatExceedsTheBudgetIsTheCpus) {
  const DeviceRates rates;
  DeviceState small = kIdle;
  small.budget_bytes = 100;
  EXPECT_EQ(place_pass(chain(32 * kMB, 0), rates, small), DeviceChoice::Cpu);
}

TEST(DevicePlacementTest, AFullDeviceCountsWhatItHasToMoveAway) {
  const DeviceRates rates;
  const DevicePass pass = chain(kMB, 1);
  DeviceState full = kIdle;
  full.free_bytes = 0;
  EXPECT_GT(device_seconds(pass, rates, full), 1.9 * device_seconds(pass, rates, kIdle));
}

TEST(DevicePlacementTest, OnePassThatWasHeldUpMovesARateOnlyALittle) {
  EXPECT_DOUBLE_EQ(measured(1e9, 1e6, 1.0), 0.75e9 + 0.25 * 0.5e9);
  EXPECT_DOUBLE_EQ(measured(1e9, 2e9, 1.0), 0.75e9 + 0.25 * 2e9);
  EXPECT_DOUBLE_EQ(measured(1e9, 0, 1.0), 1e9);
  EXPECT_DOUBLE_EQ(measured(1e9, 1e6, 0), 1e9);
}

/// The time that passes take which slots and a device share as place_pass says; -1 and 1: one of them alone.
double makespan(const DeviceRates& rates, int slots, int passes, const DevicePass& pass, int only = 0) {
  std::vector<double> free_at(static_cast<std::size_t>(slots), 0);
  double device_free = 0;
  for (int i = 0; i < passes; ++i) {
    const auto slot = std::min_element(free_at.begin(), free_at.end());
    DeviceState state = kIdle;
    state.waiting_s = std::max(0.0, device_free - *slot);
    const bool device = only == 0 ? place_pass(pass, rates, state) == DeviceChoice::Device : only > 0;
    if (device) {
      device_free = std::max(device_free, *slot) + device_seconds(pass, rates, kIdle);
      if (only > 0) continue;
      // The slot runs another task meanwhile.
    } else {
      *slot += cpu_seconds(pass, rates);
    }
  }
  return std::max(device_free, *std::max_element(free_at.begin(), free_at.end()));
}

TEST(DevicePlacementTest, MixedRunsAreNeverMuchSlowerThanTheBetterAndUseBothWhereBothHelp) {
  for (const double device_steps : {1e9, 4e9, 1.6e10, 1e11, 1e12}) {
    for (const double host_share : {0.0, 1.0}) {
      DeviceRates rates;
      rates.device_steps = device_steps;
      DevicePass pass = chain(4 * kMB, host_share);
      pass.out_stays = false;
      pass.device_bytes = 0;
      const double cpu = makespan(rates, 16, 400, pass, -1), device = makespan(rates, 16, 400, pass, 1);
      const double both = makespan(rates, 16, 400, pass);
      EXPECT_LE(both, std::min(cpu, device) / 0.95) << device_steps << ", on the host: " << host_share;
      if (std::max(cpu, device) < 2 * std::min(cpu, device)) {
        EXPECT_LE(both, std::min(cpu, device) / 1.2) << device_steps << ", on the host: " << host_share;
      }
    }
  }
}

}  // namespace
}  // namespace weft::policies
