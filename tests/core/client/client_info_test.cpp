#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(Modes, ClientInfoTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
