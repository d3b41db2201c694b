#include "core/runtime/watchdog.hpp"

#include <weft/client.hpp>
#include <weft/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace weft {
namespace {

using ::testing::ContainsRegex;

Options impatient() {
  Options options;
  options.scheduler = "threads";
  options.threads = 2;
  options.worker_timeout = 0.15;  // the patience is twice that
  options.progress = "off";
  return options;
}

int sleeps(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return 1;
}

int works(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
  }
  return 1;
}

TEST(WatchdogTest, ARunThatStandsStillNamesItsTaskOnceAndThenLessAndLessOften) {
  const logging::Capture log;
  Client client(impatient());
  EXPECT_EQ(client.submit(&sleeps, 1.1).result(), 1);
  client.close();
  const auto records = log.records();
  ASSERT_GE(records.size(), 1u);
  EXPECT_LE(records.size(), 2u) << "after 0.3 s, and after 0.6 s or more";
  EXPECT_THAT(records[0].text,
              ContainsRegex("^nothing moves: for [0-9.]+ m?s no task has ended and no worker has used its "
                            "processors; 1 of 1 tasks are left: .* runs '.* #[0-9]+' "
                            "\\(.*watchdog_test.cpp:[0-9]+\\)"));
}

TEST(WatchdogTest, ALongTaskThatWorksIsNoNews) {
  const logging::Capture log;
  Client client(impatient());
  EXPECT_EQ(client.submit(&works, 1.0).result(), 1);
  client.close();
  EXPECT_TRUE(log.records().empty()) << log.records().front().text;
}

TEST(WatchdogTest, WhileNobodyWaitsNobodyIsWarned) {
  const logging::Capture log;
  Client client(impatient());
  EXPECT_EQ(client.submit(&sleeps, 0.01).result(), 1);
  const auto late = client.submit(&sleeps, 1.0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // it has ended by then
  EXPECT_EQ(late.result(), 1);
  client.close();
  EXPECT_TRUE(log.records().empty()) << log.records().front().text;
}

}  // namespace
}  // namespace weft
