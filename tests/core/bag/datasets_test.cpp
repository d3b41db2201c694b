#include <weft/datasets.hpp>

#include <weft/error.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weft {
namespace {

class DatasetsTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

TEST_P(DatasetsTest, PeopleAreThoseOfTheSeedHoweverTheyAreCut) {
  const auto all = datasets::make_people({.partitions = 1, .records_per_partition = 600}).compute(client_);
  EXPECT_EQ(datasets::make_people({.partitions = 6, .records_per_partition = 100}).compute(client_), all);
  EXPECT_NE(datasets::make_people({.partitions = 6, .records_per_partition = 100, .seed = 1}).compute(client_), all);
  std::set<std::string> names;
  for (const datasets::Person& one : all) {
    names.insert(one.first_name + ' ' + one.last_name);
    EXPECT_TRUE(one.age >= 18 && one.age <= 90) << one.age;
    EXPECT_EQ(one.telephone.size(), 12u);
    EXPECT_EQ(one.expires.size(), 5u);
  }
  EXPECT_GT(names.size(), 200u);
}

TEST_P(DatasetsTest, RowsStandAtEqualSteps) {
  const datasets::TimeseriesOptions one{.start = 1'000, .end = 11'000, .step = 7, .partition = 100'000, .seed = 3};
  const auto all = datasets::timeseries(one).compute(client_);
  ASSERT_EQ(all.size(), 1'429u);
  datasets::TimeseriesOptions cut = one;
  cut.partition = 1'000;
  const auto many = datasets::timeseries(cut);
  EXPECT_EQ(many.to_delayed().size(), 10u);
  EXPECT_EQ(many.compute(client_), all);
  double sum = 0, ids = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].time, 1'000 + 7 * static_cast<std::int64_t>(i));
    ASSERT_TRUE(all[i].x >= -1 && all[i].x < 1);
    sum += all[i].x + all[i].y;
    ids += static_cast<double>(all[i].id);
  }
  EXPECT_NEAR(sum / 2'858, 0, 0.05);
  EXPECT_NEAR(ids / 1'429, 1'000, 10);
  EXPECT_EQ(datasets::timeseries({}).to_delayed().size(), 31u) << "a partition a day of January";
  EXPECT_THROW(datasets::timeseries({.step = 0}), Error);
}

INSTANTIATE_TEST_SUITE_P(Modes, DatasetsTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
