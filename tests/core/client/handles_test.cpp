#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/coordination.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>

struct Socket {
  explicit Socket(int its_number) : number(its_number) {}
  Socket(Socket&&) = default;
  int number;
};
template <>
inline constexpr bool weft::local_only<Socket> = true;

namespace weft {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct Mode {
  const char* scheduler;
  bool check_transfer;
};

class HandlesTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{Options{.scheduler = GetParam().scheduler, .threads = 2, .check_transfer = GetParam().check_transfer}};
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

int add(int a, int b) { return a + b; }
std::vector<int> three(int first) { return {first, first + 1, first + 2}; }

// --- Delayed ---------------------------------------------------------------------------------------------------------

TEST_P(HandlesTest, OperatorsDescribeTasks) {
  const auto six = delayed(6);
  const auto half = delayed(0.5);
  EXPECT_EQ(client_.compute(six + six * 2 - 1), 17);
  EXPECT_EQ(client_.compute(20 % six), 2);
  EXPECT_EQ(client_.compute(-six), -6);
  EXPECT_DOUBLE_EQ(client_.compute(six * half), 3.0);
  EXPECT_DOUBLE_EQ(client_.compute(six / 4.0), 1.5);
  EXPECT_DOUBLE_EQ(client_.compute(1 / half), 2.0);
  static_assert(std::is_same_v<decltype(six + half), Delayed<double>>);
  static_assert(std::is_same_v<decltype(six * 2), Delayed<int>>);
  static_assert(std::is_same_v<decltype(six < half), Delayed<bool>>);
  EXPECT_TRUE(client_.compute(half < six));
  EXPECT_FALSE(client_.compute(six == 7));
  EXPECT_TRUE(client_.compute(6 == six));
  EXPECT_TRUE(client_.compute(six != half));
  EXPECT_EQ(client_.compute(delayed(std::string("we")) + "ft"), "weft");
}

TEST_P(HandlesTest, FailuresOfOperatorsNameALineOfTheUser) {
  const auto zero = delayed([](int) -> std::string { throw std::runtime_error("no"); })(1);
  EXPECT_THAT((zero + zero).name(), HasSubstr("plus"));
  EXPECT_THAT(message_of([&] { client_.compute(zero + zero); }), HasSubstr("handles_test.cpp"));
  const auto table = delayed(std::map<std::string, int>{{"a", 1}});
  EXPECT_THAT(message_of([&] { client_.compute(table["b"]); }), HasSubstr("handles_test.cpp"));
}

TEST_P(HandlesTest, ItemsAndPartsDescribeTasks) {
  const auto list = delayed(three)(4);
  EXPECT_EQ(client_.compute(list[1]), 5);
  EXPECT_EQ(client_.compute(list[list[0] - 2]), 6);
  EXPECT_EQ(client_.compute(delayed(std::map<std::string, int>{{"a", 1}})["a"]), 1);
  struct Shape {
    double width;
    double height;
    double area() const { return width * height; }
    double scaled(double factor) const { return area() * factor; }
  };
  const auto shape = delayed([](double w, double h) { return Shape{w, h}; })(2.0, 3.0);
  EXPECT_EQ(client_.compute(shape.get<&Shape::height>()), 3.0);
  EXPECT_EQ(client_.compute(shape.get<&Shape::area>()), 6.0);
  EXPECT_EQ(client_.compute(delayed(member<&Shape::scaled>)(shape, 0.5)), 3.0);
}

TEST_P(HandlesTest, GenericLambdasAreFunctionsAndContainersAreValues) {
  const auto twice = delayed([](const auto& value) { return value + value; });
  EXPECT_EQ(client_.compute(twice(4)), 8);
  EXPECT_EQ(client_.compute(twice(delayed(std::string("ab")))), "abab");
  EXPECT_EQ(client_.compute(delayed(std::vector<int>{3}))[0], 3);
  EXPECT_EQ(client_.compute(delayed(std::tuple(1, 2.0))), std::tuple(1, 2.0));
}

TEST_P(HandlesTest, TuplesAreUnpackedIntoHandles) {
  const auto [quotient, rest] = unpack(delayed([](int a, int b) { return std::pair(a / b, a % b); })(17, 5));
  EXPECT_EQ(client_.compute(quotient), 3);
  EXPECT_EQ(client_.compute(rest), 2);
  EXPECT_EQ(client_.compute(unpack(delayed(three)(1), 3)), (std::vector<int>{1, 2, 3}));
  EXPECT_THAT(message_of([&] { client_.compute(unpack(delayed(three)(1), 4)); }), HasSubstr("vector"));
}

TEST_P(HandlesTest, DelayedIsComputedAndPersistedByItsOwnMethods) {
  const auto lazy = delayed(add)(1, 2);
  EXPECT_EQ(lazy.compute(client_), 3);
  EXPECT_EQ(lazy.persist(client_).result(), 3);
}

// --- Futures ---------------------------------------------------------------------------------------------------------

TEST_P(HandlesTest, MoveOnlyResultsAreTakenOut) {
  Future<std::unique_ptr<int>> future = client_.submit([](int n) { return std::make_unique<int>(n); }, 7);
  EXPECT_EQ(client_.submit([](const std::unique_ptr<int>& value) { return *value + 1; }, future).result(), 8);
  const std::unique_ptr<int> taken = future.take();
  EXPECT_EQ(*taken, 7);
  EXPECT_FALSE(future.valid());
  EXPECT_THAT(message_of([&] { future.take(); }), HasSubstr("empty"));
}

TEST_P(HandlesTest, MoveOnlyResultsThatOthersHoldAreNotTaken) {
  Future<std::unique_ptr<int>> future = client_.submit([](int n) { return std::make_unique<int>(n); }, 7);
  const Future<std::unique_ptr<int>> other = future;
  EXPECT_THAT(message_of([&] { future.take(); }), HasSubstr("cannot be copied"));
  EXPECT_EQ(other.inspect([](const std::unique_ptr<int>& value) { return *value; }), 7);
}

TEST_P(HandlesTest, AMovedHandleGivesItsValueToTheTask) {
  Future<std::vector<int>> made = client_.submit(three, 1);
  made.exception();
  const auto place = made.inspect([](const std::vector<int>& v) { return reinterpret_cast<std::uintptr_t>(v.data()); });
  const auto place_of = [](std::vector<int> v) { return reinterpret_cast<std::uintptr_t>(v.data()); };
  const std::uintptr_t copied = client_.submit(place_of, made).result();
  EXPECT_NE(copied, place);
  // The task that read it lets go of it a moment after its end.
  client_.submit([] {}).exception();
  Future<std::uintptr_t> moved = client_.submit(place_of, std::move(made));
  EXPECT_FALSE(made.valid());
  moved.exception();
  if (std::string(GetParam().scheduler) == "sync") {
    EXPECT_EQ(moved.result(), place);
  }
  auto lazy = delayed(three)(5);
  const auto sum = delayed([](std::vector<int> v) { return v[0] + v[2]; })(std::move(lazy));
  EXPECT_FALSE(lazy.valid());
  EXPECT_EQ(client_.compute(sum), 12);
}

TEST_P(HandlesTest, MoveOnlyResultsMayBeTakenByValue) {
  const auto make = [](int n) { return std::make_unique<int>(n); };
  const auto take = [](std::unique_ptr<int> p) { return *p + 1; };
  EXPECT_EQ(client_.submit(take, client_.submit(make, 4)).result(), 5);
  const auto shared = client_.submit(make, 7);
  EXPECT_EQ(client_.submit(take, shared).result() + client_.submit(take, shared).result(), 16);
  EXPECT_EQ(
      client_.submit([](std::unique_ptr<int>&& p, const std::unique_ptr<int>& q) { return *p + *q; }, shared, shared)
          .result(),
      14);
  EXPECT_EQ(client_.submit([](auto p) { return *p; }, client_.submit(make, 3)).result(), 3);
  EXPECT_EQ(client_.compute(delayed(take)(delayed(make)(1))), 2);
}

TEST_P(HandlesTest, WhatCanNeitherBeCopiedNorSentIsTakenByOneAlone) {
  const auto kept = client_.submit([](int n) { return Socket(n); }, 9);
  const auto take = [](Socket socket) { return socket.number; };
  EXPECT_THAT(client_.submit(take, kept).traceback(), HasSubstr("cannot be copied"));
  EXPECT_EQ(kept.inspect([](const Socket& socket) { return socket.number; }), 9);
}

TEST_P(HandlesTest, ATaskThatTookItsInputIsNotRunAgainByHand) {
  const auto bad = client_.submit([](std::vector<int> v) -> int { throw std::runtime_error(std::to_string(v.size())); },
                                  client_.submit(three, 1));
  EXPECT_THAT(bad.traceback(), HasSubstr("failed: 3"));
  const std::string said = message_of([&] { rerun_locally(bad); });
  // It had a copy where something else held the input, and took it otherwise; never an empty one.
  EXPECT_TRUE(said == "3" || said.find("took its arguments away") != std::string::npos) << said;
}

TEST_P(HandlesTest, TakeCopiesWhatOthersHold) {
  Future<std::vector<int>> future = client_.submit(three, 1);
  const Future<std::vector<int>> other = future;
  EXPECT_THAT(future.take(), ElementsAre(1, 2, 3));
  EXPECT_THAT(other.result(), ElementsAre(1, 2, 3));
}

TEST_P(HandlesTest, TracebackTellsTheFailureAndIsEmptyWithoutOne) {
  const auto bad = client_.with({.name = "bad one"}).submit([](int) -> int { throw std::runtime_error("no"); }, 4);
  EXPECT_THAT(bad.traceback(), testing::AllOf(HasSubstr("bad one"), HasSubstr("no"), HasSubstr("handles_test.cpp")));
  EXPECT_THAT(bad.name(), HasSubstr("bad one"));
  const auto good = client_.submit(add, 1, 2);
  EXPECT_EQ(good.traceback(), "");
}

TEST_P(HandlesTest, BytesOfResultsAreTold) {
  const auto list = client_.submit([](int n) { return std::vector<double>(static_cast<std::size_t>(n)); }, 1000);
  list.exception();
  EXPECT_GE(nbytes(list), 8000u);
  EXPECT_LT(nbytes(list), 9000u);
}

TEST_P(HandlesTest, RetryRunsAFailedTaskAgain) {
  static std::atomic<int> calls;
  calls = 0;
  const auto flaky = client_.submit(
      [](std::vector<int> values) {
        if (calls++ == 0) throw std::runtime_error("first time");
        return values;
      },
      std::vector<int>{1, 2});
  EXPECT_THROW(flaky.result(), TaskError);
  EXPECT_THAT(client_.retry(flaky).result(), ElementsAre(1, 2));
  EXPECT_EQ(flaky.status(), FutureStatus::Failed);
  const auto after = client_.submit([](const std::vector<int>& values) { return values.size(); }, flaky);
  EXPECT_THAT(message_of([&] { client_.retry(after); }), HasSubstr("retry that one"));
  const auto good = client_.submit(add, 1, 1);
  good.result();
  EXPECT_THAT(message_of([&] { client_.retry(good); }), HasSubstr("has not failed"));
}

TEST_P(HandlesTest, RetryPredicateAndDelayAreKept) {
  static std::atomic<int> calls;
  calls = 0;
  const auto twice = [](int n) {
    if (++calls < 3) throw std::runtime_error("again");
    return n;
  };
  const auto begun = std::chrono::steady_clock::now();
  const TaskOptions patient{.retries = 2, .retry_delay = 10ms};
  EXPECT_EQ(client_.with(patient).submit(twice, 5).result(), 5);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 30ms);  // 10, then 20
  calls = 0;
  const TaskOptions picky{.retries = 9,
                          .retry_if = [](const std::exception& error) { return std::string(error.what()) != "again"; }};
  EXPECT_THROW(client_.with(picky).submit(twice, 5).result(), TaskError);
  EXPECT_EQ(calls, 1);
}

