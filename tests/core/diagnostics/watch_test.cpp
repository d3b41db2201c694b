#include <weft/watch.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class WatchTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

int busy(int n) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < until) {
  }
  return n;
}

TEST_P(WatchTest, AStreamHasTheTasksThatRanWhileItWasThere) {
  client_.submit(busy, 1).result();
  TaskStream stream(client_);
  const std::vector<Future<int>> futures = client_.map(busy, std::vector<int>{1, 2, 3, 4});
  client_.gather(futures);
  const auto failing = client_.with({.name = "doomed"}).submit([](int n) { return busy(n) == 5 ? throw n : n; }, 5);
  EXPECT_THROW(failing.result(), TaskError);
  const std::vector<RanTask> tasks = stream.tasks();
  ASSERT_EQ(tasks.size(), 5u);
  for (const RanTask& task : tasks) {
    EXPECT_EQ(task.worker, client_.info().workers[0].name);
    EXPECT_THAT(task.file, EndsWith("watch_test.cpp"));
    EXPECT_GT(task.line, 0u);
    EXPECT_LT(task.slot, client_.slots());
    EXPECT_GE(task.seconds, 0.0009);
    EXPECT_EQ(task.failed, task.name.find("doomed") != std::string::npos) << task.name;
  }
  for (std::size_t i = 1; i < tasks.size(); ++i) EXPECT_GE(tasks[i].start, tasks[i - 1].start);
  EXPECT_EQ(stream.left_out(), 0u);
  stream.stop();
  client_.submit(busy, 1).result();
  EXPECT_EQ(stream.tasks().size(), 5u);
}

TEST_P(WatchTest, StreamsSeeEachTheirOwnTime) {
  TaskStream first(client_);
  client_.submit(busy, 1).result();
  TaskStream second(client_);
  client_.submit(busy, 2).result();
  first.stop();
  client_.submit(busy, 3).result();
  EXPECT_EQ(first.tasks().size(), 2u);
  EXPECT_EQ(second.tasks().size(), 2u);
}

TEST_P(WatchTest, AStreamEndsWithItsClient) {
  TaskStream stream(client_);
  client_.submit(busy, 1).result();
  client_.close();
  EXPECT_EQ(stream.tasks().size(), 1u);
  EXPECT_THAT(message_of([&] { TaskStream late(client_); }), HasSubstr("closed"));
}

TEST_P(WatchTest, StreamsAreWrittenForPeopleAndForViewers) {
  const std::string folder = testing::TempDir() + "weft_watch_" + GetParam().scheduler +
                             (GetParam().check_transfer ? "e" : "") + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  TaskStream stream(client_);
  const auto written = [&](const char* name, void (TaskStream::*write)(const std::string&) const) {
    (stream.*write)(folder + name);
    std::ifstream file(folder + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  };
  EXPECT_EQ(written("/none.json", &TaskStream::write_json), "{\"traceEvents\":[]}\n");
  EXPECT_THAT(written("/none.html", &TaskStream::write_html), HasSubstr("0 tasks"));
  client_.with({.name = "odd \"name\" <&>"}).submit(busy, 1).result();
  client_.submit(busy, 2).result();
  const std::string table = written("/t.csv", &TaskStream::write_csv);
  EXPECT_THAT(table, AllOf(StartsWith("start_seconds,"), HasSubstr("\"odd \"\"name\"\" <&> #")));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
  EXPECT_THAT(written("/t.json", &TaskStream::write_json),
              AllOf(HasSubstr("\"odd \\\"name\\\" <&> #"), HasSubstr("\"ph\":\"X\""), EndsWith("}]}\n")));
  EXPECT_THAT(
      written("/t.html", &TaskStream::write_html),
      AllOf(StartsWith("<!doctype html>"), HasSubstr("odd &quot;name&quot; &lt;&amp;&gt;"), HasSubstr("<rect")));
  EXPECT_THROW(stream.write_csv(folder + "/no/such/file"), ConfigError);
  std::filesystem::remove_all(folder);
}

TEST_P(WatchTest, TheRunningTaskIsNamedWithItsLine) {
  const auto seen = client_.with({.name = "looks"}).submit([] {
    const std::vector<RunningTask> running = processing(this_task::client()).begin()->second;
    return running.size() == 1 ? running[0].name + " at " + running[0].file + " " + std::to_string(running[0].line)
                               : "of " + std::to_string(running.size());
  });
  EXPECT_THAT(seen.result(), AllOf(StartsWith("looks #"), HasSubstr("watch_test.cpp ")));
  // The slot tells the end before it takes the task off its list.
  auto after = processing(client_);
  for (; after.size() == 1 && !after.begin()->second.empty(); after = processing(client_)) std::this_thread::yield();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after.begin()->first, client_.info().workers[0].name);
}

