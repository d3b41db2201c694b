#include <weft/arrays.hpp>
#include <weft/labelled.hpp>

#include "tests/arrays/labelled/classic_writer.hpp"
#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

LabelledArray ramp(const Shape& shape, const std::vector<std::string>& dims, const Chunks& chunks) {
  return {arange(shape.elements()).reshape(shape).astype(float64).rechunk(chunks), dims, {}, "ramp"};
}

class LabelledOperationsTest : public testing::Test {
 protected:
  std::vector<double> values(const LabelledArray& array) {
    return client_.compute(array.data().astype(float64)).to_vector<double>();
  }
  Client client_;
};

template <class F>
auto refuses(const F& build, const char* call, const char* what) {
  EXPECT_THAT(build, ThrowsMessage<Error>(AllOf(HasSubstr(call), HasSubstr("operations_test.cpp:"), HasSubstr(what))));
}

TEST_F(LabelledOperationsTest, WhatCannotBeIsToldWithTheCallAndItsLine) {
  LabelledArray x = ramp({6, 4}, {"time", "lat"}, 2);
  x = LabelledArray(x.data(), x.dims(), {{"lat", Coordinate::of_numbers("lat", {3, 2, 1, 0})}}, "tas");
  refuses([&] { x.rolling("lon", 3).mean(); }, "rolling (", "'tas' has no dimension 'lon'; it has time, lat");
  refuses([&] { x.rolling("time", 0); }, "rolling (", "give 1 or more");
  refuses([&] { x.rolling("time", 3, {.min_periods = 4}).mean(); }, "rolling (", "give 1 to 3");
  refuses([&] { x.coarsen({{"lat", 3}}).mean(); }, "coarsen (", "Excess::Trim");
  refuses([&] { x.coarsen({}); }, "coarsen (", "name a dimension");
  refuses([&] { x.shift("lon", 1); }, "shift (", "it has time, lat");
  refuses([&] { x.differentiate("time"); }, "differentiate (", "no numbers or times as labels along 'time'");
  refuses([&] { x.interp("time", {1, 2}); }, "interp (", "no labels along 'time'");
  refuses([&] { x.resample("lat", "3 parsecs"); }, "resample (", "as in 6H, 1D, 1M, QS-DEC");
  refuses([&] { x.resample("lat", "1D").mean(); }, "resample (", "'lat' holds no times");
  refuses([&] { x.groupby_bins("lat", {1, 1}); }, "groupby_bins (", "two rising edges");
  refuses([&] { x.quantile(1.5, {"lat"}); }, "quantile (", "from 0 to 1");
  refuses([&] { x.where(x); }, "where (", "compare, as in tas > 273");
  refuses([&] { x.ffill("lat", 0); }, "ffill (", "or -1 for all");
  refuses([&] { x.isel_points({{"time", {1}}, {"lat", {1, 2}}}); }, "isel_points (", "each point needs one of each");
  refuses([&] { x.weighted(ramp({3}, {"lat"}, 1)).mean({"lat"}); }, "weighted (", "other labels along 'lat'");
  refuses([&] { x.weighted(ramp({3}, {"lon"}, 1)).mean({"lat"}); }, "weighted (", "which 'tas' lacks");
  refuses([&] { concat({x, x.isel("lat", slice(0, 2))}, "time"); }, "concat (", "other labels along 'lat'");
  refuses([&] { merge({Dataset({x}), Dataset({x * 2})}); }, "merge (", "'tas' is in two sets");
  const Dataset set({x});
  refuses([&] { set.shift("lon", 1); }, "shift (", "there are lat, time");
  refuses([&] { combine_by_coords({set, set}); }, "combine_by_coords (", "nothing to join them by");
}

TEST_F(LabelledOperationsTest, ALongWindowLosesNoDigitsAndLeavesInfinitiesBehind) {
  std::vector<double> numbers(1000, 1e-3);
  numbers[10] = 1e18;
  numbers[20] = kInfinity;
  const LabelledArray x(from(std::move(numbers), 64), {"x"});
  const std::vector<double> sums = values(x.rolling("x", 8).sum());
  EXPECT_EQ(sums[18], 8e-3);
  EXPECT_EQ(sums[27], kInfinity);
  EXPECT_EQ(sums[28], 8e-3);
}

