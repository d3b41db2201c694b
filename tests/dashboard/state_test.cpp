#include "dashboard/state.hpp"

#include <weft/client.hpp>
#include <weft/future.hpp>
#include <weft/watch.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace weft::dashboard {
namespace {

std::atomic<bool> go_on{false};

int long_enough_to_be_noted(int n) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
  while (std::chrono::steady_clock::now() < until) {
  }
  return n;
}

/// Nothing is given twice.
constexpr std::chrono::milliseconds kAnew(0);

TEST(StateTest, TellsWhatAClientHasDoneAndDoes) {
  Client client({.threads = 2, .progress = "off"});
  State state(client, kAnew);
  EXPECT_NE(state.json().find("\"done\":0,\"failed\":0,\"total\":0"), std::string::npos) << state.json();
  for (int i = 0; i < 10; ++i) client.submit(long_enough_to_be_noted, i).result();
  auto bad = client.with({.name = "parse"}).submit([](int) -> int { throw std::runtime_error("<b>twelve</b>"); }, 1);
  bad.exception();
  go_on = false;
  auto waits = client.with({.name = "waits"})
                   .submit(
                       [](int n) {
                         while (!go_on) std::this_thread::yield();
                         return n;
                       },
                       1);
  while (client.info().workers.front().running == 0) std::this_thread::yield();
  const std::string json = state.json();
  go_on = true;
  waits.result();
  EXPECT_NE(json.find("\"done\":10,\"failed\":1,\"total\":12"), std::string::npos) << json;
  EXPECT_NE(json.find("\"name\":\"worker-0\""), std::string::npos) << json;
  EXPECT_NE(json.find("state_test.cpp:"), std::string::npos) << json;
  EXPECT_NE(json.find("\"name\":\"waits\",\"place\":"), std::string::npos) << json;
  EXPECT_NE(json.find("twelve"), std::string::npos) << json;
  EXPECT_NE(json.find("[\"kernel\","), std::string::npos) << json;
}

TEST(StateTest, ManyLookersCostOneLook) {
  Client client({.threads = 1, .progress = "off"});
  State state(client, std::chrono::hours(1));
  const std::string first = state.json();
  EXPECT_EQ(state.json(), first);
  State impatient(client, kAnew);
  const std::string second = impatient.json();
  EXPECT_NE(impatient.json(), second);
}

TEST(StateTest, TasksAreNotedOnlyWhileSomebodyLooks) {
  Client client({.threads = 1, .progress = "off"});
  State state(client, kAnew);
  state.json();
  client.submit(long_enough_to_be_noted, 1).result();
  EXPECT_NE(state.json().find("\"noted\":1"), std::string::npos) << state.json();
  state.rest();
  client.submit(long_enough_to_be_noted, 2).result();
  EXPECT_NE(state.json().find("\"noted\":1"), std::string::npos) << state.json();
}

TEST(StateTest, TheEndOfAStreamDoesNotEndThePage) {
  Client client({.threads = 1, .progress = "off"});
  State state(client, kAnew);
  state.json();
  { const TaskStream stream(client); }
  client.submit(long_enough_to_be_noted, 1).result();
  EXPECT_NE(state.json().find("\"noted\":1"), std::string::npos) << state.json();
  const TaskStream stream(client);
  state.rest();
  client.submit(long_enough_to_be_noted, 2).result();
  EXPECT_EQ(stream.tasks().size(), 1u) << "nor does the page's end that of a stream";
}

TEST(StateTest, MoreTasksThanAnybodySeesAreNotedNowAndThen) {
  Client client({.threads = 1, .progress = "off"});
  State state(client, kAnew);
  state.json();
  std::vector<int> numbers(5'000);
  client.gather(client.map(
      [](int n) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(60);
        while (std::chrono::steady_clock::now() < until) {
        }
        return n;
      },
      numbers));
  const std::string json = state.json();
  EXPECT_EQ(json.find("\"noted\":0"), std::string::npos) << json;
  client.submit(long_enough_to_be_noted, 2).result();
  const auto noted = [](const std::string& text) { return text.substr(text.find("\"noted\":"), 20); };
  EXPECT_EQ(noted(state.json()), noted(json)) << "a pause";
}

}  // namespace
}  // namespace weft::dashboard
