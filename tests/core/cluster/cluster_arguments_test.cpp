#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/bag.hpp>
#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/graph_manipulation.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// What holds handles goes to other processes as an argument.

namespace weft {
namespace {

using testing::ClusterOptions;
using ::testing::HasSubstr;
using testing::InProcessCluster;

int square(int x) { return x * x; }

/// Its handles are told in another order than that of its fields.
struct Model {
  std::string name;
  Delayed<int> offset;
  std::vector<Delayed<int>> slopes;

  friend void weft_handles(const Model& model, auto& visit) {
    for (const Delayed<int>& slope : model.slopes) visit(slope);
    visit(model.offset);
  }
};

std::string spell(const Model& model) {
  std::string text = model.name;
  for (const Delayed<int>& slope : model.slopes) text += ' ' + std::to_string(slope.value());
  return text + " + " + std::to_string(model.offset.value());
}

Model model() { return {"line", delayed(square)(1), {delayed(square)(2), delayed(square)(3)}}; }

/// A class that says itself how it travels, but for the handle.
class Scaled {
 public:
  Scaled() = default;
  Scaled(int factor, Future<int> value) : factor_(factor), value_(std::move(value)) {}
  int get() const { return factor_ * value_.result(); }
  const Future<int>& value() const { return value_; }

  template <class Archive>
  friend void weft_fields(Archive& archive, Scaled& scaled) {
    archive(scaled.factor_);
  }
  friend void weft_handles(const Scaled& scaled, auto& visit) { visit(scaled.value_); }

 private:
  int factor_ = 0;
  Future<int> value_;
};

/// Loses on its way what holds its handles.
class Forgetful {
 public:
  Forgetful() = default;
  explicit Forgetful(Delayed<int> one) : all_{std::move(one)} {}

  template <class Archive>
  friend void weft_fields(Archive&, Forgetful&) {}
  friend void weft_handles(const Forgetful& forgetful, auto& visit) {
    for (const Delayed<int>& one : forgetful.all_) visit(one);
  }

