#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClientInfoTest : public testing::TestWithParam<const char*> {
 protected:
  Client client_{Options{.scheduler = GetParam(), .threads = 2}, {{"licence", 3}}};
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

int increment(int a) { return a + 1; }

TEST_P(ClientInfoTest, TellsTheWorkerAndItsMeans) {
  client_.submit(increment, 1).result();
  const ClientInfo info = client_.info();
  EXPECT_EQ(info.scheduler, GetParam());
  EXPECT_EQ(info.slots, client_.slots());
  EXPECT_EQ(info.counts.done, 1u);
  ASSERT_EQ(info.workers.size(), 1u);
  EXPECT_EQ(info.workers[0].slots, client_.slots());
  EXPECT_EQ(info.workers[0].resources.at("licence"), 3u);
  EXPECT_GT(info.workers[0].memory_bytes, 0u);
  EXPECT_THAT(info.to_text(),
              AllOf(HasSubstr(info.workers[0].name), HasSubstr("3 licence"), HasSubstr("1 of 1 tasks")));
}

TEST_P(ClientInfoTest, TasksMayBeTiedToWorkersByNameOrHost) {
  const WorkerInfo worker = client_.info().workers.front();
  EXPECT_EQ(client_.with({.workers = {"elsewhere", worker.name}}).submit(increment, 1).result(), 2);
  EXPECT_EQ(client_.with({.workers = {worker.host}}).submit(increment, 1).result(), 2);
  EXPECT_EQ(client_.with({.workers = {"elsewhere"}, .allow_other_workers = true}).submit(increment, 1).result(), 2);
}

TEST_P(ClientInfoTest, WhatRunsOnTheSchedulerRunsInThisProcess) {
  const std::thread::id here = std::this_thread::get_id();
  EXPECT_EQ(client_.run_on_scheduler([](int n) { return std::pair(n + 1, std::this_thread::get_id()); }, 4),
            std::pair(5, here));
  client_.close();
  EXPECT_THROW(client_.run_on_scheduler(increment, 1), Error);
}

TEST_P(ClientInfoTest, TheOnlyProcessCannotBeRestarted) {
  EXPECT_THAT(message_of([&] { client_.restart_workers({client_.info().workers.front().name}); }),
              HasSubstr("client.restart() begins anew"));
  client_.restart_workers({});
}

TEST_P(ClientInfoTest, AWorkerThatIsNotHereIsOneClearError) {
  const auto future = client_.with({.workers = {"gpu-7"}}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { future.result(); }),
              AllOf(HasSubstr("\"gpu-7\""), HasSubstr("\"worker-0\""), HasSubstr("client_info_test.cpp:")));
  EXPECT_EQ(client_.submit(increment, 1).result(), 2);
}

TEST_P(ClientInfoTest, AFunctionRunsOnEachWorker) {
  EXPECT_THAT(client_.run_on_workers(increment, 4), ElementsAre(std::pair(std::string("worker-0"), 5)));
}

TEST_P(ClientInfoTest, WaitingForMoreWorkersThanOneProcessHasIsAnError) {
  EXPECT_NO_THROW(client_.wait_for_workers(1));
  EXPECT_THAT(message_of([&] { client_.wait_for_workers(2); }), HasSubstr("mpirun"));
}

TEST_P(ClientInfoTest, TasksFindTheirClient) {
  const Client other({.scheduler = "sync"});
  const auto in_task = client_.submit(
      [](int n) {
        const Client& mine = this_task::client();
        return mine.submit(increment, n).result() + (&mine == &Client::current() ? 0 : 100);
      },
      1);
  EXPECT_EQ(in_task.result(), 2);
  EXPECT_EQ(&Client::current(), &other);
  EXPECT_THAT(message_of([&] { this_task::client(); }), HasSubstr("no task"));
  EXPECT_EQ(client_.submit([] { return this_task::client().serial(); }).result(), client_.serial());
}

TEST_P(ClientInfoTest, HoldersOfAResultAreTold) {
  const auto future = client_.submit(increment, 1);
  future.result();
  EXPECT_THAT(client_.who_has(future), ElementsAre("worker-0"));
  const auto bad = client_.submit([](int a) -> int { throw a; }, 1);
  bad.exception();
  EXPECT_THAT(client_.who_has(bad), IsEmpty());
}

TEST_P(ClientInfoTest, ResultsOfWorkersAreListed) {
  const auto future = client_.with({.name = "one"}).submit(increment, 1);
  future.result();
  const auto later = client_.with({.name = "two"}).submit(increment, 2);
  later.result();
  EXPECT_THAT(client_.has_what(std::map<int, Future<int>>{{1, future}, {2, later}}),
              ElementsAre(std::pair(std::string("worker-0"), std::vector<std::string>{future.name(), later.name()})));
}

