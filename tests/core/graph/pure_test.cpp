#include <weft/pure.hpp>

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

namespace weft {
namespace {

std::atomic<int> calls{0};
int doubled(int a) { return ++calls, 2 * a; }
int plus(int a, int b) { return ++calls, a + b; }
std::size_t length(const std::string& text) { return ++calls, text.size(); }

class PureCallsTest : public testing::Test {
 protected:
  PureCallsTest() { calls = 0; }
  Client client_{Options{.scheduler = "threads", .threads = 2}};
  PureCalls pure_;
};

TEST_F(PureCallsTest, EqualCallsRunOnce) {
  const Delayed<int> a = pure_(doubled)(3);
  const Delayed<int> b = pure_(doubled)(3);
  EXPECT_EQ(a.task_id(), b.task_id());
  const auto [x, y] = client_.compute(a, b);
  EXPECT_EQ(x, 6);
  EXPECT_EQ(y, 6);
  EXPECT_EQ(calls, 1);
}

TEST_F(PureCallsTest, EqualSubexpressionsOfDifferentOnesRunOnce) {
  const auto sum = pure_(plus)(pure_(doubled)(3), pure_(doubled)(4));
  const auto other = pure_(plus)(pure_(doubled)(4), pure_(doubled)(3));
  const auto same = pure_(plus)(pure_(doubled)(3), pure_(doubled)(4));
  EXPECT_EQ(sum.task_id(), same.task_id());
  EXPECT_NE(sum.task_id(), other.task_id());
  EXPECT_EQ(client_.compute(std::vector{sum, other, same}), (std::vector{14, 14, 14}));
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(pure_.task_count(), 4u);
  EXPECT_EQ(pure_.call_count(), 9u);
}

TEST_F(PureCallsTest, WhatDiffersIsNotMerged) {
  const auto three = pure_(doubled)(3);
  EXPECT_NE(three.task_id(), pure_(doubled)(4).task_id());
  EXPECT_NE(pure_([](int a) { return a; })(3).task_id(), pure_([](int a) { return a; })(3).task_id());
  // The same function pointer type with another function.
  int (*const other)(int) = [](int a) { return a; };
  EXPECT_NE(three.task_id(), pure_(other)(3).task_id());
  EXPECT_NE(pure_(length)(std::string("a")).task_id(), pure_(length)(std::string("b")).task_id());
  EXPECT_EQ(pure_(length)(std::string("a")).task_id(), pure_(length)(std::string("a")).task_id());
}

TEST_F(PureCallsTest, ImpureCallsAreNeverMerged) {
  const auto a = delayed(doubled)(3);
  const auto b = delayed(doubled)(3);
  const auto c = pure_(doubled)(3);
  client_.compute(a, b, c);
  EXPECT_EQ(calls, 3);
}

TEST_F(PureCallsTest, ACallThatIsThereIsNotRunAgain) {
  EXPECT_EQ(client_.compute(pure_(doubled)(5)), 10);
  EXPECT_EQ(client_.compute(pure_(doubled)(5)), 10);
  EXPECT_EQ(calls, 1);
  pure_.forget();
  EXPECT_EQ(client_.compute(pure_(doubled)(5)), 10);
  EXPECT_EQ(calls, 2);
}

TEST_F(PureCallsTest, ACallThatFailedIsDescribedAnew) {
  static std::atomic<bool> fails;
  fails = true;
  const auto sometimes = [](int a) { return fails ? throw std::runtime_error("not yet") : a; };
  const auto call = pure_(sometimes);
  EXPECT_THROW(client_.compute(call(1)), TaskError);
  fails = false;
  EXPECT_EQ(client_.compute(call(1)), 1);
}

TEST_F(PureCallsTest, HandlesInsideContainersAreCompared) {
  const auto total = [](const std::vector<int>& all) { return ++calls, all[0] + all[1]; };
  const auto one = pure_(doubled)(1);
  const auto two = pure_(doubled)(2);
  const auto call = pure_(total);
  const auto a = call(std::vector{one, two});
  EXPECT_EQ(a.task_id(), call(std::vector{one, two}).task_id());
  EXPECT_NE(a.task_id(), call(std::vector{two, one}).task_id());
  EXPECT_EQ(client_.compute(a), 6);
}

}  // namespace
}  // namespace weft
