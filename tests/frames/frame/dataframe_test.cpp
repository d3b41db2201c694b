#include <weft/dataframe.hpp>
#include <weft/error.hpp>
#include <weft/frame_arrays.hpp>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>

namespace weft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Rides of four vendors, in an order that repeats after 1,000 rows.
Table rides(std::size_t rows) {
  std::vector<std::int64_t> number;
  std::vector<std::string> vendor;
  std::vector<double> fare;
  std::vector<Cell> when, tip;
  const std::int64_t begin = parse_timestamp("2015-01-01").value();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t k = i * 7919 % 1000;
    number.push_back(static_cast<std::int64_t>(k));
    vendor.push_back(std::string(1, static_cast<char>('a' + k % 4)));
    fare.push_back(static_cast<double>(k) / 8);
    when.push_back(begin + static_cast<std::int64_t>(i) * 600'000'000'000);
    tip.push_back(k % 10 == 0 ? Cell() : Cell(static_cast<double>(k % 7)));
  }
  return Table({{"number", Column::of(number)},
                {"vendor", Column::of(vendor)},
                {"fare", Column::of(fare)},
                {"when", Column::of(ColumnType::Timestamp, when)},
                {"tip", Column::of(ColumnType::Float64, tip)}});
}

class DataFrameTest : public ::testing::TestWithParam<const char*> {
 protected:
  DataFrameTest()
      : client_({.scheduler = GetParam(), .threads = 2, .progress = "off"}),
        table_(rides(5000)),
        frame_(DataFrame::from_table(table_, 7)) {}
  std::string error_of(const std::function<void()>& function) const {
    try {
      function();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  Client client_;
  Table table_;
  DataFrame frame_;
};
INSTANTIATE_TEST_SUITE_P(Modes, DataFrameTest, ::testing::Values("sync", "threads"));

TEST_P(DataFrameTest, GivesBackTheTableItWasCutFrom) {
  EXPECT_EQ(frame_.npartitions(), 7u);
  EXPECT_EQ(frame_.shape(client_), std::pair(std::int64_t{5000}, std::int64_t{5}));
  EXPECT_TRUE(frame_.compute(client_).equals(table_));
  EXPECT_TRUE(client_.compute(frame_).equals(table_));
  EXPECT_TRUE(frame_.persist(client_).compute(client_).equals(table_));
  EXPECT_TRUE(frame_.head(client_, 800).equals(table_.slice(0, 800)));
  EXPECT_TRUE(frame_.tail(client_, 3).equals(table_.slice(4997, 3)));
  EXPECT_TRUE(frame_.repartition(3).compute(client_).equals(table_));
  EXPECT_EQ(frame_.repartition(20).npartitions(), 20u);
  EXPECT_TRUE(frame_.repartition(20).compute(client_).equals(table_));
  EXPECT_TRUE(concat({frame_.partitions(0, 3), frame_.partitions(3, 4)}).compute(client_).equals(table_));
  const DataFrame small = frame_.repartition_bytes(client_, 20'000);
  EXPECT_GT(small.npartitions(), 7u);
  EXPECT_TRUE(small.compute(client_).equals(table_));
}

TEST_P(DataFrameTest, RowsAreChosenAndColumnsComputed) {
  const DataFrame some =
      frame_[frame_["fare"] > 100].assign("total", frame_["fare"] + frame_["tip"])[{"vendor", "total"}];
  EXPECT_THAT(some.columns(), ElementsAre("vendor", "total"));
  const Table rows = some.compute(client_);
  std::size_t at = 0;
  for (std::size_t i = 0; i < table_.row_count(); ++i) {
    const double fare = table_["fare"].data<double>()[i];
    if (fare <= 100) continue;
    ASSERT_EQ(rows["vendor"].text(at), table_["vendor"].text(i));
    const double total = fare + table_["tip"].data<double>()[i];
    ASSERT_TRUE(rows["total"].data<double>()[at] == total || (std::isnan(total) && rows["total"].is_missing(at)));
    ++at;
  }
  EXPECT_EQ(rows.row_count(), at);
  EXPECT_EQ(frame_.dropna({"tip"}).shape(client_).first, 4500);
  EXPECT_EQ(frame_.fillna(0).compute(client_)["tip"].missing_count(), 0u);
  EXPECT_THAT(frame_.rename({{"tip", "extra"}}).drop({"number", "when"}).columns(),
              ElementsAre("vendor", "fare", "extra"));
  EXPECT_EQ(frame_.astype({{"number", "float64"}}).dtypes()[0], ColumnType::Float64);
}

TEST_P(DataFrameTest, NumbersMayStandOnTheLeft) {
  const Column got = (5 / (frame_["number"] + 1)).compute(client_);
  const Column rest = (7 - frame_["fare"]).compute(client_);
  EXPECT_EQ(client_.compute((900 <= frame_["number"]).sum()), Cell(std::int64_t{500}));
  EXPECT_EQ(client_.compute((900 == frame_["number"]).sum()), Cell(std::int64_t{5}));
  for (std::size_t i = 0; i < 1000; ++i) {
    // One division, rounded once.
    ASSERT_EQ(got.cell(i), Cell(5.0 / static_cast<double>(table_["number"].data<std::int64_t>()[i] + 1)));
    ASSERT_EQ(rest.cell(i), Cell(7.0 - table_["fare"].data<double>()[i]));
  }
}

TEST_P(DataFrameTest, ReductionsAreThoseOfTheWholeColumn) {
  double sum = 0, squares = 0, count = 0;
  for (std::size_t i = 0; i < table_.row_count(); ++i) {
    if (table_["tip"].is_missing(i)) continue;
    sum += table_["tip"].data<double>()[i];
    squares += table_["tip"].data<double>()[i] * table_["tip"].data<double>()[i];
    ++count;
  }
  EXPECT_EQ(client_.compute(frame_["tip"].count()), 4500);
  EXPECT_EQ(client_.compute(frame_["tip"].size()), 5000);
  EXPECT_EQ(std::get<double>(client_.compute(frame_["tip"].sum())), sum);
  EXPECT_DOUBLE_EQ(client_.compute(frame_["tip"].mean()), sum / count);
  EXPECT_NEAR(client_.compute(frame_["tip"].var()), (squares - sum * sum / count) / (count - 1), 1e-9);
  EXPECT_EQ(client_.compute(frame_["number"].nunique()), 1000);
  EXPECT_EQ(client_.compute(frame_["number"].max()), Cell(std::int64_t{999}));
  EXPECT_EQ(client_.compute(frame_["vendor"].min()), Cell(std::string("a")));
  const Table means = frame_.mean().compute(client_);
  EXPECT_THAT(means.names(), ElementsAre("number", "fare", "tip"));
  EXPECT_DOUBLE_EQ(means["tip"].data<double>()[0], sum / count);
  EXPECT_EQ(std::get<std::int64_t>(client_.compute((frame_["number"] * 2).sum())), 5 * 999 * 1000);
}

TEST_P(DataFrameTest, GroupsByColumnsAndByWhatIsComputedOfThem) {
  const Table by_vendor =
      frame_.groupby("vendor").aggregate({{"fare", "mean"}, {"fare", "max"}, {"tip", "count"}}).compute(client_);
  EXPECT_THAT(by_vendor.names(), ElementsAre("vendor", "fare_mean", "fare_max", "tip_count"));
  ASSERT_EQ(by_vendor.row_count(), 4u);
  std::map<std::string, std::vector<double>> fares;
  std::map<std::int64_t, std::pair<double, int>> by_hour;
  for (std::size_t i = 0; i < table_.row_count(); ++i) {
    fares[std::string(table_["vendor"].text(i))].push_back(table_["fare"].data<double>()[i]);
    auto& hour = by_hour[table_["when"].data<std::int64_t>()[i] / 3'600'000'000'000 % 24];
    hour.first += table_["fare"].data<double>()[i];
    ++hour.second;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& values = fares[std::string(by_vendor["vendor"].text(i))];
    EXPECT_DOUBLE_EQ(by_vendor["fare_mean"].data<double>()[i],
                     std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()));
    EXPECT_EQ(by_vendor["fare_max"].data<double>()[i], *std::max_element(values.begin(), values.end()));
  }
  const Table hours = frame_.groupby(frame_["when"].dt().hour())["fare"].mean().compute(client_);
  ASSERT_EQ(hours.row_count(), 24u);
  for (std::size_t i = 0; i < 24; ++i)
    EXPECT_DOUBLE_EQ(hours["fare"].data<double>()[i],
                     by_hour[static_cast<std::int64_t>(i)].first / by_hour[static_cast<std::int64_t>(i)].second);
  const DataFrame dear = frame_[frame_["fare"] > 100];
  EXPECT_EQ(dear.groupby(frame_["when"].dt().year()).size().compute(client_)["size"].cell(0),
            Cell(std::int64_t{5 * 199}));
}

TEST_P(DataFrameTest, SortsAllRows) {
  for (const std::size_t parts : {std::size_t{0}, std::size_t{1}, std::size_t{13}}) {
    const Table sorted = frame_.sort_values({"number", "when"}, {false, true}, parts).compute(client_);
    ASSERT_EQ(sorted.row_count(), 5000u);
    for (std::size_t i = 0; i < 5000; ++i) {
      ASSERT_EQ(sorted["number"].cell(i), Cell(static_cast<std::int64_t>(999 - i / 5))) << i;
      if (i % 5 != 0) {
        ASSERT_LT(sorted["when"].cell(i - 1), sorted["when"].cell(i));
      }
    }
  }
  const Table top = frame_.nlargest(3, {"fare"}).compute(client_);
  EXPECT_EQ(top["number"].cell(2), Cell(std::int64_t{999}));
  EXPECT_EQ(frame_.nsmallest(6, {"number"}).compute(client_)["number"].cell(5), Cell(std::int64_t{1}));
  EXPECT_EQ(frame_["vendor"].unique().compute(client_).row_count(), 4u);
  const Table counts = frame_["vendor"].value_counts().compute(client_);
  EXPECT_EQ(counts["count"].cell(3), Cell(std::int64_t{1250}));
  EXPECT_EQ(frame_.drop_duplicates({"number"}).shape(client_).first, 1000);
}

TEST_P(DataFrameTest, MergesSmallAndLargeFrames) {
  const Table names({{"vendor", Column::of(std::vector<std::string>{"a", "b", "e"})},
                     {"owner", Column::of(std::vector<std::string>{"Ada", "Bo", "Eve"})}});
  const DataFrame owners = DataFrame::from_table(names, 2);
  for (const int broadcast : {-1, 0, 1}) {
    const Table both = frame_.merge(owners, {.on = {"vendor"}, .broadcast = broadcast}).compute(client_);
    ASSERT_EQ(both.row_count(), 2500u);
    for (std::size_t i = 0; i < 2500; ++i)
      ASSERT_EQ(both["owner"].text(i), both["vendor"].text(i) == "a" ? "Ada" : "Bo");
    EXPECT_EQ(frame_.merge(owners, {.how = "left", .on = {"vendor"}, .broadcast = broadcast})
                  .compute(client_)["owner"]
                  .missing_count(),
              2500u);
    EXPECT_EQ(frame_.merge(owners, {.how = "leftanti", .on = {"vendor"}, .broadcast = broadcast}).shape(client_),
              std::pair(std::int64_t{2500}, std::int64_t{5}));
  }
  EXPECT_EQ(frame_.merge(owners, {.how = "outer"}).shape(client_).first, 5001);
  // Of another type: whole numbers meet floats.
  const DataFrame reals = frame_[{"number", "fare"}].astype({{"number", "float64"}}).drop_duplicates();
  const Table met = frame_.merge(reals.repartition(3), {.on = {"number"}}).compute(client_);
  ASSERT_EQ(met.row_count(), 5000u);
  for (std::size_t i = 0; i < met.row_count(); ++i) ASSERT_EQ(met["fare_x"].cell(i), met["fare_y"].cell(i));
}

TEST_P(DataFrameTest, MixesWithDelayedAndFutures) {
  const auto load = [](int first) { return Table({{"x", Column::of(std::vector<std::int64_t>{first, first + 1})}}); };
  const std::vector<Delayed<Table>> parts = {delayed(load)(1), delayed(load)(10)};
  const DataFrame frame = DataFrame::from_delayed(parts, schema({{"x", "int64"}}));
  EXPECT_EQ(client_.compute(frame["x"].sum()), Cell(std::int64_t{24}));
  EXPECT_EQ(frame.to_delayed()[1].task_id(), parts[1].task_id());
  const auto rows =
      delayed([](const Table& one, const Table& other) { return one.row_count() * 10 + other.row_count(); });
  EXPECT_EQ(client_.compute(rows(frame.to_delayed()[0], frame_.to_delayed()[0])), 2u * 10 + 714);
  const DataFrame mapped = DataFrame::from_map(load, std::vector<int>{5, 7, 9}, schema({{"x", "int64"}}));
  EXPECT_EQ(client_.compute(mapped["x"].max()), Cell(std::int64_t{10}));
  EXPECT_EQ(client_.compute(DataFrame::from_futures(client_.persist(parts), schema({{"x", "int64"}}))["x"].min()),
            Cell(std::int64_t{1}));
  const DataFrame doubled = frame.map_partitions([](const Table& table) { return Table::concat({table, table}); });
  EXPECT_EQ(doubled.shape(client_).first, 8);
}

TEST_P(DataFrameTest, FilesGiveBackWhatWasWritten) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("weft_frame_" + std::string(GetParam()) + std::to_string(::getpid()));
  EXPECT_EQ(frame_.to_csv(client_, (folder / "csv").string()).size(), 7u);
  const DataFrame csv = read_csv((folder / "csv" / "*.csv").string(), {.dates = {"when"}, .blocksize = 8'000});
  EXPECT_GT(csv.npartitions(), 20u);
  EXPECT_TRUE(csv.compute(client_).equals(table_));
  EXPECT_EQ(csv.repartition(4).npartitions(), 4u);
  EXPECT_EQ(client_.compute(csv[csv["fare"] > 20]["tip"].count()),
            client_.compute(frame_[frame_["fare"] > 20]["tip"].count()));
  EXPECT_EQ(frame_.to_parquet(client_, (folder / "p-*.parquet").string(), {.row_group_rows = 300}).size(), 7u);
  const DataFrame parquet = read_parquet((folder / "p-*.parquet").string());
  EXPECT_EQ(parquet.npartitions(), 21u);
  EXPECT_TRUE(parquet.compute(client_).equals(table_));
  const Table two = frame_[{"tip", "vendor"}].compute(client_);
  EXPECT_TRUE((parquet[{"tip", "vendor"}].compute(client_).equals(two)));
  std::filesystem::remove_all(folder);
}

TEST_P(DataFrameTest, RunningSumsAndWindowsReachOverPartitions) {
  // Partitions of three rows and fewer: windows reach over several.
  const Table table = rides(40);
  const DataFrame frame = DataFrame::from_table(table, 17);
  DataFrame all = frame[{"number", "tip"}];
  all = all.assign("sum", frame["tip"].cumsum()).assign("most", frame["number"].cummax());
  all = all.assign("before", frame["number"].shift(7))
            .assign("behind", frame["number"].shift(-5))
            .assign("step", frame["tip"].diff());
  all = all.assign("mean", frame["tip"].rolling(9, 2).mean()).assign("least", (frame["number"] * 2).rolling(4).min());
  const Table got = all.compute(client_);
  const auto number = [&](std::size_t i) { return table["number"].data<std::int64_t>()[i]; };
  double sum = 0;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const bool missing = table["tip"].is_missing(i);
    if (!missing) sum += table["tip"].data<double>()[i];
    ASSERT_EQ(got["sum"].cell(i), missing ? Cell() : Cell(sum)) << i;
    ASSERT_EQ(got["most"].cell(i), Cell(most = std::max(most, number(i))));
    ASSERT_EQ(got["before"].cell(i), i < 7 ? Cell() : Cell(number(i - 7)));
    ASSERT_EQ(got["behind"].cell(i), i + 5 >= 40 ? Cell() : Cell(number(i + 5)));
    const bool step = i > 0 && !missing && !table["tip"].is_missing(i - 1);
    ASSERT_EQ(got["step"].cell(i),
              step ? Cell(table["tip"].data<double>()[i] - table["tip"].data<double>()[i - 1]) : Cell());
    double total = 0;
    int count = 0;
    for (std::size_t k = i < 8 ? 0 : i - 8; k <= i; ++k) {
      if (table["tip"].is_missing(k)) continue;
      total += table["tip"].data<double>()[k];
      ++count;
    }
    ASSERT_EQ(got["mean"].cell(i), count >= 2 ? Cell(total / count) : Cell()) << i;
    if (i < 3) {
      ASSERT_EQ(got["least"].cell(i), Cell());
    } else {
      ASSERT_EQ(got["least"].cell(i),
                Cell(2.0 * static_cast<double>(std::min({number(i), number(i - 1), number(i - 2), number(i - 3)}))));
    }
  }
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_.assign("s", frame["tip"].cumsum())); }),
              HasSubstr("is of another frame"));
}

