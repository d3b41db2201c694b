#include "tests/core/cluster/in_process_cluster.hpp"

#include "core/messages/recording.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>

namespace weft {
namespace {

using testing::InProcessCluster;

TEST(ClusterRecordingTest, WhatTheSchedulerDecidedIsDecidedAgain) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / ("weft_cluster_recording." + std::to_string(::getpid()));
  ::setenv("WEFT_RECORD", file.c_str(), 1);
  {
    InProcessCluster cluster({.workers = 2});
    const Client client(InProcessCluster::client_options());
    std::vector<int> numbers(200);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto futures = client.map([](int n) { return n + 1; }, numbers);
    EXPECT_EQ(client.submit([](const std::vector<int>& all) { return all.back(); }, futures).result(), 200);
    cluster.kill(0);
    EXPECT_EQ(client.submit([](int n) { return n; }, 3).result(), 3);
  }
  ::unsetenv("WEFT_RECORD");
  const ReplayReport report = replay(file.string());
  EXPECT_TRUE(report.same()) << report.difference;
  EXPECT_TRUE(report.has_scheduler);
  EXPECT_GT(report.events, 10u);
  EXPECT_EQ(report.torn_bytes, 0u);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace weft