TEST_P(WatchTest, TheLastLinesOfTheLogCanBeAskedFor) {
  logging::warning("client", "a line of WatchTest ", 4711);
  const auto logs = worker_logs(client_);
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_THAT(logs.begin()->second.back(), AllOf(HasSubstr("a line of WatchTest 4711"), HasSubstr("client:")));
}

TEST_P(WatchTest, AClosedClientIsNotLookedAt) {
  client_.close();
  EXPECT_THAT(message_of([&] { processing(client_); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { worker_logs(client_); }), HasSubstr("closed"));
}

TEST_P(WatchTest, SubscribersHearOfEventsInTheirOrder) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> heard;
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return heard.size() >= count; });
  };
  client_.log_event("steps", "before");
  {
    const Subscription steps(client_, "steps", [&](const LoggedEvent& event) {
      const std::lock_guard lock(mutex);
      heard.push_back(event.text);
      changed.notify_all();
      if (event.text == "two") throw std::runtime_error("not two");
    });
    const logging::Capture log;
    client_.log_event("steps", "one");
    client_.log_event("other", "nothing");
    client_.submit([] { this_task::client().log_event("steps", "two"); }).result();
    client_.log_event("steps", "three");
    wait_for(3);
    EXPECT_THAT(log.records().at(0).text, AllOf(HasSubstr("\"steps\""), HasSubstr("not two")));
  }
  client_.log_event("steps", "after");
  EXPECT_THAT(heard, ElementsAre("one", "two", "three"));
  EXPECT_EQ(client_.events("steps").size(), 5u);
}

TEST_P(WatchTest, TasksThatFailAreToldOnceWithTheirLine) {
  const auto failing =
      client_.with({.name = "doomed"}).submit([](int n) { return n == 5 ? throw std::runtime_error("five") : n; }, 5);
  const auto after = client_.submit([](int n) { return n; }, failing);
  EXPECT_THROW(after.result(), TaskError);
  const auto cancelled = client_.submit([](int n) { return n; }, after);
  cancelled.cancel();
  static_cast<void>(cancelled.exception());
  const std::vector<LoggedEvent> failures = client_.events("failures");
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_THAT(failures[0].text, AllOf(HasSubstr("doomed"), HasSubstr("watch_test.cpp:"), HasSubstr("five")));
}

TEST_P(WatchTest, ASubscriptionMayOutliveItsClientAndEndItself) {
  auto kept = std::make_shared<std::unique_ptr<Subscription>>();
  std::atomic<bool> ended{false};
  *kept = std::make_unique<Subscription>(client_, "steps", [kept, &ended](const LoggedEvent&) {
    kept->reset();
    ended = true;
  });
  client_.log_event("steps", "one");
  while (!ended) std::this_thread::yield();
  const Subscription late(client_, "steps", [](const LoggedEvent&) {});
  client_.close();
  EXPECT_THAT(message_of([&] { Subscription(client_, "steps", [](const LoggedEvent&) {}); }), HasSubstr("closed"));
}

INSTANTIATE_TEST_SUITE_P(Modes, WatchTest, testing::ValuesIn(kModes), kModeName);

// Whether tasks are short is measured, and what else is on the machine may make them long: then each of them is noted.
TEST(WatchThreadsTest, ShortTasksAreSampled) {
  constexpr std::size_t kTasks = 20'000;
  constexpr double kShortSeconds = 1e-6;  // a task, overhead included; those of 4 us are long
  const Client client(Options{.scheduler = "threads", .threads = 2});
  client.gather(client.map([](int n) { return n + 1; }, std::vector<int>(100, 1)));
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TaskStream stream(client);
    const auto begun = std::chrono::steady_clock::now();
    client.gather(client.map([](int n) { return n + 1; }, std::vector<int>(kTasks, 1)));
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    const std::size_t noted = stream.tasks().size();
    EXPECT_GT(noted, 0u);
    EXPECT_LE(noted, kTasks);
    if (noted < kTasks / 2) return;
    EXPECT_GT(passed.count(), kShortSeconds * kTasks) << "short tasks were noted, each of them";
  }
  GTEST_SKIP() << "tasks take long here";
}

TEST(WatchThreadsTest, LookingNeverDisturbsWhatRuns) {
  const Client client(Options{.scheduler = "threads", .threads = 2});
  TaskStream stream(client);
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    while (!done) {
      for (const auto& [worker, running] : processing(client)) {
        for (const RunningTask& task : running) EXPECT_NE(task.line, 0u);
      }
      static_cast<void>(stream.tasks());
    }
  });
  for (int round = 0; round < 20; ++round) {
    const auto futures = client.map([](int n) { return n + 1; }, std::vector<int>(2'000, round));
    for (const int value : client.gather(futures)) ASSERT_EQ(value, round + 1);
  }
  done = true;
  watcher.join();
}

}  // namespace
}  // namespace weft
