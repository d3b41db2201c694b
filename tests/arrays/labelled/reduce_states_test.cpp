#include "arrays/labelled/reduce_states.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace weft::labelled {
namespace {

constexpr StateParts kAll{StateParts::Weight | StateParts::Sum | StateParts::Moments | StateParts::Min |
                          StateParts::Max};

std::vector<double> one_state(const std::vector<float>& values, const std::vector<double>& weights, bool skipna) {
  std::vector<double> state(static_cast<std::size_t>(kAll.count()));
  begin_states(kAll, state.data(), 1, 1);
  add_to_one(kAll, Elements<float>{values.data(), std::ssize(values), weights.data(), 1, skipna}, state.data(), 1);
  return state;
}

TEST(ReduceStatesTest, PartsLieInTheirOrder) {
  EXPECT_EQ(kAll.count(), 7);
  EXPECT_EQ(kAll.of(StateParts::Weight), 1);
  EXPECT_EQ(kAll.of(StateParts::Sum), 2);
  EXPECT_EQ(kAll.of(StateParts::Moments), 3);
  EXPECT_EQ(kAll.of(StateParts::Min), 5);
  EXPECT_EQ(kAll.of(StateParts::Max), 6);
  EXPECT_EQ(StateParts{StateParts::Max}.of(StateParts::Max), 1);
}

TEST(ReduceStatesTest, WeightedMomentsLeaveMissingValuesOut) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> state = one_state({1, nan, 4, 2}, {1, 7, 2, 3}, true);
  EXPECT_EQ(state[0], 3);
  EXPECT_EQ(state[1], 6);
  EXPECT_EQ(state[2], 15);
  EXPECT_DOUBLE_EQ(state[3], 2.5);
  EXPECT_DOUBLE_EQ(state[4], 1 * 2.25 + 2 * 2.25 + 3 * 0.25);
  EXPECT_EQ(state[5], 1);
  EXPECT_EQ(state[6], 4);
}

TEST(ReduceStatesTest, AMissingValueThatCountsSpreads) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> state = one_state({1, 2, nan, 3, 5, 6, 7, 8, 9, 10}, std::vector<double>(10, 1), false);
  EXPECT_EQ(state[0], 10);
  for (const int part : {2, 3, 4, 5, 6}) EXPECT_TRUE(std::isnan(state[static_cast<std::size_t>(part)])) << part;
}

TEST(ReduceStatesTest, MergedHalvesAreTheWhole) {
  std::vector<float> values;
  std::vector<double> weights;
  for (int i = 0; i < 101; ++i) {
    values.push_back(static_cast<float>(i * 37 % 101) / 8);
    weights.push_back(1 + i % 5);
  }
  const std::vector<double> whole = one_state(values, weights, true);
  std::vector<double> left =
      one_state({values.begin(), values.begin() + 40}, {weights.begin(), weights.begin() + 40}, true);
  const std::vector<double> right =
      one_state({values.begin() + 40, values.end()}, {weights.begin() + 40, weights.end()}, true);
  merge_states(kAll, right.data(), 1, 1, left.data(), 1);
  for (std::size_t part = 0; part < whole.size(); ++part) EXPECT_NEAR(left[part], whole[part], 1e-9) << part;
}

TEST(ReduceStatesTest, NothingMergedChangesNothing) {
  const std::vector<double> state = one_state({3, 1}, {1, 1}, true);
  std::vector<double> both = state;
  const std::vector<double> nothing = one_state({}, {}, true);
  merge_states(kAll, nothing.data(), 1, 1, both.data(), 1);
  EXPECT_EQ(both, state);
}

}  // namespace
}  // namespace weft::labelled