TEST_P(ClientInfoTest, ScatteredValuesMayBeMergedAndCopiedToAll) {
  const std::vector<double> table(1'000, 2.5);
  const auto first = client_.scatter(table, {.broadcast = true, .hash = true});
  const auto again = client_.scatter(table, {.hash = true});
  const auto own = client_.scatter(table, {.broadcast = true});
  EXPECT_EQ(first.task_id(), again.task_id());
  EXPECT_NE(first.task_id(), own.task_id());
  EXPECT_EQ(client_.submit([](const std::vector<double>& t) { return t[7]; }, own).result(), 2.5);
  EXPECT_NO_THROW(client_.replicate(std::vector{first, own}, 2));
}

TEST_P(ClientInfoTest, AWorkerThatIsThisProcessIsNotRetired) {
  EXPECT_THAT(message_of([&] { client_.retire_workers({"worker-0"}); }),
              AllOf(HasSubstr("\"worker-0\""), HasSubstr("one process")));
}

TEST_P(ClientInfoTest, RestartingGivesUpEverythingAndBeginsAnew) {
  client_.set_metadata("model", "v1");
  const auto before = client_.submit(increment, 1);
  before.result();
  client_.restart();
  EXPECT_THAT(message_of([&] { before.result(); }), HasSubstr("closed"));
  EXPECT_EQ(client_.submit(increment, 2).result(), 3);
  EXPECT_EQ(client_.info().counts.total, 1u);
  EXPECT_EQ(client_.info().workers[0].resources.at("licence"), 3u);
  EXPECT_EQ(client_.info().scheduler, GetParam());
  EXPECT_EQ(client_.metadata("model"), "v1");
}

TEST_P(ClientInfoTest, AClosedClientSaysSoWhateverIsAsked) {
  client_.close();
  EXPECT_THAT(message_of([&] { client_.slots(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.counts(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.settings(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.memory(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.ledger(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.reset_ledger(); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client_.restart(); }), HasSubstr("closed"));
}

TEST_P(ClientInfoTest, MetadataAndEventsAreKept) {
  EXPECT_EQ(client_.metadata("model"), std::nullopt);
  client_.set_metadata("model", "v1");
  client_.submit([] { this_task::client().log_event("steps", "from a task"); }).result();
  client_.log_event("steps", "from the program");
  EXPECT_EQ(client_.metadata("model"), "v1");
  const std::vector<LoggedEvent> events = client_.events("steps");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, "from a task");
  EXPECT_LE(events[0].time, events[1].time);
  EXPECT_THAT(client_.events("other"), IsEmpty());
}

TEST_P(ClientInfoTest, GatherKeepsTheShapeOfContainersAndMayLeaveFailuresOut) {
  const std::map<std::string, Future<int>> by_name{{"a", client_.submit(increment, 1)},
                                                   {"b", client_.submit(increment, 2)}};
  EXPECT_EQ(client_.gather(by_name), (std::map<std::string, int>{{"a", 2}, {"b", 3}}));
  const auto some = client_.map([](int a) { return a == 2 ? throw a : a; }, std::vector<int>{1, 2, 3});
  EXPECT_THAT(client_.gather_finished(some), ElementsAre(1, 3));
}

TEST_P(ClientInfoTest, ATaskThatSecedesGivesWhatItsCallGivesOrThrows) {
  EXPECT_EQ(client_.submit([](int n) { return 1 + this_task::secede([&] { return n * 2; }); }, 4).result(), 9);
  EXPECT_EQ(client_
                .submit([] {
                  int seen = 0;
                  this_task::secede([&] { seen = 5; });
                  return seen;
                })
                .result(),
            5);
  const auto failing = client_.submit([] { this_task::secede([] { throw std::runtime_error("no such host"); }); });
  EXPECT_THAT(message_of([&] { failing.result(); }), HasSubstr("no such host"));
  EXPECT_EQ(this_task::secede([] { return 7; }), 7);
  EXPECT_EQ(client_.submit(increment, 1).result(), 2);
}

TEST(SecedeTest, ItsSlotRunsOthersMeanwhile) {
  const Client client(Options{.scheduler = "threads", .threads = 1});
  static std::atomic<int> reached;
  reached = 0;
  // With one slot, the second task could not run before the first one has ended.
  const auto first = client.submit([] {
    this_task::secede([] {
      while (reached == 0) std::this_thread::yield();
    });
    return this_task::running() ? reached.load() : -1;
  });
  const auto second = client.submit([] { return reached = 3; });
  EXPECT_EQ(second.result(), 3);
  EXPECT_EQ(first.result(), 3);
}

TEST(ClientWarningTest, LargeArgumentsThatAreCopiedAreWarnedOfOnceALine) {
  const Client client(Options{.scheduler = "threads", .threads = 2});
  const std::vector<double> large(2'000'000, 1.0);
  const auto look = [](const std::vector<double>& values) { return values.size(); };
  const logging::Capture log;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.submit(look, large).result(), large.size());
  ASSERT_EQ(log.records().size(), 1u);
  EXPECT_THAT(log.records()[0].text,
              AllOf(HasSubstr("client_info_test.cpp:"), HasSubstr("15"), HasSubstr("client.scatter")));
  EXPECT_EQ(client.submit(look, std::vector<double>(2'000'000)).result(), large.size());
  EXPECT_EQ(client.submit(look, client.scatter(large)).result(), large.size());
  EXPECT_EQ(client.compute(delayed(look)(delayed(large))), large.size());
  EXPECT_EQ(log.records().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Modes, ClientInfoTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
