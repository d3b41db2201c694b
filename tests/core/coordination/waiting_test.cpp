#include <weft/client.hpp>
#include <weft/coordination.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace weft {
namespace {

TEST(WaitingTest, ATaskThatWaitsForAnEmptyQueueEndsWithItsClient) {
  const auto before = std::chrono::steady_clock::now();
  {
    const Client client(Options{.scheduler = "threads", .threads = 2});
    const Queue<int> queue(client, "never filled", 1);
    const auto waiting = client.submit([](const Queue<int>& from) { return from.get(); }, queue);
    while (waiting.status() == FutureStatus::Pending && client.counts().total == 0) {
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
}

}  // namespace
}  // namespace weft
