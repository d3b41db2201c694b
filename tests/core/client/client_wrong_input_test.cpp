#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>
#include <weft/log.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace weft {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

/// What users get wrong: each is one error that says what, where and what to do; the client works on afterwards.
class WrongInputTest : public testing::TestWithParam<const char*> {
 protected:
  Options options() const { return {.scheduler = GetParam(), .threads = 2}; }
  void TearDown() override {
    EXPECT_EQ(client_.submit([](int a) { return a + 1; }, 1).result(), 2) << "the client does not work any more";
  }
  Client client_{options()};
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

constexpr const char* kHere = "client_wrong_input_test.cpp:";

int increment(int a) { return a + 1; }

TEST_P(WrongInputTest, AMissingInputIsNamedWithTheCallsLine) {
  const Delayed<int> never_described;
  EXPECT_THAT(message_of([&] { client_.compute(delayed(increment)(never_described)); }),
              AllOf(HasSubstr(kHere), HasSubstr("empty handle")));
  Future<int> given_up = client_.submit(increment, 1);
  given_up.release();
  EXPECT_THAT(message_of([&] { client_.submit(increment, given_up); }), HasSubstr(kHere));
  EXPECT_THAT(message_of([&] {
                client_.submit([](const std::vector<int>& all) { return all.size(); },
                               std::vector<Future<int>>{client_.submit(increment, 1), given_up});
              }),
              AllOf(HasSubstr(kHere), HasSubstr("empty handle")));
}

TEST_P(WrongInputTest, AGraphThatRefusedAnEmptyHandleBehindAnotherOneRunsAgainAndAgain) {
  Graph graph;
  const auto first = graph.add(increment, 1);
  const auto plus = [](int a, int b) { return a + b; };
  for (int i = 0; i < 3; ++i) EXPECT_THROW(graph.add(plus, first, Delayed<int>()), Error);
  const auto sum = graph.add(plus, first, first);
  for (int run = 0; run < 5; ++run) {
    client_.run(graph);
    EXPECT_EQ(sum.value(), 4);
  }
}

TEST_P(WrongInputTest, AnInputOfAnotherClientThatIsGoneIsSaid) {
  Future<int> foreign;
  {
    const Client other({.scheduler = "sync"});
    foreign = other.submit(increment, 1);
  }
  EXPECT_THAT(message_of([&] { foreign.result(); }), HasSubstr("closed"));
}

TEST_P(WrongInputTest, AResourceNobodyHasFailsTheTaskAndWhatNeedsIt) {
  const auto bad = client_.with({.resources = {{"GPU", 2}}}).submit(increment, 1);
  const auto after = client_.submit(increment, bad);
  EXPECT_THAT(message_of([&] { after.result(); }), AllOf(HasSubstr("\"GPU\""), HasSubstr(kHere)));
  const auto wide = client_.with({.resources = {{"slots", 1000}}}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { wide.result(); }), AllOf(HasSubstr("1000"), HasSubstr(kHere)));
}

TEST_P(WrongInputTest, AThrowOfSomethingElseThanAnExceptionIsToldWithItsType) {
  struct Problem {
    int code;
  };
  const auto text = client_.submit([](int) -> int { throw "plain text"; }, 1);
  const auto object = client_.submit([](int) -> int { throw Problem{3}; }, 1);
  EXPECT_THAT(text.traceback(), AllOf(HasSubstr("plain text"), HasSubstr(kHere)));
  EXPECT_THAT(object.traceback(), AllOf(HasSubstr("Problem"), HasSubstr(kHere)));
}

TEST_P(WrongInputTest, MoreMemoryThanAnyWorkerHasIsRefusedWithBothNumbers) {
  const auto bad = client_.with({.memory_bytes = std::uint64_t{1} << 50}).submit(increment, 1);
  EXPECT_THAT(message_of([&] { bad.result(); }),
              AllOf(HasSubstr(std::to_string(1u << 30)), HasSubstr("--weft-memory"), HasSubstr(kHere)));
}

