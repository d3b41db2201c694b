#include <weft/arrays.hpp>
#include <weft/labelled.hpp>

#include "tests/arrays/labelled/classic_writer.hpp"
#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Days from `first` on, 3 latitudes from north to south, 4 longitudes; values by a seed, some missing.
std::string write_days(const std::string& path, int first, int days, const std::string& units = "days since 2001-01-01",
                       double north = 60) {
  ClassicWriter writer({{"time", days}, {"lat", 3}, {"lon", 4}});
  std::vector<double> time(static_cast<std::size_t>(days));
  std::iota(time.begin(), time.end(), first);
  writer.variable("time", {"time"}, 'd', time, {{"units", {}, 'c', units}, {"calendar", {}, 'c', "noleap"}});
  writer.variable("lat", {"lat"}, 'd', {north, 0, -60});
  writer.variable("lon", {"lon"}, 'd', {0, 90, 180, 270});
  std::vector<double> values;
  for (int day = first; day < first + days; ++day) {
    for (int i = 0; i < 12; ++i) values.push_back((day * 12 + i) % 17 == 0 ? -9 : day + 0.25 * i);
  }
  writer.variable("tas", {"time", "lat", "lon"}, 'f', values,
                  {{"units", {}, 'c', "K"}, {"_FillValue", {-9}, 'f'}, {"cell_methods", {}, 'c', "area: mean"}});
  writer.variable("mask", {"lat", "lon"}, 'i', {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
  return writer.write(path);
}

double value_at(int day, int i) { return (day * 12 + i) % 17 == 0 ? kNan : day + 0.25 * i; }

class LabelledTest : public testing::Test {
 protected:
  std::vector<double> values(const LabelledArray& array) {
    return client_.compute(array.data().astype(float64)).to_vector<double>();
  }
  const io::TestFolder folder_;
  Client client_;
};

TEST_F(LabelledTest, AFileIsADatasetWithLabels) {
  const Dataset set = open_dataset(write_days(folder_ / "a.nc", 0, 400));
  EXPECT_EQ(set.variables().size(), 2u);
  EXPECT_EQ(set["tas"].dims(), (std::vector<std::string>{"time", "lat", "lon"}));
  EXPECT_EQ(set["tas"].coordinates().at("time").label(59), "2001-03-01");
  EXPECT_EQ(set["tas"].coordinates().at("time").label(399), "2002-02-04");
  EXPECT_THAT([&] { set["pr"]; }, ThrowsMessage<Error>(HasSubstr("there are tas, mask")));
}

TEST_F(LabelledTest, LabelsChoosePlaces) {
  const LabelledArray tas = open_dataset(write_days(folder_ / "a.nc", 0, 400))["tas"];
  EXPECT_EQ(tas.sel("time", "2001-02").extent("time"), 28);
  EXPECT_EQ(tas.sel("time", between("2001-12-30", "2002-01-02")).extent("time"), 4);
  EXPECT_EQ(tas.sel("lat", between(-60, 0)).coordinates().at("lat").numbers(), (std::vector<double>{0, -60}));
  EXPECT_EQ(tas.sel("lat", between(10, -90)).extent("lat"), 2);
  const LabelledArray one = tas.sel("time", "2001-01-11").sel("lat", 0).sel("lon", nearest(100));
  EXPECT_TRUE(one.dims().empty());
  EXPECT_FLOAT_EQ(static_cast<float>(values(one)[0]), 10 + 0.25f * 5);
  EXPECT_THAT([&] { tas.sel("lat", 17); },
              ThrowsMessage<Error>(AllOf(HasSubstr("'lat'"), HasSubstr("from 60 to -60"))));
  EXPECT_THAT([&] { tas.sel("depth", 1); }, ThrowsMessage<Error>(HasSubstr("it has time, lat, lon")));
  EXPECT_THAT([&] { tas.sel("time", "1999"); }, ThrowsMessage<Error>(HasSubstr("from 2001-01-01")));
}

TEST_F(LabelledTest, ReductionsSkipMissingValuesAndSayWhatTheyDid) {
  const LabelledArray tas = open_dataset(write_days(folder_ / "a.nc", 0, 100))["tas"];
  const LabelledArray mean = tas.mean("time");
  EXPECT_EQ(mean.dims(), (std::vector<std::string>{"lat", "lon"}));
  EXPECT_EQ(io::find_attribute(mean.attributes(), "cell_methods")->text(), "area: mean time: mean");
  EXPECT_EQ(io::find_attribute(mean.attributes(), "_FillValue"), nullptr);
  EXPECT_EQ(io::find_attribute(tas.var("time").attributes(), "units")->text(), "K2");
  const std::vector<double> got = values(mean);
  const std::vector<double> counts = values(tas.count("time"));
  for (int i = 0; i < 12; ++i) {
    double sum = 0, count = 0;
    for (int day = 0; day < 100; ++day) {
      if (!std::isnan(value_at(day, i))) sum += value_at(day, i), ++count;
    }
    EXPECT_NEAR(got[static_cast<std::size_t>(i)], sum / count, 1e-5);
    EXPECT_EQ(counts[static_cast<std::size_t>(i)], count);
  }
}

TEST_F(LabelledTest, GroupsOfMonthsAreReducedEachByItself) {
  const std::string path = write_days(folder_ / "a.nc", 20, 1000);
  const LabelledArray whole = open_dataset(path)["tas"];
  // In one chunk, and in many: the tree has several levels.
  for (const std::int64_t chunk : {1000, 70, 3}) {
    const LabelledArray tas(whole.data().rechunk({chunk, 2, 3}), whole.dims(), whole.coordinates(), "tas",
                            whole.attributes());
    for (const Reduction kind : {Reduction::Mean, Reduction::Std, Reduction::Var, Reduction::Min, Reduction::Max,
                                 Reduction::Sum, Reduction::Count}) {
      const LabelledArray months = tas.groupby("time.month").reduce(kind);
      ASSERT_EQ(months.dims(), (std::vector<std::string>{"month", "lat", "lon"}));
      ASSERT_EQ(months.extent("month"), 12);
      const std::vector<double> got = values(months);
      static constexpr int kBegin[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
      for (std::size_t month = 0; month < 12; ++month) {
        for (int i = 0; i < 12; ++i) {
          double n = 0, sum = 0, squares = 0, low = 1e30, high = -1e30;
          for (int day = 20; day < 1020; ++day) {
            const double value = value_at(day, i);
            if (day % 365 < kBegin[month] || day % 365 >= kBegin[month + 1] || std::isnan(value)) continue;
            n += 1, sum += value, squares += value * value, low = std::min(low, value), high = std::max(high, value);
          }
          const double mean = sum / n, var = squares / n - mean * mean;
          const double wanted[] = {mean, std::sqrt(var), var, low, high, sum, n};
          const double want = wanted[static_cast<std::size_t>(kind)];
          ASSERT_NEAR(got[month * 12 + static_cast<std::size_t>(i)], want, 1e-6 * std::abs(want) + 1e-9)
              << static_cast<int>(kind);
        }
      }
    }
  }
  EXPECT_EQ(whole.groupby("time.season").mean().coordinates().at("season").texts(),
            (std::vector<std::string>{"DJF", "MAM", "JJA", "SON"}));
  EXPECT_THAT([&] { whole.groupby("time.moon"); }, ThrowsMessage<Error>(HasSubstr("dayofyear")));
}

TEST_F(LabelledTest, ArithmeticGoesByNamesAndLabels) {
  const LabelledArray tas = open_dataset(write_days(folder_ / "a.nc", 0, 10))["tas"];
  const LabelledArray anomaly = tas - tas.mean("time");
  EXPECT_EQ(anomaly.dims(), tas.dims());
  EXPECT_NEAR(values(anomaly.mean())[0], 0, 1e-6);
  const LabelledArray late = tas.sel("time", between("2001-01-08", "2001-01-10"));
  const LabelledArray both = late - tas.transpose({"lon", "time", "lat"});
  EXPECT_EQ(both.dims(), tas.dims());
  EXPECT_EQ(both.extent("time"), 3);
  EXPECT_EQ(values(both.max())[0], 0);
  EXPECT_EQ(values((tas * 2 - tas).isel("time", 3).isel("lat", 1))[2], value_at(3, 6));
}

TEST_F(LabelledTest, FilesAreJoinedInTheOrderOfTheirLabels) {
  const std::vector<std::string> paths = {write_days(folder_ / "c.nc", 200, 100), write_days(folder_ / "a.nc", 0, 100),
                                          write_days(folder_ / "b.nc", 100 - 31, 100, "days since 2001-02-01")};
  const LabelledArray tas = open_many(paths)["tas"];
  ASSERT_EQ(tas.extent("time"), 300);
  EXPECT_EQ(tas.coordinates().at("time").numbers()[150], 150);
  EXPECT_EQ(tas.coordinates().at("time").label(299), "2001-10-27");
  EXPECT_EQ(values(tas.isel("lon", 1).isel("lat", 0).isel("time", 150))[0], 150 - 31 + 0.25);
  EXPECT_EQ(open_many(files_of(folder_ / "*.nc"))["tas"].extent("time"), 300);
  EXPECT_EQ(files_of(folder_ / "").size(), 3u);
}

TEST_F(LabelledTest, FilesThatOverlapOrDisagreeAreRefusedByName) {
  const std::string a = write_days(folder_ / "a.nc", 0, 100);
  const std::string b = write_days(folder_ / "b.nc", 99, 100);
  EXPECT_THAT(
      [&] {
        open_many({a, b});
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("a.nc'"), HasSubstr("b.nc'"), HasSubstr("overlap along 'time'"))));
  const std::string c = write_days(folder_ / "c.nc", 100, 100, "days since 2001-01-01", 61);
  EXPECT_THAT([&] { open_many({a, c}, {.dim = "time"}); }, ThrowsMessage<Error>(HasSubstr("disagree about 'lat'")));
}

}  // namespace
}  // namespace weft