TEST_F(LabelledOperationsTest, WindowsMayBeLongerThanChunksAndTheArray) {
  for (const int chunk : {1, 7, 50}) {
    const LabelledArray x = ramp({50}, {"x"}, chunk);
    const std::vector<double> means = values(x.rolling("x", 30, {.min_periods = 1}).mean());
    for (int i = 0; i < 50; ++i) ASSERT_EQ(means[static_cast<std::size_t>(i)], (std::max(0, i - 29) + i) / 2.0) << i;
    const std::vector<double> most = values(x.rolling("x", 80, {.center = true, .min_periods = 1}).max());
    for (int i = 0; i < 50; ++i) ASSERT_EQ(most[static_cast<std::size_t>(i)], std::min(49, i + 39)) << i;
    EXPECT_TRUE(std::isnan(values(x.rolling("x", 80).sum())[49]));
  }
}

TEST_F(LabelledOperationsTest, BuildingReadsNothingAndChunksStay) {
  const LabelledArray x = ramp({1'000'000, 1000}, {"time", "x"}, {1000, 1000});
  const LabelledArray y = x.rolling("time", 30).mean().shift("time", 1).diff("time").fillna(0);
  EXPECT_EQ(y.extent("time"), 999'999);
  EXPECT_EQ(x.rolling("time", 30).mean().data().chunks(), x.data().chunks());
  EXPECT_EQ(x.shift("time", 30).data().chunks(), x.data().chunks());
}

TEST_F(LabelledOperationsTest, ValuesAtALabelAreNotMixedWithMissingNeighbours) {
  const LabelledArray x(from(std::vector<double>{1, std::nan(""), 3, kInfinity}), {"x"},
                        {{"x", Coordinate::of_numbers("x", {0, 1, 2, 3})}});
  const std::vector<double> got = values(x.interp("x", {0, 0.5, 1, 2, 3}));
  EXPECT_EQ(got[0], 1);
  EXPECT_TRUE(std::isnan(got[1]));
  EXPECT_TRUE(std::isnan(got[2]));
  EXPECT_EQ(got[3], 3);
  EXPECT_EQ(got[4], kInfinity);
}

TEST_F(LabelledOperationsTest, TextsAreOrderedAndLookedUp) {
  const LabelledArray x(arange(3), {"name"}, {{"name", Coordinate::of_texts("name", {"c", "a", "b"})}});
  const LabelledArray sorted = x.sortby("name");
  EXPECT_EQ(sorted.coordinates().at("name").texts(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(values(sorted), (std::vector<double>{1, 2, 0}));
  const std::vector<double> got = values(x.reindex("name", Coordinate::of_texts("name", {"b", "z"})));
  EXPECT_EQ(got[0], 2);
  EXPECT_TRUE(std::isnan(got[1]));
}

TEST_F(LabelledOperationsTest, FilesOfOtherRegionsTimesAndVariablesArePutTogether) {
  const io::TestFolder folder;
  std::vector<std::string> paths;
  for (const int first : {2, 0}) {
    for (const double lat : {0.0, 60.0}) {
      ClassicWriter writer({{"time", 2}, {"lat", 2}});
      writer.variable("time", {"time"}, 'd', {first + 0.0, first + 1.0}, {{"units", {}, 'c', "days since 2001-01-01"}});
      writer.variable("lat", {"lat"}, 'd', {lat + 30, lat});
      writer.variable("tas", {"time", "lat"}, 'd',
                      {first + lat + 30, first + lat, first + 1 + lat + 30, first + 1 + lat});
      paths.push_back(
          writer.write(folder / (std::to_string(first) + "_" + std::to_string(static_cast<int>(lat)) + ".nc")));
    }
  }
  ClassicWriter other({{"lat", 4}});
  other.variable("lat", {"lat"}, 'd', {90, 60, 30, 0});
  other.variable("mask", {"lat"}, 'i', {1, 0, 0, 1});
  paths.push_back(other.write(folder / "mask.nc"));
  const Dataset all = open_combined(paths);
  EXPECT_EQ(all["tas"].coordinates().at("lat").numbers(), (std::vector<double>{90, 60, 30, 0}));
  EXPECT_EQ(all["mask"].extent("lat"), 4);
  const std::vector<double> got = values(all["tas"]);
  for (std::size_t i = 0; i < 16; ++i)
    EXPECT_EQ(got[i], static_cast<double>(i / 4) + 90 - 30 * static_cast<double>(i % 4));
  paths.erase(paths.begin());
  EXPECT_THAT([&] { open_combined(paths); }, ThrowsMessage<Error>(HasSubstr("a tile is missing: 3 are there")));
}

}  // namespace
}  // namespace weft