TEST_P(WrongInputTest, ACancelledDependencyCancelsWhatNeedsIt) {
  const Event go(client_, "go");
  const auto first = client_.submit([](const Event& event) { return event.wait(), 1; }, go);
  const auto second = client_.submit(increment, first);
  const auto third = client_.with({.name = "third"}).submit(increment, second);
  second.cancel();
  go.set();
  EXPECT_THAT(message_of([&] { third.result(); }), AllOf(HasSubstr("cancelled"), HasSubstr("third")));
  EXPECT_THROW(third.result(), CancelledError);
  EXPECT_EQ(first.result(), 1);
}

TEST_P(WrongInputTest, ACapturedReferenceIsRefusedWhenTransfersAreChecked) {
  Options checked = options();
  checked.check_transfer = true;
  const Client client(checked);
  int local = 3;
  EXPECT_THAT(message_of([&] { client.submit([&local](int a) { return a + local; }, 1).result(); }),
              AllOf(HasSubstr(kHere), HasSubstr("captures a pointer or reference"), HasSubstr("argument")));
  EXPECT_THAT(message_of([&] { client.compute(delayed([&local](int a) { return a + local; })(1)); }),
              HasSubstr("captures a pointer or reference"));
}

TEST_P(WrongInputTest, AClientThatEndsWithWorkInFlightEndsItsTasksAndWaiters) {
  std::string seen;
  std::thread waiter;
  {
    const Client client(options());
    const Event never(client, "never");
    const auto waits = client.submit([](const Event& event) { event.wait(); }, never);
    const auto behind = client.submit([](Nothing) { return 1; }, waits);
    const auto many = client.map(increment, std::vector<int>(1'000, 1));
    if (std::string(GetParam()) == "threads") {
      waiter = std::thread([&seen, behind] { seen = message_of([&] { behind.result(); }); });
    } else {
      seen = "closed";
    }
  }
  if (waiter.joinable()) waiter.join();
  EXPECT_THAT(seen, AnyOf(HasSubstr("closed"), HasSubstr("cancelled")));
}

TEST_P(WrongInputTest, ASpillFolderThatIsAbsentOrReadOnlyIsOneSentence) {
  Options absent = options();
  absent.spill_dir = "/no/such/folder";
  EXPECT_THAT(message_of([&] { Client client(absent); }), HasSubstr("/no/such/folder"));
  const std::string file = testing::TempDir() + "weft_no_folder_" + std::to_string(::getpid());
  { std::ofstream(file) << "a file"; }
  Options wrong = options();
  wrong.spill_dir = file;
  EXPECT_THAT(message_of([&] { Client client(wrong); }), HasSubstr(file));
  std::filesystem::remove(file);
  Options read_only = options();
  read_only.spill_dir = "/proc/self";
  EXPECT_THAT(message_of([&] { Client client(read_only); }), HasSubstr("/proc/self"));
}

TEST_P(WrongInputTest, ATaskOfAGraphThatHasNotRunIsNoEndlessWait) {
  Graph graph;
  const auto input = graph.input(1);
  const auto inside = graph.add(increment, input);
  EXPECT_THAT(message_of([&] { client_.compute(inside); }), AllOf(HasSubstr(kHere), HasSubstr("client.run(graph)")));
  const auto outside = delayed(increment)(inside);
  EXPECT_THAT(message_of([&] { client_.compute(delayed(increment)(outside), outside); }),
              HasSubstr("client.run(graph)"));
  EXPECT_THAT(message_of([&] { client_.compute(std::vector{outside}); }), HasSubstr("client.run(graph)"));
  const auto future = client_.persist(outside);
  client_.run(graph);
  EXPECT_EQ(future.result(), 3);
  EXPECT_EQ(client_.compute(inside), 2);
}

TEST_P(WrongInputTest, AnExceptionWithoutATextIsStillReported) {
  struct Silent : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  EXPECT_THAT(client_.submit([]() -> int { throw Silent(); }).traceback(),
              AllOf(HasSubstr("Silent"), HasSubstr(kHere)));
}

TEST_P(WrongInputTest, ARetryPredicateThatThrowsIsLoggedAndFailsTheTaskAsItFailed) {
  const logging::Capture log;
  const auto bad =
      client_
          .with({.retries = 2,
                 .retry_if = [](const std::exception&) -> bool { throw std::runtime_error("of the predicate"); }})
          .submit([](int) -> int { throw std::runtime_error("of the task"); }, 1);
  EXPECT_THAT(message_of([&] { bad.result(); }), AllOf(HasSubstr("of the task"), HasSubstr(kHere)));
  ASSERT_EQ(log.records().size(), 1u);
  EXPECT_THAT(log.records()[0].text, AllOf(HasSubstr("retry_if"), HasSubstr("of the predicate")));
}

TEST_P(WrongInputTest, ACallbackThatThrowsIsLogged) {
  const logging::Capture log;
  const auto future = client_.submit(increment, 1);
  future.result();
  EXPECT_NO_THROW(future.add_done_callback([](const Future<int>&) { throw std::runtime_error("of the callback"); }));
  ASSERT_EQ(log.records().size(), 1u);
  EXPECT_THAT(log.records()[0].text, HasSubstr("of the callback"));
}

TEST_P(WrongInputTest, EmptyOperandsOfOperatorsAreTold) {
  const Delayed<int> empty;
  EXPECT_THAT(message_of([&] { static_cast<void>(empty + 1); }), HasSubstr("operand"));
  EXPECT_THAT(message_of([&] { static_cast<void>(2 * empty); }), HasSubstr("operand"));
  EXPECT_THAT(message_of([&] { static_cast<void>(-empty); }), HasSubstr("operand"));
}

TEST_P(WrongInputTest, MoreSlotsThanAProcessHasAreRefused) {
  Options many = options();
  many.scheduler = "threads";
  many.threads = 100'000;
  EXPECT_THAT(message_of([&] { Client client(many); }), AllOf(HasSubstr("100000"), HasSubstr("--weft-threads")));
}

TEST_P(WrongInputTest, ATaskThatLooksHearsThatItsClientIsBeingClosed) {
  if (GetParam() == std::string("sync")) GTEST_SKIP() << "nothing runs while the client is closed";
  static std::atomic<bool> running, heard;
  running = heard = false;
  auto client = std::make_unique<Client>(options());
  const auto future = client->submit([] {
    running = true;
    while (!this_task::cancelled()) std::this_thread::yield();
    heard = true;
    return 1;
  });
  while (!running) std::this_thread::yield();
  client.reset();
  EXPECT_TRUE(heard);
}

TEST_P(WrongInputTest, ATaskCannotCloseItsClient) {
  const auto future = client_.submit([] { const_cast<Client&>(this_task::client()).close(); });
  EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("a task cannot close the client that runs it"));
}

TEST_P(WrongInputTest, ADelayThatIsNoTimeIsNone) {
  const auto failing = [](int n) -> int { throw n; };
  for (const double delay : {std::nan(""), -1.0}) {
    const auto future = client_.with({.retries = 2, .retry_delay = Seconds(delay)}).submit(failing, 1);
    EXPECT_THAT(message_of([&] { future.result(); }), HasSubstr("attempt 3 of 3"));
  }
}

TEST_P(WrongInputTest, AbsurdMemoryIsRefusedWithANumber) {
  const auto future = client_.with({.memory_bytes = ~std::uint64_t{0}}).submit([](int n) { return n; }, 1);
  EXPECT_THAT(message_of([&] { future.result(); }), AllOf(HasSubstr("needs 4000000000 MiB"), HasSubstr("budget")));
}

TEST_P(WrongInputTest, OptionsThatDoNotExistNameTheNearest) {
  const char* arguments[] = {"program", "--weft-treads=4", nullptr};
  int count = 2;
  EXPECT_THAT(message_of([&] { Client client(count, const_cast<char**>(arguments)); }), HasSubstr("--weft-threads"));
}

TEST_P(WrongInputTest, ResourcesNeedNamesOfTheirOwn) {
  EXPECT_THAT(message_of([] { Client(Options{}, {{"slots", 3}}); }), HasSubstr("set .threads"));
  EXPECT_THAT(message_of([] { Client(Options{}, {{"", 3}}); }), HasSubstr("needs a name"));
}

TEST_P(WrongInputTest, SubmittingToAClosedClientIsSaid) {
  Client client(options());
  client.close();
  EXPECT_THAT(message_of([&] { client.submit(increment, 1); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client.compute(delayed(increment)(1)); }), HasSubstr("closed"));
  EXPECT_THAT(message_of([&] { client.info(); }), HasSubstr("closed"));
}

INSTANTIATE_TEST_SUITE_P(Modes, WrongInputTest, testing::Values("sync", "threads"));

}  // namespace
}  // namespace weft