TEST_P(DataFrameTest, RowsAreFoundByTheirIndex) {
  const DataFrame indexed = frame_.set_index("number");
  EXPECT_EQ(indexed.index(), "number");
  EXPECT_EQ(indexed.loc(10, 19).shape(client_).first, 50);
  const std::vector<Cell> divisions = indexed.divisions(client_);
  EXPECT_EQ(divisions.size(), 8u);
  EXPECT_TRUE(std::is_sorted(divisions.begin(), divisions.end()));
  EXPECT_EQ(divisions.back(), Cell(std::int64_t{999}));
  const DataFrame names = DataFrame::from_table(Table({{"number", Column::of(std::vector<std::int64_t>{3, 5})},
                                                       {"name", Column::of(std::vector<std::string>{"c", "e"})}}));
  EXPECT_EQ(indexed.join(names.set_index("number"), "inner").shape(client_).first, 10);
  EXPECT_THAT(error_of([&] { static_cast<void>(indexed.reset_index().loc(1, 2)); }), HasSubstr("set_index"));
}

TEST_P(DataFrameTest, WholeFramesAreComputedWith) {
  const Table small = frame_[{"number", "vendor"}].add(1).head(client_, 3);
  EXPECT_EQ(small["number"].cell(0), Cell(std::int64_t{1}));
  EXPECT_EQ(small["vendor"].text(0), "a");
  EXPECT_EQ(client_.compute(frame_.size()), 25'000);
  const Table held = frame_[{"number", "fare"}].where(frame_["number"] > 500).compute(client_);
  EXPECT_EQ(held["number"].missing_count(), 501u * 5);
  EXPECT_EQ(held["fare"].missing_count(), 501u * 5);
  EXPECT_EQ(client_.compute(frame_[{"vendor"}].isin({std::string("b")})["vendor"].sum()), Cell(std::int64_t{1250}));
  EXPECT_DOUBLE_EQ(client_.compute(frame_["number"].quantile(0.25)), 249.75);
}

TEST_P(DataFrameTest, GroupsAreGivenToFunctions) {
  const auto widest = [](const Table& group) {
    const Column& fare = group["fare"];
    const auto [least, most] = std::minmax_element(fare.data<double>(), fare.data<double>() + fare.size());
    return Table({{"vendor", group["vendor"].slice(0, 1)}, {"range", Column::of(std::vector<double>{*most - *least})}});
  };
  const DataFrame ranges = frame_.groupby("vendor").apply(widest, schema({{"vendor", "string"}, {"range", "float64"}}));
  const Table got = ranges.sort_values({"vendor"}, {}, 1).compute(client_);
  ASSERT_EQ(got.row_count(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(got["vendor"].text(i), std::string(1, static_cast<char>('a' + i)));
    EXPECT_EQ(got["range"].cell(i), Cell(996.0 / 8));
  }
  EXPECT_THAT(frame_.astype({{"vendor", "category"}})["vendor"].categories(client_), ElementsAre("a", "b", "c", "d"));
  const Table half = frame_.quantile(0.5).compute(client_);
  EXPECT_EQ(half["number"].cell(0), Cell(499.5));
  const Table sums = frame_[{"vendor", "number"}].cumsum().tail(client_, 1);
  EXPECT_EQ(sums["number"].cell(0), Cell(std::int64_t{5 * 999 * 500}));
}

TEST_P(DataFrameTest, BecomesAnArrayAndComesBack) {
  const Array array = to_array(client_, frame_[{"number", "fare"}]);
  EXPECT_THAT(std::vector<std::int64_t>(array.shape().begin(), array.shape().end()), ElementsAre(5000, 2));
  const double mean = client_.compute(frame_["fare"].mean());
  EXPECT_NEAR(client_.compute(array.mean({.axis = 0})).to_vector<double>()[1], mean, 1e-12);
  const DataFrame back = from_array(array, {"number", "fare"});
  EXPECT_EQ(back.npartitions(), 7u);
  EXPECT_TRUE(
      back.compute(client_).equals(frame_[{"number", "fare"}].astype({{"number", "float64"}}).compute(client_)));
  EXPECT_EQ(client_.compute(to_array(client_, frame_["number"]).sum()).item<double>(), 5 * 999 * 500.0);
  EXPECT_THAT(error_of([&] { static_cast<void>(to_array(client_, frame_)); }),
              HasSubstr("column 'vendor' is of string"));
}

TEST_P(DataFrameTest, MistakesAreToldWhereTheyAreMade) {
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_["fair"]); }), HasSubstr("did you mean 'fare'?"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_["vendor"].mean()); }),
              HasSubstr("column 'vendor' is of string, which has no mean"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_["fare"] + frame_["vendor"]); }),
              HasSubstr("'+' does not go with"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_.filter(col("fare"))); }),
              HasSubstr("a condition must be a column of bools"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_["fare"] + DataFrame::from_table(table_)["fare"]); }),
              HasSubstr("is of another frame"));
  EXPECT_THAT(error_of([&] {
                static_cast<void>(frame_.groupby("vendor").aggregate({{"fare", "avg"}}));
              }),
              HasSubstr("cannot be aggregated by 'avg'"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_.merge(frame_, {.how = "cross"})); }),
              HasSubstr(".how is 'cross'"));
  EXPECT_THAT(error_of([&] { static_cast<void>(read_csv("/nowhere/*.csv")); }), HasSubstr("/nowhere/*.csv"));
  EXPECT_THAT(error_of([&] { static_cast<void>(frame_.get_partition(7)); }), HasSubstr("the frame has 7"));
}

}  // namespace
}  // namespace weft
