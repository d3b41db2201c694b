#include <weft/plugin.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace weft {
namespace {

using testing::HasSubstr;

class PluginTest : public testing::TestWithParam<Mode> {
 protected:
  PluginTest() { set_up = taken_down = 0; }
  Client client_{GetParam().options()};

 public:
  static inline std::atomic<int> set_up = 0;
  static inline std::atomic<int> taken_down = 0;
};

const auto count_set_up = [] { ++PluginTest::set_up; };
const auto count_taken_down = [] { ++PluginTest::taken_down; };

int state(int) { return 10 * PluginTest::set_up + PluginTest::taken_down; }

TEST_P(PluginTest, IsSetUpOnceBeforeTasksAndTakenDownAtItsEnd) {
  {
    const WorkerPlugin plugin(client_, "counting", count_set_up, count_taken_down);
    EXPECT_EQ(client_.submit(state, 0).result(), 10);
    EXPECT_EQ(client_.submit(state, 1).result(), 10);
  }
  EXPECT_EQ(client_.submit(state, 2).result(), 11);
}

TEST_P(PluginTest, SeveralOfOneNameAreSeveral) {
  const WorkerPlugin first(client_, "same", count_set_up, count_taken_down);
  { const WorkerPlugin second(client_, "same", count_set_up, count_taken_down); }
  EXPECT_EQ(client_.submit(state, 0).result(), 21);
}

TEST_P(PluginTest, AClosedClientTakesItDown) {
  const WorkerPlugin plugin(client_, "counting", count_set_up, count_taken_down);
  client_.close();
  EXPECT_EQ(state(0), 11);
}

TEST_P(PluginTest, WhatItsSetupThrowsComesOutAndNothingIsLeft) {
  const auto make = [&] {
    const WorkerPlugin plugin(
        client_, "broken", [] { throw std::runtime_error("no licence"); }, count_taken_down);
  };
  EXPECT_THAT(message_of(make), HasSubstr("no licence"));
  EXPECT_EQ(client_.submit(state, 0).result(), 0);
  client_.close();
  EXPECT_EQ(state(0), 0);
}

TEST_P(PluginTest, WhatItsTeardownThrowsIsLogged) {
  testing::internal::CaptureStderr();
  {
    const WorkerPlugin plugin(client_, "careless", count_set_up, [] { throw std::runtime_error("stuck"); });
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the teardown of the plugin \"careless\" threw stuck"));
  EXPECT_EQ(client_.submit(state, 0).result(), 10);
}

TEST_P(PluginTest, ATaskCannotMakeOne) {
  const auto in_task = [](int) {
    const WorkerPlugin plugin(this_task::client(), "inner", count_set_up);
    return 0;
  };
  EXPECT_THAT(message_of([&] { client_.submit(in_task, 1).result(); }), HasSubstr("not inside of tasks"));
}

TEST_P(PluginTest, AClosedClientRefusesIt) {
  client_.close();
  EXPECT_THROW(WorkerPlugin(client_, "late", count_set_up), Error);
}

INSTANTIATE_TEST_SUITE_P(Modes, PluginTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
