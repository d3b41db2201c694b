#include "gpu/batches/batch_choice.hpp"

#include <gtest/gtest.h>

namespace weft::gpu {
namespace {

TEST(BatchChoiceTest, SizesAreFew) {
  EXPECT_EQ(batch_size(1), 1u);
  EXPECT_EQ(batch_size(3), 3u);
  EXPECT_EQ(batch_size(4), 4u);
  EXPECT_EQ(batch_size(15), 8u);
  EXPECT_EQ(batch_size(63), 32u);
  EXPECT_EQ(batch_size(1000), kMostInBatch);
}

TEST(BatchChoiceTest, AFewWorksNeedNoGraph) {
  BatchCosts costs;
  costs.one_by_one = 1;
  costs.kept = costs.made = 1e-9;
  EXPECT_EQ(choose_way(kFewestInGraph - 1, costs), BatchWay::OneByOne);
  EXPECT_EQ(choose_way(kFewestInGraph, costs), BatchWay::Graph);
}

TEST(BatchChoiceTest, EachWayIsMeasuredBeforeOneIsChosen) {
  BatchCosts costs;
  EXPECT_EQ(choose_way(8, costs), BatchWay::Graph);
  costs.made = 50e-6;
  EXPECT_EQ(choose_way(8, costs), BatchWay::OneByOne);
  costs.one_by_one = 5e-6;
  EXPECT_EQ(choose_way(8, costs), BatchWay::Graph) << "a graph that is kept has not been seen yet";
  costs.kept = 2e-6;
  EXPECT_EQ(choose_way(8, costs), BatchWay::Graph);
  costs.kept = 9e-6;
  EXPECT_EQ(choose_way(8, costs), BatchWay::OneByOne);
}

TEST(BatchChoiceTest, GraphsWhoseShapesNeverComeAgainDoNotPay) {
  BatchCosts costs;
  costs.one_by_one = 5e-6;
  costs.kept = 2e-6;
  costs.made = 50e-6;
  costs.kept_share = 0.99;
  EXPECT_EQ(choose_way(8, costs), BatchWay::Graph);
  costs.kept_share = 0.5;
  EXPECT_EQ(choose_way(8, costs), BatchWay::OneByOne);
  costs.kept = 0;
  costs.kept_share = 0.1;
  EXPECT_EQ(choose_way(8, costs), BatchWay::OneByOne);
}

TEST(BatchChoiceTest, TheSlowerWayIsTriedNowAndThen) {
  BatchCosts costs;
  costs.one_by_one = 5e-6;
  costs.kept = 2e-6;
  int others = 0;
  for (costs.chosen = 0; costs.chosen < 10 * kTryOtherEvery; ++costs.chosen)
    if (choose_way(8, costs) == BatchWay::OneByOne) ++others;
  EXPECT_EQ(others, 10);
}

TEST(BatchChoiceTest, OneBatchThatWasHeldUpDoesNotDecide) {
  EXPECT_DOUBLE_EQ(measured_cost(0, 3e-6), 3e-6);
  EXPECT_DOUBLE_EQ(measured_cost(4e-6, 1), 0.75 * 4e-6 + 4e-6);
  EXPECT_DOUBLE_EQ(measured_cost(4e-6, 0), 4e-6) << "not measured";
  double cost = 4e-6;
  for (int i = 0; i < 40; ++i) cost = measured_cost(cost, 40e-6);
  EXPECT_NEAR(cost, 40e-6, 1e-7) << "what lasts is believed";
}

}  // namespace
}  // namespace weft::gpu