 private:
  std::vector<Delayed<int>> all_;
};

class ClusterArgumentsTest : public ::testing::TestWithParam<unsigned> {
 protected:
  ClusterArgumentsTest()
      : cluster_(ClusterOptions{.workers = GetParam()}), client_(InProcessCluster::client_options()) {}
  InProcessCluster cluster_;
  Client client_;
};

INSTANTIATE_TEST_SUITE_P(Workers, ClusterArgumentsTest, ::testing::Values(1u, 3u));

TEST_P(ClusterArgumentsTest, AStructBringsItsHandlesAndItsOtherFields) {
  EXPECT_EQ(client_.compute(delayed(spell)(model())), "line 4 9 + 1");
  EXPECT_EQ(client_.submit(spell, model()).result(), "line 4 9 + 1");
}

TEST_P(ClusterArgumentsTest, AStructStandsBesideOtherArguments) {
  const auto told = delayed([](int before, const Model& its, const std::vector<int>& after) {
    return std::to_string(before) + ' ' + spell(its) + ' ' + std::to_string(after[1]);
  });
  const std::vector<Delayed<int>> after{delayed(square)(5), delayed(square)(6)};
  EXPECT_EQ(client_.compute(told(delayed(square)(7), model(), after)), "49 line 4 9 + 1 36");
}

TEST_P(ClusterArgumentsTest, AClassSaysHowAllButItsHandlesTravel) {
  const auto get = [](const Scaled& scaled) { return this_task::client().submit(square, scaled.value()).result(); };
  EXPECT_EQ(client_.submit(get, Scaled(3, client_.submit(square, 2))).result(), 16);
}

TEST_P(ClusterArgumentsTest, AStructThatTellsOtherHandlesOnArrivalIsRefused) {
  const auto lost = client_.submit([](const Forgetful&) { return 1; }, Forgetful(delayed(square)(2)));
  EXPECT_THAT(lost.traceback(), HasSubstr("weft_fields must bring back whatever holds handles"));
}

TEST_P(ClusterArgumentsTest, ACloneOfACallHasItsOwnStruct) {
  const Delayed<std::string> spelled = delayed(spell)(model());
  EXPECT_EQ(client_.compute(graph_manipulation::clone(spelled)), "line 4 9 + 1");
}

TEST_P(ClusterArgumentsTest, ABagIsTheVectorOfItsElements) {
  const auto sum = [](const std::vector<std::int64_t>& all) { return std::accumulate(all.begin(), all.end(), 0L); };
  const auto bag = bag_range(100, 7);
  EXPECT_EQ(client_.compute(delayed(sum)(bag)), 4950);
  EXPECT_EQ(client_.submit(sum, bag).result(), 4950);
  EXPECT_EQ(client_.submit(sum, bag_from(std::vector<std::int64_t>{}, 1)).result(), 0);
}

// --- What failed elsewhere can be looked at here -------------------------------------------------------------------

int refuse(const std::vector<int>& values, int index) {
  if (values.at(static_cast<std::size_t>(index)) != 0) throw std::invalid_argument("it is not 0");
  return index;
}

TEST_P(ClusterArgumentsTest, AFailedTaskIsRunAgainInTheCallersThread) {
  auto values = client_.submit([](int n) { return std::vector<int>(2000, n); }, 5);
  const auto failed = client_.submit(refuse, values, 7);
  const auto after = client_.submit(square, failed);
  values.release();
  EXPECT_THROW(rerun_locally(after), std::invalid_argument);
  EXPECT_THROW(rerun_locally(failed), std::invalid_argument);
  EXPECT_THAT(after.traceback(), HasSubstr("it is not 0"));
  EXPECT_THAT(after.traceback(), HasSubstr("thrown in"));
}

TEST_P(ClusterArgumentsTest, WhatAFailedTaskWasGivenByValueIsThereStill) {
  const auto take = [](std::vector<int> values) -> int { return refuse(values, 3); };
  auto values = client_.submit([](int n) { return std::vector<int>(2000, n); }, 5);
  const auto failed = client_.submit(take, std::move(values));
  EXPECT_THROW(rerun_locally(failed), std::exception);
}

TEST_P(ClusterArgumentsTest, AFailedTaskIsTriedAgainByAWorker) {
  static std::atomic<int> tries = 0;
  tries = 0;
  const auto flaky = [](const std::vector<int>& values) {
    if (++tries < 2) throw std::runtime_error("not yet");
    return values[1];
  };
  const auto failed = client_.submit(flaky, client_.submit([](int n) { return std::vector<int>(2000, n); }, 5));
  const auto after = client_.submit(square, failed);
  EXPECT_EQ(client_.retry(failed).result(), 5);
  EXPECT_THROW(client_.retry(after), Error);
  EXPECT_THROW(client_.retry(client_.submit(square, 2)), Error);
}

TEST_P(ClusterArgumentsTest, WhatFailedTasksKeptIsLetGoWithThem) {
  {
    const auto values = client_.submit([](int n) { return std::vector<int>(2000, n); }, 5);
    std::vector<Future<int>> failed;
    for (int i = 0; i < 50; ++i) failed.push_back(client_.submit(refuse, values, i));
    for (const auto& one : failed) EXPECT_THROW(one.result(), TaskError);
  }
  // Their input is gone at its worker too: nothing of it counts any more.
  for (int i = 0; i < 200 && client_.counts().total != client_.counts().done; ++i) client_.submit(square, i).result();
  EXPECT_EQ(client_.submit(square, 3).result(), 9);
}

TEST_P(ClusterArgumentsTest, ATaskThatIsCancelledWhileItRunsHasNoResult) {
  static std::atomic<bool> begun{false};
  begun = false;
  const auto running = client_.submit(
      [](int n) {
        begun = true;
        while (!this_task::cancelled()) std::this_thread::yield();
        return n;
      },
      1);
  const auto after = client_.submit(square, running);
  while (!begun) std::this_thread::yield();
  running.cancel();
  EXPECT_NE(running.exception(), nullptr);
  EXPECT_THROW(running.result(), CancelledError);
  EXPECT_TRUE(running.cancelled());
  EXPECT_THROW(after.result(), CancelledError);
}

}  // namespace
}  // namespace weft