INSTANTIATE_TEST_SUITE_P(Modes, HandlesTest,
                         testing::Values(Mode{"sync", false}, Mode{"threads", false}, Mode{"sync", true},
                                         Mode{"threads", true}),
                         [](const auto& instance) {
                           return std::string(instance.param.scheduler) +
                                  (instance.param.check_transfer ? "Encoded" : "");
                         });

TEST(HandlesThreadsTest, WaitingNoLongerThanAskedThrowsAndTheTaskGoesOn) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Event go(client, "go");
  const auto slow = client.with({.name = "slow one"})
                        .submit(
                            [](const Event& event) {
                              event.wait();
                              return 3;
                            },
                            go);
  try {
    slow.result(10ms);
    FAIL() << "nothing was thrown";
  } catch (const TimeoutError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(HasSubstr("slow one"), HasSubstr("0.01 s"), HasSubstr("handles_test.cpp")));
  }
  EXPECT_THROW(slow.exception(1ms), TimeoutError);
  go.set();
  EXPECT_EQ(slow.result(60s), 3);
}

TEST(HandlesThreadsTest, ClosingDoesNotWaitForTheNextAttempt) {
  const auto begun = std::chrono::steady_clock::now();
  {
    const Client client({.scheduler = "threads", .threads = 2});
    static std::atomic<bool> thrown;
    thrown = false;
    const TaskOptions hourly{.retries = 1, .retry_delay = std::chrono::hours(1)};
    const auto future = client.with(hourly).submit(
        [](int) -> int {
          thrown = true;
          throw std::runtime_error("no");
        },
        1);
    while (!thrown) std::this_thread::yield();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 60s);
}

}  // namespace
}  // namespace weft
