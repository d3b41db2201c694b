#include <weft/call_executor.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CallExecutorTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

int add(int a, int b) { return a + b; }

TEST_P(CallExecutorTest, SubmitsAndMapsOnItsClient) {
  const CallExecutor executor = get_executor(client_);
  const Future<int> three = executor.submit(add, 1, 2);
  EXPECT_EQ(three.result(), 3);
  EXPECT_EQ(three.client_serial(), client_.serial());
  EXPECT_THAT(client_.gather(executor.map(add, std::vector<int>{1, 2, 3}, 10)), ElementsAre(11, 12, 13));
  EXPECT_EQ(get_executor(three).submit(add, three, 1).result(), 4) << "the executor of a future is its client's";
}

TEST_P(CallExecutorTest, ItsOptionsAreThoseOfAllItsCalls) {
  static std::atomic<int> calls;
  calls = 0;
  const auto flaky = [](int a) {
    if (calls++ == 0) throw std::runtime_error("once");
    return a;
  };
  EXPECT_EQ(get_executor(client_, {.retries = 1}).submit(flaky, 5).result(), 5);
}

TEST_P(CallExecutorTest, ShutdownWaitsForAllAndTakesNoMore) {
  static std::atomic<int> ended;
  ended = 0;
  const auto end = [](int) -> int {
    if (++ended % 10 == 0) throw std::runtime_error("a failure is an end");
    return 0;
  };
  const CallExecutor executor = get_executor(client_);
  for (int i = 0; i < 300; ++i) static_cast<void>(executor.submit(end, i));
  executor.shutdown();
  EXPECT_EQ(ended, 300);
  EXPECT_THAT(message_of([&] { executor.submit(add, 1, 2); }), HasSubstr("has been shut down"));
  {
    const CallExecutor other = get_executor(client_);
    static_cast<void>(other.map(end, std::vector<int>(50)));
  }
  EXPECT_EQ(ended, 350) << "its end waits, too";
}

TEST_P(CallExecutorTest, ShutdownMayCancelWhatHasNotBegun) {
  if (std::string(GetParam().scheduler) == "sync") GTEST_SKIP() << "nothing runs beside the caller there";
  static std::atomic<int> stage;
  stage = 0;
  const auto wait = [](int) {
    stage = 1;
    while (stage != 2) std::this_thread::yield();
    return 1;
  };
  const CallExecutor executor = get_executor(client_, {.resources = {{"slots", 2}}});
  const Future<int> first = executor.submit(wait, 0);
  while (stage != 1) std::this_thread::yield();
  const std::vector<Future<int>> later = executor.map(add, std::vector<int>{1, 2, 3}, 1);
  executor.shutdown({.wait = false, .cancel_futures = true});
  stage = 2;
  for (const Future<int>& one : later) EXPECT_THROW(one.result(), CancelledError);
}

TEST_P(CallExecutorTest, OfAClosedClientThereIsNone) {
  const Future<int> three = client_.submit(add, 1, 2);
  client_.close();
  EXPECT_THAT(message_of([&] { get_executor(three); }), HasSubstr("has been closed"));
}

INSTANTIATE_TEST_SUITE_P(Modes, CallExecutorTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
